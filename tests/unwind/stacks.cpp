// Takes stacks in many situations, and compares each with libunwind's. Prints how many differed.
#define UNW_LOCAL_ONLY
#include <alloca.h>
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <immintrin.h>
#include <libunwind.h>
#include <map>
#include <pthread.h>
#include <stdexcept>
#include <ucontext.h>
#include <vector>

extern "C" {
#include "unwind/unwind.h"
}

namespace
{

struct node {
	std::uint32_t parent;
	std::uint64_t address;
};

// Each thread has a tree of its own: what is tested is the walk.
struct tree {
	std::vector<node> nodes{ 1 };
	std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint32_t> children;
	unwind *rules = nullptr;
	unwind_thread *thread = nullptr;
	std::uint64_t taken = 0, wrong = 0, frames = 0;
};

thread_local tree *own;
thread_local std::uint64_t rounds_left;

std::uint32_t child(void *context, std::uint32_t parent, std::uint64_t address)
{
	auto *all = static_cast<tree *>(context);
	auto [found, is_new] =
		all->children.try_emplace({ parent, address }, all->nodes.size());
	if (is_new)
		all->nodes.push_back({ parent, address });
	return found->second;
}

// What libunwind says from the caller on.
std::vector<std::uint64_t> expected()
{
	std::vector<std::uint64_t> stack;
	unw_context_t context;
	unw_cursor_t cursor;
	unw_getcontext(&context);
	unw_init_local(&cursor, &context);
	while (unw_step(&cursor) > 0) {
		unw_word_t pc;
		unw_get_reg(&cursor, UNW_REG_IP, &pc);
		if (!pc)
			break;
		bool interrupted = unw_is_signal_frame(&cursor) > 0;
		stack.push_back(pc | (interrupted ? std::uint64_t{ 1 } << 63 : 0));
	}
	return stack;
}

void report(const std::vector<std::uint64_t> &ours,
	    const std::vector<std::uint64_t> &theirs)
{
	std::printf("ours, %zu frames, end %d:\n", ours.size(),
		    unwind_thread_end(own->thread));
	for (auto pc : ours)
		std::printf("  %#lx\n", pc);
	std::printf("libunwind's, %zu frames:\n", theirs.size());
	for (auto pc : theirs)
		std::printf("  %#lx\n", pc);
}

__attribute__((noinline)) void take()
{
	unwind_registers registers;
	unwind_here(&registers);
	std::uint32_t number = unwind_stack(own->thread, &registers);
	std::vector<std::uint64_t> ours, theirs = expected();
	for (; number; number = own->nodes[number].parent)
		ours.push_back(own->nodes[number].address);
	// expected() was called from here: its first frame is this function's.
	theirs.erase(theirs.begin());
	own->taken++;
	own->frames += ours.size();
	if (ours != theirs && own->wrong++ < 2)
		report(ours, theirs);
}

__attribute__((noinline)) int recurse(int depth, unsigned seed)
{
	volatile int keep = depth;
	if (depth <= 0) {
		take();
		return keep;
	}
	int result = 0;
	for (unsigned i = 0; i <= (seed >> (depth % 16) & 1); i++)
		result += recurse(depth - 1, seed * 1103515245 + 12345);
	if (depth % 3 == 0)
		take();
	return result + keep;
}

__attribute__((noinline)) int compare(const void *a, const void *b)
{
	if (rounds_left % 7 == 0)
		take();
	return *static_cast<const int *>(a) - *static_cast<const int *>(b);
}

__attribute__((noinline)) void sort()
{
	int numbers[12];
	for (int &number : numbers)
		number = std::rand() % 100;
	std::qsort(numbers, 12, sizeof(numbers[0]), compare);
	take();
}

__attribute__((noinline)) void aligned(int depth)
{
	__m256i wide = _mm256_set1_epi32(depth);
	alignas(32) volatile int words[8];
	std::memcpy(const_cast<int *>(words), &wide, sizeof(wide));
	auto *more = static_cast<volatile char *>(alloca(16 + depth * 8));
	more[0] = static_cast<char>(words[3]);
	if (depth)
		aligned(depth - 1);
	take();
}

__attribute__((noinline)) void thrower(int depth)
{
	take();
	if (!depth)
		throw std::runtime_error("thrown");
	thrower(depth - 1);
	take();
}

__attribute__((noinline)) void catcher()
{
	try {
		thrower(3);
	} catch (const std::exception &) {
		take();
	}
}

thread_local jmp_buf back;

__attribute__((noinline)) void jumper(int depth)
{
	take();
	if (!depth)
		std::longjmp(back, 1);
	jumper(depth - 1);
}

__attribute__((noinline)) void jump()
{
	if (!setjmp(back))
		jumper(4);
	take();
}

void on_signal(int)
{
	take();
	recurse(2, 3);
}

__attribute__((noinline)) void raise_it()
{
	take();
	std::raise(SIGUSR1);
	std::raise(SIGUSR2);
	take();
}

thread_local ucontext_t outside, inside;
thread_local char coroutine_stack[256 * 1024];

void coroutine()
{
	for (;;) {
		recurse(3, 5);
		swapcontext(&inside, &outside);
	}
}

__attribute__((noinline)) void switch_over()
{
	take();
	swapcontext(&outside, &inside);
	take();
}

__attribute__((noinline)) void deep(int depth)
{
	volatile char room[32];
	room[depth % 32] = 0;
	if (depth)
		deep(depth - 1);
	else
		take();
	room[depth % 32] = room[0];
}

void round_of_all(unsigned seed)
{
	recurse(static_cast<int>(seed % 24), seed);
	sort();
	aligned(static_cast<int>(seed % 4));
	catcher();
	jump();
	raise_it();
	switch_over();
	if (seed % 64 == 0)
		deep(1500);
}

void *run(void *argument)
{
	tree all;
	own = &all;
	unwind_options options = {};
	options.child = child;
	options.context = &all;
	options.max_frames = 1 << 20;
	all.rules = unwind_create(&options);
	all.thread = unwind_thread_create(all.rules, 0, 0);
	getcontext(&inside);
	inside.uc_stack.ss_sp = coroutine_stack;
	inside.uc_stack.ss_size = sizeof(coroutine_stack);
	makecontext(&inside, coroutine, 0);
	stack_t alternative = {};
	alternative.ss_size = 64 * 1024;
	alternative.ss_sp = std::malloc(alternative.ss_size);
	sigaltstack(&alternative, nullptr);
	const auto stacks = *static_cast<const std::uint64_t *>(argument);
	for (unsigned seed = 1; all.taken < stacks; seed++) {
		rounds_left = seed;
		round_of_all(seed);
	}
	std::printf("%lu stacks, %lu frames, %lu differ\n", all.taken, all.frames,
		    all.wrong);
	alternative.ss_flags = SS_DISABLE;
	sigaltstack(&alternative, nullptr);
	std::free(alternative.ss_sp);
	unwind_thread_destroy(all.thread);
	return reinterpret_cast<void *>(all.wrong);
}

} // namespace

int main(int argc, char **argv)
{
	std::uint64_t stacks = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 30000;
	struct sigaction action = {};
	action.sa_handler = on_signal;
	sigaction(SIGUSR1, &action, nullptr);
	action.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR2, &action, nullptr);
	pthread_t threads[3];
	for (pthread_t &thread : threads)
		pthread_create(&thread, nullptr, run, &stacks);
	bool wrong = run(&stacks) != nullptr;
	for (pthread_t thread : threads) {
		void *result;
		pthread_join(thread, &result);
		wrong = wrong || result;
	}
	return wrong ? 1 : 0;
}
