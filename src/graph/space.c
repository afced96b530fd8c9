/* space: see space.h. */
#include "graph/space.h"

#define NO_GROUP UINT64_MAX

struct error *space_add_span(struct space *space, uint64_t start, uint64_t end,
			     bool single)
{
	struct space_span span = {
		.start = start,
		.end = end,
		.single = single,
		.rank = RANK_NONE,
	};
	return space_span_vec_push(&space->spans, span) ? NULL : error_no_memory();
}

static uint64_t grouped_bytes(const struct space *space, const struct space_span *span)
{
	uint64_t start = span->start & ~(uint64_t)(GROUP_BYTES - 1);
	uint64_t size = (span->end - start) << space->packed;
	return (size + GROUP_BYTES - 1) & ~(uint64_t)(GROUP_BYTES - 1);
}

/* An address of the span less this is its offset in bytes; modulo 2^64. */
static uint64_t span_delta(const struct space *space, const struct space_span *span)
{
	uint64_t start = span->single ? span->start
				      : span->start & ~(uint64_t)(GROUP_BYTES - 1);
	return start - (span->base >> space->packed);
}

static void note_biggest(struct space *space)
{
	if (space->spans.nr == 0)
		return;
	const struct space_span *span = &space->spans.items[space->biggest];
	space->biggest_start = span->start;
	space->biggest_size = span->end - span->start;
	space->biggest_delta = span_delta(space, span);
}

struct error *space_ready(struct space *space)
{
	uint64_t size = 0;
	for (size_t i = 0; i < space->spans.nr; i++) {
		struct space_span *span = &space->spans.items[i];
		if (span->single)
			continue;
		span->base = size;
		size += grouped_bytes(space, span);
		const struct space_span *biggest = &space->spans.items[space->biggest];
		if (biggest->single ||
		    span->end - span->start > biggest->end - biggest->start)
			space->biggest = i;
	}
	space->grouped_size = size;
	space->nr_groups = size / GROUP_BYTES;
	for (size_t i = 0; i < space->spans.nr; i++) {
		struct space_span *span = &space->spans.items[i];
		if (!span->single)
			continue;
		span->base = size;
		size += (span->end - span->start) << space->packed;
	}
	space->size = size;
	note_biggest(space);
	space->filling = SIZE_MAX;
	space->last_start = NO_GROUP;
	/* One group more: finding the end of a block looks one granule ahead. */
	if (!area_reserve(&space->groups,
			  (space->nr_groups + 1) * sizeof(struct space_group)))
		return error_no_memory();
	return NULL;
}

void space_deinit(struct space *space)
{
	area_release(&space->groups);
	space_span_vec_deinit(&space->spans);
	*space = (struct space){ 0 };
}

/* Completes the groups up to and with `group`: none of them had a start so far. */
void space_fill_groups(struct space *space, uint64_t group)
{
	struct space_group *groups = space_groups(space);
	for (; space->filled <= group; space->filled++) {
		groups[space->filled].rank = (uint32_t)space->nr_blocks;
		groups[space->filled].back =
			space->last_start == NO_GROUP
				? 0
				: (uint32_t)(space->filled - space->last_start);
	}
}

/* Completes the groups of a span that has no chunk, or no more of them. */
static void pass_span(struct space *space, const struct space_span *span)
{
	if (!span->single)
		space_fill_groups(space, (span->base + grouped_bytes(space, span)) /
							 GROUP_BYTES -
						 1);
}

static void leave_span(struct space *space)
{
	if (space->filling == SIZE_MAX)
		return;
	pass_span(space, &space->spans.items[space->filling]);
	space->last_start = NO_GROUP;
}

void space_enter_span(struct space *space, uint64_t address)
{
	leave_span(space);
	size_t i = space->filling == SIZE_MAX ? 0 : space->filling + 1;
	for (; i + 1 < space->spans.nr && space->spans.items[i].end <= address; i++)
		pass_span(space, &space->spans.items[i]);
	space->filling = i;
	const struct space_span *span = &space->spans.items[i];
	space->filling_end = span->end;
	space->filling_delta = span_delta(space, span);
}

void space_finish(struct space *space)
{
	leave_span(space);
	if (space->nr_groups)
		space_fill_groups(space, space->nr_groups - 1);
}

static size_t span_index(const struct space *space, uint64_t address)
{
	size_t low = 0, high = space->spans.nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (space->spans.items[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t space_offset_anywhere(const struct space *space, uint64_t address)
{
	size_t i = span_index(space, address);
	if (i == space->spans.nr || address < space->spans.items[i].start)
		return SPACE_NONE;
	return (address - span_delta(space, &space->spans.items[i])) << space->packed;
}

/* Single spans have ascending bases past all groups. */
static struct space_hit find_single(const struct space *space, uint64_t offset)
{
	const struct space_span *spans = space->spans.items;
	for (size_t low = 0, high = space->spans.nr; low < high;) {
		size_t middle = (low + high) / 2;
		/* A span with groups among them: its single neighbours decide. */
		size_t single = middle;
		while (single < high && !spans[single].single)
			single++;
		if (single == high || offset < spans[single].base) {
			high = middle;
			continue;
		}
		uint64_t distance = (offset - spans[single].base) >> space->packed;
		if (distance < spans[single].end - spans[single].start)
			return (struct space_hit){ .rank = spans[single].rank,
						   .distance = distance };
		low = single + 1;
	}
	return (struct space_hit){ .rank = RANK_NONE };
}

struct space_hit space_find(const struct space *space, uint64_t offset)
{
	if (offset >= space->grouped_size)
		return find_single(space, offset);
	const struct space_hit none = { .rank = RANK_NONE };
	const struct space_group *groups = space_groups(space);
	uint64_t granule = offset / GRANULE;
	const struct space_group *group = &groups[granule / 64];
	uint64_t below = group->starts & (UINT64_MAX >> (63 - granule % 64));
	if (!below) {
		if (!group->back)
			return none;
		group -= group->back;
		below = group->starts;
	}
	unsigned bit = 63 - (unsigned)__builtin_clzll(below);
	uint64_t mask = (uint64_t)1 << bit;
	if (!(group->live & mask))
		return none;
	/* The next chunk's size field stands in the upper half of the granule before it. */
	uint64_t next = granule + 1;
	if (!space->packed && offset % GRANULE >= 8 &&
	    ((groups[next / 64].starts >> (next % 64)) & 1))
		return none;
	uint64_t start = (uint64_t)(group - groups) * GROUP_BYTES + bit * GRANULE;
	return (struct space_hit){
		.rank = group->rank +
			(uint32_t)__builtin_popcountll(group->live & (mask - 1)),
		.distance = (offset - start) >> space->packed,
	};
}

static uint64_t start_address(const struct space *space, const struct space_span *span,
			      uint64_t group, unsigned bit)
{
	uint64_t offset = group * GROUP_BYTES + (uint64_t)bit * GRANULE - span->base;
	return (span->start & ~(uint64_t)(GROUP_BYTES - 1)) + (offset >> space->packed);
}

static uint64_t last_group_of(const struct space *space, const struct space_span *span)
{
	return (span->base + grouped_bytes(space, span)) / GROUP_BYTES - 1;
}

/* Usable bytes of the block that begins at `bit` of `group`: up to the next chunk's size
   field, or the end of the span. */
static uint64_t size_at(const struct space *space, const struct space_span *span,
			uint64_t group, unsigned bit)
{
	const struct space_group *groups = space_groups(space);
	uint64_t address = start_address(space, span, group, bit);
	uint64_t last_group = last_group_of(space, span);
	uint64_t start = group * 64 + bit;
	uint64_t above = bit == 63 ? 0 : groups[group].starts >> (bit + 1) << (bit + 1);
	while (!above && group < last_group)
		above = groups[++group].starts;
	if (!above)
		return span->end - address;
	uint64_t next = group * 64 + (unsigned)__builtin_ctzll(above);
	return space->packed ? (next - start) * GRANULE / 2
			     : (next - start) * GRANULE - 8;
}

/* As size_at() of a bit that the next chunk's follows in the same group. */
static inline uint64_t size_up_to(const struct space *space, unsigned bit, uint64_t above)
{
	uint64_t granules = (unsigned)__builtin_ctzll(above) - bit;
	return space->packed ? granules * GRANULE / 2 : granules * GRANULE - 8;
}

static void each_in_span(const struct space *space, const struct space_span *span,
			 space_visit *visit, void *context)
{
	const struct space_group *groups = space_groups(space);
	uint64_t last = last_group_of(space, span);
	for (uint64_t g = span->base / GROUP_BYTES; g <= last; g++) {
		uint32_t rank = groups[g].rank;
		for (uint64_t live = groups[g].live; live; live &= live - 1) {
			unsigned bit = (unsigned)__builtin_ctzll(live);
			uint64_t above = groups[g].starts & ~(uint64_t)1 << bit;
			uint64_t size = above ? size_up_to(space, bit, above)
					      : size_at(space, span, g, bit);
			visit(context, rank++, start_address(space, span, g, bit), size);
		}
	}
}

void space_each(const struct space *space, space_visit *visit, void *context)
{
	for (size_t i = 0; i < space->spans.nr; i++) {
		const struct space_span *span = &space->spans.items[i];
		if (!span->single)
			each_in_span(space, span, visit, context);
		else if (span->rank != RANK_NONE)
			visit(context, span->rank, span->start, span->end - span->start);
	}
}

/* The span whose blocks include the rank: ranks ascend with the spans. */
static const struct space_span *span_of_rank(const struct space *space, uint32_t rank)
{
	const struct space_span *spans = space->spans.items;
	const struct space_group *groups = space_groups(space);
	size_t low = 0, high = space->spans.nr;
	while (high - low > 1) {
		size_t middle = (low + high) / 2;
		size_t at = middle;
		while (at < high && spans[at].single && spans[at].rank == RANK_NONE)
			at++;
		uint32_t first = at == high ? RANK_NONE
				 : spans[at].single
					 ? spans[at].rank
					 : groups[spans[at].base / GROUP_BYTES].rank;
		if (first > rank)
			high = middle;
		else
			low = at;
	}
	return &spans[low];
}

/* Groups of which the first begins at or before a rank, and the one behind the last after it. */
struct group_range {
	uint64_t low, high;
};

static void narrow(const struct space_group *groups, struct group_range *range,
		   uint64_t at, uint32_t rank)
{
	if (at <= range->low || at >= range->high)
		return;
	if (groups[at].rank > rank)
		range->high = at;
	else
		range->low = at;
}

/* Blocks lie about as densely everywhere: looks where the rank would be, and a little beyond. */
static void interpolate(const struct space_group *groups, struct group_range *range,
			uint32_t last_rank, uint32_t rank)
{
	const uint64_t nr = range->high - range->low;
	const uint32_t first_rank = groups[range->low].rank;
	const uint64_t before = rank - first_rank;
	const uint64_t all = (uint64_t)last_rank - first_rank + 1;
	const uint64_t guess = range->low + before * nr / all;
	narrow(groups, range, guess, rank);
	narrow(groups, range, guess + nr / 32, rank);
	if (guess >= nr / 32)
		narrow(groups, range, guess - nr / 32, rank);
}

#define WORTH_INTERPOLATING 64u

/* The group of a span that a rank is in. */
static uint64_t group_of_rank(const struct space *space, const struct space_span *span,
			      uint32_t rank)
{
	const struct space_group *groups = space_groups(space);
	const uint64_t end = last_group_of(space, span) + 1;
	struct group_range range = { span->base / GROUP_BYTES, end };
	for (unsigned i = 0; i < 2 && range.high - range.low > WORTH_INTERPOLATING; i++)
		interpolate(groups, &range,
			    groups[range.high < end ? range.high : end - 1].rank, rank);
	while (range.high - range.low > 1)
		narrow(groups, &range, (range.low + range.high) / 2, rank);
	return range.low;
}

void space_block(const struct space *space, uint32_t rank, uint64_t *address,
		 uint64_t *size)
{
	const struct space_span *span = span_of_rank(space, rank);
	if (span->single) {
		*address = span->start;
		*size = span->end - span->start;
		return;
	}
	uint64_t group = group_of_rank(space, span, rank);
	const struct space_group *found = &space_groups(space)[group];
	uint64_t live = found->live;
	for (uint32_t skip = rank - found->rank; skip; skip--)
		live &= live - 1;
	unsigned bit = (unsigned)__builtin_ctzll(live);
	*address = start_address(space, span, group, bit);
	*size = size_at(space, span, group, bit);
}

/* --- many blocks, and addresses ------------------------------------------------------ */

/* Those of one span with groups. */
static size_t read_span(const struct space *space, const struct space_span *span,
			uint32_t rank, struct space_place *places, size_t nr)
{
	const struct space_group *groups = space_groups(space);
	uint64_t last = last_group_of(space, span);
	size_t nr_read = 0;
	for (uint64_t g = group_of_rank(space, span, rank); g <= last; g++) {
		uint64_t live = groups[g].live;
		for (uint32_t at = groups[g].rank; live && at < rank; at++)
			live &= live - 1;
		for (; live && nr_read < nr; live &= live - 1) {
			unsigned bit = (unsigned)__builtin_ctzll(live);
			places[nr_read++] = (struct space_place){
				.address = start_address(space, span, g, bit),
				.size = size_at(space, span, g, bit),
			};
		}
		if (nr_read == nr)
			break;
	}
	return nr_read;
}

size_t space_read(const struct space *space, uint32_t rank, struct space_place *places,
		  size_t nr)
{
	if (rank >= space->nr_blocks)
		return 0;
	const struct space_span *end = space->spans.items + space->spans.nr;
	size_t nr_read = 0;
	for (const struct space_span *span = span_of_rank(space, rank);
	     span < end && nr_read < nr; span++) {
		if (!span->single)
			nr_read += read_span(space, span, rank + (uint32_t)nr_read,
					     places + nr_read, nr - nr_read);
		else if (span->rank != RANK_NONE)
			places[nr_read++] = (struct space_place){
				.address = span->start,
				.size = span->end - span->start,
			};
	}
	return nr_read;
}

uint32_t space_at(const struct space *space, uint64_t address)
{
	uint64_t offset = space_offset(space, address);
	if (offset == SPACE_NONE)
		return RANK_NONE;
	struct space_hit hit = space_find(space, offset);
	return hit.distance ? RANK_NONE : hit.rank;
}

uint32_t space_from(const struct space *space, uint64_t address)
{
	uint32_t low = 0, high = (uint32_t)space->nr_blocks;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		struct space_place place = { 0 };
		space_read(space, middle, &place, 1);
		if (place.address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Most blocks are in the biggest span. */
void space_block_found(const struct space *space, uint64_t offset,
		       const struct space_hit *hit, uint64_t *address, uint64_t *size)
{
	const struct space_span *biggest = &space->spans.items[space->biggest];
	uint64_t start = offset - (hit->distance << space->packed);
	if (start >= space->grouped_size || biggest->single || start < biggest->base ||
	    start - biggest->base >= grouped_bytes(space, biggest)) {
		space_block(space, hit->rank, address, size);
		return;
	}
	uint64_t group = start / GROUP_BYTES;
	unsigned bit = start / GRANULE % 64;
	*address = start_address(space, biggest, group, bit);
	*size = size_at(space, biggest, group, bit);
}
