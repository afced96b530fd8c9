/*
 * Stacks as unwind gives them, against the same stacks as the compiler's own unwinder gives them
 * (libgcc's _Unwind_Backtrace), which is there for every processor: in threads that recurse
 * through frames of all shapes, unwind, jump, take signals on this stack and on another, and run
 * coroutines. Prints how many were compared; fails on the first difference.
 *
 * Usage: unwind-backtraced [STACKS]
 */
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "odd_frame.h"
#include "shapes.h"
#include "stack_tree.h"
#include "unwind/here.h"

#define OPAQUE            __attribute__((noinline))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

enum {
	NR_THREADS = 3,
	MAX_FRAMES = 4096,
	COROUTINE_BYTES = 1 << 20,
	SIGNAL_STACK_BYTES = 1 << 19,
};
#define EXACT (UINT64_C(1) << 63)

/* How a dive may be left early: the innermost way that leads out of it. */
enum way { NO_WAY, BY_UNWINDING, BY_JUMP };

struct coroutine {
	ucontext_t inside, outside;
	void *stack;
	int depth;
	bool is_over;
};

struct thread {
	struct unwind_thread *own;
	uint64_t random;
	enum way way;
	sigjmp_buf *jump;
	struct coroutine *running;
	bool in_handler;
	struct _Unwind_Exception exception;
	uint64_t nr_same, nr_partly, nr_cleanups;
};

static struct unwind *process;
static _Thread_local struct thread self;
static uint64_t stacks_wanted;
static _Atomic uint64_t nr_interrupts;

static uint64_t random_number(void)
{
	self.random ^= self.random << 13;
	self.random ^= self.random >> 7;
	self.random ^= self.random << 17;
	return self.random;
}

static bool one_in(unsigned n)
{
	return random_number() % n == 0;
}

/* --- comparing ---------------------------------------------------------------------- */

struct backtrace {
	size_t nr;
	uint64_t addresses[MAX_FRAMES];
};

/* It ends with a frame at 0 where there is no caller. */
static _Unwind_Reason_Code add_frame(struct _Unwind_Context *context, void *data)
{
	struct backtrace *backtrace = data;
	uint64_t address = _Unwind_GetIP(context);
	if (address && backtrace->nr < MAX_FRAMES)
		backtrace->addresses[backtrace->nr++] = address;
	return _URC_NO_REASON;
}

static void say(const char *whose, const uint64_t *addresses, size_t nr)
{
	fprintf(stderr, "%s: %zu\n", whose, nr);
	for (size_t i = 0; i < nr; i++) {
		Dl_info info = { 0 };
		uint64_t address = addresses[i] & ~EXACT;
		dladdr((void *)(uintptr_t)address, &info);
		fprintf(stderr, "  %s%#lx %s+%#lx %s\n", addresses[i] & EXACT ? "=" : " ",
			(unsigned long)address, info.dli_fname ? info.dli_fname : "?",
			(unsigned long)(address - (uintptr_t)info.dli_fbase),
			info.dli_sname ? info.dli_sname : "?");
	}
}

/* Both were taken in one function, at two places of it: the innermost frames differ. */
static void compare(uint32_t node, const struct backtrace *theirs)
{
	uint64_t ours[MAX_FRAMES];
	size_t nr_ours = stack_tree_addresses(node, ours, MAX_FRAMES);
	enum unwind_end end = unwind_thread_end(self.own);
	bool is_same = nr_ours == theirs->nr ||
		       ((end == UNWIND_NO_RULE || end == UNWIND_NO_MEMORY) &&
			nr_ours < theirs->nr);
	for (size_t i = 1; is_same && i < nr_ours; i++)
		is_same = (ours[i] & ~EXACT) == theirs->addresses[i];
	if (!is_same) {
		fprintf(stderr, "different, the end is %d\n", end);
		say("unwind", ours, nr_ours);
		say("libgcc", theirs->addresses, theirs->nr);
		_exit(1);
	}
	self.nr_same++;
	self.nr_partly += nr_ours != theirs->nr;
}

static OPAQUE void check(void)
{
	struct backtrace theirs = { 0 };
	struct unwind_registers registers;
	unwind_here(&registers);
	uint32_t node = unwind_stack(self.own, &registers);
	enum unwind_end end = unwind_thread_end(self.own);
	_Unwind_Backtrace(add_frame, &theirs);
	/* Of a handler that came meanwhile. */
	if (end == unwind_thread_end(self.own))
		compare(node, &theirs);
}

/* --- ways out ----------------------------------------------------------------------- */

/* To the one who runs the coroutine, and back. */
static void yield(void)
{
	enum way way = self.way;
	sigjmp_buf *jump = self.jump;
	self.way = NO_WAY;
	swapcontext(&self.running->inside, &self.running->outside);
	self.way = way;
	self.jump = jump;
}

/* The frames up to the one that holds the jump are unwound one by one, as by an exception. */
static _Unwind_Reason_Code stop(int version, _Unwind_Action actions,
				_Unwind_Exception_Class class,
				struct _Unwind_Exception *exception,
				struct _Unwind_Context *context, void *jump)
{
	(void)version;
	(void)class;
	(void)exception;
	if (actions & _UA_END_OF_STACK)
		abort();
	if (_Unwind_GetCFA(context) > (uintptr_t)jump)
		siglongjmp(*(sigjmp_buf *)jump, 1);
	return _URC_NO_REASON;
}

/* Out of the dive, or out of the coroutine for a while. */
static void maybe_leave(void)
{
	if (self.in_handler)
		return;
	if (self.running && one_in(4))
		yield();
	if (self.way == BY_UNWINDING && one_in(6))
		_Unwind_ForcedUnwind(&self.exception, stop, self.jump);
	if (self.way == BY_JUMP && one_in(6))
		siglongjmp(*self.jump, 1);
}

/* --- shapes ------------------------------------------------------------------------- */

static void leavable(int depth, enum way new_way)
{
	enum way way = self.way;
	sigjmp_buf *jump = self.jump;
	sigjmp_buf here;
	self.way = new_way;
	self.jump = &here;
	if (sigsetjmp(here, 1) == 0)
		dive(depth - 1);
	else
		check();
	self.way = way;
	self.jump = jump;
}

static void unwound_shape(int depth)
{
	leavable(depth, BY_UNWINDING);
}

static void jump_shape(int depth)
{
	leavable(depth, BY_JUMP);
}

static void clean_up(const int *depth)
{
	(void)depth;
	self.nr_cleanups++;
	check();
}

/* Its cleanup runs when it is unwound, too: under the unwinder's own frames. */
static void cleanup_shape(int depth)
{
	__attribute__((cleanup(clean_up))) int own = depth;
	dive(own - 1);
}

/* Nothing inside may leave it. */
static void closed(void (*inside)(void *data), void *data)
{
	enum way way = self.way;
	sigjmp_buf *jump = self.jump;
	self.way = NO_WAY;
	inside(data);
	self.way = way;
	self.jump = jump;
}

static void raise_one(void *data)
{
	(void)data;
	raise(one_in(2) ? SIGUSR1 : SIGUSR2);
}

static void signal_shape(int depth)
{
	if (self.in_handler)
		dive(depth - 1);
	else
		closed(raise_one, NULL);
}

static void raise_and_jump(void *data)
{
	sigjmp_buf here;
	(void)data;
	self.jump = &here;
	if (sigsetjmp(here, 1) == 0)
		raise(SIGHUP);
	self.in_handler = false;
	check();
}

/* Jumps out of a handler, from whatever stack it is on. */
static void jump_from_signal_shape(int depth)
{
	if (self.in_handler)
		dive(depth - 1);
	else
		closed(raise_and_jump, NULL);
}

static void be_coroutine(void)
{
	dive(self.running->depth);
	self.running->is_over = true;
	swapcontext(&self.running->inside, &self.running->outside);
}

static void run_coroutine(void *data)
{
	struct coroutine *coroutine = data;
	while (!coroutine->is_over) {
		self.running = coroutine;
		swapcontext(&coroutine->outside, &coroutine->inside);
		self.running = NULL;
		check();
		dive(coroutine->depth / 2);
	}
}

static void coroutine_shape(int depth)
{
	struct coroutine here = { .depth = depth - 1 };
	if (self.running || self.in_handler) {
		dive(depth - 1);
		return;
	}
	here.stack = mmap(NULL, COROUTINE_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	getcontext(&here.inside);
	here.inside.uc_stack.ss_sp = here.stack;
	here.inside.uc_stack.ss_size = COROUTINE_BYTES;
	here.inside.uc_link = NULL;
	makecontext(&here.inside, be_coroutine, 0);
	closed(run_coroutine, &here);
	munmap(here.stack, COROUTINE_BYTES);
}

static shape *const own_shapes[] = { unwound_shape,   jump_shape,
				     cleanup_shape,   signal_shape,
				     coroutine_shape, jump_from_signal_shape,
				     odd_frame };
static shape *const *const c_shapes[] = { shapes_fast, shapes_framed, shapes_plain,
					  shapes_small };

void dive(int depth)
{
	if (depth <= 0 || one_in(3)) {
		check();
		maybe_leave();
	}
	for (int i = one_in(8) ? 2 : 1; depth > 0 && i > 0; i--) {
		if (one_in(3))
			own_shapes[random_number() % ARRAY_SIZE(own_shapes)](depth);
		else
			c_shapes[random_number() % ARRAY_SIZE(c_shapes)]
				[random_number() % NR_SHAPES](depth);
	}
	if (one_in(4))
		check();
}

/* --- signals ------------------------------------------------------------------------ */

static void handle(int signal)
{
	self.in_handler = true;
	check();
	dive(3);
	if (signal == SIGHUP)
		siglongjmp(*self.jump, 1);
	self.in_handler = false;
}

/* Once: however long a handler takes, the program gets on before the next one. */
static void interrupt_soon(void)
{
	struct itimerval soon = { .it_value = { 0, 2000 } };
	setitimer(ITIMER_PROF, &soon, NULL);
}

/* Anywhere: in libc, in a prologue, in the middle of unwind_stack(). */
static void interrupt(int signal)
{
	(void)signal;
	if (self.own) {
		nr_interrupts++;
		check();
	}
	interrupt_soon();
}

static void set_handler(int signal, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	sigaction(signal, &action, NULL);
}

/* --- threads ------------------------------------------------------------------------ */

static OPAQUE void recurse(int depth)
{
	if (depth > 0)
		recurse(depth - 1);
	else
		check();
	if (depth % 512 == 1)
		check();
	__asm__ volatile("");
}

/* The coroutine that was left by a jump is never gone back to, and way and jump are those of
   where the dive was left to. */
static void dive_from_the_top(void)
{
	self.way = NO_WAY;
	self.in_handler = false;
	dive((int)(random_number() % 24));
}

static void *run(void *number)
{
	stack_t signal_stack = {
		.ss_sp = mmap(NULL, SIGNAL_STACK_BYTES, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		.ss_size = SIGNAL_STACK_BYTES,
	};
	sigaltstack(&signal_stack, NULL);
	self.random = 88172645463325252 + (uintptr_t)number;
	self.own = unwind_thread_create(process, 0, 0);
	recurse(1500);
	while (self.nr_same < stacks_wanted)
		dive_from_the_top();
	recurse(1500);
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	unwind_thread_destroy(self.own);
	printf("%lu same, %lu in cleanups, %lu not to the end\n",
	       (unsigned long)self.nr_same, (unsigned long)self.nr_cleanups,
	       (unsigned long)self.nr_partly);
	if (self.nr_partly * 1000 > self.nr_same || !self.nr_cleanups)
		exit(1);
	return NULL;
}

/* backtraced [STACKS [undisturbed]] */
int main(int argc, char **argv)
{
	stacks_wanted = argc > 1 ? strtoull(argv[1], NULL, 10) : 6000;
	bool is_disturbed = argc <= 2;
	struct unwind_options options = {
		.child = stack_tree_child,
		.max_frames = MAX_FRAMES,
	};
	process = unwind_create(&options);
	self.own = unwind_thread_create(process, 0, 0);
	check(); /* what libgcc does at its first time is done */
	unwind_thread_destroy(self.own);
	self = (struct thread){ 0 };
	set_handler(SIGUSR1, handle, 0);
	set_handler(SIGUSR2, handle, SA_ONSTACK);
	set_handler(SIGHUP, handle, SA_ONSTACK);
	set_handler(SIGPROF, interrupt, SA_ONSTACK | SA_RESTART);
	if (is_disturbed)
		interrupt_soon();

	pthread_t threads[NR_THREADS];
	for (size_t i = 0; i < NR_THREADS; i++)
		pthread_create(&threads[i], NULL, run, (void *)(i + 1));
	run(NULL);
	for (size_t i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("%lu interrupted\n", (unsigned long)nr_interrupts);
	return (nr_interrupts > 0) == is_disturbed ? 0 : 1;
}
