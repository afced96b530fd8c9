/*
 * Blocks held and lost in every place that musl has for a pointer; each comes from a function of its
 * own, which says in its name what seep run is to find. With a number, the program exits with it.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAKER __attribute__((noinline)) static

static void *volatile global;
static _Thread_local void *volatile own;
static int ready[2];

static void *make(size_t size)
{
	void *block = malloc(size);
	return block ? memset(block, 0, size) : NULL;
}

MAKER void reachable_by_global(void)
{
	global = make(40);
}

MAKER void reachable_by_tls(void)
{
	own = make(41);
}

MAKER void reachable_by_thread_tls(void)
{
	own = make(42);
}

MAKER void *reachable_by_thread_stack(void)
{
	return make(43);
}

MAKER void reachable_by_mapping(void)
{
	void *volatile *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	page[100] = make(44);
}

MAKER void reachable_by_large_block(void)
{
	static void *volatile *volatile large;
	large = make(1 << 20);
	large[12345] = make(45);
}

MAKER void reachable_by_key(void)
{
	pthread_key_t key;
	pthread_key_create(&key, NULL);
	pthread_setspecific(key, make(46));
}

MAKER void definite_block(void)
{
	void *volatile lost = make(50);
	lost = NULL;
	(void)lost;
}

MAKER void *indirect_block(void)
{
	return make(51);
}

MAKER void definite_holder(void)
{
	void *volatile *volatile lost = make(52);
	*lost = indirect_block();
	lost = NULL;
	(void)lost;
}

MAKER void definite_of_ended_thread(void)
{
	own = make(53);
}

MAKER void definite_large(void)
{
	void *volatile lost = make(3 << 20);
	lost = NULL;
	(void)lost;
}

MAKER void definite_aligned(void)
{
	void *lost = NULL;
	if (posix_memalign(&lost, 4096, 54) == 0)
		*(void *volatile *)&lost = NULL;
}

static void *end_at_once(void *unused)
{
	definite_of_ended_thread();
	return unused;
}

static void *wait_for_end(void *unused)
{
	void *volatile held = reachable_by_thread_stack();
	reachable_by_thread_tls();
	if (write(ready[1], "r", 1) != 1)
		_exit(99);
	pause();
	(void)held;
	return unused;
}

/* So that no word of what was lost is left on the stack or in a register. */
__attribute__((noinline)) static void wipe(void)
{
	volatile char room[8192];
	memset((void *)room, 0, sizeof(room));
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char byte;
	reachable_by_global();
	reachable_by_tls();
	reachable_by_mapping();
	reachable_by_large_block();
	reachable_by_key();
	definite_block();
	definite_holder();
	definite_large();
	definite_aligned();
	pthread_create(&thread, NULL, end_at_once, NULL);
	pthread_join(thread, NULL);
	if (pipe(ready) != 0)
		return 99;
	pthread_create(&thread, NULL, wait_for_end, NULL);
	if (read(ready[0], &byte, 1) != 1)
		return 99;
	wipe();
	printf("%s\n", dlerror() ? "an error of the loader's is left" : "all is well");
	fflush(stdout);
	exit(argc > 1 ? atoi(argv[1]) : 0);
}
