/*
 * The yardstick: how long one thread takes to copy so many bytes from one prefaulted
 * buffer to another. Prints the milliseconds of each of five copies, one per line.
 *
 * Buffers end at 1 GiB; larger amounts go through them several times, so that the
 * yardstick does not need twice the memory of what it is compared with. That is far
 * beyond any cache.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COPIES = 5 };

static const size_t max_buffer_bytes = (size_t)1 << 30;

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void copy(char *to, const char *from, size_t buffer_bytes, size_t bytes)
{
	while (bytes) {
		size_t part = bytes < buffer_bytes ? bytes : buffer_bytes;

		memcpy(to, from, part);
		__asm__ volatile("" : : "r"(to) : "memory"); /* every copy counts */
		bytes -= part;
	}
}

int main(int argc, char **argv)
{
	size_t bytes = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;
	size_t buffer_bytes = bytes < max_buffer_bytes ? bytes : max_buffer_bytes;
	char *from, *to;

	if (!bytes) {
		fprintf(stderr, "usage: memcpy BYTES\n");
		return 2;
	}
	from = malloc(buffer_bytes);
	to = malloc(buffer_bytes);
	if (!from || !to) {
		fprintf(stderr, "memcpy: no memory for two buffers of %zu bytes\n",
			buffer_bytes);
		return 2;
	}
	memset(from, 1, buffer_bytes);
	memset(to, 2, buffer_bytes);
	for (int i = 0; i < COPIES; i++) {
		double start = now_ms();

		copy(to, from, buffer_bytes, bytes);
		printf("%.3f\n", now_ms() - start);
	}
	free(from);
	free(to);
	return 0;
}
