/*
 * freed: blocks that were given back by every path that glibc knows. None may be reported,
 * and what only they point at is lost.
 *
 * Each freed block points, 48 bytes in, where the allocator writes nothing, at a child. All
 * is allocated before anything is freed, so that nothing freed is handed out again.
 *
 * expect: definite 32736 in 62
 * expect: freed 2156056 in 107
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
	bool by_realloc;  /* realloc to no bytes, not free */
} sorted_paths[] = {
	{ "in the tcache", "held by a block in the tcache", 1032, 1, false, false },
	{ "in the tcache, with another", "held by a block in the tcache", 1016, 2, false, false },
	{ "in a small bin", "held by a block in a small bin", 904, 2, true, false },
	{ "in a large bin", "held by a block in a large bin", 3208, 1, false, false },
	{ "in a large bin, with another", "held by a block in a large bin", 3224, 2, false, false },
	{ "freed by realloc to nothing", "held by a block that realloc freed", 4104, 1, false,
	  true },
	{ "in a very large bin", "held by a block in a large bin", 50008, 1, false, false },
}, unsorted_paths[] = {
	{ "in a fastbin", "held by a block in a fastbin", 104, 2, true, false },
	{ "unsorted", "held by an unsorted block", 2008, 1, false, false },
	{ "unsorted, with another", "held by an unsorted block", 2504, 2, false, false },
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

static void free_by_realloc(void *block, const char *shape)
{
	plant_note(block, PLANT_FREED, shape);
	if (realloc(block, 0))
		abort();
}

static void release(const struct path *path, const struct path_blocks *blocks)
{
	for (unsigned i = 0; i < TCACHE_COUNT && path->fill_tcache; i++)
		plant_free(plant_show(blocks->fillers[i]),
			   "in the tcache, with six others");
	for (unsigned i = 0; i < path->nr_blocks; i++) {
		void *block = plant_show(blocks->parents[i]);
		if (path->by_realloc)
			free_by_realloc(block, path->shape);
		else
			plant_free(block, path->shape);
	}
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

static void by_unmapping(void)
{
	void **mapping = calloc(1, 1000008);
	mapping[CHILD_INDEX] = plant_block(PLANT_DEFINITE, "held by an unmapped block");
	plant_free(mapping, "unmapped");
}

/* The last blocks of the heap, freed from its end: the allocator gives the pages back. */
struct top {
	uintptr_t merged_child, trimmed_child;
	uintptr_t merged, trimmed, trimmed_too;
};

static void allocate_top_children(struct top *top)
{
	top->merged_child = plant_hide(
		plant_block(PLANT_DEFINITE, "held by a block merged into the top"));
	top->trimmed_child =
		plant_hide(plant_block(PLANT_DEFINITE, "held by a trimmed block"));
}

static void allocate_top(struct top *top)
{
	void **merged = calloc(1, 60008);
	void **trimmed = calloc(1, 120008);
	merged[CHILD_INDEX] = plant_show(top->merged_child);
	trimmed[CHILD_INDEX] = plant_show(top->trimmed_child);
	top->merged = plant_hide(merged);
	top->trimmed = plant_hide(trimmed);
	top->trimmed_too = plant_hide(calloc(1, 110008));
}

static void release_top(const struct top *top)
{
	plant_free(plant_show(top->trimmed_too), "merged into the top, trimmed");
	plant_free(plant_show(top->trimmed), "merged into the top, trimmed");
	plant_free(plant_show(top->merged), "merged into the top");
}

/* All the ways that every arena knows. */
static void in_any_arena(void)
{
	struct path_blocks sorted[NR_SORTED], unsorted[NR_UNSORTED];
	struct merging merging;
	struct top top;
	for (size_t i = 0; i < NR_SORTED; i++)
		allocate(&sorted_paths[i], &sorted[i]);
	for (size_t i = 0; i < NR_UNSORTED; i++)
		allocate(&unsorted_paths[i], &unsorted[i]);
	allocate_merging(&merging);
	allocate_top_children(&top);

	for (size_t i = 0; i < NR_SORTED; i++)
		release(&sorted_paths[i], &sorted[i]);
	/* These are larger than all that is free: so what is free is sorted. */
	allocate_top(&top);
	/* A free of so much empties the fastbins as well. */
	release_top(&top);
	release_merging(&merging);
	for (size_t i = 0; i < NR_UNSORTED; i++)
		release(&unsorted_paths[i], &unsorted[i]);
}

static uintptr_t crossing;

static void allocate_crossing(void)
{
	crossing = parent(1000, "held by a block in another thread's tcache");
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

static void in_main(void)
{
	by_unmapping();
	in_any_arena();
}

/* Main comes last: starting threads allocates, too. */
int main(int argc, char **argv)
{
	plant_run(allocate_crossing);
	plant_thread(live, 0);
	plant_run_in_thread(in_any_arena);
	plant_run(in_main);
	plant_wait(argc, argv);
}
