/*
 * A program that frees most of what it allocates, and pins the rest: fragmented THREADS KB FILE
 *
 * Each of so many threads has blocks of random sizes up to so many kB, and keeps every tenth.
 * malloc_info() goes to the file, then it says READY. For each byte on stdin it says how much is
 * resident, calls malloc_trim(0), and says it again: "TRIMMED before after".
 */
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NR_BLOCKS 4000u

static pthread_barrier_t barrier;
static size_t most_bytes;

static void *fragment(void *seed)
{
	static __thread char *blocks[NR_BLOCKS];
	unsigned state = (unsigned)(size_t)seed;
	for (size_t i = 0; i < NR_BLOCKS; i++) {
		size_t size = (size_t)rand_r(&state) % most_bytes + 1;
		blocks[i] = malloc(size);
		if (!blocks[i])
			exit(1);
		memset(blocks[i], 1, size);
	}
	for (size_t i = 0; i < NR_BLOCKS; i++)
		if (rand_r(&state) % 10)
			free(blocks[i]);
	pthread_barrier_wait(&barrier);
	if (seed)
		pause();
	return NULL;
}

/* By the page tables: /proc/self/statm counts in batches. No memory is allocated for it. */
static unsigned long resident_kb(void)
{
	static char text[8192];
	int fd = open("/proc/self/smaps_rollup", O_RDONLY);
	ssize_t got = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	const char *line = strstr(text, "\nRss:");
	return line ? strtoul(line + 5, NULL, 10) : 0;
}

int main(int argc, char **argv)
{
	static char buffer[1 << 16];
	if (argc != 4)
		return 2;
	unsigned nr_threads = (unsigned)atoi(argv[1]);
	most_bytes = (size_t)atoi(argv[2]) * 1024;
	FILE *file = fopen(argv[3], "w");
	if (!file || pthread_barrier_init(&barrier, NULL, nr_threads + 1))
		return 1;
	setvbuf(file, buffer, _IOFBF, sizeof(buffer));
	static char out[256];
	setvbuf(stdout, out, _IOLBF, sizeof(out));
	for (size_t i = 1; i <= nr_threads; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, fragment, (void *)i))
			return 1;
	}
	fragment(NULL);
	resident_kb();
	malloc_info(0, file);
	fflush(file);
	puts("READY");
	char byte;
	while (read(0, &byte, 1) == 1) {
		unsigned long before = resident_kb();
		malloc_trim(0);
		unsigned long after = resident_kb();
		printf("TRIMMED %lu %lu\n", before, after);
	}
	return 0;
}
