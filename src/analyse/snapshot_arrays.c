/*
 * snapshot_arrays: the graph and the answers once more, as they stand in memory, for whoever opens the
 * file and asks. A reader that finds them whole leaves blocks and edges where they are; one that
 * does not know them, or finds them cut short, has lost nothing.
 *
 * The pieces of all arrays are read by several threads, each into its place; then every number in
 * them is checked.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "analyse/snapshot_priv.h"
#include "base/beside.h"
#include "base/bitmap.h"

/* So many threads read. */
#define THREADS_MAX 4u
/* Nothing is counted further. */
#define COUNT_MAX ((uint64_t)1 << 40)

/* How large arrays are, and what else there is before them. */
enum count {
	COUNT_BLOCKS,
	COUNT_EDGES,
	COUNT_GROUPS, /* of the space */
	COUNT_ROOTS,  /* every one */
	COUNT_NODES,  /* of the dominator tree */
	COUNT_REACHED,
	COUNT_SPANS,
	COUNT_LARGE,
	COUNT_NR,
	COUNT_CYCLIC = COUNT_NR, /* not told: as many as the array has */
	COUNT_ALL,
};

/* What an array has one of: for each block and so on, a bit or a row of neighbours. */
enum element { ELEMENT_BIT, ELEMENT_ROW, ELEMENT_2, ELEMENT_4, ELEMENT_8, ELEMENT_24 };

static const struct array_kind {
	enum count count;
	enum element element;
	bool is_answer;   /* passed over without LOOK_ANSWERS */
	unsigned padding; /* bytes behind it that are not stored */
	bool is_optional; /* files of before have none */
} kinds[SNAP_ARRAY_NR] = {
	[SNAP_ARRAY_GROUPS] = { COUNT_GROUPS, ELEMENT_24, false, 24, false },
	[SNAP_ARRAY_ROWS] = { COUNT_BLOCKS, ELEMENT_ROW, false, 0, false },
	[SNAP_ARRAY_EDGES] = { COUNT_EDGES, ELEMENT_4, false,
			       EDGES_PAD * sizeof(uint32_t), false },
	[SNAP_ARRAY_CODES] = { COUNT_BLOCKS, ELEMENT_2, false, 2, false },
	[SNAP_ARRAY_LIVE] = { COUNT_BLOCKS, ELEMENT_BIT, false, 16, false },
	[SNAP_ARRAY_CYCLIC] = { COUNT_BLOCKS, ELEMENT_BIT, true, 16, false },
	[SNAP_ARRAY_PARENTS] = { COUNT_NODES, ELEMENT_4, true, 4, false },
	[SNAP_ARRAY_RETAINED] = { COUNT_NODES, ELEMENT_8, true, 8, false },
	[SNAP_ARRAY_ROOT_GROUPS] = { COUNT_ROOTS, ELEMENT_4, true, 4, false },
	[SNAP_ARRAY_PARTS] = { COUNT_CYCLIC, ELEMENT_4, true, 4, true },
	[SNAP_ARRAY_TOPMOST] = { COUNT_BLOCKS, ELEMENT_BIT, true, 16, true },
};
static_assert(sizeof(struct space_group) == 24, "stored as it stands in memory");

static size_t bytes_of(const struct array_kind *kind, const uint64_t *counts)
{
	static const size_t sizes[] = {
		[ELEMENT_2] = 2,
		[ELEMENT_4] = 4,
		[ELEMENT_8] = 8,
		[ELEMENT_24] = 24,
	};
	size_t nr = counts[kind->count];
	if (kind->element == ELEMENT_BIT)
		return bitmap_words(nr) * 8;
	if (kind->element == ELEMENT_ROW)
		return (nr / ROW_BLOCKS + 1) * sizeof(struct graph_row);
	return nr * sizes[kind->element];
}

/* Where each array of a look is. */
static void find_areas(struct graph *graph, struct look *look,
		       struct area *areas[SNAP_ARRAY_NR])
{
	struct answers *answers = &look->answers;
	areas[SNAP_ARRAY_GROUPS] = &graph->space.groups;
	areas[SNAP_ARRAY_ROWS] = &graph->rows;
	areas[SNAP_ARRAY_EDGES] = &graph->edges;
	areas[SNAP_ARRAY_CODES] = &look->natures->codes;
	areas[SNAP_ARRAY_LIVE] = &answers->live;
	areas[SNAP_ARRAY_CYCLIC] = &answers->cyclic;
	areas[SNAP_ARRAY_PARENTS] = &answers->dominators.parents;
	areas[SNAP_ARRAY_RETAINED] = &answers->dominators.retained;
	areas[SNAP_ARRAY_ROOT_GROUPS] = &answers->groups;
	areas[SNAP_ARRAY_PARTS] = &answers->parts;
	areas[SNAP_ARRAY_TOPMOST] = &answers->topmost;
}

/* --- saving ------------------------------------------------------------------------- */

static void count_all(const struct look *look, uint64_t *counts)
{
	const struct graph *graph = &look->graph;
	counts[COUNT_BLOCKS] = graph->nr_blocks;
	counts[COUNT_EDGES] = graph->nr_edges;
	counts[COUNT_GROUPS] = graph->space.nr_groups;
	counts[COUNT_ROOTS] = look->answers.nr_roots;
	counts[COUNT_NODES] = look->answers.dominators.nr;
	counts[COUNT_REACHED] = look->answers.dominators.nr_reached;
	counts[COUNT_SPANS] = graph->space.spans.nr;
	counts[COUNT_LARGE] = graph->large.nr;
	counts[COUNT_CYCLIC] = look->answers.nr_cyclic;
}

static void pack_spans(struct pack *payload, const struct space *space)
{
	uint64_t end = 0;
	for (size_t i = 0; i < space->spans.nr; i++) {
		const struct space_span *span = &space->spans.items[i];
		pack_number(payload, span->start - end);
		pack_number(payload, span->end - span->start);
		pack_number(payload, span->single ? 1 + (span->rank != RANK_NONE) : 0);
		end = span->end;
	}
}

static void pack_large(struct pack *payload, const struct graph_large_vec *large)
{
	uint32_t before = 0;
	for (size_t i = 0; i < large->nr; i++) {
		pack_number(payload, large->items[i].rank - before);
		pack_number(payload, large->items[i].degree);
		before = large->items[i].rank;
	}
}

static struct error *save_head(const struct look *look, const uint64_t *counts,
			       struct snap_writer *writer)
{
	struct pack payload = { 0 };
	for (size_t i = 0; i < COUNT_NR; i++)
		pack_number(&payload, counts[i]);
	pack_spans(&payload, &look->graph.space);
	pack_large(&payload, &look->graph.large);
	/* A heap of very many mappings: it can do without. */
	bool fits = payload.size <= SNAP_CHUNK_MAX;
	struct error *error =
		fits ? snap_writer_chunk(writer, SNAP_ARRAYS, CHUNK_VERSION, &payload)
		     : NULL;
	pack_deinit(&payload);
	return error;
}

struct error *snapshot_save_arrays(struct look *look, struct snap_writer *writer)
{
	uint64_t counts[COUNT_ALL];
	struct area *areas[SNAP_ARRAY_NR];
	if (look->graph.space.packed || !look->answers.live.memory)
		return NULL;
	count_all(look, counts);
	find_areas(&look->graph, look, areas);
	struct error *error = save_head(look, counts, writer);
	for (size_t i = 0; !error && i < SNAP_ARRAY_NR; i++)
		error = snap_writer_array(writer, SNAP_ARRAY_FIRST + (uint32_t)i,
					  areas[i]->memory, bytes_of(&kinds[i], counts));
	return error;
}

/* --- whether they are there ----------------------------------------------------------- */

/* Notes where the pieces are; false: one does not follow the one before. */
static bool note_piece(struct loaded_arrays *arrays, const struct snap_chunk *chunk)
{
	uint32_t array = chunk->header.type - SNAP_ARRAY_FIRST;
	if (array >= SNAP_ARRAY_NR)
		return true;
	struct array_piece piece = {
		.chunk = *chunk,
		.array = array,
		.offset = arrays->sizes[array],
	};
	arrays->sizes[array] += chunk->header.plain_size;
	return chunk->header.version == CHUNK_VERSION &&
	       piece.offset % SNAP_PIECE_BYTES == 0 &&
	       chunk->header.plain_size <= SNAP_PIECE_BYTES &&
	       array_piece_vec_push(&arrays->pieces, piece);
}

struct error *snapshot_find_arrays(struct loader *loader)
{
	struct loaded_arrays *arrays = &loader->arrays;
	struct snap_chunk chunk;
	bool more = true, has_head = false, good = true;
	struct error *error = NULL;
	snap_reader_rewind(loader->reader);
	while (!error && good) {
		error = snap_reader_next(loader->reader, &chunk, &more);
		if (error || !more)
			break;
		if (chunk.header.type == SNAP_ARRAYS) {
			good = !has_head && chunk.header.version == CHUNK_VERSION;
			has_head = true;
		} else if (chunk.header.type >= SNAP_ARRAY_FIRST &&
			   chunk.header.type <= SNAP_ARRAY_LAST) {
			good = note_piece(arrays, &chunk);
		}
	}
	arrays->are_there = !error && good && has_head && !more &&
			    !snap_reader_is_cut(loader->reader);
	return error;
}

void loaded_arrays_deinit(struct loaded_arrays *arrays)
{
	array_piece_vec_deinit(&arrays->pieces);
}

/* --- reading --------------------------------------------------------------------------- */

struct reading {
	struct loader *loader;
	struct area **areas;
	atomic_size_t next; /* piece that nobody reads yet */
};

struct read_thread {
	pthread_t thread;
	struct reading *reading;
	struct snap_reader *reader; /* its own */
	struct error *error;
};

static bool is_wanted(const struct loader *loader, size_t array)
{
	return !kinds[array].is_answer || loader->flags & LOOK_ANSWERS;
}

static void *read_pieces(void *context)
{
	struct read_thread *self = context;
	struct reading *reading = self->reading;
	const struct array_piece_vec *pieces = &reading->loader->arrays.pieces;
	while (!self->error) {
		size_t i = atomic_fetch_add(&reading->next, 1);
		if (i >= pieces->nr)
			break;
		const struct array_piece *piece = &pieces->items[i];
		if (is_wanted(reading->loader, piece->array))
			self->error = snap_reader_load_to(
				self->reader, &piece->chunk,
				(char *)reading->areas[piece->array]->memory +
					piece->offset);
	}
	return NULL;
}

static struct error *read_all(struct loader *loader, struct area **areas)
{
	struct reading reading = { .loader = loader, .areas = areas };
	struct read_thread threads[THREADS_MAX] = { 0 };
	bool runs[THREADS_MAX] = { false };
	unsigned nr = look_nr_threads();
	struct error *error = NULL;
	threads[0].reading = &reading;
	threads[0].reader = loader->reader;
	for (unsigned i = 1; i < nr && i < THREADS_MAX; i++) {
		struct read_thread *thread = &threads[i];
		thread->reading = &reading;
		thread->error = snap_reader_again(loader->reader, &thread->reader);
		runs[i] = !thread->error &&
			  !pthread_create(&thread->thread, NULL, read_pieces, thread);
	}
	read_pieces(&threads[0]);
	for (unsigned i = 0; i < THREADS_MAX; i++) {
		if (runs[i])
			pthread_join(threads[i].thread, NULL);
		if (i)
			snap_reader_close(threads[i].reader);
		if (error)
			error_destroy(threads[i].error);
		else
			error = threads[i].error;
	}
	return error;
}

/* --- what they follow from -------------------------------------------------------------- */

static struct error *unpack_spans(struct loader *loader, struct unpack *payload,
				  const uint64_t *counts)
{
	struct space *space = &loader->rebuild.graph.space;
	uint64_t end = 0, nr_groups = 0;
	for (uint64_t i = 0; i < counts[COUNT_SPANS]; i++) {
		uint64_t gap = unpack_number(payload), size = unpack_number(payload);
		uint64_t kind = unpack_number(payload);
		if (payload->bad || kind > 2 || !size || gap > UINT64_MAX - end ||
		    size > UINT64_MAX - 2 * GROUP_BYTES - (end + gap) ||
		    end + gap > UINT64_MAX - 2 * GROUP_BYTES)
			return loader_nonsense(loader, "holds a span that cannot be");
		uint64_t start = end + gap;
		end = start + size;
		struct error *error = space_add_span(space, start, end, kind != 0);
		if (error)
			return error;
		/* Not its rank yet: whether it has one. */
		space->spans.items[space->spans.nr - 1].rank = kind == 2 ? 0 : RANK_NONE;
		if (!kind)
			nr_groups += (end - 1) / GROUP_BYTES - start / GROUP_BYTES + 1;
		if (nr_groups > counts[COUNT_GROUPS])
			break;
	}
	return nr_groups == counts[COUNT_GROUPS]
		       ? NULL
		       : loader_nonsense(loader, "has spans of another size");
}

static struct error *unpack_large(struct loader *loader, struct unpack *payload,
				  const uint64_t *counts)
{
	struct graph_large_vec *vec = &loader->rebuild.graph.large;
	uint64_t rank = 0;
	for (uint64_t i = 0; i < counts[COUNT_LARGE]; i++) {
		rank += unpack_number(payload);
		struct graph_large large = {
			.rank = (uint32_t)rank,
			.degree = unpack_number(payload),
		};
		if (payload->bad || rank > RANK_MAX || large.degree > COUNT_MAX)
			return loader_nonsense(loader, "holds a degree that cannot be");
		if (!graph_large_vec_push(vec, large))
			return error_no_memory();
	}
	return NULL;
}

/* Pieces of the sizes that follow from the counts, and no memory before they are there. */
static struct error *reserve(struct loader *loader, const uint64_t *counts,
			     struct area **areas)
{
	for (size_t i = 0; i < SNAP_ARRAY_NR; i++) {
		size_t bytes = bytes_of(&kinds[i], counts);
		if (kinds[i].is_optional && !loader->arrays.sizes[i])
			continue;
		if (loader->arrays.sizes[i] != bytes)
			return loader_nonsense(loader, "tells of an array of another "
						       "size");
		if (is_wanted(loader, i) &&
		    !area_reserve(areas[i], bytes + kinds[i].padding))
			return error_no_memory();
	}
	return NULL;
}

static struct error *check_codes(const struct loader *loader, uint64_t nr)
{
	const struct natures *natures = loader->look->natures;
	bool knows[UINT16_MAX + 1];
	bool good = true;
	for (uint32_t code = 0; code <= UINT16_MAX; code++)
		knows[code] = natures_knows(natures, code);
	for (uint64_t rank = 0; rank < nr; rank++)
		good &= knows[natures_get(natures, (uint32_t)rank)];
	return good ? NULL : loader_nonsense(loader, "comes before a type of no name");
}

/* Bits of no block are clear. */
static void trim_bitmap(struct area *bitmap, uint64_t nr)
{
	if (bitmap->memory && nr % 64)
		((uint64_t *)bitmap->memory)[nr / 64] &= ((uint64_t)1 << (nr % 64)) - 1;
}

static void adopt_answers(struct loader *loader, const uint64_t *counts)
{
	struct answers *answers = &loader->look->answers;
	trim_bitmap(&answers->live, counts[COUNT_BLOCKS]);
	trim_bitmap(&answers->cyclic, counts[COUNT_BLOCKS]);
	if (!(loader->flags & LOOK_ANSWERS))
		return;
	answers->nr_roots = counts[COUNT_ROOTS];
	answers->nr_cyclic = counts[COUNT_CYCLIC];
	answers->dominators.nr_blocks = (uint32_t)counts[COUNT_BLOCKS];
	answers->dominators.nr = (uint32_t)counts[COUNT_NODES];
	answers->dominators.nr_reached = (uint32_t)counts[COUNT_REACHED];
}

/* Whether the answers can be of any heap, found out while the blocks are looked at. */
struct answer_check {
	const struct loader *loader;
	bool is_sound;
};

static void check_answers(void *context)
{
	struct answer_check *self = context;
	self->is_sound = !(self->loader->flags & LOOK_ANSWERS) ||
			 dominators_are_tree(&self->loader->look->answers.dominators);
}

static struct error *check(struct loader *loader, const uint64_t *counts)
{
	bool fits = false;
	struct answer_check answers = { .loader = loader };
	struct beside beside;
	adopt_answers(loader, counts);
	beside_start(&beside, check_answers, &answers);
	rebuild_adopt(&loader->rebuild, counts[COUNT_BLOCKS], counts[COUNT_EDGES], &fits);
	struct error *error = check_codes(loader, counts[COUNT_BLOCKS]);
	beside_finish(&beside);
	if (error || (fits && answers.is_sound))
		return error;
	return loader_nonsense(loader, fits ? "comes before dominators of no tree"
					    : "comes before blocks that cannot be");
}

static bool counts_are_sound(const struct loader *loader, const uint64_t *counts)
{
	bool good = true;
	for (size_t i = 0; i < COUNT_NR; i++)
		good &= counts[i] <= COUNT_MAX;
	return good && counts[COUNT_BLOCKS] < RANK_MAX &&
	       counts[COUNT_CYCLIC] <= counts[COUNT_BLOCKS] &&
	       counts[COUNT_BLOCKS] == loader->meta.nr_blocks &&
	       counts[COUNT_EDGES] == loader->meta.nr_edges &&
	       counts[COUNT_NODES] >= counts[COUNT_BLOCKS] &&
	       counts[COUNT_NODES] - counts[COUNT_BLOCKS] <= PLACES_ROOTS_MAX &&
	       counts[COUNT_REACHED] <= counts[COUNT_NODES];
}

struct error *snapshot_load_arrays(struct loader *loader, struct unpack *payload)
{
	uint64_t counts[COUNT_ALL];
	struct area *areas[SNAP_ARRAY_NR];
	if (!loader->arrays.are_there)
		return NULL;
	for (size_t i = 0; i < COUNT_NR; i++)
		counts[i] = unpack_number(payload);
	counts[COUNT_CYCLIC] = loader->arrays.sizes[SNAP_ARRAY_PARTS] / sizeof(uint32_t);
	if (payload->bad || !counts_are_sound(loader, counts))
		return loader_nonsense(loader, "is of another heap");
	find_areas(&loader->rebuild.graph, loader->look, areas);
	struct error *error = unpack_spans(loader, payload, counts);
	if (!error)
		error = unpack_large(loader, payload, counts);
	if (!error)
		error = reserve(loader, counts, areas);
	if (!error)
		error = space_ready(&loader->rebuild.graph.space);
	if (!error)
		error = read_all(loader, areas);
	loader->nr_whole = counts[COUNT_BLOCKS];
	return error ? error : check(loader, counts);
}
