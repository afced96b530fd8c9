/*
 * A library to preload into any program: takes the stack of each of its allocations, or of one in
 * so many, with unwind and with libunwind, and tells at the end of the program how many were the
 * same. From the environment: COMPARED_STACKS, a file that a line is added to; COMPARED_EVERY.
 *
 * What libunwind remembers of a call it sometimes remembers of another; so where its
 * unw_backtrace() differs, its unw_step(), which remembers nothing, decides.
 */
#define UNW_LOCAL_ONLY
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libunwind_stack.h"
#include "stack_tree.h"
#include "unwind/here.h"

#define EXPORT  __attribute__((visibility("default")))
#define OPAQUE  __attribute__((noinline))
#define EXACT   (UINT64_C(1) << 63)
#define NR_TOLD 5u

enum { MAX_FRAMES = 1024 };

static struct {
	void *(*malloc)(size_t size);
	void *(*calloc)(size_t nr, size_t size);
	void *(*realloc)(void *block, size_t size);
	int (*dlclose)(void *handle);
} real;

struct thread {
	struct unwind_thread *own;
	uint64_t nr_calls;
	bool is_inside, has_none;
};

static struct unwind *process;
static uint64_t every = 1;
static _Atomic uint64_t nr_compared, nr_same, nr_stepped, nr_partly, nr_different;
static _Thread_local struct thread self __attribute__((tls_model("initial-exec")));

/* --- telling ------------------------------------------------------------------------ */

static __attribute__((format(printf, 1, 2))) void tell(const char *format, ...)
{
	const char *path = getenv("COMPARED_STACKS");
	char line[4096];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (fd < 0 || length < 0)
		return;
	if (write(fd, line, (size_t)length) != length)
		_exit(99);
	close(fd);
}

static void tell_stack(const char *whose, const uint64_t *addresses, size_t nr)
{
	tell("%s: %zu\n", whose, nr);
	for (size_t i = 0; i < nr; i++) {
		Dl_info info = { 0 };
		uint64_t address = addresses[i] & ~EXACT;
		dladdr((void *)(uintptr_t)address, &info);
		tell("  %#lx %s+%#lx %s\n", (unsigned long)address,
		     info.dli_fname ? info.dli_fname : "?",
		     (unsigned long)(address - (uint64_t)info.dli_fbase),
		     info.dli_sname ? info.dli_sname : "?");
	}
}

/* --- comparing ---------------------------------------------------------------------- */

/* Both were taken in one function, at two places of it: the innermost frames differ. Ours may end
   where it found no rules; it has no other way to be shorter. */
static bool are_same(const uint64_t *ours, size_t nr_ours, const uint64_t *theirs,
		     size_t nr_theirs, enum unwind_end end)
{
	bool may_be_short = end == UNWIND_NO_RULE || end == UNWIND_NO_MEMORY;
	if (nr_ours != nr_theirs && !(may_be_short && nr_ours < nr_theirs))
		return false;
	for (size_t i = 1; i < nr_ours; i++)
		if ((ours[i] & ~EXACT) != theirs[i])
			return false;
	return true;
}

static void compare(uint32_t node, unw_context_t *context, uint64_t *theirs,
		    size_t nr_theirs)
{
	uint64_t ours[MAX_FRAMES];
	size_t nr_ours = stack_tree_addresses(node, ours, MAX_FRAMES);
	enum unwind_end end = unwind_thread_end(self.own);
	atomic_fetch_add(&nr_compared, 1);
	if (!are_same(ours, nr_ours, theirs, nr_theirs, end)) {
		nr_theirs = libunwind_stack(context, theirs, MAX_FRAMES);
		atomic_fetch_add(&nr_stepped, 1);
	}
	if (are_same(ours, nr_ours, theirs, nr_theirs, end)) {
		atomic_fetch_add(&nr_same, 1);
		atomic_fetch_add(&nr_partly, nr_ours != nr_theirs);
	} else if (atomic_fetch_add(&nr_different, 1) < NR_TOLD) {
		tell("different, the end is %d\n", end);
		tell_stack("unwind", ours, nr_ours);
		tell_stack("libunwind", theirs, nr_theirs);
	}
}

static OPAQUE void take(void)
{
	unw_context_t context;
	struct unwind_registers registers;
	uint64_t theirs[MAX_FRAMES];
	unw_getcontext(&context);
	unwind_here(&registers);
	uint32_t node = unwind_stack(self.own, &registers);
	int nr = unw_backtrace((void **)theirs, MAX_FRAMES);
	compare(node, &context, theirs, nr > 0 ? (size_t)nr : 0);
}

static void maybe_take(void)
{
	if (!process || self.is_inside || self.has_none || ++self.nr_calls % every)
		return;
	int saved = errno;
	self.is_inside = true;
	if (!self.own)
		self.own = unwind_thread_create(process, 0, 0);
	self.has_none = !self.own;
	if (self.own)
		take();
	self.is_inside = false;
	errno = saved;
}

/* --- the program -------------------------------------------------------------------- */

/* The next of that name, whoever's it is; dlsym() allocates nothing where it succeeds. */
#define FIND(name)                                                                       \
	do {                                                                             \
		if (!real.name)                                                          \
			*(void **)&real.name = dlsym(RTLD_NEXT, #name);                  \
	} while (0)

EXPORT void *malloc(size_t size)
{
	FIND(malloc);
	void *block = real.malloc(size);
	maybe_take();
	return block;
}

EXPORT void *calloc(size_t nr, size_t size)
{
	FIND(calloc);
	void *block = real.calloc(nr, size);
	maybe_take();
	return block;
}

EXPORT void *realloc(void *block, size_t size)
{
	FIND(realloc);
	void *resized = real.realloc(block, size);
	maybe_take();
	return resized;
}

EXPORT int dlclose(void *handle)
{
	FIND(dlclose);
	int result = real.dlclose(handle);
	unw_flush_cache(unw_local_addr_space, 0, 0);
	unwind_forget(process);
	return result;
}

static __attribute__((constructor)) void begin(void)
{
	const char *given = getenv("COMPARED_EVERY");
	const struct unwind_options options = { .child = stack_tree_child,
						.max_frames = MAX_FRAMES };
	every = given ? strtoull(given, NULL, 10) : 1;
	process = unwind_create(&options);
}

static __attribute__((destructor)) void end(void)
{
	self.is_inside = true;
	tell("compared %lu same %lu partly %lu stepped %lu different %lu\n",
	     atomic_load(&nr_compared), atomic_load(&nr_same), atomic_load(&nr_partly),
	     atomic_load(&nr_stepped), atomic_load(&nr_different));
}
