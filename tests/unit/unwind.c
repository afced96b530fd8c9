/* Tests of unwind: what a stack is, where it ends and why. That its frames are the right ones,
   tests/recorder compares. */
#include "unwind/here.h"

#include <alloca.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "recorder/stack_tree.h"

#define OPAQUE __attribute__((noinline))

enum {
	MAX_FRAMES = 2000,
	ROOM = 4096,
};
static const uint64_t EXACT = UINT64_C(1) << 63;

static struct unwind *process;
static struct unwind_thread *self;
static volatile unsigned sink;

/* Times that a loop goes round; the compiler does not know it, and so leaves it a loop: the
   calls in it all come from one place. */
static volatile unsigned times = 4;

struct stack {
	uint32_t node;
	enum unwind_end end;
	size_t nr;
	uint64_t addresses[ROOM];
};

static struct stack stack;

static OPAQUE void take(void)
{
	struct unwind_registers registers;
	unwind_here(&registers);
	stack.node = unwind_stack(self, &registers);
	stack.end = unwind_thread_end(self);
	stack.nr = stack_tree_addresses(stack.node, stack.addresses, ROOM);
}

static OPAQUE void recurse(unsigned depth)
{
	if (depth)
		recurse(depth - 1);
	else
		take();
	sink++;
}

static int set_up(void **state)
{
	(void)state;
	struct unwind_options options = {
		.child = stack_tree_child,
		.max_frames = MAX_FRAMES,
	};
	process = unwind_create(&options);
	self = process ? unwind_thread_create(process, 0, 0) : NULL;
	return self ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	unwind_thread_destroy(self);
	return 0;
}

static OPAQUE uint32_t node_from(unsigned depth)
{
	recurse(depth);
	return stack.node;
}

static void the_same_stack_is_the_same_node(void **state)
{
	(void)state;
	uint32_t nodes[4];
	for (unsigned i = 0; i < times; i++) {
		nodes[i] = node_from(i % 2 * 100);
		assert_int_equal(stack.end, UNWIND_COMPLETE);
	}
	assert_int_equal(nodes[0], nodes[2]);
	assert_int_equal(nodes[1], nodes[3]);
	assert_int_not_equal(nodes[0], nodes[1]);
}

static void the_first_address_is_where_it_was_taken(void **state)
{
	(void)state;
	take();
	uint64_t start = (uint64_t)(uintptr_t)take;
	assert_true(stack.addresses[0] & EXACT);
	assert_in_range(stack.addresses[0] & ~EXACT, start, start + 200);
	assert_false(stack.addresses[1] & EXACT);
}

static void forgetting_changes_no_stack(void **state)
{
	(void)state;
	uint32_t nodes[4];
	for (unsigned i = 0; i < times; i++) {
		nodes[i] = node_from(10);
		assert_int_equal(nodes[i], nodes[0]);
		unwind_forget(process);
	}
}

static void recursion_keeps_the_innermost(void **state)
{
	(void)state;
	static uint64_t shallow[ROOM];
	recurse(MAX_FRAMES - 100);
	assert_int_equal(stack.end, UNWIND_COMPLETE);
	memcpy(shallow, stack.addresses, sizeof(shallow));
	for (unsigned more = 0; more < 3; more++) {
		recurse(MAX_FRAMES + more);
		assert_int_equal(stack.end, UNWIND_CUT);
		assert_int_equal(stack.nr, MAX_FRAMES);
		assert_memory_equal(stack.addresses, shallow,
				    (MAX_FRAMES - 200) * sizeof(shallow[0]));
	}
	/* Frames that were kept make it deeper than is wanted, too. */
	recurse(MAX_FRAMES - 30);
	recurse(MAX_FRAMES + 5);
	assert_int_equal(stack.end, UNWIND_CUT);
	assert_int_equal(stack.nr, MAX_FRAMES);
}

/* Frames of the runtime are none of the program's business. */
static void own_frames_are_left_out(void **state)
{
	(void)state;
	take();
	static uint64_t all[ROOM];
	memcpy(all, stack.addresses, sizeof(all));
	struct unwind_options options = {
		.child = stack_tree_child,
		.max_frames = MAX_FRAMES,
		.own_start = (uint64_t)(uintptr_t)take,
		.own_end = (uint64_t)(uintptr_t)take + 200,
	};
	struct unwind *without = unwind_create(&options);
	struct unwind_thread *program = self;
	self = unwind_thread_create(without, 0, 0);
	for (int i = 0; i < 2; i++) {
		take();
		assert_memory_equal(stack.addresses + 1, all + 2,
				    (stack.nr - 1) * sizeof(all[0]));
	}
	unwind_thread_destroy(self);
	self = program;
}

/* Calls its argument from code that has no rules:
   push %rbx; call *%rdi; pop %rbx; ret; for arm64: stp x29, x30, [sp, -16]!; blr x0;
   ldp x29, x30, [sp], 16; ret */
#if defined(__x86_64__)
static const uint8_t jit_code[] = { 0x53, 0xff, 0xd7, 0x5b, 0xc3 };
enum { JIT_RETURN = 3 };
#else
static const uint32_t jit_code[] = { 0xa9bf7bfd, 0xd63f0000, 0xa8c17bfd, 0xd65f03c0 };
enum { JIT_RETURN = 8 };
#endif

static void code_without_rules_ends_the_stack(void **state)
{
	(void)state;
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	assert_true(page != MAP_FAILED);
	memcpy(page, jit_code, sizeof(jit_code));
	__builtin___clear_cache(page, (char *)page + sizeof(jit_code));
	assert_int_equal(mprotect(page, 4096, PROT_READ | PROT_EXEC), 0);
	union {
		void *page;
		void (*call)(void (*function)(void));
	} jit = { page };
	for (int i = 0; i < 3; i++) {
		jit.call(take);
		assert_int_equal(stack.end, UNWIND_NO_RULE);
		assert_int_equal(stack.nr, 2);
		assert_int_equal(stack.addresses[1],
				 (uint64_t)(uintptr_t)page + JIT_RETURN);
	}
	munmap(page, 4096);
}

/* A frame that lies: its return address and bp are somebody else's. */
static void a_word_outside_ends_the_stack(void **state)
{
	(void)state;
	struct unwind_registers registers;
	unwind_here(&registers);
	registers.sp = 0x1000;
#if defined(__x86_64__)
	registers.bp = 0x1000;
#else
	registers.x19[10] = 0x1000;
#endif
	for (int i = 0; i < 2; i++) {
		uint32_t node = unwind_stack(self, &registers);
		assert_int_equal(unwind_thread_end(self), UNWIND_NO_MEMORY);
		assert_int_equal(stack_tree_addresses(node, stack.addresses, ROOM), 1);
	}
}

struct bounds {
	uint64_t low, high;
	uint64_t addresses[2][ROOM];
	size_t nr[2];
};

static void *take_with_and_without_bounds(void *data)
{
	struct bounds *bounds = data;
	struct unwind_thread *threads[] = {
		unwind_thread_create(process, 0, 0),
		unwind_thread_create(process, bounds->low, bounds->high),
	};
	for (int i = 0; i < 2; i++) {
		struct unwind_registers registers;
		unwind_here(&registers);
		uint32_t node = unwind_stack(threads[i], &registers);
		assert_int_equal(unwind_thread_end(threads[i]), UNWIND_COMPLETE);
		bounds->nr[i] = stack_tree_addresses(node, bounds->addresses[i], ROOM);
		unwind_thread_destroy(threads[i]);
	}
	return NULL;
}

static void a_thread_finds_its_stack(void **state)
{
	(void)state;
	enum { BYTES = 1 << 20 };
	static struct bounds bounds;
	void *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	bounds.low = (uint64_t)(uintptr_t)memory;
	bounds.high = bounds.low + BYTES;
	pthread_attr_t attributes;
	pthread_t thread;
	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, memory, BYTES);
	assert_int_equal(pthread_create(&thread, &attributes,
					take_with_and_without_bounds, &bounds),
			 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attributes);
	munmap(memory, BYTES);
	assert_int_equal(bounds.nr[0], bounds.nr[1]);
	/* The loop may have become two calls: the innermost ones may differ. */
	assert_memory_equal(bounds.addresses[0] + 1, bounds.addresses[1] + 1,
			    (bounds.nr[0] - 1) * sizeof(uint64_t));
}

/* The stack with kept frames, and with none. Its own frame has a frame pointer, for its size is
   not known, so that bp is in memory. */
static OPAQUE void take_both(size_t size)
{
	static uint64_t kept[ROOM];
	volatile char *some = alloca(size);
	some[0] = 1;
	take();
	memcpy(kept, stack.addresses, sizeof(kept));
	size_t nr = stack.nr;
	struct unwind_thread *program = self;
	self = unwind_thread_create(process, 0, 0);
	take();
	unwind_thread_destroy(self);
	self = program;
	assert_int_equal(stack.end, UNWIND_COMPLETE);
	assert_int_equal(stack.nr, nr);
	/* take() was called from two places. */
	assert_memory_equal(stack.addresses + 2, kept + 2, (nr - 2) * sizeof(kept[0]));
	/* Nobody here calls itself. */
	for (size_t i = 1; i < nr; i++)
		assert_int_not_equal(stack.addresses[i], stack.addresses[i - 1]);
}

static OPAQUE void realigned(size_t size)
{
	volatile __attribute__((aligned(64))) uint64_t some[8] = { 1 };
	volatile char *more = alloca(size + times);
	more[0] = 1;
	take_both(sizeof(some) + times);
	sink += (unsigned)some[0];
}

#define PADDED(name, size)                                                               \
	static OPAQUE void name(void)                                                    \
	{                                                                                \
		volatile char *some = alloca((size) + times);                            \
		some[0] = 1;                                                             \
		for (unsigned i = 0; i < times / 2; i++)                                 \
			realigned(i * 64);                                               \
		sink++;                                                                  \
	}
PADDED(padded_0, 0)
PADDED(padded_16, 16)
PADDED(padded_32, 32)
PADDED(padded_48, 48)

/* Frames at one sp, that were called from frames at others: only bp, or where they came from by the
   word that it leads to, tells them from each other, and what the older ones left in memory is there
   still. The second of a frame is new, and its caller is known. */
static void only_bp_may_differ(void **state)
{
	(void)state;
	static void (*const calls[])(void) = { padded_0, padded_16, padded_32,
					       padded_48 };
	static const uint8_t order[] = { 0, 1, 0, 2, 0, 3, 1, 2, 1, 3, 2, 3, 0 };
	for (unsigned i = 0; i < times / 4 * sizeof(order); i++)
		calls[order[i]]();
}

static sigjmp_buf out;
static bool jumps;

static uint32_t take_in_the_middle(void *context, uint32_t parent, uint64_t address)
{
	static bool inside;
	if (!inside) {
		inside = true;
		uint32_t node_before = stack.node;
		take();
		assert_int_equal(stack.end, UNWIND_COMPLETE);
		stack.node = node_before;
		inside = false;
		if (jumps)
			siglongjmp(out, 1);
	}
	return stack_tree_child(context, parent, address);
}

/* As a handler would do that interrupts it. */
static void in_the_middle_of_itself(void **state)
{
	(void)state;
	struct unwind_options options = {
		.child = take_in_the_middle,
		.max_frames = MAX_FRAMES,
	};
	struct unwind_thread *program = self;
	self = unwind_thread_create(unwind_create(&options), 0, 0);
	uint32_t nodes[4];
	for (unsigned i = 0; i < times; i++) {
		nodes[i] = node_from(20);
		assert_int_equal(nodes[i], nodes[0]);
		assert_int_equal(stack.end, UNWIND_COMPLETE);
		jumps = true;
		if (sigsetjmp(out, 0) == 0)
			recurse(25);
		jumps = false;
	}
	unwind_thread_destroy(self);
	self = program;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_stack_is_the_same_node),
		cmocka_unit_test(the_first_address_is_where_it_was_taken),
		cmocka_unit_test(forgetting_changes_no_stack),
		cmocka_unit_test(recursion_keeps_the_innermost),
		cmocka_unit_test(own_frames_are_left_out),
		cmocka_unit_test(code_without_rules_ends_the_stack),
		cmocka_unit_test(a_word_outside_ends_the_stack),
		cmocka_unit_test(a_thread_finds_its_stack),
		cmocka_unit_test(only_bp_may_differ),
		cmocka_unit_test(in_the_middle_of_itself),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
