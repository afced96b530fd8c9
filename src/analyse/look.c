/* look: see look.h. */
#include "analyse/look.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "analyse/frames.h"
#include "analyse/hashes.h"
#include "analyse/roots.h"
#include "graph/builder.h"
#include "target/freezer.h"

/* How far into an object a second vtable pointer is looked for. */
#define SUBOBJECT_WORDS 64u

/* Bytes of the target read ahead, since blocks are asked for in ascending order. */
struct ahead {
	uint64_t address;
	size_t size;
	uint64_t bytes[512 / 8];
};

struct gatherer {
	struct heap_visitor visitor; /* first: the heap calls back with it */
	struct builder builder;
	struct natures *natures;
	struct hasher *hasher;   /* NULL: hashes are not wanted */
	struct stack_vec stacks; /* with LOOK_PLACES */
	struct area chunks; /* struct builder_chunk[]: the current window's, translated */
	const struct look_options *options;
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
static struct error *note_subobjects(struct gatherer *gatherer, uint32_t rank,
				     const uint64_t *words, size_t nr)
{
	for (size_t i = 1; i < nr && i < SUBOBJECT_WORDS; i++) {
		if (!natures_may_be_vtable(gatherer->natures, words[i]))
			continue;
		struct error *error = builder_subobject(&gatherer->builder, rank, i * 8);
		if (error)
			return error;
	}
	return NULL;
}

/* The words of a block that the window shows. Where none were written, all are zero. */
static const uint64_t *words_of(const struct heap_window *window,
				const struct heap_chunk *chunk, size_t *nr)
{
	static const uint64_t zeros[NATURE_BYTES / 8];
	size_t index = (chunk->address - window->address) / 8;
	size_t nr_seen = window->nr_words + window->nr_ahead;
	bool is_zero = !window->words && !window->unread_bytes;
	*nr = index < nr_seen ? nr_seen - index : 0;
	if (*nr > chunk->size / 8)
		*nr = chunk->size / 8;
	if (is_zero && *nr > ARRAY_SIZE(zeros))
		*nr = ARRAY_SIZE(zeros);
	if (!window->words && !is_zero)
		*nr = 0;
	if (*nr == 0)
		return NULL;
	return is_zero ? zeros : window->words + index;
}

static struct error *classify_block(struct gatherer *gatherer, uint32_t rank,
				    const struct heap_window *window,
				    const struct heap_chunk *chunk)
{
	size_t nr = 0;
	const uint64_t *words = words_of(window, chunk, &nr);
	uint16_t code = natures_classify(gatherer->natures, words, nr);
	natures_set(gatherer->natures, rank, code);
	struct error *error =
		builder_hint(&gatherer->builder, rank, hints_of(words, nr, chunk->size));
	if (!error && code >= NATURE_OBJECT)
		error = note_subobjects(gatherer, rank, words, nr);
	return error;
}

static struct error *classify_window(struct gatherer *gatherer, uint32_t rank,
				     const struct heap_window *window)
{
	struct error *error =
		natures_reserve(gatherer->natures, (uint64_t)rank + window->nr_chunks);
	for (size_t i = 0; !error && i < window->nr_chunks; i++)
		if (window->chunks[i].state == CHUNK_USED)
			error = classify_block(gatherer, rank++, window,
					       &window->chunks[i]);
	return error;
}

/* The builder's words for the heap's. */
static struct error *translate(struct gatherer *gatherer,
			       const struct heap_window *window)
{
	static const enum builder_kind kinds[] = {
		[CHUNK_USED] = BUILDER_BLOCK,
		[CHUNK_FREE] = BUILDER_GAP,
		[CHUNK_ALLOCATOR] = BUILDER_GAP,
		[CHUNK_UNKNOWN] = BUILDER_UNKNOWN,
	};
	size_t bytes = window->nr_chunks * sizeof(struct builder_chunk);
	if (!area_reserve(&gatherer->chunks, bytes))
		return error_no_memory();
	struct builder_chunk *chunks = gatherer->chunks.memory;
	for (size_t i = 0; i < window->nr_chunks; i++)
		chunks[i] = (struct builder_chunk){
			.address = window->chunks[i].address,
			.size = window->chunks[i].size,
			.kind = kinds[window->chunks[i].state],
			.source = window->chunks[i].state == CHUNK_UNKNOWN
					  ? ROOT_UNREADABLE
					  : STALE_FREED,
		};
	return NULL;
}

static_assert(HEAP_SLOTS <= BUILDER_SLOTS,
	      "each slot of the heap has one of the builder");

static struct error *scan_window(struct heap_visitor *visitor, unsigned slot,
				 const uint64_t *words, size_t nr_words)
{
	struct gatherer *gatherer = (struct gatherer *)visitor;
	return builder_scan(&gatherer->builder, slot, words, nr_words);
}

static struct error *take_window(struct heap_visitor *visitor,
				 const struct heap_window *window)
{
	struct gatherer *gatherer = (struct gatherer *)visitor;
	uint32_t rank = builder_nr_blocks(&gatherer->builder);
	struct error *error = translate(gatherer, window);
	if (error)
		return error;
	const struct builder_window translated = {
		.address = window->address,
		.nr_words = window->nr_words,
		.slot = window->slot,
		.chunks = gatherer->chunks.memory,
		.nr_chunks = window->nr_chunks,
	};
	error = builder_window(&gatherer->builder, &translated);
	if (!error && (gatherer->options->flags & LOOK_CLASSIFY))
		error = classify_window(gatherer, rank, window);
	if (!error && gatherer->hasher)
		error = hasher_window(gatherer->hasher, window, rank);
	return error;
}

/* Names what is known now, which takes the place of what blocks look like. */
static struct error *find_types(struct gatherer *gatherer, struct target *target,
				struct look *look)
{
	const struct typing_task task = {
		.types = gatherer->options->types,
		.target = target,
		.symbols = gatherer->options->symbols,
		.space = &gatherer->builder.graph.space,
		.natures = gatherer->natures,
	};
	struct error *error = typing_run(&task, &look->typing);
	if (!error)
		error = typing_name(&look->typing, task.types, gatherer->natures);
	if (!error)
		error = fields_make(&look->typing, task.types, gatherer->natures,
				    &look->fields);
	return error ? error : types_warn(task.types, &look->warnings);
}

static struct error *prepare(struct gatherer *gatherer, const struct heap *heap)
{
	struct error *error = NULL;
	gatherer->builder.graph.space.packed = heap->packed;
	for (size_t i = 0; !error && i < heap->spans.nr; i++) {
		const struct heap_span *span = &heap->spans.items[i];
		error = builder_add_span(&gatherer->builder, span->start, span->end,
					 span->single);
	}
	if (heap->spans.nr)
		natures_set_heap(gatherer->natures, heap->spans.items[0].start,
				 heap->spans.items[heap->spans.nr - 1].end);
	return error ? error : builder_ready(&gatherer->builder);
}

static struct error *exclude(struct heap *heap, const struct heap_span_vec *ranges)
{
	for (size_t i = 0; ranges && i < ranges->nr; i++)
		if (!heap_span_vec_push(&heap->private_ranges, ranges->items[i]))
			return error_no_memory();
	return NULL;
}

static struct error *copy_regions(const struct target *target, struct look *look)
{
	for (size_t i = 0; i < target->regions.nr; i++) {
		const struct region *region = &target->regions.items[i];
		struct look_region copy = {
			.start = region->start,
			.end = region->end,
			.name = strdup(region->name),
		};
		if (copy.name && look_region_vec_push(&look->regions, copy))
			continue;
		free(copy.name);
		return error_no_memory();
	}
	return NULL;
}

/* What is read of it may become resident: it counts before that. */
static struct error *count_mappings(const struct look_options *options,
				    const struct target *target, const struct heap *heap,
				    struct look *look)
{
	if (!(options->flags & LOOK_MAPPINGS))
		return NULL;
	return vm_regions_take(target, heap, freezer_now_ns() + options->max_count_ns,
			       &look->mappings);
}

struct error *look_read_block(const struct space *space, struct target *target,
			      struct block_bytes *bytes)
{
	uint64_t start = 0, size = 0;
	uint64_t offset = space_offset(space, bytes->address);
	struct space_hit hit = { .rank = RANK_NONE };
	bytes->nr = 0;
	if (offset != SPACE_NONE)
		hit = space_find(space, offset);
	if (hit.rank == RANK_NONE)
		return NULL;
	space_block(space, hit.rank, &start, &size);
	size = size < BLOCK_BYTES_MAX ? size : BLOCK_BYTES_MAX;
	if (!area_reserve(&bytes->memory, size + 1))
		return error_no_memory();
	struct error *error = target_read(target, start, bytes->memory.memory, size);
	bytes->nr = error ? 0 : size;
	error_destroy(error);
	return NULL;
}

/* Everything that needs the target to stand still. */
static struct error *gather(struct gatherer *gatherer, struct target *target,
			    struct heap *heap, struct look *look)
{
	struct error *error = heap_survey(heap);
	if (!error)
		error = exclude(heap, gatherer->options->excluded);
	if (!error)
		error = count_mappings(gatherer->options, target, heap, look);
	if (!error)
		error = natures_create(target, &gatherer->natures);
	if (!error && (gatherer->options->flags & LOOK_HASH))
		error = hasher_create(&gatherer->hasher);
	if (!error)
		error = prepare(gatherer, heap);
	if (!error)
		error = heap_walk(heap, &gatherer->visitor);
	if (!error)
		error = builder_blocks_done(&gatherer->builder);
	if (!error)
		error = roots_collect(target, heap, &gatherer->builder,
				      &look->unread_bytes);
	if (!error && (gatherer->options->flags & LOOK_TYPES))
		error = find_types(gatherer, target, look);
	if (!error && gatherer->options->bytes)
		error = look_read_block(&gatherer->builder.graph.space, target,
					gatherer->options->bytes);
	if (!error && gatherer->options->while_frozen)
		error = gatherer->options->while_frozen(gatherer->options->context,
							target);
	if (!error && (gatherer->options->flags & LOOK_PLACES))
		error = copy_regions(target, look);
	if (!error && (gatherer->options->flags & LOOK_PLACES))
		error = stacks_copy(target, &gatherer->stacks);
	look->inside = heap->nr_threads_inside > 0;
	look->held_incomplete = target->held_incomplete;
	look->totals = heap->totals;
	look->nr_threads = target->threads.nr;
	return error;
}

/* Of copies of the stacks: the target runs again. */
static struct error *tell_frames(const struct gatherer *gatherer, struct look *look)
{
	struct frame_finder finder;
	if (!gatherer->stacks.nr || !gatherer->options->symbols)
		return NULL;
	frame_finder_init(&finder, gatherer->options->symbols);
	struct error *error = frames_tell(&finder, &gatherer->stacks, &look->frames);
	frame_finder_deinit(&finder);
	return error;
}

static struct error *describe(const struct target *target, const struct heap *heap,
			      struct look *look)
{
	look->subject = (struct subject){
		.pid = target->pid,
		.name = strdup(target->name),
		.allocator = strdup(heap->name),
	};
	look->is_of_core = target->path != NULL;
	look->unread_reason = strdup(target->ops->unread);
	if (!look->subject.name || !look->subject.allocator || !look->unread_reason)
		return error_no_memory();
	struct error *error = sentences_copy(&look->damage, &heap->damage);
	if (!error)
		error = sentences_copy(&look->warnings, &target->warnings);
	if (!error)
		error = sentences_copy(&look->notes, &target->notes);
	return error;
}

unsigned look_nr_threads(void)
{
	long nr = sysconf(_SC_NPROCESSORS_ONLN);
	return nr < 1 ? 1 : (unsigned)nr;
}

struct error *look_take(struct target *target, struct heap *heap,
			const struct look_options *options, struct look *look)
{
	*look = (struct look){ .classified = options->flags & LOOK_CLASSIFY };
	struct gatherer gatherer = {
		.visitor = { .prepare = scan_window, .window = take_window },
		.options = options,
	};
	builder_init(&gatherer.builder);
	gatherer.builder.wants_roots = options->flags & LOOK_PLACES;
	gatherer.builder.wants_edge_places = options->flags & LOOK_EDGE_PLACES;
	struct error *error = target_freeze(target);
	if (!error) {
		error = gather(&gatherer, target, heap, look);
		look->pause_ns = target_thaw(target);
	}
	if (!error)
		error = builder_finish(&gatherer.builder, look_nr_threads(),
				       &look->graph);
	if (!error)
		error = describe(target, heap, look);
	if (!error)
		error = tell_frames(&gatherer, look);
	if (!error && (options->flags & LOOK_PLACES))
		error = arenas_take(heap, &look->arenas);
	look->natures = gatherer.natures;
	if (!error && gatherer.hasher)
		look->hashes = hasher_finish(gatherer.hasher);
	hasher_destroy(gatherer.hasher);
	builder_deinit(&gatherer.builder);
	stacks_deinit(&gatherer.stacks);
	area_release(&gatherer.chunks);
	if (error)
		look_deinit(look);
	return error;
}

/* The first words of a block; none if they cannot be read. */
static struct error *first_words(struct target *target, uint64_t address, uint64_t size,
				 struct ahead *ahead, const uint64_t **words, size_t *nr)
{
	uint64_t wanted = size < NATURE_BYTES ? size & ~(uint64_t)7 : NATURE_BYTES;
	if (address < ahead->address || address + wanted > ahead->address + ahead->size) {
		ahead->address = address;
		struct error *error = target->ops->read(target, address, ahead->bytes,
							sizeof(ahead->bytes),
							&ahead->size);
		if (error)
			return error;
	}
	*nr = address + wanted <= ahead->address + ahead->size ? wanted / 8 : 0;
	*words = ahead->bytes + (address - ahead->address) / 8;
	return NULL;
}

struct error *look_classify(struct look *look, struct target *target,
			    const uint32_t *ranks, uint32_t nr)
{
	struct error *error = natures_reserve(look->natures, look->graph.nr_blocks);
	struct ahead ahead = { 0 };
	for (uint32_t i = 0; !error && i < nr; i++) {
		uint64_t address = 0, size = 0;
		const uint64_t *words = NULL;
		size_t nr_words = 0;
		space_block(&look->graph.space, ranks[i], &address, &size);
		error = first_words(target, address, size, &ahead, &words, &nr_words);
		if (!error)
			natures_set(look->natures, ranks[i],
				    natures_classify(look->natures, words, nr_words));
	}
	return error;
}

uint64_t look_unseen_bytes(const struct look *look)
{
	return look->unread_bytes + look->totals.unread_bytes + look->missing_bytes;
}

void answers_deinit(struct answers *answers)
{
	area_release(&answers->live);
	area_release(&answers->cyclic);
	area_release(&answers->parts);
	area_release(&answers->topmost);
	area_release(&answers->groups);
	dominators_deinit(&answers->dominators);
	*answers = (struct answers){ 0 };
}

void look_deinit(struct look *look)
{
	free(look->subject.name);
	free(look->subject.allocator);
	free(look->unread_reason);
	sentences_deinit(&look->damage);
	sentences_deinit(&look->warnings);
	sentences_deinit(&look->notes);
	rank_vec_deinit(&look->doubted);
	for (size_t i = 0; i < look->regions.nr; i++)
		free(look->regions.items[i].name);
	look_region_vec_deinit(&look->regions);
	vm_regions_deinit(&look->mappings);
	frame_table_deinit(&look->frames);
	block_sites_deinit(&look->sites);
	arenas_deinit(&look->arenas);
	area_release(&look->hashes);
	answers_deinit(&look->answers);
	graph_deinit(&look->graph);
	typing_deinit(&look->typing);
	fields_deinit(&look->fields);
	natures_destroy(look->natures);
	*look = (struct look){ .pause_ns = look->pause_ns, .nr_looks = look->nr_looks };
}
