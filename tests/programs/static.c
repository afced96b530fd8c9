/*
 * static: a statically linked program, without a loader or a libc of its own file.
 *
 * The totals are of usable bytes.
 *
 * expect: definite 307600 in 5
 * expect: indirect 296 in 3
 * expect: reachable 856 in 5
 * expect: freed 405888 in 3
 */
#include <stdint.h>
#include <stdlib.h>

#include "plant.h"

static __thread void *volatile slot;
static void *volatile in_data = (void *)-1;
static void *volatile in_bss;
static uintptr_t in_frame;

static void in_main(void)
{
	plant_block(PLANT_DEFINITE, "lost");
	void **head = plant_block(PLANT_DEFINITE, "lost list");
	*head = plant_block(PLANT_INDIRECT, "lost list: tail");
	void **ring[3];
	plant_ring(ring, 3, "lost ring");

	slot = plant_block(PLANT_REACHABLE, "thread-local variable of main");
	in_data = plant_block(PLANT_REACHABLE, ".data");
	in_bss = plant_block(PLANT_REACHABLE, ".bss");
	in_frame = plant_hide(plant_block(PLANT_REACHABLE, "live thread's frame"));

	plant_free(plant_block(PLANT_FREED, "freed"), "freed");
	plant_sized(303088, PLANT_DEFINITE, "mmapped, lost");
	plant_free(malloc(401392), "mmapped, freed");
}

static void in_thread(void)
{
	slot = plant_block(PLANT_REACHABLE, "thread-local variable of a live thread");
	plant_block(PLANT_DEFINITE, "lost in a thread's arena");
}

static void *live(void *hidden)
{
	void *volatile held = plant_show((uintptr_t)hidden);
	PLANT_KEEP(held);
	plant_run(in_thread);
	plant_holding();
	plant_pause();
}

int main(int argc, char **argv)
{
	plant_run(in_main);
	plant_thread(live, in_frame);
	plant_wait(argc, argv);
}
