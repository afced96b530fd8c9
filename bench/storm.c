/*
 * storm: malloc() and free() and nothing else.
 *
 *	storm [THREADS [DEPTH [PAIRS [random]]]]    (1, 30, 2000000)
 *
 * Each thread calls DEPTH functions deep, and there, of blocks that it keeps 256 of, frees one and
 * allocates another of up to 512 bytes, over and over; every 16th time it goes back some frames
 * first and down again, as programs do. With `random` it is at random through which functions: there
 * is no end of new stacks. Prints the processor's nanoseconds per pair.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NR_KEPT 256

struct storm {
	void *kept[NR_KEPT];
	uint32_t random;
	unsigned depth;
	uint64_t pairs, nr_done;
	bool is_random;
};

static uint32_t next_random(struct storm *storm)
{
	storm->random = storm->random * 1664525 + 1013904223;
	return storm->random >> 8;
}

static __attribute__((noinline)) void pair(struct storm *storm)
{
	uint32_t random = next_random(storm);
	void **place = &storm->kept[random % NR_KEPT];
	free(*place);
	*place = malloc(random >> 8 & 511);
	storm->nr_done++;
}

static unsigned descend(struct storm *storm, unsigned depth);

/* A function of its own that goes down. */
#define WAY(name)                                                                        \
	static __attribute__((noinline)) unsigned name(struct storm *storm,              \
						       unsigned depth)                   \
	{                                                                                \
		unsigned back = descend(storm, depth);                                   \
		__asm__ volatile("" : "+r"(back) : "r"(#name));                          \
		return back > 0 ? back - 1 : 0;                                          \
	}
WAY(way_1)
WAY(way_2)
WAY(way_3)
WAY(way_4)

static unsigned go_down(struct storm *storm, unsigned depth)
{
	static unsigned (*const ways[])(struct storm *, unsigned) = { way_1, way_2, way_3,
								      way_4 };
	return storm->is_random ? ways[next_random(storm) & 3](storm, depth + 1)
				: descend(storm, depth);
}

/* Returns by so many frames, to come down again. */
static __attribute__((noinline)) unsigned descend(struct storm *storm, unsigned depth)
{
	while (storm->nr_done < storm->pairs) {
		if (depth < storm->depth) {
			unsigned back = go_down(storm, depth + 1);
			if (back > 0 && depth > 0)
				return back - 1;
			continue;
		}
		for (int i = 0; i < 16; i++)
			pair(storm);
		return next_random(storm) % 6;
	}
	return 0;
}

static void *run(void *storm)
{
	descend(storm, 0);
	return NULL;
}

static double seconds(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
	unsigned nr_threads = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
	unsigned depth = argc > 2 ? (unsigned)atoi(argv[2]) : 30;
	uint64_t pairs = argc > 3 ? strtoull(argv[3], NULL, 10) : 2000000;
	struct storm *storms = calloc(nr_threads, sizeof(*storms));
	pthread_t *threads = calloc(nr_threads, sizeof(*threads));
	if (!storms || !threads)
		return 1;
	double begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
	for (unsigned i = 0; i < nr_threads; i++) {
		storms[i] = (struct storm){
			.random = i + 1,
			.depth = depth,
			.pairs = pairs,
			.is_random = argc > 4,
		};
		pthread_create(&threads[i], NULL, run, &storms[i]);
	}
	for (unsigned i = 0; i < nr_threads; i++)
		pthread_join(threads[i], NULL);
	double used = seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
	printf("%.1f ns of CPU per pair\n", used / (double)(pairs * nr_threads) * 1e9);
	free(threads);
	free(storms);
	return 0;
}
