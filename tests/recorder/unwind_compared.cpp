/*
 * Stacks as unwind gives them, against the same stacks as libunwind gives them: in threads that
 * recurse through frames of all shapes, throw, jump, take signals on this stack and on another,
 * and run coroutines. Prints how many were compared; fails on the first difference.
 */
#define UNW_LOCAL_ONLY
#include <atomic>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "libunwind_stack.h"
#include "odd_frame.h"
#include "shapes.h"
#include "stack_tree.h"

extern "C" {
#include "unwind/here.h"
}

#define OPAQUE __attribute__((noinline))

namespace
{
enum {
	NR_THREADS = 3,
	MAX_FRAMES = 4096,
	COROUTINE_BYTES = 1 << 20,
	SIGNAL_STACK_BYTES = 1 << 19,
};
constexpr uint64_t EXACT = UINT64_C(1) << 63;

/* How a dive may be left early: the innermost way that leads out of it. */
enum way { NO_WAY, BY_EXCEPTION, BY_JUMP };

struct coroutine {
	ucontext_t inside, outside;
	void *stack;
	int depth;
	bool is_over;
};

struct thread {
	unwind_thread *own;
	uint64_t random;
	enum way way;
	sigjmp_buf *jump;
	coroutine *running;
	bool in_handler;
	bool in_libunwind; /* it may not be interrupted and used at a time */
	uint64_t nr_same, nr_partly, nr_interrupts;
};

unwind *process;
thread_local thread self;
uint64_t stacks_wanted;

uint64_t random_number()
{
	self.random ^= self.random << 13;
	self.random ^= self.random >> 7;
	self.random ^= self.random << 17;
	return self.random;
}

bool one_in(unsigned n)
{
	return random_number() % n == 0;
}

void say(const char *whose, const uint64_t *addresses, size_t nr)
{
	fprintf(stderr, "%s: %zu\n", whose, nr);
	for (size_t i = 0; i < nr; i++) {
		Dl_info info = {};
		uint64_t address = addresses[i] & ~EXACT;
		dladdr(reinterpret_cast<void *>(address), &info);
		fprintf(stderr, "  %s%#lx %s+%#lx %s\n", addresses[i] & EXACT ? "=" : " ",
			static_cast<unsigned long>(address),
			info.dli_fname ? info.dli_fname : "?",
			static_cast<unsigned long>(
				address - reinterpret_cast<uint64_t>(info.dli_fbase)),
			info.dli_sname ? info.dli_sname : "?");
	}
}

/* Both were taken in one function, at two places of it: the innermost frames differ. */
void compare(uint32_t node, const uint64_t *theirs, size_t nr_theirs)
{
	uint64_t ours[MAX_FRAMES];
	size_t nr_ours = stack_tree_addresses(node, ours, MAX_FRAMES);
	enum unwind_end end = unwind_thread_end(self.own);
	bool is_same = nr_ours == nr_theirs ||
		       ((end == UNWIND_NO_RULE || end == UNWIND_NO_MEMORY) &&
			nr_ours < nr_theirs);
	for (size_t i = 1; is_same && i < nr_ours; i++)
		is_same = (ours[i] & ~EXACT) == theirs[i];
	if (!is_same) {
		fprintf(stderr, "different, the end is %d\n", end);
		say("unwind", ours, nr_ours);
		say("libunwind", theirs, nr_theirs);
		_exit(1);
	}
	self.nr_same++;
	self.nr_partly += nr_ours != nr_theirs;
}

OPAQUE void check()
{
	unw_context_t context;
	uint64_t theirs[MAX_FRAMES];
	unwind_registers registers;
	unw_getcontext(&context);
	unwind_here(&registers);
	uint32_t node = unwind_stack(self.own, &registers);
	if (self.in_libunwind)
		return;
	self.in_libunwind = true;
	std::atomic_signal_fence(std::memory_order_seq_cst);
	size_t nr = libunwind_stack(&context, theirs, MAX_FRAMES);
	std::atomic_signal_fence(std::memory_order_seq_cst);
	self.in_libunwind = false;
	compare(node, theirs, nr);
}

/* To the one who runs the coroutine, and back. */
void yield()
{
	enum way way = self.way;
	sigjmp_buf *jump = self.jump;
	self.way = NO_WAY;
	swapcontext(&self.running->inside, &self.running->outside);
	self.way = way;
	self.jump = jump;
}

/* Out of the dive, or out of the coroutine for a while. */
void maybe_leave()
{
	if (self.in_handler)
		return;
	if (self.running && one_in(4))
		yield();
	if (self.way == BY_EXCEPTION && one_in(6))
		throw 1;
	if (self.way == BY_JUMP && one_in(6))
		siglongjmp(*self.jump, 1);
}

void try_shape(int depth)
{
	enum way way = self.way;
	self.way = BY_EXCEPTION;
	try {
		dive(depth - 1);
	} catch (int) {
		check();
	}
	self.way = way;
}

void jump_shape(int depth)
{
	enum way way = self.way;
	sigjmp_buf *jump = self.jump;
	sigjmp_buf here;
	self.way = BY_JUMP;
	self.jump = &here;
	if (sigsetjmp(here, 1) == 0)
		dive(depth - 1);
	else
		check();
	self.way = way;
	self.jump = jump;
}

/* Nothing inside may leave it. */
template <typename Inside> void closed(Inside inside)
{
	enum way way = self.way;
	sigjmp_buf *jump = self.jump;
	self.way = NO_WAY;
	inside();
	self.way = way;
	self.jump = jump;
}

void signal_shape(int depth)
{
	if (self.in_handler)
		return dive(depth - 1);
	closed([] { raise(one_in(2) ? SIGUSR1 : SIGUSR2); });
}

/* Jumps out of a handler, from whatever stack it is on. */
void jump_from_signal_shape(int depth)
{
	sigjmp_buf here;
	if (self.in_handler)
		return dive(depth - 1);
	closed([&] {
		self.jump = &here;
		if (sigsetjmp(here, 1) == 0)
			raise(SIGTERM);
		self.in_handler = false;
		check();
	});
}

void run_coroutine()
{
	dive(self.running->depth);
	self.running->is_over = true;
	swapcontext(&self.running->inside, &self.running->outside);
}

void coroutine_shape(int depth)
{
	if (self.running || self.in_handler)
		return dive(depth - 1);
	coroutine here = {};
	here.depth = depth - 1;
	here.stack = mmap(nullptr, COROUTINE_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	getcontext(&here.inside);
	here.inside.uc_stack.ss_sp = here.stack;
	here.inside.uc_stack.ss_size = COROUTINE_BYTES;
	here.inside.uc_link = nullptr;
	makecontext(&here.inside, run_coroutine, 0);
	closed([&] {
		while (!here.is_over) {
			self.running = &here;
			swapcontext(&here.outside, &here.inside);
			self.running = nullptr;
			check();
			dive(here.depth / 2);
		}
	});
	munmap(here.stack, COROUTINE_BYTES);
}

shape *const own_shapes[] = { try_shape,       jump_shape,
			      signal_shape,    jump_from_signal_shape,
			      coroutine_shape, odd_frame };
shape *const *const c_shapes[] = { shapes_fast, shapes_framed, shapes_plain,
				   shapes_small };

void handle(int signal)
{
	self.in_handler = true;
	check();
	dive(3);
	if (signal == SIGTERM)
		siglongjmp(*self.jump, 1);
	self.in_handler = false;
}

/* Anywhere: in libc, in a prologue, in the middle of unwind_stack(). */
void interrupt(int)
{
	if (!self.own)
		return;
	self.nr_interrupts++;
	check();
}

void set_handler(int signal, void (*handler)(int), int flags)
{
	struct sigaction action = {};
	action.sa_handler = handler;
	action.sa_flags = flags;
	sigaction(signal, &action, nullptr);
}

OPAQUE void recurse(int depth)
{
	if (depth > 0)
		recurse(depth - 1);
	else
		check();
	if (depth % 512 == 1)
		check();
	__asm__ volatile("");
}

/* The coroutine that was left by a jump or an exception is never gone back to, and way and
   jump are those of where the dive was left to. */
void dive_from_the_top()
{
	self.way = NO_WAY;
	self.in_handler = false;
	dive(static_cast<int>(random_number() % 24));
}

void *run(void *number)
{
	void *stack = mmap(nullptr, SIGNAL_STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t signal_stack = {};
	signal_stack.ss_sp = stack;
	signal_stack.ss_size = SIGNAL_STACK_BYTES;
	sigaltstack(&signal_stack, nullptr);
	self.random = 88172645463325252 + reinterpret_cast<uint64_t>(number);
	self.own = unwind_thread_create(process, 0, 0);
	recurse(1500);
	while (self.nr_same < stacks_wanted)
		dive_from_the_top();
	recurse(1500);
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, nullptr);
	unwind_thread_destroy(self.own);
	printf("%lu same, %lu interrupted, %lu not to the end\n", self.nr_same,
	       self.nr_interrupts, self.nr_partly);
	if (self.nr_partly * 1000 > self.nr_same)
		exit(1);
	return nullptr;
}
} // namespace

extern "C" void dive(int depth)
{
	if (depth <= 0 || one_in(3)) {
		check();
		maybe_leave();
	}
	for (int i = one_in(8) ? 2 : 1; depth > 0 && i > 0; i--) {
		if (one_in(3))
			own_shapes[random_number() % 6](depth);
		else
			c_shapes[random_number() % 4][random_number() % NR_SHAPES](depth);
	}
	if (one_in(4))
		check();
}

int main(int argc, char **argv)
{
	stacks_wanted = argc > 1 ? strtoull(argv[1], nullptr, 10) : 26000;
	unw_set_caching_policy(unw_local_addr_space, UNW_CACHE_PER_THREAD);
	unwind_options options = {};
	options.child = stack_tree_child;
	options.max_frames = MAX_FRAMES;
	process = unwind_create(&options);
	set_handler(SIGUSR1, handle, 0);
	set_handler(SIGUSR2, handle, SA_ONSTACK);
	set_handler(SIGTERM, handle, SA_ONSTACK);
	set_handler(SIGPROF, interrupt, SA_ONSTACK | SA_RESTART);
	itimerval often = { { 0, 2000 }, { 0, 2000 } };
	setitimer(ITIMER_PROF, &often, nullptr);

	pthread_t threads[NR_THREADS];
	for (uint64_t i = 0; i < NR_THREADS; i++)
		pthread_create(&threads[i], nullptr, run,
			       reinterpret_cast<void *>(i + 1));
	run(nullptr);
	for (pthread_t thread : threads)
		pthread_join(thread, nullptr);
	return 0;
}
