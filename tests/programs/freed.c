/*
 * freed: blocks that were given back by every path that glibc knows. None may be reported,
 * and what only they point at is lost.
 *
 * Each freed block points, 48 bytes in, where the allocator writes nothing, at a child. All
 * is allocated before anything is freed, so that nothing freed is handed out again.
 *
 * expect: definite 26880 in 56
 * expect: freed 1564744 in 99
 */
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "plant.h"

#define TCACHE_COUNT 7
#define CHILD_INDEX  6
#define MAX_PER_PATH 2

/* Ways to end, in the order of going them. */
static const struct path {
	const char *shape, *child_shape;
	size_t size;
	unsigned nr_blocks;
	bool fill_tcache; /* with seven more of the size, freed first */
} sorted_paths[] = {
	{ "in the tcache", "held by a block in the tcache", 1032, 1, false },
	{ "in the tcache, with another", "held by a block in the tcache", 1016, 2, false },
	{ "in a fastbin", "held by a block in a fastbin", 104, 2, true },
	{ "in a small bin", "held by a block in a small bin", 904, 2, true },
	{ "in a large bin", "held by a block in a large bin", 3208, 1, false },
	{ "in a large bin, with another", "held by a block in a large bin", 3224, 2, false },
	{ "in a very large bin", "held by a block in a large bin", 50008, 1, false },
}, unsorted_paths[] = {
	{ "unsorted", "held by an unsorted block", 2008, 1, false },
	{ "unsorted, with another", "held by an unsorted block", 2504, 2, false },
};
#define NR_SORTED   (sizeof(sorted_paths) / sizeof(sorted_paths[0]))
#define NR_UNSORTED (sizeof(unsorted_paths) / sizeof(unsorted_paths[0]))

/* What one thread has still to free; complements, so that nothing but blocks hold. */
struct path_blocks {
	uintptr_t parents[MAX_PER_PATH];
	uintptr_t fillers[TCACHE_COUNT];
};

/* In use for ever, and between any two, so that freed neighbours do not become one. */
static void *volatile fence[512];
static unsigned nr_fences;

static void **block_and_fence(size_t size)
{
	void **block = calloc(1, size);
	fence[nr_fences++] = calloc(1, 24);
	if (!block)
		abort();
	return block;
}

static uintptr_t parent(size_t size, const char *child_shape)
{
	void **block = block_and_fence(size);
	block[CHILD_INDEX] = plant_block(PLANT_DEFINITE, child_shape);
	return plant_hide(block);
}

static void allocate(const struct path *path, struct path_blocks *blocks)
{
	for (unsigned i = 0; i < path->nr_blocks; i++)
		blocks->parents[i] = parent(path->size, path->child_shape);
	for (unsigned i = 0; i < TCACHE_COUNT && path->fill_tcache; i++)
		blocks->fillers[i] = plant_hide(block_and_fence(path->size));
}

static void release(const struct path *path, const struct path_blocks *blocks)
{
	for (unsigned i = 0; i < TCACHE_COUNT && path->fill_tcache; i++)
		plant_free(plant_show(blocks->fillers[i]),
			   "in the tcache, with six others");
	for (unsigned i = 0; i < path->nr_blocks; i++)
		plant_free(plant_show(blocks->parents[i]), path->shape);
}

/* Three neighbours. */
struct merging {
	uintptr_t first, second, third;
};

static void allocate_merging(struct merging *blocks)
{
	static const char child_shape[] = "held by a merged block";
	void **first = calloc(1, 4008), **second = calloc(1, 4024);
	void **third = block_and_fence(4040);
	first[CHILD_INDEX] = plant_block(PLANT_DEFINITE, child_shape);
	second[CHILD_INDEX] = plant_block(PLANT_DEFINITE, child_shape);
	third[CHILD_INDEX] = plant_block(PLANT_DEFINITE, child_shape);
	*blocks = (struct merging){ plant_hide(first), plant_hide(second),
				    plant_hide(third) };
}

static void release_merging(const struct merging *blocks)
{
	plant_free(plant_show(blocks->first), "merged with its successor");
	plant_free(plant_show(blocks->third), "merged with its predecessor");
	plant_free(plant_show(blocks->second), "merged with both");
}

/* All the ways that a thread's own arena knows as well. */
static void in_any_arena(void)
{
	struct path_blocks sorted[NR_SORTED], unsorted[NR_UNSORTED];
	struct merging merging;
	for (size_t i = 0; i < NR_SORTED; i++)
		allocate(&sorted_paths[i], &sorted[i]);
	for (size_t i = 0; i < NR_UNSORTED; i++)
		allocate(&unsorted_paths[i], &unsorted[i]);
	allocate_merging(&merging);

	for (size_t i = 0; i < NR_SORTED; i++)
		release(&sorted_paths[i], &sorted[i]);
	/* A request larger than all that is free sorts what is free. */
	fence[nr_fences++] = calloc(1, 100008);
	for (size_t i = 0; i < NR_UNSORTED; i++)
		release(&unsorted_paths[i], &unsorted[i]);
	release_merging(&merging);
}

static void by_unmapping(void)
{
	void **mapping = calloc(1, 1000008);
	mapping[CHILD_INDEX] = plant_block(PLANT_DEFINITE, "held by an unmapped block");
	plant_free(mapping, "unmapped");
}

static void by_realloc(void)
{
	void *block = plant_show(parent(1048, "held by a block that realloc freed"));
	plant_note(block, PLANT_FREED, "freed by realloc to nothing");
	if (realloc(block, 0))
		abort();
}

/* The last blocks of the heap, from the end: the allocator gives the pages back. */
static void by_top(void)
{
	uintptr_t small_child = plant_hide(
		plant_block(PLANT_DEFINITE, "held by a block merged into the top"));
	uintptr_t trimmed_child =
		plant_hide(plant_block(PLANT_DEFINITE, "held by a trimmed block"));
	void **small = calloc(1, 60008);
	void **trimmed = calloc(1, 120008);
	void **trimmed_too = calloc(1, 110008);
	small[CHILD_INDEX] = plant_show(small_child);
	trimmed[CHILD_INDEX] = plant_show(trimmed_child);
	plant_free(trimmed_too, "merged into the top, trimmed");
	plant_free(trimmed, "merged into the top, trimmed");
	plant_free(small, "merged into the top");
}

static uintptr_t crossing;

static void in_main(void)
{
	crossing = parent(1000, "held by a block in another thread's tcache");
	by_unmapping();
	by_top();
	in_any_arena();
	by_realloc();
}

static void in_thread(void)
{
	plant_free(plant_show(crossing), "in another thread's tcache");
	in_any_arena();
}

static void *live(void *argument)
{
	(void)argument;
	plant_run(in_thread);
	plant_holding();
	plant_pause();
}

int main(int argc, char **argv)
{
	plant_run(in_main);
	plant_thread(live, 0);
	plant_run_in_thread(in_any_arena);
	plant_wait(argc, argv);
}
