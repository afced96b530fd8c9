/* blocks: every way to a block of C, in four threads, in an order that the thread's number decides. */
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#define NR_KEPT  64
#define NR_TURNS 40000

static void *one(uint32_t kind, size_t size)
{
	void *block = NULL;
	switch (kind) {
	case 0:
		return calloc(size / 8 + 1, 8);
	case 1:
		return memalign(64, size);
	case 2:
		return aligned_alloc(32, size);
	case 3:
		return posix_memalign(&block, 128, size) == 0 ? block : NULL;
	case 4:
		return valloc(size);
	case 5:
		return reallocarray(NULL, size / 4 + 1, 4);
	default:
		return malloc(size);
	}
}

static void *storm(void *seed)
{
	uint32_t state = (uint32_t)(uintptr_t)seed;
	void *kept[NR_KEPT] = { NULL };
	for (int i = 0; i < NR_TURNS; i++) {
		state = state * 1664525 + 1013904223;
		void **place = &kept[state >> 26];
		size_t size = state >> 8 & 1023;
		if ((state >> 20 & 3) == 0) {
			*place = realloc(*place, size + 1);
			continue;
		}
		free(*place);
		*place = one(state >> 16 & 15, size);
	}
	for (int i = 0; i < NR_KEPT; i++)
		free(kept[i]);
	free(malloc((size_t)5 << 30));
	return NULL;
}

int main(void)
{
	pthread_t threads[4];
	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, storm, (void *)(i + 1));
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
