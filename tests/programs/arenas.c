/*
 * arenas: blocks of threads' own arenas, and of a main arena that the break does not hold.
 *
 * expect: definite 122640 in 12
 * expect: indirect 1136 in 6
 * expect: possible 336 in 2
 * expect: reachable 881376 in 12
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plant.h"

/* A thread's arena begins a new heap of its own every 64 MB. */
#define NR_FILLERS   900
#define FILLER_BYTES 100008

static void *volatile kept[32];
static void **filler;

static void in_arena(void)
{
	static unsigned nr_arenas;
	kept[nr_arenas++] = plant_block(PLANT_REACHABLE, "thread's arena, kept");
	plant_block(PLANT_DEFINITE, "thread's arena, lost");
	void **head = plant_block(PLANT_DEFINITE, "thread's arena, lost list");
	*head = plant_block(PLANT_INDIRECT, "thread's arena, lost list: tail");
	kept[nr_arenas++] =
		(char *)plant_block(PLANT_POSSIBLE, "thread's arena, interior") + 32;
	void **ring[3];
	plant_ring(ring, 3, "thread's arena, ring");
}

static void *live(void *argument)
{
	(void)argument;
	plant_run(in_arena);
	plant_holding();
	plant_pause();
}

/* One list, held by its last; so it is not planted but part of the scenery. */
static void fill(void)
{
	for (int i = 0; i < NR_FILLERS; i++) {
		void **next = calloc(1, FILLER_BYTES);
		if (!next)
			abort();
		*next = filler;
		filler = next;
	}
}

static void in_second_heap(void)
{
	fill();
	kept[20] = plant_block(PLANT_REACHABLE, "thread's second heap, kept");
	plant_block(PLANT_DEFINITE, "thread's second heap, lost");
	filler[1] =
		plant_block(PLANT_DEFINITE, "thread's second heap, let go by its holder");
	filler[1] = NULL;
	void **lost =
		plant_block(PLANT_DEFINITE, "thread's second heap, holds in the first");
	*lost = kept[0];
}

static void *live_with_second_heap(void *argument)
{
	(void)argument;
	plant_run(in_second_heap);
	plant_holding();
	plant_pause();
}

static void across_arenas(void)
{
	/* kept[0] lies in the first thread's arena. */
	void **there = kept[0];
	*there = plant_block(PLANT_REACHABLE, "main arena, held by a thread's arena");
	plant_block(PLANT_DEFINITE, "main arena, lost");
}

/* With the way up barred, the main arena goes on in mappings. */
static void beyond_the_break(void)
{
	char *end = sbrk(0);
	uintptr_t page = ((uintptr_t)end + 4095) & ~(uintptr_t)4095;
	mmap((void *)page, 4096, PROT_NONE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	void **outer = NULL;
	for (int i = 0; i < 8; i++) {
		void **block = plant_sized(110008 + 16 * (size_t)i, PLANT_REACHABLE,
					   "main arena beyond the break, kept");
		*block = outer;
		kept[21] = outer = block;
	}
	plant_sized(120008, PLANT_DEFINITE, "main arena beyond the break, lost");
	plant_block(PLANT_DEFINITE, "main arena beyond the break, small, lost");
}

int main(int argc, char **argv)
{
	plant_thread(live, 0);
	plant_run_in_thread(in_arena);
	plant_thread(live_with_second_heap, 0);
	plant_run(across_arenas);
	plant_run(beyond_the_break);
	plant_wait(argc, argv);
}
