/*
 * format: the bytes that snapshot and trace files begin with, and those before each chunk.
 * doc/FORMAT.md is the manual; all numbers are little-endian.
 */
#ifndef SEEP_SNAP_FORMAT_H
#define SEEP_SNAP_FORMAT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	      "headers are written as they stand in memory");

/* Not text, and damaged by whatever changes line ends or the eighth bit. */
#define SNAP_MAGIC      "\x89SEEP\r\n\x1a"
#define SNAP_MAGIC_SIZE 8u

#define SNAP_MAJOR 1u /* readers refuse another one */
#define SNAP_MINOR 0u /* readers take any */

enum snap_kind {
	SNAP_KIND_SNAPSHOT = 1,
	SNAP_KIND_TRACE = 2,
};

struct snap_file_header {
	char magic[SNAP_MAGIC_SIZE];
	uint16_t major, minor;
	uint32_t kind;     /* enum snap_kind */
	uint64_t checksum; /* of the bytes before it */
};
static_assert(sizeof(struct snap_file_header) == 24, "doc/FORMAT.md");

enum snap_type {
	SNAP_META = 1,
	SNAP_REGIONS = 2,
	SNAP_MODULES = 3,
	SNAP_THREADS = 4,
	SNAP_DOUBTED = 5,
	SNAP_TYPES = 6,
	SNAP_PLACES = 7,
	SNAP_ROOTS = 8,
	SNAP_STALE = 9,
	SNAP_BLOCKS = 10,
	SNAP_EDGES = 11,
	SNAP_HASHES = 12,
	SNAP_CORE = 13,
	SNAP_END = 15,
	SNAP_SITES = 16,
	SNAP_BLOCK_SITES = 17,
	SNAP_ARENAS = 18,
	SNAP_FIELDS = 19,
	SNAP_EDGE_PLACES = 24,
	SNAP_FAR_PLACES = 25,
	SNAP_EVERY_ROOT = 26,
	SNAP_ARRAYS = 27,
	SNAP_FRAMES = 28,
	SNAP_SPARE = 29,
	SNAP_COUNTS = 31,
	/* The arrays that SNAP_ARRAYS tells of (enum snap_array): one type each, pieces in order. */
	SNAP_ARRAY_FIRST = 64,
	SNAP_ARRAY_LAST = 79,
	/* Others: reserved (doc/FORMAT.md), or of traces (trace.h). */
};

enum snap_array {
	SNAP_ARRAY_GROUPS,      /* struct space_group */
	SNAP_ARRAY_ROWS,        /* struct graph_row */
	SNAP_ARRAY_EDGES,       /* by index */
	SNAP_ARRAY_CODES,       /* natures by rank */
	SNAP_ARRAY_LIVE,        /* bitmap by rank: what the roots reach */
	SNAP_ARRAY_CYCLIC,      /* bitmap by rank: what is on a cycle */
	SNAP_ARRAY_PARENTS,     /* of the dominator tree, by node */
	SNAP_ARRAY_RETAINED,    /* by node */
	SNAP_ARRAY_ROOT_GROUPS, /* by root */
	SNAP_ARRAY_PARTS,       /* components by block that is on a cycle */
	SNAP_ARRAY_TOPMOST, /* bitmap by rank: of their type no block dominates them */
	SNAP_ARRAY_NR,
};

enum snap_flags {
	SNAP_ZSTD = 1 << 0, /* the stored payload is one zstd frame */
};

struct snap_chunk_header {
	uint32_t type; /* enum snap_type */
	uint16_t version;
	uint16_t flags;            /* enum snap_flags */
	uint64_t stored_size;      /* of the payload, which follows this header */
	uint64_t plain_size;       /* of the payload, once expanded */
	uint64_t payload_checksum; /* of the stored payload */
	uint64_t header_checksum;  /* of the bytes before it */
};
static_assert(sizeof(struct snap_chunk_header) == 40, "doc/FORMAT.md");

/* What a reader must be ready to hold, and a writer must not exceed, at a time. */
#define SNAP_CHUNK_MAX (16u << 20)

/* Every piece of an array but its last has so many bytes. */
#define SNAP_PIECE_BYTES (4u << 20)

/* "blocks"; "unknown" for a type of a later version. */
const char *snap_type_name(uint32_t type);

/* XXH3, 64 bits, without a seed. */
uint64_t snap_checksum(const void *bytes, size_t size);

#endif
