/* why_heap: see why_heap.h. */
#include "analyse/why_heap.h"

#include <stdio.h>
#include <string.h>

#include "analyse/block_types.h"
#include "analyse/leaks.h"
#include "analyse/why_trim.h"
#include "model/size_class.h"

#define PAGE_BYTES      4096u
#define PREVIOUS_IN_USE 1u
#define HEADER_BYTES    16u

/* Where a free chunk is kept. */
enum free_place {
	FREE_CACHED, /* in a thread's cache: in use, as far as its arena knows */
	FREE_FAST,
	FREE_BINNED,
	FREE_TOP,
	FREE_NR_PLACES
};

static const char *const place_names[] = {
	[FREE_CACHED] = "thread caches",
	[FREE_FAST] = "fastbins",
	[FREE_BINNED] = "bins",
	[FREE_TOP] = "top",
};

struct walker {
	struct heap_visitor visitor; /* first: the heap calls back with it */
	struct why_heap *heap;
	struct why_ledger *ledger;
	struct why_report *report;
	const struct heap_span *span;
	struct why_trim trim;
	uint64_t at;                         /* where the chunk before ended */
	uint64_t free_bytes[FREE_NR_PLACES]; /* resident; of the arena at hand */
	uint64_t metadata_bytes;
	bool *has_top; /* of each arena: its end was claimed; owned */
};

static const struct heap *heap_of(const struct walker *walker)
{
	return walker->ledger->look->heap;
}

static struct why_arena *arena_of(const struct walker *walker)
{
	return &walker->report->arenas.items[walker->span->arena];
}

/* --- arenas ------------------------------------------------------------------------- */

static struct error *list_arenas(const struct heap *heap, struct why_report *report)
{
	for (size_t i = 0; i < heap->arenas.nr; i++) {
		const struct heap_arena *arena = &heap->arenas.items[i];
		const struct why_arena row = {
			.address = arena->address,
			.is_main = arena->is_main,
			.threads = arena->nr_threads,
			.system_bytes = arena->system_bytes,
			.top_bytes = arena->top_bytes,
		};
		if (!why_arena_vec_push(&report->arenas, row))
			return error_no_memory();
	}
	return NULL;
}

static struct error *add_free_part(struct walker *walker, enum free_place place,
				   uint64_t arena, uint64_t bytes)
{
	char name[96];
	if (walker->report->arenas.items[arena].is_main)
		snprintf(name, sizeof(name), "main arena, %s", place_names[place]);
	else
		snprintf(name, sizeof(name), "arena %u, %s", (unsigned)arena,
			 place_names[place]);
	return why_part_add(walker->ledger, walker->report, WHY_FREE, name, bytes, 1);
}

/* --- trimming ----------------------------------------------------------------------- */

static void count_trimmed(struct walker *walker, uint64_t arena, struct trim_range range)
{
	uint64_t bytes =
		resident_bytes(&walker->ledger->resident, range.start, range.end);
	walker->report->arenas.items[arena].trim_bytes += bytes;
	walker->report->trim_bytes += bytes;
}

static void end_row(struct walker *walker)
{
	if (!walker->span || walker->span->single)
		return;
	count_trimmed(walker, walker->span->arena, why_trim_end_row(&walker->trim));
}

/* The main arena's end is given back by moving the break; others' ends stay, with the free
   chunks before them. */
static void end_heap(struct walker *walker)
{
	const struct why_arena *arena = arena_of(walker);
	uint64_t top = heap_of(walker)->arenas.items[walker->span->arena].top;
	if (walker->at != top + HEADER_BYTES)
		return;
	struct trim_range range = why_trim_end_heap(&walker->trim, top, arena->top_bytes);
	if (arena->is_main)
		count_trimmed(walker, walker->span->arena, range);
}

/* --- chunks ------------------------------------------------------------------------- */

/* The word that stands behind a chunk, in the window or beyond. */
static struct error *word_behind(struct walker *walker, const struct heap_window *window,
				 const struct heap_chunk *chunk, uint64_t *word)
{
	uint64_t address = chunk->address + chunk->size;
	uint64_t index = (address - window->address) / 8;
	*word = PREVIOUS_IN_USE;
	if (window->words && index < window->nr_words + window->nr_ahead) {
		*word = window->words[index];
		return NULL;
	}
	return target_read_word(walker->ledger->look->target, address, word);
}

static bool is_listed(const struct word_vec *words, uint64_t word)
{
	size_t low = 0, high = words->nr;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (words->items[middle] < word)
			low = middle + 1;
		else
			high = middle;
	}
	return low < words->nr && words->items[low] == word;
}

static struct error *add_free(struct walker *walker, const struct heap_window *window,
			      const struct heap_chunk *chunk, uint64_t resident)
{
	uint64_t word = 0, total = chunk->size + 8;
	struct why_arena *arena = arena_of(walker);
	struct error *error = word_behind(walker, window, chunk, &word);
	if (error)
		return error;
	enum free_place place = FREE_BINNED;
	if (word & PREVIOUS_IN_USE)
		place = is_listed(&heap_of(walker)->fast, chunk->address) ? FREE_FAST
									  : FREE_CACHED;
	walker->free_bytes[place] += resident;
	arena->tcache_bytes += place == FREE_CACHED ? total : 0;
	arena->fast_bytes += place == FREE_FAST ? total : 0;
	arena->binned_bytes += place == FREE_BINNED ? total : 0;
	if (place == FREE_CACHED)
		end_row(walker);
	else
		why_trim_add(&walker->trim, chunk->address - HEADER_BYTES, total);
	return why_pins_add_free(&walker->heap->pins, &walker->ledger->resident,
				 chunk->address, chunk->address + chunk->size);
}

/* Alike in looks and size: that an object has a class is known only later. */
static struct error *row_of(struct live_row_vec *rows, struct map *numbers, uint64_t key,
			    struct live_row row, uint32_t *number)
{
	uint64_t *slot = map_at(numbers, key);
	if (!slot)
		return error_no_memory();
	if (!*slot) {
		if (!live_row_vec_push(rows, row))
			return error_no_memory();
		*slot = rows->nr;
	}
	*number = (uint32_t)*slot - 1;
	return NULL;
}

/* As much of its first words as the window shows. */
static uint16_t nature_of(struct walker *walker, const struct heap_window *window,
			  const struct heap_chunk *chunk)
{
	size_t index = (chunk->address - window->address) / 8;
	size_t seen = window->words ? window->nr_words + window->nr_ahead : 0;
	size_t nr = index < seen ? seen - index : 0;
	nr = nr < chunk->size / 8 ? nr : chunk->size / 8;
	if (!window->words)
		return window->unread_bytes ? NATURE_DATA : NATURE_ZERO;
	return natures_classify(walker->heap->natures, window->words + index, nr);
}

/* What blocks have in common: the stack that allocated them, or looks and size. */
static struct live_row kind_of(struct walker *walker, const struct heap_window *window,
			       const struct heap_chunk *chunk)
{
	const struct live_sites *sites = walker->heap->sites;
	return (struct live_row){
		.size = chunk->size,
		.code = nature_of(walker, window, chunk),
		.node = sites ? live_sites_node(sites, chunk->address) : 0,
	};
}

#define KEY_OF_NODE ((uint64_t)1 << 63)

static struct error *add_block(struct walker *walker, const struct heap_window *window,
			       const struct heap_chunk *chunk, uint64_t resident)
{
	struct why_heap *heap = walker->heap;
	uint32_t number = 0, pin = 0;
	const struct live_row row = kind_of(walker, window, chunk);
	uint64_t key = row.code | size_class_of(chunk->size) << 16;
	if (row.node)
		key = KEY_OF_NODE | row.node;
	struct error *error = row_of(&heap->rows, &heap->numbers, key, row, &number);
	if (!error)
		error = row_of(&heap->pin_rows, &heap->pin_numbers,
			       row.code >= NATURE_OBJECT && !row.node ? row.code : key,
			       row, &pin);
	if (error)
		return error;
	heap->rows.items[number].blocks++;
	heap->rows.items[number].resident_bytes += resident;
	end_row(walker);
	if (walker->span->single) {
		walker->report->mapped_blocks++;
		walker->report->mapped_bytes += chunk->size;
		return NULL;
	}
	arena_of(walker)->live_blocks++;
	arena_of(walker)->live_bytes += chunk->size + 8;
	return why_pins_add_block(&heap->pins, &walker->ledger->resident, pin,
				  chunk->address, chunk->address + chunk->size);
}

/* From the end of the chunk before to the bytes that the program gets: its header. */
static struct error *add_chunk(struct walker *walker, const struct heap_window *window,
			       const struct heap_chunk *chunk)
{
	if (chunk->address - walker->at <= PAGE_BYTES)
		walker->metadata_bytes +=
			why_ledger_claim(walker->ledger, walker->at, chunk->address);
	walker->at = chunk->address + chunk->size;
	uint64_t resident = why_ledger_claim(walker->ledger, chunk->address, walker->at);
	switch (chunk->state) {
	case CHUNK_USED:
		return add_block(walker, window, chunk, resident);
	case CHUNK_FREE:
		return add_free(walker, window, chunk, resident);
	case CHUNK_ALLOCATOR:
		walker->metadata_bytes += resident;
		if (chunk->size)
			end_row(walker);
		return NULL;
	case CHUNK_UNKNOWN:
		break;
	}
	end_row(walker);
	return why_part_add(walker->ledger, walker->report, WHY_OPAQUE,
			    "heap that does not parse", resident, 1);
}

/* --- ends ---------------------------------------------------------------------------- */

/* Behind what was claimed already: of a chain that broke off all up to the end of its span. */
static struct error *claim_top(struct walker *walker, uint64_t arena, uint64_t claimed)
{
	const struct heap_arena *source = &heap_of(walker)->arenas.items[arena];
	uint64_t start = source->top + HEADER_BYTES;
	uint64_t end = source->top + source->top_bytes;
	if (walker->has_top[arena])
		return NULL;
	walker->has_top[arena] = true;
	start = start > claimed ? start : claimed;
	return add_free_part(walker, FREE_TOP, arena,
			     why_ledger_claim(walker->ledger, start, end));
}

static bool holds_top(const struct walker *walker)
{
	uint64_t top = heap_of(walker)->arenas.items[walker->span->arena].top;
	return top >= walker->span->start && top <= walker->span->end;
}

/* --- spans -------------------------------------------------------------------------- */

static struct error *end_span(struct walker *walker)
{
	struct error *error = NULL;
	if (!walker->span)
		return NULL;
	if (!walker->span->single)
		end_heap(walker);
	end_row(walker);
	if (!walker->span->single && holds_top(walker))
		error = claim_top(walker, walker->span->arena, walker->at);
	for (unsigned place = 0; !error && place < FREE_NR_PLACES; place++)
		if (!walker->span->single)
			error = add_free_part(walker, (enum free_place)place,
					      walker->span->arena,
					      walker->free_bytes[place]);
	memset(walker->free_bytes, 0, sizeof(walker->free_bytes));
	return error;
}

/* An arena for threads stands with its own state on the page of its first chunk. */
static struct error *begin_span(struct walker *walker, const struct heap_span *span)
{
	struct error *error = end_span(walker);
	walker->span = span;
	walker->at = span->start;
	walker->trim = (struct why_trim){ 0 };
	if (span->single || !arena_of(walker)->is_main)
		walker->at = span->start & ~(uint64_t)(PAGE_BYTES - 1);
	return error;
}

static struct error *visit_window(struct heap_visitor *visitor,
				  const struct heap_window *window)
{
	struct walker *walker = (struct walker *)visitor;
	struct error *error = NULL;
	if (walker->span != window->span)
		error = begin_span(walker, window->span);
	for (size_t i = 0; !error && i < window->nr_chunks; i++)
		error = add_chunk(walker, window, &window->chunks[i]);
	return error;
}

/* Of arenas that no span leads up to. */
static struct error *claim_other_tops(struct walker *walker)
{
	struct error *error = NULL;
	for (size_t i = 0; !error && i < heap_of(walker)->arenas.nr; i++)
		error = claim_top(walker, i, 0);
	return error;
}

struct error *why_heap_walk(struct why_heap *heap, struct why_ledger *ledger,
			    struct why_report *report)
{
	struct heap *source = ledger->look->heap;
	struct walker walker = {
		.visitor.window = visit_window,
		.heap = heap,
		.ledger = ledger,
		.report = report,
	};
	walker.has_top = calloc(source->arenas.nr + 1, sizeof(*walker.has_top));
	struct error *error = walker.has_top ? list_arenas(source, report)
					     : error_no_memory();
	if (!error)
		error = natures_create(ledger->look->target, &heap->natures);
	if (!error && source->spans.nr)
		natures_set_heap(heap->natures, source->spans.items[0].start,
				 source->spans.items[source->spans.nr - 1].end);
	if (!error)
		error = heap_walk(source, &walker.visitor);
	if (!error)
		error = end_span(&walker);
	if (!error)
		error = why_pins_finish(&heap->pins, &ledger->resident);
	if (!error)
		error = claim_other_tops(&walker);
	free(walker.has_top);
	report->pinned_pages = heap->pins.pages;
	report->pinned_bytes = heap->pins.free_bytes;
	return error ? error
		     : why_part_add(ledger, report, WHY_METADATA,
				    "headers, arenas, thread caches",
				    walker.metadata_bytes, 1);
}

/* --- names -------------------------------------------------------------------------- */

static int by_free_bytes(const void *a, const void *b)
{
	const struct why_pin *left = a, *right = b;
	if (left->free_bytes != right->free_bytes)
		return left->free_bytes > right->free_bytes ? -1 : 1;
	return strcmp(left->type, right->type);
}

static struct error *add_pin(const struct pin_row *row, const char *type,
			     struct why_report *report)
{
	for (size_t i = 0; i < report->pins.nr; i++) {
		struct why_pin *pin = &report->pins.items[i];
		if (strcmp(pin->type, type) != 0)
			continue;
		pin->blocks += row->blocks;
		pin->bytes += row->bytes;
		pin->pages += row->pages;
		pin->pages_alone += row->pages_alone;
		pin->free_bytes += (uint64_t)row->free_bytes;
		return NULL;
	}
	struct why_pin pin = {
		.type = strdup(type),
		.blocks = row->blocks,
		.bytes = row->bytes,
		.pages = row->pages,
		.pages_alone = row->pages_alone,
		.free_bytes = (uint64_t)row->free_bytes,
	};
	if (pin.type && why_pin_vec_push(&report->pins, pin))
		return NULL;
	free(pin.type);
	return error_no_memory();
}

static struct error *name_kind(const struct why_heap *heap, const struct live_row *row,
			       char **name)
{
	if (row->node)
		return live_sites_name(heap->sites, row->node, name);
	*name = block_type_name(heap->natures, row->code, row->size, GROUP_BY_TYPE);
	return *name ? NULL : error_no_memory();
}

static struct error *name_row(struct why_heap *heap, size_t i, struct why_ledger *ledger,
			      struct why_report *report)
{
	const struct live_row *row = &heap->rows.items[i];
	char *type = NULL;
	struct error *error = name_kind(heap, row, &type);
	if (error)
		return error;
	error = why_part_add(ledger, report, WHY_LIVE, type, row->resident_bytes,
			     row->blocks);
	free(type);
	return error;
}

/* What looked like a vtable and is none may stand in blocks of any size. */
static struct error *name_pins(const struct why_heap *heap, const struct live_row *row,
			       char **name)
{
	if (row->node || row->code < NATURE_OBJECT ||
	    natures_class(heap->natures, row->code))
		return name_kind(heap, row, name);
	*name = strdup("blocks that begin with a pointer into a module");
	return *name ? NULL : error_no_memory();
}

static struct error *name_pin(struct why_heap *heap, size_t i, struct why_report *report)
{
	if (!heap->pins.rows.items[i].pages)
		return NULL;
	char *type = NULL;
	struct error *error = name_pins(heap, &heap->pin_rows.items[i], &type);
	if (!error)
		error = add_pin(&heap->pins.rows.items[i], type, report);
	free(type);
	return error;
}

struct error *why_heap_name(struct why_heap *heap, struct symbols *symbols,
			    struct why_ledger *ledger, struct why_report *report)
{
	if (!heap->natures)
		return NULL;
	struct error *error = natures_name(heap->natures, symbols);
	for (size_t i = 0; !error && i < heap->rows.nr; i++)
		error = name_row(heap, i, ledger, report);
	for (size_t i = 0; !error && i < heap->pins.rows.nr; i++)
		error = name_pin(heap, i, report);
	if (!error && report->pins.nr)
		qsort(report->pins.items, report->pins.nr, sizeof(report->pins.items[0]),
		      by_free_bytes);
	return error;
}

void why_heap_deinit(struct why_heap *heap)
{
	natures_destroy(heap->natures);
	live_row_vec_deinit(&heap->rows);
	map_deinit(&heap->numbers);
	live_row_vec_deinit(&heap->pin_rows);
	map_deinit(&heap->pin_numbers);
	why_pins_deinit(&heap->pins);
}
