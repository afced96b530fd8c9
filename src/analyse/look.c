/* look: see look.h. */
#include "analyse/look.h"

#include <string.h>
#include <unistd.h>

#include "analyse/roots.h"
#include "graph/builder.h"

/* How far into an object a second vtable pointer is looked for. */
#define SUBOBJECT_WORDS 64u

struct gatherer {
	struct heap_visitor visitor; /* first: the heap calls back with it */
	struct builder builder;
	struct natures *natures;
	uint64_t heap_start, heap_end;
};

/* Memcheck knows what was asked for; we know the usable size, up to 15 bytes more. */
static bool fits_with_slack(uint64_t size, uint64_t asked)
{
	return asked <= size && size - asked < 16;
}

/* The blocks that Memcheck's heuristics let an interior pointer stand for (SYSTEMS.md,
   "Heuristics"): length64 is a case of newarray. */
static unsigned hints_of(const uint64_t *words, size_t nr, uint64_t size)
{
	if (nr < 2)
		return 0;
	unsigned hints = 0;
	uint64_t count = words[0];
	if (count > 0 && count <= size - 8 && (size - 8) % count < 16)
		hints |= 1u << HINT_LENGTH_WORD;
	uint64_t length = words[0], capacity = words[1];
	if (length <= capacity && capacity < size && fits_with_slack(size, 25 + capacity))
		hints |= 1u << HINT_STDSTRING;
	return hints;
}

/* With several base classes an object has several vtable pointers. */
static struct error *note_subobjects(struct gatherer *gatherer, const uint64_t *words,
				     size_t nr)
{
	for (size_t i = 1; i < nr && i < SUBOBJECT_WORDS; i++) {
		if (!natures_may_be_vtable(gatherer->natures, words[i]))
			continue;
		struct error *error = builder_subobject(&gatherer->builder, i * 8);
		if (error)
			return error;
	}
	return NULL;
}

static struct error *take_block(struct gatherer *gatherer,
				const struct heap_window *window,
				const struct heap_chunk *chunk)
{
	size_t index = (chunk->address - window->address) / 8;
	size_t nr_seen = window->nr_words + window->nr_ahead;
	size_t nr = window->words && index < nr_seen ? nr_seen - index : 0;
	if (nr > chunk->size / 8)
		nr = chunk->size / 8;
	const uint64_t *words = nr ? window->words + index : NULL;
	struct error *error = builder_block(&gatherer->builder, chunk->address,
					    chunk->size,
					    hints_of(words, nr, chunk->size));
	if (error)
		return error;
	uint16_t code = natures_classify(gatherer->natures, words, nr,
					 gatherer->heap_start, gatherer->heap_end);
	natures_set(gatherer->natures, builder_rank(&gatherer->builder), code);
	if (code >= NATURE_OBJECT)
		error = note_subobjects(gatherer, words, nr);
	return error;
}

static struct error *take_window(struct heap_visitor *visitor,
				 const struct heap_window *window)
{
	struct gatherer *gatherer = (struct gatherer *)visitor;
	struct builder *builder = &gatherer->builder;
	struct error *error = builder_window(builder, window->address, window->words,
					     window->nr_words, window->nr_chunks);
	if (!error)
		error = natures_reserve(gatherer->natures,
					builder->graph.space.nr_blocks +
						window->nr_chunks);
	for (size_t i = 0; !error && i < window->nr_chunks; i++) {
		const struct heap_chunk *chunk = &window->chunks[i];
		if (chunk->state == CHUNK_USED)
			error = take_block(gatherer, window, chunk);
		else if (chunk->state == CHUNK_UNKNOWN)
			error = builder_unknown(builder, chunk->address, ROOT_UNREADABLE);
		else
			error = builder_gap(builder, chunk->address);
	}
	return error ? error : builder_window_end(builder);
}

static struct error *prepare(struct gatherer *gatherer, const struct heap *heap)
{
	struct error *error = NULL;
	for (size_t i = 0; !error && i < heap->spans.nr; i++) {
		const struct heap_span *span = &heap->spans.items[i];
		error = builder_add_span(&gatherer->builder, span->start, span->end,
					 span->single);
	}
	if (heap->spans.nr) {
		gatherer->heap_start = heap->spans.items[0].start;
		gatherer->heap_end = heap->spans.items[heap->spans.nr - 1].end;
	}
	return error ? error : builder_ready(&gatherer->builder);
}

/* Everything that needs the target to stand still. */
static struct error *gather(struct gatherer *gatherer, struct target *target,
			    struct heap *heap, struct look *look)
{
	struct error *error = heap_survey(heap);
	if (!error)
		error = natures_create(target, &gatherer->natures);
	if (!error)
		error = prepare(gatherer, heap);
	if (!error)
		error = heap_walk(heap, &gatherer->visitor);
	if (!error)
		error = builder_blocks_done(&gatherer->builder);
	if (!error)
		error = roots_collect(target, heap, &gatherer->builder,
				      &look->unread_bytes);
	look->inside = heap->nr_threads_inside > 0;
	look->totals = heap->totals;
	look->nr_threads = target->threads.nr;
	return error;
}

static unsigned nr_processors(void)
{
	long nr = sysconf(_SC_NPROCESSORS_ONLN);
	return nr < 1 ? 1 : (unsigned)nr;
}

struct error *look_take(struct target *target, struct heap *heap, struct look *look)
{
	*look = (struct look){ 0 };
	struct gatherer gatherer = { .visitor = { .window = take_window } };
	builder_init(&gatherer.builder);
	struct error *error = target_freeze(target);
	if (!error) {
		error = gather(&gatherer, target, heap, look);
		look->pause_ns = target_thaw(target);
	}
	if (!error)
		error = builder_finish(&gatherer.builder, nr_processors(), &look->graph);
	look->natures = gatherer.natures;
	builder_deinit(&gatherer.builder);
	if (error)
		look_deinit(look);
	return error;
}

void look_deinit(struct look *look)
{
	graph_deinit(&look->graph);
	natures_destroy(look->natures);
	uint64_t pause_ns = look->pause_ns;
	*look = (struct look){ .pause_ns = pause_ns };
}
