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

#define ARENAS_MAX 65536u
#define PAGE_BYTES 4096u

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
	/* arena_max stands behind arena_test. */
	glibc->base.arena_limit = word_of(bytes, layout->params.arena_test + 8u);
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
	/* The next free arena stands between the next one and the number of threads. */
	const struct heap_arena told = {
		.address = address,
		.system_bytes = arena.system_mem,
		.top = readable ? arena.top : 0,
		.top_bytes = arena.top_size,
		.nr_threads = word_of(bytes, layout->arena.next + 16),
		.is_main = arena.is_main,
	};
	if (!glibc_arena_vec_push(&glibc->arenas, arena) ||
	    !heap_arena_vec_push(&glibc->base.arenas, told))
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
			return heap_inconsistent(&glibc->base,
						 "the ring of arenas is broken", address);
		}
		if (error)
			return error;
		address = next;
		if (glibc->arenas.nr >= ARENAS_MAX ||
		    (address != glibc->state.main_arena &&
		     is_known_arena(glibc, address)))
			return heap_inconsistent(&glibc->base,
						 "the ring of arenas does not close",
						 address);
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

/* Where an arena's top chunk ends; 0 if it is no chunk. */
static uint64_t end_of_top(const struct glibc *glibc, const struct glibc_arena *arena)
{
	uint64_t room = mapped_end(glibc->base.target, arena->top) - arena->top;
	bool good = arena->top % 16 == 0 && arena->top_size >= CHUNK_MIN_SIZE &&
		    arena->top_size <= room;
	return good ? arena->top + arena->top_size : 0;
}

/* The span whose chain of chunks ends in the top chunk. */
static struct error *add_top_span(struct glibc *glibc, uint64_t start, uint64_t top_end,
				  const struct glibc_arena *arena, uint32_t index)
{
	struct heap_span span = {
		.start = start,
		.end = arena->top + CHUNK_MIN_SIZE,
		.arena = index,
	};
	struct glibc_chain chain = {
		.limit = arena->top,
		.to_top = true,
		.is_main = arena->is_main,
	};
	struct error *error = add_private(glibc, span.end, top_end);
	return error ? error : glibc_add_span(glibc, span, chain);
}

/* A span that ends in fenceposts. So does one whose top chunk is damaged, as far as the
   walk is concerned: it gets to know all chunks before that. */
static struct error *add_fenced_span(struct glibc *glibc, uint64_t start, uint64_t end,
				     const struct glibc_arena *arena, uint32_t index)
{
	struct heap_span span = { .start = start, .end = end, .arena = index };
	struct glibc_chain chain = { .limit = end, .is_main = arena->is_main };
	return glibc_add_span(glibc, span, chain);
}

/* Normally one span, from sbrk_base to the top chunk. When brk could not grow, the top
   lies in a mapping elsewhere, and what lies before it there is the second span. */
static struct error *survey_main(struct glibc *glibc, const struct glibc_arena *arena)
{
	uint64_t start = (glibc->sbrk_base + 15) & ~(uint64_t)15;
	uint64_t end = mapped_end(glibc->base.target, start);
	uint64_t top_end = end_of_top(glibc, arena);
	if (top_end && arena->top >= start && top_end <= end) {
		glibc->surveyed_bytes += top_end - glibc->sbrk_base;
		return add_top_span(glibc, start, top_end, arena, 0);
	}
	glibc->surveyed_bytes += end - start;
	struct error *error = add_fenced_span(glibc, start, end, arena, 0);
	if (error)
		return error;
	if (!top_end)
		return heap_inconsistent(&glibc->base,
					 "the main arena's top chunk is no chunk",
					 arena->top);
	uint64_t region_start = target_region(glibc->base.target, arena->top)->start;
	glibc->surveyed_bytes += top_end - region_start;
	return add_top_span(glibc, region_start, top_end, arena, 0);
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

/* *previous is the heap to go on with: the arena's own after one that is damaged. */
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
	uint64_t start = first_chunk(glibc, heap, arena->address);
	if (!readable || words[layout->heap_info.arena / 8] != arena->address ||
	    size > layout->heap_max || size % PAGE_BYTES != 0 || start - heap > size ||
	    mapped_end(glibc->base.target, heap) < heap + size)
		return heap_inconsistent(&glibc->base, "a thread arena's heap is damaged",
					 heap);
	*previous = words[layout->heap_info.previous / 8];
	glibc->surveyed_bytes += size;
	error = add_private(glibc, heap, start);
	if (error)
		return error;
	if (arena->top < heap || arena->top >= heap + size)
		return add_fenced_span(glibc, start, heap + size, arena, index);
	if (arena->top >= start && end_of_top(glibc, arena) == heap + size)
		return add_top_span(glibc, start, heap + size, arena, index);
	error = add_fenced_span(glibc, start, heap + size, arena, index);
	return error ? error
		     : heap_inconsistent(&glibc->base,
					 "a thread arena's top chunk is no chunk",
					 arena->top);
}

/* From the heap that holds the top chunk back to the first, which holds the arena. */
static struct error *survey_thread_arena(struct glibc *glibc,
					 const struct glibc_arena *arena, uint32_t index)
{
	uint64_t own = arena->address & ~(glibc->layout->heap_max - 1);
	uint64_t heap = arena->top & ~(glibc->layout->heap_max - 1);
	struct error *error = NULL;
	for (size_t i = 0; !error && heap != own; i++) {
		uint64_t previous = own;
		/* Each heap is a region of its own. */
		if (i == glibc->base.target->regions.nr || heap == 0)
			error = heap_inconsistent(
				&glibc->base,
				"a thread arena's heaps do not lead to its first",
				arena->address);
		else
			error = survey_thread_heap(glibc, arena, index, heap, &previous);
		heap = previous;
	}
	uint64_t previous = 0;
	return error ? error : survey_thread_heap(glibc, arena, index, own, &previous);
}

/* A span and its chain, while they are put in order. */
struct placed {
	struct heap_span span;
	struct glibc_chain chain;
};
DEFINE_VEC(placed_vec, struct placed);

static int by_start(const void *a, const void *b)
{
	const struct placed *left = a, *right = b;
	return left->span.start < right->span.start
		       ? -1
		       : left->span.start > right->span.start;
}

static struct error *pair_spans(const struct glibc *glibc, struct placed_vec *pairs)
{
	for (size_t i = 0; i < glibc->base.spans.nr; i++) {
		const struct placed pair = {
			.span = glibc->base.spans.items[i],
			.chain = glibc->chains.items[i],
		};
		if (!placed_vec_push(pairs, pair))
			return error_no_memory();
	}
	return NULL;
}

/* Takes the spans back in order; those that overlap are damage. */
static struct error *place_spans(struct glibc *glibc, const struct placed_vec *pairs)
{
	glibc->base.spans.nr = 0;
	glibc->chains.nr = 0;
	struct error *error = NULL;
	uint64_t end = 0;
	for (size_t i = 0; !error && i < pairs->nr; i++) {
		const struct placed *pair = &pairs->items[i];
		if (pair->span.start < end) {
			glibc->surveyed_bytes -= pair->span.end - pair->span.start;
			error = heap_inconsistent(&glibc->base,
						  "parts of the heap overlap",
						  pair->span.start);
			continue;
		}
		error = glibc_add_span(glibc, pair->span, pair->chain);
		end = pair->span.end;
	}
	return error;
}

/* Ascending spans, each with its chain. */
static struct error *sort_spans(struct glibc *glibc)
{
	struct placed_vec pairs = { 0 };
	struct error *error = pair_spans(glibc, &pairs);
	if (!error && pairs.nr) {
		qsort(pairs.items, pairs.nr, sizeof(pairs.items[0]), by_start);
		error = place_spans(glibc, &pairs);
	}
	placed_vec_deinit(&pairs);
	return error;
}

static void forget(struct glibc *glibc)
{
	struct heap *heap = &glibc->base;
	heap->spans.nr = 0;
	heap->private_ranges.nr = 0;
	heap->in_flight.nr = 0;
	heap->arenas.nr = 0;
	heap->fast.nr = 0;
	heap->stacks.nr = 0;
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
	glibc->surveyed_bytes = 0;
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
	if (target->path)
		return error_remedy(
			error_create(ERROR_REFUSED,
				     "%s: %s does not hold malloc's state, which is in "
				     "the C library's data",
				     target->name, target->path),
			"take a whole core, for example with: seep core PID -o FILE");
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
	struct error *error = glibc_find_threads_inside(glibc);
	if (!error)
		error = find_state(glibc);
	if (error || !glibc->state.initialised)
		return error;
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
	if (!error)
		error = glibc_find_stacks(glibc, &heap->stacks);
	return error ? error : glibc_follow_lists(glibc);
}
