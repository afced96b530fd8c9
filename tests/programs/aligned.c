/*
 * aligned: blocks of memalign and its kin, for many alignments, kept, lost, and held by an
 * interior; some in the heap, some in mappings of their own.
 *
 * expect: definite 314056 in 26
 * expect: indirect 712 in 1
 * expect: possible 316840 in 5
 * expect: reachable 292008 in 25
 * expect: freed 281032 in 5
 */
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plant.h"

static void *volatile kept[64];
static unsigned nr_kept;

static void *memalign_zeroed(size_t alignment, enum plant_kind kind, const char *shape)
{
	size_t size = plant_next_size();
	void *block = memalign(alignment, size);
	return plant_note(memset(block, 0, size), kind, shape);
}

static void *posix_memalign_zeroed(size_t alignment, enum plant_kind kind,
				   const char *shape)
{
	size_t size = plant_next_size();
	void *block = NULL;
	if (posix_memalign(&block, alignment, size) != 0)
		abort();
	return plant_note(memset(block, 0, size), kind, shape);
}

static void *aligned_alloc_zeroed(size_t alignment, enum plant_kind kind,
				  const char *shape)
{
	size_t size = plant_next_size();
	void *block = aligned_alloc(alignment, size);
	return plant_note(memset(block, 0, size), kind, shape);
}

static void *valloc_zeroed(size_t size, enum plant_kind kind, const char *shape)
{
	void *block = valloc(size);
	return plant_note(memset(block, 0, size), kind, shape);
}

static void in_heap(void)
{
	for (size_t alignment = 32; alignment <= 65536; alignment *= 2) {
		kept[nr_kept++] =
			memalign_zeroed(alignment, PLANT_REACHABLE, "memalign, kept");
		memalign_zeroed(alignment, PLANT_DEFINITE, "memalign, lost");
	}
	for (size_t alignment = 8; alignment <= 4096; alignment *= 8) {
		kept[nr_kept++] = posix_memalign_zeroed(alignment, PLANT_REACHABLE,
							"posix_memalign, kept");
		posix_memalign_zeroed(alignment, PLANT_DEFINITE, "posix_memalign, lost");
		kept[nr_kept++] = aligned_alloc_zeroed(alignment, PLANT_REACHABLE,
						       "aligned_alloc, kept");
		aligned_alloc_zeroed(alignment, PLANT_DEFINITE, "aligned_alloc, lost");
	}
	kept[nr_kept++] =
		(char *)memalign_zeroed(512, PLANT_POSSIBLE, "memalign, interior") + 32;

	void **head = memalign_zeroed(256, PLANT_DEFINITE, "aligned list, lost");
	*head = memalign_zeroed(1024, PLANT_INDIRECT, "aligned list, lost: tail");

	plant_free(memalign(2048, 904), "memalign, freed");
	kept[nr_kept++] = valloc_zeroed(5000, PLANT_REACHABLE, "valloc, kept");
	valloc_zeroed(6000, PLANT_DEFINITE, "valloc, lost");
}

/*
 * With a large alignment the chunk begins well inside its mapping. The blocks are not
 * larger than need be: under Memcheck they lie where small numbers look like pointers.
 */
static void in_mappings(void)
{
	static const size_t alignments[] = { 64, 4096, 65536, (size_t)2 << 20 };
	uintptr_t freed[4];
	plant_map_from(70000);
	for (size_t i = 0; i < 4; i++) {
		/* More than the heap has free from aligning its own blocks. */
		size_t alignment = alignments[i], size = 70008 + 16 * i;
		kept[nr_kept++] = plant_note(memalign(alignment, size), PLANT_REACHABLE,
					     "mmapped and aligned, kept");
		plant_note(memalign(alignment, size + 5008), PLANT_DEFINITE,
			   "mmapped and aligned, lost");
		char *inside = plant_note(memalign(alignment, size + 9008),
					  PLANT_POSSIBLE,
					  "mmapped and aligned, interior");
		kept[nr_kept++] = inside + size;
		freed[i] = plant_hide(memalign(alignment, size));
	}
	/* At the end, for the kernel would map the next where the last has been. */
	for (size_t i = 0; i < 4; i++)
		plant_free(plant_show(freed[i]), "mmapped and aligned, freed");
}

static void plant(void)
{
	in_heap();
	in_mappings();
}

int main(int argc, char **argv)
{
	plant_run(plant);
	plant_wait(argc, argv);
}
