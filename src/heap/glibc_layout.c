/* glibc_layout: see glibc_layout.h. */
#include "heap/glibc_layout.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/vec.h"

/* No libc or static program has more initialised data than this; hostile maps may. */
#define SEARCH_MAX   (64u << 20)
#define RING_MAX     65536u
#define BAD_BINS_MAX 8u

static const struct glibc_layout layouts[] = {
	{
		/* Debian 12, libc6-dbg 2.36-9. */
		.first_version = 2036,
		.last_version = 2036,
		.arena = { .mutex = 0,
			   .flags = 4,
			   .fastbins = 16,
			   .top = 96,
			   .bins = 112,
			   .next = 2160,
			   .system_mem = 2184,
			   .max_system_mem = 2192,
			   .size = 2200 },
		.params = { .arena_test = 24,
			    .n_mmaps = 60,
			    .n_mmaps_max = 64,
			    .max_n_mmaps = 68,
			    .mmapped_mem = 80,
			    .max_mmapped_mem = 88,
			    .sbrk_base = 96,
			    .tcache_bins = 104,
			    .tcache_max_bytes = 112,
			    .tcache_count = 120,
			    .size = 136 },
		.tcache = { .counts = 0, .entries = 128, .size = 640, .nr_bins = 64 },
		.heap_info = { .arena = 0, .previous = 8, .size_field = 16, .size = 48 },
		.heap_max = 64u << 20,
		.stacks = { .stack_cache = 4296,
			    .list = 0x2c0,
			    .stack = 0x690,
			    .stack_size = 0x698 },
	},
};

const struct glibc_layout *glibc_layout_find(unsigned version)
{
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		if (version >= layouts[i].first_version &&
		    version <= layouts[i].last_version)
			return &layouts[i];
	return NULL;
}

unsigned glibc_layout_newest(void)
{
	return layouts[ARRAY_SIZE(layouts) - 1].last_version;
}

static uint64_t word_at(const unsigned char *bytes, unsigned offset)
{
	uint64_t word;
	memcpy(&word, bytes + offset, sizeof(word));
	return word;
}

static uint32_t int_at(const unsigned char *bytes, unsigned offset)
{
	uint32_t word;
	memcpy(&word, bytes + offset, sizeof(word));
	return word;
}

/* An empty bin links to itself: to the place where its links would be a chunk's. Others
   link to chunks, which are aligned. */
static bool is_bin(const struct glibc_layout *layout, const unsigned char *arena,
		   uint64_t address, unsigned bin)
{
	unsigned offset = layout->arena.bins + 16 * bin;
	uint64_t self = address + offset - 16;
	uint64_t first = word_at(arena, offset), last = word_at(arena, offset + 8);
	if (first == self || last == self)
		return first == last;
	return first && last && first % 16 == 0 && last % 16 == 0;
}

/* A few may be damaged, or caught while a chunk is linked in. */
static bool bins_are_linked(const struct glibc_layout *layout, const unsigned char *arena,
			    uint64_t address)
{
	unsigned nr_bad = 0;
	for (unsigned bin = 0; bin < GLIBC_NR_BINS && nr_bad <= BAD_BINS_MAX; bin++)
		nr_bad += !is_bin(layout, arena, address, bin);
	return nr_bad <= BAD_BINS_MAX;
}

static bool is_main_arena(const struct glibc_layout *layout, const unsigned char *arena,
			  uint64_t address)
{
	uint64_t next = word_at(arena, layout->arena.next);
	uint64_t system_mem = word_at(arena, layout->arena.system_mem);
	uint64_t max_system_mem = word_at(arena, layout->arena.max_system_mem);
	return next != 0 && next % 8 == 0 && system_mem <= max_system_mem &&
	       bins_are_linked(layout, arena, address);
}

/* Before the first malloc the bins are zeros and the ring holds the main arena alone. */
static bool is_untouched_arena(const struct glibc_layout *layout,
			       const unsigned char *arena, uint64_t address)
{
	if (word_at(arena, layout->arena.next) != address ||
	    word_at(arena, layout->arena.next + 16) != 1 || /* attached_threads */
	    word_at(arena, layout->arena.system_mem) != 0)
		return false;
	for (unsigned offset = layout->arena.fastbins; offset < layout->arena.next;
	     offset += 8)
		if (word_at(arena, offset) != 0)
			return false;
	return true;
}

/* mp_: the sizes of the tcache agree with each other, counts stay below their maxima, and
   nothing has a value that malloc never gives. */
static bool is_params(const struct glibc_layout *layout, const unsigned char *params)
{
	uint64_t bins = word_at(params, layout->params.tcache_bins);
	uint64_t max_bytes = word_at(params, layout->params.tcache_max_bytes);
	uint64_t count = word_at(params, layout->params.tcache_count);
	uint32_t n_mmaps = int_at(params, layout->params.n_mmaps);
	uint64_t mmapped = word_at(params, layout->params.mmapped_mem);
	uint64_t sbrk_base = word_at(params, layout->params.sbrk_base);
	return bins >= 1 && bins <= layout->tcache.nr_bins &&
	       max_bytes == (bins - 1) * 16 + 24 && count <= UINT16_MAX &&
	       n_mmaps <= int_at(params, layout->params.max_n_mmaps) &&
	       mmapped <= word_at(params, layout->params.max_mmapped_mem) &&
	       (n_mmaps == 0) == (mmapped == 0) && sbrk_base % 8 == 0;
}

/* All arenas form a ring. A place that lies some bins off looks like an arena otherwise. */
static struct error *closes_ring(struct target *target, const struct glibc_layout *layout,
				 uint64_t address, bool *closes)
{
	uint64_t at = address;
	*closes = false;
	for (unsigned i = 0; i < RING_MAX; i++) {
		uint64_t next = 0;
		size_t nr_read = 0;
		struct error *error = target->ops->read(target, at + layout->arena.next,
							&next, sizeof(next), &nr_read);
		if (error || nr_read < sizeof(next) || next % 8 != 0)
			return error;
		at = next;
		*closes = at == address;
		if (*closes)
			return NULL;
	}
	return NULL;
}

static struct error *search_arena(struct target *target,
				  const struct glibc_layout *layout,
				  const unsigned char *bytes, size_t size,
				  uint64_t address, struct glibc_state *state)
{
	for (size_t at = 0; at + layout->arena.size <= size; at += 8) {
		bool initialised = is_main_arena(layout, bytes + at, address + at);
		if (!initialised && !is_untouched_arena(layout, bytes + at, address + at))
			continue;
		bool closes = false;
		struct error *error = closes_ring(target, layout, address + at, &closes);
		if (error)
			return error;
		if (!closes)
			continue;
		state->main_arena = address + at;
		state->initialised = initialised;
		if (initialised)
			return NULL;
	}
	return NULL;
}

/* Both structs are variables of one source file, so the candidate nearest to the arena is
   taken. */
static void search_params(const struct glibc_layout *layout, const unsigned char *bytes,
			  size_t size, uint64_t address, struct glibc_state *state)
{
	uint64_t nearest = UINT64_MAX;
	for (size_t at = 0; at + layout->params.size <= size; at += 8) {
		uint64_t here = address + at;
		uint64_t distance = here < state->main_arena ? state->main_arena - here
							     : here - state->main_arena;
		if (distance < nearest && is_params(layout, bytes + at)) {
			state->params = here;
			nearest = distance;
		}
	}
}

struct error *glibc_state_search(struct target *target, const struct glibc_layout *layout,
				 const struct region *region, struct glibc_state *state)
{
	size_t size = region->end - region->start;
	if (size > SEARCH_MAX)
		return NULL;
	CLEANUP_FREE unsigned char *bytes = calloc(1, size);
	if (!bytes)
		return error_no_memory();
	struct extent_vec extents = { 0 };
	struct error *error =
		target_extents(target, region, region->start, region->end, &extents);
	for (size_t i = 0; !error && i < extents.nr; i++) {
		const struct extent *extent = &extents.items[i];
		if (!extent->swapped)
			error = target_read(target, extent->start,
					    bytes + (extent->start - region->start),
					    extent->end - extent->start);
	}
	extent_vec_deinit(&extents);
	if (error)
		return error;
	if (!state->main_arena)
		error = search_arena(target, layout, bytes, size, region->start, state);
	if (!error && !state->params)
		search_params(layout, bytes, size, region->start, state);
	return error;
}
