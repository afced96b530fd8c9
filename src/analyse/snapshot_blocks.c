/*
 * snapshot_blocks: blocks and edges. A chunk of blocks tells of some neighbours, column by
 * column, since like bytes compress well together; the chunks of their edges follow it.
 */
#include "analyse/snapshot_priv.h"

#include <string.h>

/* So many blocks share a chunk. */
#define SEGMENT_BLOCKS 65536u
/* Edges are given to the rebuild so many at a time. */
#define BATCH 512u

/* --- saving ------------------------------------------------------------------------- */

enum column { COLUMN_GAP, COLUMN_SIZE, COLUMN_CODE, COLUMN_DEGREE, COLUMN_NR };

struct saver {
	const struct look *look;
	struct snap_writer *writer;
	struct error *error;
	/* Of the blocks from `first` on that are to be written next. */
	struct pack columns[COLUMN_NR];
	uint32_t first, nr;
	uint64_t end; /* of the last one */
	struct pack payload;
};

static void write_payload(struct saver *saver, enum snap_type type)
{
	if (!saver->error)
		saver->error = snap_writer_chunk(saver->writer, type, CHUNK_VERSION,
						 &saver->payload);
}

static void write_blocks(struct saver *saver)
{
	pack_number(&saver->payload, saver->first);
	pack_number(&saver->payload, saver->nr);
	for (size_t i = 0; i < COLUMN_NR; i++) {
		pack_bytes(&saver->payload, saver->columns[i].bytes,
			   saver->columns[i].size);
		saver->payload.failed |= saver->columns[i].failed;
		saver->columns[i].size = 0;
	}
	write_payload(saver, SNAP_BLOCKS);
}

static void begin_edges(struct saver *saver, uint32_t rank, uint64_t index)
{
	pack_number(&saver->payload, rank);
	pack_number(&saver->payload, index);
}

/* An edge is the distance of the ranks and its class; the first of a block, or of a chunk,
   counts from the block itself, the others from the one before. */
static void pack_edge(struct pack *payload, uint32_t edge, uint32_t *previous)
{
	if (edge == EDGE_NONE) {
		pack_number(payload, 3);
		return;
	}
	uint64_t distance = pack_fold((uint64_t)edge_rank(edge) - *previous);
	pack_number(payload, distance << 2 | edge_class(edge));
	*previous = edge_rank(edge);
}

static void write_edges_of(struct saver *saver, uint32_t rank)
{
	uint64_t nr = 0;
	const uint32_t *edges = graph_edges(&saver->look->graph, rank, &nr);
	uint32_t previous = rank;
	for (uint64_t i = 0; i < nr && !saver->error; i++) {
		if (!saver->payload.size)
			begin_edges(saver, rank, i);
		pack_edge(&saver->payload, edges[i], &previous);
		if (saver->payload.size < FLUSH_BYTES)
			continue;
		write_payload(saver, SNAP_EDGES);
		previous = rank;
	}
}

static void write_segment(struct saver *saver)
{
	write_blocks(saver);
	for (uint32_t i = 0; i < saver->nr && !saver->error; i++)
		write_edges_of(saver, saver->first + i);
	if (saver->payload.size)
		write_payload(saver, SNAP_EDGES);
	saver->first += saver->nr;
	saver->nr = 0;
	saver->end = 0;
}

static void save_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	struct saver *saver = context;
	if (saver->error)
		return;
	uint64_t degree = 0;
	graph_edges(&saver->look->graph, rank, &degree);
	pack_number(&saver->columns[COLUMN_GAP], address - saver->end);
	pack_number(&saver->columns[COLUMN_SIZE], size);
	pack_number(&saver->columns[COLUMN_CODE],
		    natures_get(saver->look->natures, rank));
	pack_number(&saver->columns[COLUMN_DEGREE], degree);
	saver->end = address + size;
	if (++saver->nr == SEGMENT_BLOCKS)
		write_segment(saver);
}

struct error *snapshot_save_blocks(const struct look *look, struct snap_writer *writer)
{
	struct saver saver = { .look = look, .writer = writer };
	space_each(&look->graph.space, save_block, &saver);
	if (saver.nr && !saver.error)
		write_segment(&saver);
	for (size_t i = 0; i < COLUMN_NR; i++)
		pack_deinit(&saver.columns[i]);
	pack_deinit(&saver.payload);
	return saver.error;
}

/* --- loading ------------------------------------------------------------------------ */

static struct error *unpack_blocks(struct loader *loader, struct unpack *payload,
				   uint64_t *first)
{
	struct loaded_block_vec *blocks = &loader->blocks;
	*first = unpack_number(payload);
	uint64_t nr = unpack_count(payload, COLUMN_NR);
	uint64_t end = 0;
	blocks->nr = 0;
	for (uint64_t i = 0; i < nr; i++)
		if (!loaded_block_vec_push(blocks, (struct loaded_block){ 0 }))
			return error_no_memory();
	for (uint64_t i = 0; i < nr; i++)
		blocks->items[i].address = unpack_number(payload);
	for (uint64_t i = 0; i < nr; i++)
		blocks->items[i].size = unpack_number(payload);
	for (uint64_t i = 0; i < nr; i++) {
		uint64_t code = unpack_number(payload);
		blocks->items[i].code = (uint16_t)code;
		payload->bad |= !natures_knows(loader->look->natures, code);
	}
	for (uint64_t i = 0; i < nr; i++)
		blocks->items[i].degree = unpack_number(payload);
	for (uint64_t i = 0; i < nr; i++) {
		struct loaded_block *block = &blocks->items[i];
		payload->bad |= block->address > UINT64_MAX - end;
		block->address += end;
		payload->bad |= block->size > UINT64_MAX - block->address;
		end = block->address + block->size;
	}
	return payload->bad ? loader_nonsense(loader, "holds a block that cannot be")
			    : NULL;
}

struct error *snapshot_announce_blocks(struct loader *loader, struct unpack *payload)
{
	uint64_t first = 0;
	uint64_t expected = loader->rebuild.nr_announced;
	struct error *error = unpack_blocks(loader, payload, &first);
	if (!error && first != expected)
		error = loader_nonsense(loader, "is not the next one");
	for (size_t i = 0; !error && i < loader->blocks.nr; i++) {
		const struct loaded_block *block = &loader->blocks.items[i];
		bool fits = true;
		error = rebuild_announce(&loader->rebuild, block->address, block->size,
					 &fits);
		if (!error && !fits)
			error = loader_nonsense(loader, "holds a block that overlaps "
							"the one before");
	}
	return error;
}

/* Gives the block at hand to the rebuild, if it has not been. */
static struct error *open_block(struct loader *loader)
{
	if (loader->is_open)
		return NULL;
	const struct loaded_block *block = &loader->blocks.items[loader->block];
	uint64_t rank = loader->rebuild.graph.space.nr_blocks;
	bool fits = true;
	loader->is_open = true;
	struct error *error = natures_reserve(loader->look->natures, rank + 1);
	if (!error)
		error = rebuild_block(&loader->rebuild, block->address, block->size,
				      &fits);
	if (!error && !fits)
		error = loader_nonsense(loader, "has changed while it was read");
	if (!error)
		natures_set(loader->look->natures, (uint32_t)rank, block->code);
	return error;
}

static void leave_block(struct loader *loader)
{
	loader->nr_whole++;
	loader->whole_bytes += loader->blocks.items[loader->block].size;
	loader->block++;
	loader->taken = 0;
	loader->is_open = false;
}

/* Passes the blocks that have all of their edges. */
static struct error *pass_whole_blocks(struct loader *loader)
{
	struct error *error = NULL;
	while (!error && loader->block < loader->blocks.nr &&
	       loader->taken == loader->blocks.items[loader->block].degree) {
		error = open_block(loader);
		leave_block(loader);
	}
	return error;
}

struct error *snapshot_load_blocks(struct loader *loader, struct unpack *payload)
{
	uint64_t first = 0;
	if (loader->block < loader->blocks.nr)
		return loader_nonsense(loader, "comes before the edges of the last");
	struct error *error = unpack_blocks(loader, payload, &first);
	loader->block = 0;
	loader->taken = 0;
	return error ? error : pass_whole_blocks(loader);
}

static uint32_t unpack_edge(struct unpack *payload, uint64_t *previous)
{
	uint64_t number = unpack_number(payload);
	if ((number & 3) == 3)
		return EDGE_NONE;
	*previous += unpack_fold(number >> 2);
	payload->bad |= *previous > RANK_MAX;
	return edge_make((uint32_t)*previous, (enum edge_class)(number & 3));
}

/* The next edges of one block; at most BATCH. */
static struct error *load_batch(struct loader *loader, struct unpack *payload,
				uint64_t *previous)
{
	uint32_t edges[BATCH];
	size_t nr = 0;
	uint64_t left = loader->blocks.items[loader->block].degree - loader->taken;
	while (nr < BATCH && nr < left && payload->at < payload->end)
		edges[nr++] = unpack_edge(payload, previous);
	if (payload->bad)
		return loader_nonsense(loader, "holds an edge that cannot be");
	loader->taken += nr;
	return rebuild_edges(&loader->rebuild, edges, nr);
}

struct error *snapshot_load_edges(struct loader *loader, struct unpack *payload)
{
	uint64_t rank = unpack_number(payload), index = unpack_number(payload);
	bool is_next = loader->block < loader->blocks.nr && index == loader->taken;
	struct error *error = is_next ? open_block(loader) : NULL;
	uint64_t previous = loader->rebuild.graph.space.nr_blocks - 1;
	if (!error && (!is_next || rank != previous))
		error = loader_nonsense(loader, "is not the next one");
	while (!error && payload->at < payload->end) {
		if (loader->block == loader->blocks.nr)
			return loader_nonsense(loader, "holds edges of no block");
		error = open_block(loader);
		if (!loader->taken)
			previous = loader->rebuild.graph.space.nr_blocks - 1;
		if (!error)
			error = load_batch(loader, payload, &previous);
		if (!error)
			error = pass_whole_blocks(loader);
	}
	return error;
}

struct error *snapshot_end_blocks(struct loader *loader)
{
	struct error *error = NULL;
	for (; !error && loader->block < loader->blocks.nr; loader->block++) {
		error = open_block(loader);
		loader->is_open = false;
	}
	return error;
}

/* --- hashes ------------------------------------------------------------------------- */

struct error *snapshot_save_hashes(const struct look *look, struct snap_writer *writer)
{
	const uint32_t *hashes = look->hashes.memory;
	struct pack payload = { 0 };
	struct error *error = NULL;
	uint64_t nr = look->graph.nr_blocks;
	for (uint64_t i = 0; !error && hashes && i < nr; i += SEGMENT_BLOCKS) {
		uint64_t length = nr - i < SEGMENT_BLOCKS ? nr - i : SEGMENT_BLOCKS;
		pack_number(&payload, i);
		pack_number(&payload, length);
		pack_bytes(&payload, hashes + i, length * sizeof(*hashes));
		error = snap_writer_chunk(writer, SNAP_HASHES, CHUNK_VERSION, &payload);
	}
	pack_deinit(&payload);
	return error;
}

struct error *snapshot_load_hashes(struct loader *loader, struct unpack *payload)
{
	struct area *hashes = &loader->look->hashes;
	uint64_t first = unpack_number(payload), nr = unpack_number(payload);
	if (payload->bad || first != loader->nr_hashes ||
	    unpack_left(payload) / sizeof(uint32_t) != nr ||
	    unpack_left(payload) % sizeof(uint32_t))
		return loader_nonsense(loader, "is not the next one");
	if (!area_reserve(hashes, (first + nr) * sizeof(uint32_t)))
		return error_no_memory();
	memcpy((uint32_t *)hashes->memory + first, payload->at, nr * sizeof(uint32_t));
	loader->nr_hashes += nr;
	return NULL;
}
