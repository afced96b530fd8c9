/*
 * scenes: who was at work, and after how many marks, in a number that is small for as long as there
 * are few such pairs.
 */
#ifndef SEEP_RECORD_SCENES_H
#define SEEP_RECORD_SCENES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"

#define SCENES_BITS 11u
/* The number of all that came too late to get one. */
#define SCENES_OTHER ((1u << SCENES_BITS) - 1)

struct scene {
	uint32_t thread;
	uint16_t marks; /* that there were before; those past 65535 are not told apart */
};

/* A zeroed struct is empty. */
struct scenes {
	struct map numbers; /* by the scene as a word: a number plus one */
	struct scene known[SCENES_OTHER];
	uint32_t nr;
	struct scene last; /* that was asked for, and its number */
	uint32_t last_number;
	bool has_last;
};

static inline uint64_t scene_word(struct scene scene)
{
	return (uint64_t)scene.thread << 16 | scene.marks;
}

static inline struct scene scene_of_word(uint64_t word)
{
	return (struct scene){ (uint32_t)(word >> 16), (uint16_t)word };
}

/* Sets *number; false when memory ran out. */
bool scenes_number(struct scenes *scenes, struct scene scene, uint32_t *number);
void scenes_deinit(struct scenes *scenes);

#endif
