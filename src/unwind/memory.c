/* What can be read: the thread's own stack by its bounds, all else by asking the kernel. */
#include "unwind/memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/auxv.h>

#include "raw/system_call.h"
#include "unwind/cpu.h"

enum {
	PAGE = 4096, /* the smallest there is */
	WORD = 8,
	/* A stack that does not hold the thread's own data will not do so next time. */
	MAX_TRIALS = 4,
	/* What is taken for one stack when its bounds do not matter. */
	STACK_BYTES = 1 << 16,
};

/* Stacks are looked through no further, a page at a time. */
#define MAX_LOOK (UINT64_C(64) << 20)

/* rt_sigprocmask copies the mask before it refuses to do what it does not know; NULL is no
   mask, and nothing is ever on its page. */
bool memory_is_readable(uint64_t address)
{
	enum { NO_SUCH_ACTION = -1, MASK_BYTES = 8 };
	return address >= PAGE &&
	       system_call(SYS_rt_sigprocmask, NO_SUCH_ACTION, (long)address, 0,
			   MASK_BYTES, 0, 0) != -EFAULT;
}

static uint64_t page_of(uint64_t address)
{
	return address & ~(uint64_t)(PAGE - 1);
}

/* `*gap` is the page that is not, if one was met. */
static bool all_readable(uint64_t low, uint64_t high, uint64_t *gap)
{
	if (high - low > MAX_LOOK)
		return false;
	/* From the top, for that is where a stack's guard is met first. */
	for (uint64_t page = page_of(high - 1) + PAGE; page > low;) {
		page -= PAGE;
		if (!memory_is_readable(page)) {
			*gap = page;
			return false;
		}
	}
	return true;
}

static bool is_main_thread(void)
{
	return system_call(SYS_gettid, 0, 0, 0, 0, 0, 0) ==
	       system_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

/* Who is interrupted in the middle of it has an empty span. */
static void set_span(struct own_stack *own, uint64_t low, uint64_t high)
{
	own->span.low = low;
	atomic_signal_fence(memory_order_seq_cst);
	own->span.high = high;
}

/* The kernel puts random bytes above the first frame of the program; libcs put a thread's own
   data above the first frame of the thread. */
static void find(struct own_stack *own, uint64_t sp)
{
	if (own->nr_trials++ >= MAX_TRIALS)
		return;
	uint64_t top = is_main_thread() ? getauxval(AT_RANDOM) : cpu_thread_pointer();
	if (sp < top && all_readable(page_of(sp), top, &own->gap))
		set_span(own, page_of(sp), top);
}

/* Deeper than it was known to be; or another stack, where the thread may stay for a while. */
static void grow(struct own_stack *own, uint64_t sp)
{
	uint64_t place = sp / STACK_BYTES;
	if (sp >= own->span.low || place == own->not_it)
		return;
	/* A stack's unused part may be large; it is not looked through for each coroutine's. */
	bool is_apart = sp < own->gap && !memory_is_readable(own->gap);
	if (!is_apart && all_readable(page_of(sp), own->span.low, &own->gap))
		own->span.low = page_of(sp);
	else
		own->not_it = place;
}

bool own_stack_has(struct own_stack *own, uint64_t sp)
{
	if (span_has(&own->span, sp))
		return true;
	if (own->span.high == 0)
		find(own, sp);
	else
		grow(own, sp);
	return span_has(&own->span, sp);
}

static void allow(struct memory *memory, uint64_t low, uint64_t high)
{
	memory->low = low;
	memory->nr_starts = high - low >= WORD ? high - low - (WORD - 1) : 0;
}

void memory_begin(struct memory *memory, struct own_stack *own, uint64_t sp)
{
	memory->own = own;
	memory->nr_starts = 0;
	if (own_stack_has(own, sp))
		allow(memory, sp, own->span.high);
}

bool memory_learn(struct memory *memory, uint64_t address)
{
	uint64_t page = page_of(address);
	uint64_t end = page_of(address + WORD - 1) + PAGE;
	if (end < page || !memory_is_readable(address))
		return false;
	const struct span *own = &memory->own->span;
	uint64_t known_end = memory->low + memory->nr_starts + WORD - 1;
	if (span_has(own, address) && own->high - address >= WORD)
		allow(memory, page, own->high);
	else if (memory->nr_starts && page <= known_end && memory->low <= page)
		allow(memory, memory->low, end > known_end ? end : known_end);
	else
		allow(memory, page, end);
	return true;
}
