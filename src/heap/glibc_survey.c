/*
 * glibc_survey: finds the arenas and the memory they manage.
 *
 * The main arena's memory runs from sbrk_base to the end of its top chunk. A thread arena's
 * consists of heaps of at most heap_max bytes, aligned to that, linked backwards from the
 * one that holds the top chunk (glibc's malloc/arena.c).
 */
#include <inttypes.h>
#include <string.h>

#include "heap/glibc_priv.h"

#define ARENAS_MAX         65536u
#define FLAG_NONCONTIGUOUS 2u

struct error *glibc_inconsistent(struct glibc *glibc, const char *what, uint64_t address)
{
	if (glibc->base.nr_threads_inside > 0)
		return error_create(ERROR_BUSY,
				    "%s: caught in the middle of a malloc or free (%s at "
				    "0x%" PRIx64 ")",
				    glibc->base.target->name, what, address);
	return heap_note_damage(&glibc->base, "%s at 0x%" PRIx64, what, address);
}

static uint64_t word_of(const unsigned char *bytes, unsigned offset)
{
	uint64_t word;
	memcpy(&word, bytes + offset, sizeof(word));
	return word;
}

static struct error *add_private(struct glibc *glibc, uint64_t start, uint64_t end)
{
	struct heap_span range = { .start = start, .end = end };
	if (start >= end || heap_span_vec_push(&glibc->base.private_ranges, range))
		return NULL;
	return error_no_memory();
}

struct error *glibc_add_span(struct glibc *glibc, struct heap_span span,
			     struct glibc_chain chain)
{
	if (span.start >= span.end)
		return NULL;
	if (!heap_span_vec_push(&glibc->base.spans, span) ||
	    !glibc_chain_vec_push(&glibc->chains, chain))
		return error_no_memory();
	return NULL;
}

static struct error *read_params(struct glibc *glibc)
{
	unsigned char bytes[256];
	const struct glibc_layout *layout = glibc->layout;
	uint64_t address = glibc->state.params;
	struct error *error =
		target_read(glibc->base.target, address, bytes, layout->params.size);
	if (error)
		return error;
	uint32_t n_mmaps;
	memcpy(&n_mmaps, bytes + layout->params.n_mmaps, sizeof(n_mmaps));
	glibc->n_mmaps = n_mmaps;
	glibc->mmapped_mem = word_of(bytes, layout->params.mmapped_mem);
	glibc->sbrk_base = word_of(bytes, layout->params.sbrk_base);
	glibc->tcache_count = word_of(bytes, layout->params.tcache_count);
	return add_private(glibc, address, address + layout->params.size);
}

static struct error *read_arena(struct glibc *glibc, uint64_t address, uint64_t *next)
{
	unsigned char bytes[4096];
	const struct glibc_layout *layout = glibc->layout;
	struct target *target = glibc->base.target;
	struct error *error = target_read(target, address, bytes, layout->arena.size);
	if (error)
		return error;
	struct glibc_arena arena = {
		.address = address,
		.top = word_of(bytes, layout->arena.top),
		.system_mem = word_of(bytes, layout->arena.system_mem),
		.is_main = address == glibc->state.main_arena,
		.locked = (uint32_t)word_of(bytes, layout->arena.mutex) != 0,
	};
	for (unsigned i = 0; i < GLIBC_NR_FASTBINS; i++)
		arena.fastbins[i] = word_of(bytes, layout->arena.fastbins + 8 * i);
	*next = word_of(bytes, layout->arena.next);
	bool readable = false;
	uint64_t header[2] = { 0 };
	error = peek_words(glibc->peek, arena.top, header, 2, &readable);
	if (error)
		return error;
	if (readable)
		arena.top_size = header[1] & ~(uint64_t)CHUNK_FLAGS;
	if (!glibc_arena_vec_push(&glibc->arenas, arena))
		return error_no_memory();
	return add_private(glibc, address, address + layout->arena.size);
}

static bool is_known_arena(const struct glibc *glibc, uint64_t address)
{
	for (size_t i = 0; i < glibc->arenas.nr; i++)
		if (glibc->arenas.items[i].address == address)
			return true;
	return false;
}

static struct error *read_arenas(struct glibc *glibc)
{
	uint64_t address = glibc->state.main_arena;
	do {
		uint64_t next = 0;
		struct error *error = read_arena(glibc, address, &next);
		if (error && error->code == ERROR_READ) {
			error_destroy(error);
			return glibc_inconsistent(glibc, "the ring of arenas is broken",
						  address);
		}
		if (error)
			return error;
		address = next;
		if (glibc->arenas.nr >= ARENAS_MAX ||
		    (address != glibc->state.main_arena &&
		     is_known_arena(glibc, address)))
			return glibc_inconsistent(
				glibc, "the ring of arenas does not close", address);
	} while (address != glibc->state.main_arena);
	return NULL;
}

/* The end of the run of regions that touch each other from `address` on. */
static uint64_t mapped_end(const struct target *target, uint64_t address)
{
	const struct region *region = target_region(target, address);
	const struct region *last =
		target->regions.items + (target->regions.nr ? target->regions.nr - 1 : 0);
	if (!region)
		return address;
	while (region < last && region[1].start == region->end &&
	       (region[1].flags & REGION_WRITE))
		region++;
	return region->end;
}

/* Normally one span, from sbrk_base to the top chunk. When brk could not grow, the top
   lies in a mapping elsewhere, and what lies before it there is the second span. */
static struct error *survey_main(struct glibc *glibc, const struct glibc_arena *arena)
{
	struct target *target = glibc->base.target;
	uint64_t start = (glibc->sbrk_base + 15) & ~(uint64_t)15;
	uint64_t end = mapped_end(target, start);
	bool plain = arena->top >= start && arena->top + CHUNK_MIN_SIZE <= end;
	if (arena->top_size < CHUNK_MIN_SIZE || arena->top % 16 != 0 ||
	    !target_region(target, arena->top))
		return glibc_inconsistent(glibc, "the main arena's top chunk is no chunk",
					  arena->top);
	struct glibc_chain chain = {
		.limit = plain ? arena->top : end,
		.to_top = plain,
		.is_main = true,
	};
	struct heap_span span = {
		.start = start,
		.end = plain ? arena->top + CHUNK_MIN_SIZE : end,
	};
	struct error *error = glibc_add_span(glibc, span, chain);
	if (!error && !plain) {
		const struct region *region = target_region(target, arena->top);
		span = (struct heap_span){ .start = region->start,
					   .end = arena->top + CHUNK_MIN_SIZE };
		chain = (struct glibc_chain){ .limit = arena->top,
					      .to_top = true,
					      .is_main = true };
		error = glibc_add_span(glibc, span, chain);
	}
	if (error)
		return error;
	return add_private(glibc, arena->top + CHUNK_MIN_SIZE,
			   arena->top + arena->top_size);
}

/* Where a thread arena's heap has its first chunk: behind heap_info, and behind the arena
   itself in the heap that holds it. */
static uint64_t first_chunk(const struct glibc *glibc, uint64_t heap, uint64_t arena)
{
	uint64_t at = heap + glibc->layout->heap_info.size;
	if (arena == at)
		at += glibc->layout->arena.size;
	return (at + 15) & ~(uint64_t)15;
}

static struct error *survey_thread_heap(struct glibc *glibc,
					const struct glibc_arena *arena, uint32_t index,
					uint64_t heap, uint64_t *previous)
{
	const struct glibc_layout *layout = glibc->layout;
	uint64_t words[8] = { 0 };
	bool readable = false;
	struct error *error = peek_words(glibc->peek, heap, words,
					 layout->heap_info.size / 8u, &readable);
	if (error)
		return error;
	uint64_t size = words[layout->heap_info.size_field / 8];
	*previous = words[layout->heap_info.previous / 8];
	if (!readable || words[layout->heap_info.arena / 8] != arena->address ||
	    size > layout->heap_max || size < layout->heap_info.size) {
		*previous = 0;
		return glibc_inconsistent(glibc, "a thread arena's heap is damaged",
					  heap);
	}
	bool has_top = arena->top >= heap && arena->top < heap + size;
	uint64_t start = first_chunk(glibc, heap, arena->address);
	struct heap_span span = {
		.start = start,
		.end = has_top ? arena->top + CHUNK_MIN_SIZE : heap + size,
		.arena = index,
	};
	struct glibc_chain chain = {
		.limit = has_top ? arena->top : heap + size,
		.to_top = has_top,
	};
	error = add_private(glibc, heap, start);
	if (!error && has_top)
		error = add_private(glibc, arena->top + CHUNK_MIN_SIZE, heap + size);
	return error ? error : glibc_add_span(glibc, span, chain);
}

static struct error *survey_thread_arena(struct glibc *glibc,
					 const struct glibc_arena *arena, uint32_t index)
{
	uint64_t heap = arena->top & ~(glibc->layout->heap_max - 1);
	uint64_t seen = 0;
	while (heap) {
		uint64_t previous = 0;
		struct error *error =
			survey_thread_heap(glibc, arena, index, heap, &previous);
		if (error)
			return error;
		seen += glibc->layout->heap_info.size;
		if (seen > arena->system_mem)
			return glibc_inconsistent(
				glibc, "a thread arena's heaps do not end", heap);
		heap = previous;
	}
	return NULL;
}

static int by_start(const void *a, const void *b)
{
	const struct heap_span *left = a, *right = b;
	return left->start < right->start ? -1 : left->start > right->start;
}

/* Sorts the spans, keeping each with its chain; spans that overlap are damage. */
static struct error *sort_spans(struct glibc *glibc)
{
	struct heap_span_vec *spans = &glibc->base.spans;
	/* `arena` stands in for the index of the chain while sorting. */
	struct glibc_chain_vec sorted = { 0 };
	struct word_vec arenas = { 0 };
	struct error *error = NULL;
	for (size_t i = 0; i < spans->nr; i++) {
		if (!word_vec_push(&arenas, spans->items[i].arena))
			error = error_no_memory();
		spans->items[i].arena = (uint32_t)i;
	}
	if (!error && spans->nr)
		qsort(spans->items, spans->nr, sizeof(spans->items[0]), by_start);
	uint64_t end = 0;
	size_t kept = 0;
	for (size_t i = 0; !error && i < spans->nr; i++) {
		struct heap_span span = spans->items[i];
		if (span.start < end) {
			error = glibc_inconsistent(glibc, "parts of the heap overlap",
						   span.start);
			continue;
		}
		if (!glibc_chain_vec_push(&sorted, glibc->chains.items[span.arena]))
			error = error_no_memory();
		if (!error) {
			span.arena = (uint32_t)arenas.items[span.arena];
			spans->items[kept++] = span;
			end = span.end;
		}
	}
	spans->nr = kept;
	word_vec_deinit(&arenas);
	glibc_chain_vec_deinit(&glibc->chains);
	glibc->chains = sorted;
	return error;
}

static void forget(struct glibc *glibc)
{
	struct heap *heap = &glibc->base;
	heap->spans.nr = 0;
	heap->private_ranges.nr = 0;
	heap->in_flight.nr = 0;
	heap->nr_threads_inside = 0;
	heap->totals = (struct heap_totals){ 0 };
	for (size_t i = 0; i < heap->damage.nr; i++)
		free(heap->damage.items[i]);
	heap->damage.nr = 0;
	glibc->arenas.nr = 0;
	glibc->chains.nr = 0;
	glibc->cached.nr = 0;
	glibc->own.nr = 0;
	glibc->tcache_key = 0;
	peek_reset(glibc->peek);
}

static struct error *find_state(struct glibc *glibc)
{
	if (glibc->state.initialised && glibc->state.params)
		return NULL;
	glibc->state = (struct glibc_state){ 0 };
	struct target *target = glibc->base.target;
	for (size_t i = 0; i < glibc->data.nr; i++) {
		/* The bss may have grown a region; take each as it is now. */
		const struct region *region =
			target_region(target, glibc->data.items[i].start);
		if (!region)
			continue;
		struct error *error =
			glibc_state_search(target, glibc->layout, region, &glibc->state);
		if (error)
			return error;
	}
	if (glibc->state.main_arena && (glibc->state.params || !glibc->state.initialised))
		return NULL;
	return error_remedy(
		error_create(
			ERROR_REFUSED,
			"%s: malloc's state was not found in the program's data, so its "
			"allocator is not the %s that it looks like",
			target->name, glibc->base.name),
		"see what is known about the process with: seep doctor %d",
		(int)target->pid);
}

static struct error *survey_arenas(struct glibc *glibc)
{
	struct error *error = NULL;
	for (size_t i = 0; !error && i < glibc->arenas.nr; i++) {
		const struct glibc_arena *arena = &glibc->arenas.items[i];
		glibc->base.totals.mapped_bytes += arena->system_mem;
		if (arena->is_main && arena->system_mem == 0)
			continue; /* only threads have allocated */
		error = arena->is_main ? survey_main(glibc, arena)
				       : survey_thread_arena(glibc, arena, (uint32_t)i);
	}
	return error;
}

struct error *glibc_survey(struct heap *heap)
{
	struct glibc *glibc = (struct glibc *)heap;
	forget(glibc);
	struct error *error = find_state(glibc);
	if (error || !glibc->state.initialised)
		return error;
	error = glibc_find_threads_inside(glibc);
	if (!error)
		error = read_params(glibc);
	if (!error)
		error = read_arenas(glibc);
	if (!error)
		error = survey_arenas(glibc);
	if (!error)
		error = glibc_find_mapped(glibc);
	if (!error)
		error = sort_spans(glibc);
	if (!error)
		error = glibc_find_dead_stacks(glibc);
	return error ? error : glibc_follow_lists(glibc);
}
