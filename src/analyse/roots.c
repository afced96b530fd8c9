/*
 * roots: see roots.h.
 *
 * Every readable mapping is scanned, less the heap's spans, what belongs to the allocator
 * itself, and the dead part of stacks. Read-only memory counts too: a program may have
 * written it before it gave up the right to. Only pages with contents of their own are
 * read, so unwritten file pages cost nothing.
 */
#include "analyse/roots.h"

#include <string.h>

#include "analyse/look.h"

/* Leaf functions may use this much below the stack pointer (System V ABI, red zone). */
#define RED_ZONE    128u
#define PIECE_BYTES (256u << 10)

struct collector {
	struct target *target;
	struct builder *builder;
	struct heap_span_vec holes; /* not to be scanned; ascending */
	uint64_t *buffer;
	uint64_t *unread_bytes;
};

static int by_start(const void *a, const void *b)
{
	const struct heap_span *left = a, *right = b;
	return left->start < right->start ? -1 : left->start > right->start;
}

static bool add_hole(struct heap_span_vec *holes, uint64_t start, uint64_t end)
{
	struct heap_span hole = { .start = start, .end = end };
	return start >= end || heap_span_vec_push(holes, hole);
}

/* Below the stack pointer the main stack holds only what is dead. Other stacks are the
   allocator's C library's business: they are among its private ranges. */
static uint64_t dead_stack_end(const struct target *target, const struct region *region)
{
	uint64_t lowest = region->end;
	if (strcmp(region->name, "[stack]") != 0)
		return region->start;
	for (size_t i = 0; i < target->threads.nr; i++) {
		uint64_t sp = target->threads.items[i].sp;
		if (sp >= region->start && sp < lowest)
			lowest = sp;
	}
	/* No thread is on it: it may be waited for by one that is on another stack. */
	if (lowest == region->end || lowest - region->start < RED_ZONE)
		return region->start;
	return lowest - RED_ZONE;
}

static struct error *find_holes(struct collector *collector, const struct heap *heap)
{
	struct heap_span_vec *holes = &collector->holes;
	bool good = true;
	for (size_t i = 0; good && i < heap->spans.nr; i++)
		good = add_hole(holes, heap->spans.items[i].start,
				heap->spans.items[i].end);
	for (size_t i = 0; good && i < heap->private_ranges.nr; i++)
		good = add_hole(holes, heap->private_ranges.items[i].start,
				heap->private_ranges.items[i].end);
	for (size_t i = 0; good && i < collector->target->regions.nr; i++) {
		const struct region *region = &collector->target->regions.items[i];
		good = add_hole(holes, region->start,
				dead_stack_end(collector->target, region));
	}
	if (!good)
		return error_no_memory();
	if (holes->nr)
		qsort(holes->items, holes->nr, sizeof(holes->items[0]), by_start);
	return NULL;
}

static bool is_scanned(const struct region *region)
{
	bool shared_and_fixed = (region->flags & REGION_SHARED) &&
				!(region->flags & REGION_WRITE);
	return (region->flags & REGION_READ) && !shared_and_fixed &&
	       strncmp(region->name, "[v", 2) != 0; /* vdso, vvar, vsyscall */
}

static uint32_t source_of(const struct target *target, const struct region *region)
{
	for (size_t i = 0; i < target->threads.nr; i++)
		if (target->threads.items[i].sp >= region->start &&
		    target->threads.items[i].sp < region->end)
			return root_source_of(ROOT_STACK, target->threads.items[i].tid);
	if (strcmp(region->name, "[stack]") == 0)
		return ROOT_STACK;
	return target_module(target, region->start) ? ROOT_GLOBAL : ROOT_MAPPING;
}

/* Memory that cannot be read at all is a device's: it holds no pointers. What stands on the
   dead part of a stack (STALE_STACK) holds nothing. */
static struct error *scan_piece(struct collector *collector, uint32_t source,
				uint64_t start, uint64_t end)
{
	struct error *(*take)(struct builder *, const uint64_t *, size_t, uint32_t,
			      uint64_t) = source == STALE_STACK ? builder_stale
								: builder_roots;
	for (uint64_t at = start; at < end; at += PIECE_BYTES) {
		size_t size = end - at < PIECE_BYTES ? end - at : PIECE_BYTES;
		size_t nr_read = 0;
		struct error *error = collector->target->ops->read(
			collector->target, at, collector->buffer, size, &nr_read);
		if (!error)
			error = take(collector->builder, collector->buffer, nr_read / 8,
				     source, at);
		if (error || nr_read < size)
			return error;
	}
	return NULL;
}

static struct error *scan_range(struct collector *collector, const struct region *region,
				uint32_t source, uint64_t start, uint64_t end)
{
	struct extent_vec extents = { 0 };
	uint64_t first_page = start & ~(uint64_t)4095;
	uint64_t last_page = (end + 4095) & ~(uint64_t)4095;
	struct error *error = target_extents(collector->target, region, first_page,
					     last_page, &extents);
	for (size_t i = 0; !error && i < extents.nr; i++) {
		const struct extent *extent = &extents.items[i];
		uint64_t from = extent->start > start ? extent->start : start;
		uint64_t to = extent->end < end ? extent->end : end;
		if (extent->swapped)
			*collector->unread_bytes += source == STALE_STACK ? 0 : to - from;
		else
			error = scan_piece(collector, source, (from + 7) & ~(uint64_t)7,
					   to);
	}
	extent_vec_deinit(&extents);
	return error;
}

/* The parts of a region between the holes; *hole is the first that may reach into it. */
static struct error *scan_region(struct collector *collector, const struct region *region,
				 size_t *hole)
{
	uint64_t at = region->start;
	uint32_t source = source_of(collector->target, region);
	struct error *error = NULL;
	for (size_t i = *hole; !error && at < region->end; i++) {
		const struct heap_span *next =
			i < collector->holes.nr ? &collector->holes.items[i] : NULL;
		uint64_t stop = next && next->start < region->end ? next->start
								  : region->end;
		if (at < stop && is_scanned(region))
			error = scan_range(collector, region, source, at, stop);
		if (stop == region->end)
			break;
		at = next->end > at ? next->end : at;
		if (next->end <= region->end)
			*hole = i + 1;
	}
	return error;
}

static struct error *scan_regions(struct collector *collector)
{
	size_t hole = 0;
	for (size_t i = 0; i < collector->target->regions.nr; i++) {
		struct error *error = scan_region(
			collector, &collector->target->regions.items[i], &hole);
		if (error)
			return error;
	}
	return NULL;
}

/* What functions that have returned left behind, next to the live part of a stack. */
static struct error *scan_dead_part(struct collector *collector, uint64_t start,
				    uint64_t end)
{
	const struct region *region = target_region(collector->target, start);
	end &= ~(uint64_t)7;
	if (!region || end <= start)
		return NULL;
	if (end - start > PIECE_BYTES)
		start = end - PIECE_BYTES;
	return scan_range(collector, region, STALE_STACK, start, end);
}

/* Of other stacks than the main one the private ranges that end below a stack pointer are
   the dead parts. */
static bool is_dead_part(const struct target *target, const struct heap_span *range)
{
	for (size_t i = 0; i < target->threads.nr; i++)
		if (target->threads.items[i].sp - RED_ZONE == range->end)
			return true;
	return false;
}

static struct error *scan_dead_stacks(struct collector *collector,
				      const struct heap *heap)
{
	const struct target *target = collector->target;
	struct error *error = NULL;
	for (size_t i = 0; !error && i < target->regions.nr; i++) {
		const struct region *region = &target->regions.items[i];
		error = scan_dead_part(collector, region->start,
				       dead_stack_end(target, region));
	}
	for (size_t i = 0; !error && i < heap->private_ranges.nr; i++) {
		const struct heap_span *range = &heap->private_ranges.items[i];
		if (is_dead_part(target, range))
			error = scan_dead_part(collector, range->start, range->end);
	}
	return error;
}

static struct error *add_words(struct collector *collector, const struct heap *heap)
{
	struct target *target = collector->target;
	struct error *error = NULL;
	for (size_t i = 0; !error && i < target->threads.nr; i++)
		error = builder_roots(
			collector->builder, target->threads.items[i].words,
			target->threads.items[i].nr_words,
			root_source_of(ROOT_REGISTER, target->threads.items[i].tid), 0);
	for (size_t i = 0; !error && i < target->held.nr; i++)
		error = builder_root(collector->builder, target->held.items[i].value,
				     ROOT_KERNEL, 0);
	for (size_t i = 0; !error && i < heap->in_flight.nr; i++)
		error = builder_start_root(collector->builder, heap->in_flight.items[i],
					   ROOT_ALLOCATOR);
	return error;
}

struct error *roots_collect(struct target *target, const struct heap *heap,
			    struct builder *builder, uint64_t *unread_bytes)
{
	struct collector collector = {
		.target = target,
		.builder = builder,
		.buffer = malloc(PIECE_BYTES),
		.unread_bytes = unread_bytes,
	};
	struct error *error = collector.buffer ? find_holes(&collector, heap)
					       : error_no_memory();
	if (!error)
		error = scan_regions(&collector);
	if (!error)
		error = scan_dead_stacks(&collector, heap);
	if (!error)
		error = add_words(&collector, heap);
	heap_span_vec_deinit(&collector.holes);
	free(collector.buffer);
	return error;
}
