/*
 * snapshot_priv: the payloads of a snapshot's chunks, both directions side by side: blocks
 * and edges in snapshot_blocks.c, the rest in snapshot_roots.c. doc/FORMAT.md draws them.
 *
 * The savers write from a look; the loaders feed one that is being rebuilt. A loader gives
 * ERROR_FORMAT for what makes no sense, naming the chunk.
 */
#ifndef SEEP_ANALYSE_SNAPSHOT_PRIV_H
#define SEEP_ANALYSE_SNAPSHOT_PRIV_H

#include "analyse/look.h"
#include "analyse/places.h"
#include "graph/rebuild.h"
#include "snap/meta.h"
#include "snap/reader.h"
#include "snap/writer.h"

/* The version of every chunk's payload so far. */
#define CHUNK_VERSION 1

/* A payload that grows past this is written, and another begun. */
#define FLUSH_BYTES (1u << 20)

struct error *snapshot_save_types(const struct look *look,
				  struct snap_writer *writer) MUST_CHECK;
/* Nothing where types were not asked for. */
struct error *snapshot_save_fields(const struct look *look,
				   struct snap_writer *writer) MUST_CHECK;
struct error *snapshot_save_places(const struct look *look, struct places *places,
				   struct snap_writer *writer) MUST_CHECK;
struct error *snapshot_save_roots(const struct look *look,
				  struct snap_writer *writer) MUST_CHECK;
struct error *snapshot_save_counts(const struct look *look,
				   struct snap_writer *writer) MUST_CHECK;
/* Nothing where types were not asked for. */
struct error *snapshot_save_spare(const struct look *look,
				  struct snap_writer *writer) MUST_CHECK;
struct error *snapshot_save_arenas(const struct look *look,
				   struct snap_writer *writer) MUST_CHECK;
/* Nothing where nobody recorded what allocated. */
struct error *snapshot_save_sites(const struct look *look,
				  struct snap_writer *writer) MUST_CHECK;
struct error *snapshot_save_frames(const struct look *look,
				   struct snap_writer *writer) MUST_CHECK;
struct error *snapshot_save_doubted(const struct look *look,
				    struct snap_writer *writer) MUST_CHECK;
struct error *snapshot_save_blocks(const struct look *look,
				   struct snap_writer *writer) MUST_CHECK;
struct error *snapshot_save_hashes(const struct look *look,
				   struct snap_writer *writer) MUST_CHECK;

struct error *snapshot_save_edge_places(const struct look *look,
					struct snap_writer *writer) MUST_CHECK;

/* What the look's answers and graph have, for a quick start; nothing without answers. */
struct error *snapshot_save_arrays(struct look *look,
				   struct snap_writer *writer) MUST_CHECK;

struct loaded_block {
	uint64_t address, size, degree;
	uint16_t code;
};
DEFINE_VEC(loaded_block_vec, struct loaded_block);

/* Arrays of the graph as they stand in memory (snapshot_arrays.c). */
struct array_piece {
	struct snap_chunk chunk;
	uint32_t array;  /* enum snap_array */
	uint64_t offset; /* of its bytes in the array */
};
DEFINE_VEC(array_piece_vec, struct array_piece);

struct loaded_arrays {
	bool are_there; /* all of them; nothing else of blocks and edges is read then */
	struct array_piece_vec pieces;
	uint64_t sizes[SNAP_ARRAY_NR]; /* bytes */
};
void loaded_arrays_deinit(struct loaded_arrays *arrays);

struct loader {
	unsigned flags; /* enum look_flags */
	struct snap_reader *reader;
	struct look *look;
	struct places *places;
	struct snap_meta meta;
	bool has_meta;
	struct rebuild rebuild;
	struct loaded_arrays arrays;
	struct snap_chunk chunk; /* the one at hand */
	/* Blocks whose edges are being loaded. */
	struct loaded_block_vec blocks;
	size_t block;      /* the one that the next edge belongs to */
	uint64_t taken;    /* edges of it so far */
	bool is_open;      /* it has been given to the rebuild */
	uint64_t nr_whole; /* blocks with all of their edges */
	uint64_t whole_bytes;
	uint64_t nr_placed; /* edges whose places are loaded */
	uint64_t nr_hashes;
	uint64_t
		nr_sited; /* blocks of which it is told what allocated them, or that it is not known */
};

struct error *snapshot_load_types(struct loader *loader,
				  struct unpack *payload) MUST_CHECK;
/* After types. */
struct error *snapshot_load_fields(struct loader *loader,
				   struct unpack *payload) MUST_CHECK;
struct error *snapshot_load_places(struct loader *loader,
				   struct unpack *payload) MUST_CHECK;
struct error *snapshot_load_roots(struct loader *loader,
				  struct unpack *payload) MUST_CHECK;
struct error *snapshot_load_stale(struct loader *loader,
				  struct unpack *payload) MUST_CHECK;
struct error *snapshot_load_spare(struct loader *loader,
				  struct unpack *payload) MUST_CHECK;
struct error *snapshot_load_arenas(struct loader *loader,
				   struct unpack *payload) MUST_CHECK;
struct error *snapshot_load_sites(struct loader *loader,
				  struct unpack *payload) MUST_CHECK;
/* After sites. */
struct error *snapshot_load_block_sites(struct loader *loader,
					struct unpack *payload) MUST_CHECK;
struct error *snapshot_load_frames(struct loader *loader,
				   struct unpack *payload) MUST_CHECK;
struct error *snapshot_load_doubted(struct loader *loader,
				    struct unpack *payload) MUST_CHECK;
struct error *snapshot_load_counts(struct loader *loader,
				   struct unpack *payload) MUST_CHECK;
struct error *snapshot_load_regions(struct loader *loader,
				    struct unpack *payload) MUST_CHECK;
/* After all edges. */
struct error *snapshot_load_edge_places(struct loader *loader,
					struct unpack *payload) MUST_CHECK;
struct error *snapshot_load_far_places(struct loader *loader,
				       struct unpack *payload) MUST_CHECK;
struct error *snapshot_load_every_root(struct loader *loader,
				       struct unpack *payload) MUST_CHECK;
/* Before the rebuild is ready: makes the blocks known to it. */
struct error *snapshot_announce_blocks(struct loader *loader,
				       struct unpack *payload) MUST_CHECK;
struct error *snapshot_load_blocks(struct loader *loader,
				   struct unpack *payload) MUST_CHECK;
struct error *snapshot_load_edges(struct loader *loader,
				  struct unpack *payload) MUST_CHECK;
struct error *snapshot_load_hashes(struct loader *loader,
				   struct unpack *payload) MUST_CHECK;
/* Whether the file has them, before anything else is loaded. */
struct error *snapshot_find_arrays(struct loader *loader) MUST_CHECK;
/* After meta and types. */
struct error *snapshot_load_arrays(struct loader *loader,
				   struct unpack *payload) MUST_CHECK;
/* After the last chunk: the blocks that still wait for edges. */
struct error *snapshot_end_blocks(struct loader *loader) MUST_CHECK;

/* What is wrong with the chunk at hand: "holds a block that …". */
struct error *loader_nonsense(const struct loader *loader, const char *what) MUST_CHECK;

#endif
