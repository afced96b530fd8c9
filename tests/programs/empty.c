/*
 * empty: blocks of no bytes, and pointers at what glibc adds to a size. Of glibc's blocks
 * one knows what can be used, not what was asked for: an empty one has 24 bytes.
 *
 * expect: definite 56 in 4
 * expect: indirect 0 in 1
 * expect: possible 57 in 2
 * expect: reachable 40 in 5
 */
#include <stdlib.h>
#include <string.h>

#include "plant.h"

static void *volatile kept[8];

static const char rounded[] = "the pointer is beyond what was asked for, not beyond what "
			      "can be used";

static void *none(void)
{
	/* What an empty block was before may still be readable in it. */
	void *fresh = calloc(1, 24);
	free(fresh);
	return malloc(0);
}

static void plant(void)
{
	kept[0] = plant_note(none(), PLANT_REACHABLE, "malloc(0), kept");
	plant_note(none(), PLANT_DEFINITE, "malloc(0), lost");
	kept[1] = plant_note(calloc(0, 17), PLANT_REACHABLE, "calloc(0, 17), kept");
	plant_note(calloc(0, 17), PLANT_DEFINITE, "calloc(0, 17), lost");
	plant_note(calloc(17, 0), PLANT_DEFINITE, "calloc(17, 0), lost");
	kept[2] = plant_note(realloc(NULL, 0), PLANT_REACHABLE, "realloc(NULL, 0), kept");

	void **holder = kept[3] = plant_block(PLANT_REACHABLE, "holds an empty block");
	*holder = plant_note(none(), PLANT_REACHABLE, "malloc(0), held by a block");
	holder = plant_block(PLANT_DEFINITE, "holds an empty block, lost");
	*holder = plant_note(none(), PLANT_INDIRECT, "malloc(0), held by a lost block");

	char *block = plant_note(none(), PLANT_POSSIBLE, "malloc(0), interior");
	plant_differs(block, PLANT_DEFINITE, rounded);
	kept[4] = block + 16;

	block = plant_note(calloc(1, 57), PLANT_POSSIBLE, "pointer at the rounding");
	plant_differs(block, PLANT_DEFINITE, rounded);
	kept[5] = block + 64;
}

int main(int argc, char **argv)
{
	plant_run(plant);
	plant_wait(argc, argv);
}
