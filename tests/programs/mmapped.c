/*
 * mmapped: blocks so large that each has a mapping of its own, and small ones that the
 * program wants to have one.
 *
 * expect: definite 659032 in 5
 * expect: indirect 159080 in 2
 * expect: possible 147008 in 1
 * expect: reachable 4455320 in 46
 */
#include <stdint.h>
#include <stdlib.h>

#include "plant.h"

static void *volatile kept[8];

static void plant(void)
{
	kept[0] = plant_sized(140008, PLANT_REACHABLE, "kept");
	plant_sized(143008, PLANT_DEFINITE, "lost");
	kept[1] = (char *)plant_sized(147008, PLANT_POSSIBLE, "interior") + 120000;

	/* Pointers at both ends of a mapping count. */
	void **outer = kept[2] = plant_sized(151008, PLANT_REACHABLE, "holds others");
	outer[0] = plant_block(PLANT_REACHABLE, "held by the first word of a mapping");
	outer[151000 / sizeof(void *)] =
		plant_block(PLANT_REACHABLE, "held by the last word of a mapping");

	void **ring[2] = {
		plant_sized(155008, PLANT_DEFINITE, "ring of two mappings"),
		plant_sized(159008, PLANT_INDIRECT, "ring of two mappings"),
	};
	ring[0][1] = ring[1];
	outer = ring[1];
	outer[1] = plant_block(PLANT_INDIRECT, "held by a lost mapping");

	kept[3] = plant_note(calloc(1000, 163), PLANT_REACHABLE, "calloc, kept");
	plant_note(calloc(1000, 167), PLANT_DEFINITE, "calloc, lost");

	plant_map_from(5000);
	kept[4] = plant_sized(6008, PLANT_REACHABLE, "small but mmapped, kept");
	plant_sized(10008, PLANT_DEFINITE, "small but mmapped, lost");

	/* Hundreds of neighbours, which the kernel merges into one mapping. */
	void **first = NULL;
	for (size_t i = 0; i < 40; i++) {
		void **next = plant_sized(20008 + 4096 * i, PLANT_REACHABLE,
					  "neighbours, kept");
		*next = first;
		kept[5] = first = next;
	}
	plant_sized(184008, PLANT_DEFINITE, "neighbours, lost");
}

int main(int argc, char **argv)
{
	plant_run(plant);
	plant_wait(argc, argv);
}
