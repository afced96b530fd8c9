/* A program that has a mapping of every kind, says where ("type start end"), and waits. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA           0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif
#define PAGES(nr) ((size_t)(nr)*4096)

static char zeros[PAGES(20)] = "";
static char values[PAGES(2)] = "values";
static _Thread_local char local[64] = "local";

static void tell(const char *type, const void *memory, size_t size)
{
	printf("%s\t%lx\t%lx\n", type, (unsigned long)memory,
	       (unsigned long)memory + size);
}

static void *must(void *memory)
{
	if (!memory || memory == MAP_FAILED) {
		perror("no memory");
		exit(1);
	}
	return memory;
}

static void *map(size_t size, int rights, int flags, int fd)
{
	return must(mmap(NULL, size, rights, flags, fd, 0));
}

static void *run(void *barrier)
{
	char here[64] = "stack";
	char *block = must(malloc(3000));
	memset(block, 1, 3000);
	tell("thread stack", here, 1);
	tell("thread arena", block, 3000);
	fflush(stdout);
	pthread_barrier_wait(barrier);
	pause();
	return here[0] ? block : NULL;
}

static void start_thread(void)
{
	pthread_t thread;
	pthread_barrier_t barrier;
	pthread_barrier_init(&barrier, NULL, 2);
	if (pthread_create(&thread, NULL, run, &barrier))
		exit(1);
	pthread_barrier_wait(&barrier);
}

static void make_anonymous(void)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	char *named = map(PAGES(8), PROT_READ | PROT_WRITE, flags, -1);
	map(PAGES(1), PROT_NONE, flags, -1);
	memset(named, 1, PAGES(5));
	if (!prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, named, PAGES(8), "a pool"))
		tell("named anonymous", named, PAGES(8));
	char *lazy = map(PAGES(16), PROT_READ | PROT_WRITE, flags, -1);
	map(PAGES(1), PROT_NONE, flags, -1);
	memset(lazy, 2, PAGES(16));
	madvise(lazy, PAGES(6), MADV_FREE);
	tell("anonymous", lazy, PAGES(16));
	char *closed = map(PAGES(64), PROT_NONE, flags, -1);
	tell("reserved", closed, PAGES(64));
	char *locked = map(PAGES(4), PROT_READ | PROT_WRITE, flags, -1);
	if (!mlock(locked, PAGES(4)))
		tell("locked", locked, PAGES(4));
}

static void make_shared(const char *path)
{
	char *shared =
		map(PAGES(8), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	memset(shared, 3, PAGES(8));
	tell("shared memory", shared, PAGES(8));
	int memfd = memfd_create("a memfd", 0);
	if (memfd < 0 || ftruncate(memfd, (off_t)PAGES(4)))
		exit(1);
	char *memory = map(PAGES(4), PROT_READ | PROT_WRITE, MAP_SHARED, memfd);
	memset(memory, 4, PAGES(3));
	tell("shared memory", memory, PAGES(4));
	FILE *file = fopen(path, "r");
	char *mapped = map(PAGES(1), PROT_READ, MAP_PRIVATE, fileno(must(file)));
	tell("mapped file", mapped, *mapped ? PAGES(1) : 0);
}

static void make_blocks(void)
{
	char *block = must(malloc(100));
	block[0] = 1;
	tell("heap", block, 100);
	/* Addresses without access between them keep the kernel from joining mappings; so many that
	   they go into no gap, and so few that they leave none behind (they would, aligned to huge pages). */
	map(PAGES(300), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	char *large = must(malloc(PAGES(100)));
	map(PAGES(300), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	memset(large, 1, PAGES(50));
	tell("mapped block", large, PAGES(100));
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	memset(zeros, 1, PAGES(10));
	values[0]++;
	tell("bss", zeros + PAGES(10), PAGES(9));
	tell("data", values, 1);
	tell("TLS", local, sizeof(local));
	tell("text", (const void *)(uintptr_t)&main, 1);
	tell("rodata", "a constant", 1);
	tell("main stack", &argc, sizeof(argc));
	make_blocks();
	make_anonymous();
	make_shared(argv[1]);
	fflush(stdout);
	start_thread();
	puts("READY");
	fflush(stdout);
	pause();
}
