/*
 * resized: blocks that realloc() made larger or smaller, in place and elsewhere.
 *
 * expect: definite 1559442 in 12
 * expect: indirect 56 in 1
 * expect: reachable 1410386 in 12
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "plant.h"

static void *volatile kept[16];
static unsigned nr_kept;

/*
 * A neighbour in use keeps its predecessor from growing where it is. It is large, so that
 * it comes from where the predecessor came from: the top.
 */
static void *volatile bars[64];
static unsigned nr_bars;

static void bar(void)
{
	bars[nr_bars++] = calloc(1, 20008);
}

static void *resize(void *block, size_t old_size, size_t new_size)
{
	char *resized = realloc(block, new_size);
	if (!resized)
		abort();
	if (new_size > old_size)
		memset(resized + old_size, 0, new_size - old_size);
	return resized;
}

static void *resized(size_t from, size_t to, bool barred)
{
	void *block = calloc(1, from);
	if (!block)
		abort();
	if (barred)
		bar();
	return resize(block, from, to);
}

static const struct {
	size_t from, to;
	bool barred;
	const char *shape;
} sizes[] = {
	{ 136, 1192, false, "grown where it was" },
	{ 152, 2008, true, "grown, moved" },
	{ 3016, 168, true, "shrunk" },
	{ 184, 186, true, "grown within its chunk" },
	{ 200008, 1208, true, "from a mapping into the heap" },
	{ 216, 300008, true, "from the heap into a mapping" },
	{ 400008, 500008, true, "mapping grown" },
	{ 700008, 600008, true, "mapping shrunk" },
};

static void plant(void)
{
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		kept[nr_kept++] =
			plant_note(resized(sizes[i].from, sizes[i].to, sizes[i].barred),
				   PLANT_REACHABLE, sizes[i].shape);
		plant_note(resized(sizes[i].from, sizes[i].to + 3 * 4096,
				   sizes[i].barred),
			   PLANT_DEFINITE, sizes[i].shape);
	}
	kept[nr_kept++] =
		plant_note(resize(NULL, 0, 248), PLANT_REACHABLE, "realloc of nothing");
	plant_note(resize(NULL, 0, 264), PLANT_DEFINITE, "realloc of nothing, lost");

	/* What a block holds, it holds after the move. */
	void **list = calloc(1, 280);
	list[0] = plant_block(PLANT_REACHABLE, "held by what was moved");
	bar();
	kept[nr_kept++] =
		plant_note(resize(list, 280, 5000), PLANT_REACHABLE, "moved, holds one");

	list = calloc(1, 296);
	list[0] = plant_block(PLANT_INDIRECT, "held by what was moved and lost");
	bar();
	plant_note(resize(list, 296, 6008), PLANT_DEFINITE, "moved, holds one, lost");

	/* What is cut off, it holds no more. */
	list = calloc(1, 4008);
	list[400] = plant_block(PLANT_DEFINITE, "held by what was cut off");
	kept[nr_kept++] = plant_note(resize(list, 4008, 312), PLANT_REACHABLE, "cut off");

	/* The pointer to the old place is kept, not the one to the new. */
	list = calloc(1, 30008);
	bar();
	kept[nr_kept++] = list;
	plant_note(resize(list, 30008, 50008), PLANT_DEFINITE, "moved, old pointer kept");
}

int main(int argc, char **argv)
{
	plant_run(plant);
	plant_wait(argc, argv);
}
