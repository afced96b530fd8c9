/*
 * look: what one look at a target saw: a graph of its heap, and all that the answers need
 * besides. Taken here (freeze, stream heap and roots into the graph, thaw), or loaded from
 * a snapshot (snapshot_load.h). It needs neither target nor heap any more.
 */
#ifndef SEEP_ANALYSE_LOOK_H
#define SEEP_ANALYSE_LOOK_H

#include "analyse/arenas.h"
#include "analyse/block_sites.h"
#include "analyse/fields.h"
#include "analyse/frame_table.h"
#include "analyse/nature.h"
#include "analyse/typing.h"
#include "analyse/vm_regions.h"
#include "graph/dominators.h"
#include "graph/graph.h"
#include "heap/heap.h"
#include "target/identity.h"
#include "target/target.h"

/* What kind of place a root is (graph_root.source). */
enum root_source {
	ROOT_GLOBAL, /* initialised or zero data of a module */
	ROOT_STACK,
	ROOT_REGISTER,
	ROOT_MAPPING,    /* memory that nobody is known to manage; TLS is here too */
	ROOT_KERNEL,     /* epoll data, timers */
	ROOT_ALLOCATOR,  /* in the hands of malloc or free at that instant */
	ROOT_UNREADABLE, /* a part of the heap that does not parse */
	/* Sources of stale pointers: */
	STALE_FREED, /* a freed block */
	STALE_STACK, /* below the stack pointer */
};

/* Among graph.places, roots on stacks and in registers also have the id of their thread. */
static inline uint32_t root_source_of(enum root_source kind, pid_t tid)
{
	return (uint32_t)kind | (uint32_t)tid << ROOT_KIND_BITS;
}

static inline pid_t root_thread(const struct graph_root *root)
{
	return (pid_t)(root->source >> ROOT_KIND_BITS);
}

/* Whom the look was at; strings are owned. */
struct subject {
	pid_t pid;
	char *name;      /* "redis-server (412)" */
	char *allocator; /* "glibc 2.36" */
	struct target_identity identity;
};

DEFINE_VEC(rank_vec, uint32_t);

/* A mapping, for whoever groups roots; the name is owned. */
struct look_region {
	uint64_t start, end;
	char *name;
};
DEFINE_VEC(look_region_vec, struct look_region);

/* What takes long to find out of a graph, where it was found before (answers.h): empty otherwise. */
struct answers {
	struct area live;    /* bitmap by rank: what the roots reach */
	struct area cyclic;  /* bitmap by rank: blocks that are on cycles */
	struct area parts;   /* uint32_t by such block, ascending: its component */
	struct area topmost; /* bitmap by rank (topmost.h), of types */
	uint64_t nr_cyclic;  /* of the parts */
	uint64_t nr_roots;
	struct area
		groups; /* uint32_t by root, of every one: its group (root_groups.h) */
	struct dominators dominators;
};
void answers_deinit(struct answers *answers);

struct look {
	struct subject subject;
	struct graph graph;
	struct natures *natures;
	struct typing typing; /* with LOOK_TYPES; else empty */
	struct fields fields; /* of those types */
	struct arenas arenas;
	struct block_sites sites; /* of whom somebody recorded; else empty */
	bool classified; /* natures of all blocks are told, not only those asked for */
	struct answers answers;
	struct area hashes;  /* uint32_t by rank (hashes.h); empty: not wanted */
	uint64_t created_ns; /* of a snapshot: when it was taken, since 1970; 0: now */
	uint64_t pause_ns;   /* the longest of so many looks */
	uint64_t nr_looks;
	uint64_t nr_threads;
	uint64_t unread_bytes; /* of roots: swapped out */
	bool inside;           /* a thread was inside the allocator */
	bool held_incomplete;  /* the kernel holds words that it does not show */
	struct heap_totals totals;
	struct sentence_vec damage; /* what of the heap did not parse, where; owned */
	/* What the target had to say of itself (target.h); owned. */
	struct sentence_vec warnings, notes;
	char *unread_reason; /* "swapped out"; owned */
	bool is_of_core;     /* which has nothing of what the kernel held */
	bool has_contents;   /* loaded of a snapshot that stores the memory, too */
	/* Blocks that count as held though nothing holds them: they were not lost before. */
	struct rank_vec doubted;
	/* With LOOK_PLACES: the mappings, ascending. */
	struct look_region_vec regions;
	struct vm_regions mappings; /* with LOOK_MAPPINGS */
	/* With LOOK_PLACES: the calls that threads were in, as far as they can be told. */
	struct frame_table frames;
	/* Blocks that a file which was cut short lacks, wholly or in part. */
	uint64_t missing_blocks, missing_bytes;
};

enum look_flags {
	/* The nature of every block is told from its words as they pass, and Memcheck's
	   heuristics find what they need; without, look_classify() can do it later for
	   blocks that nobody changes. */
	LOOK_CLASSIFY = 1 << 0,
	LOOK_HASH = 1 << 1,
	LOOK_PLACES = 1 << 2,  /* graph.places.roots: every one */
	LOOK_ANSWERS = 1 << 3, /* all answers that were stored; without, `live` alone */
	/* Of what type each block is, as far as that is certain (typing.h): look.typing has them,
	   and natures_class() their names. Needs LOOK_CLASSIFY. */
	LOOK_TYPES = 1 << 4,
	/* Of a process: what the kernel counts of its mappings at the same stop. */
	LOOK_MAPPINGS = 1 << 5,
	LOOK_EDGE_PLACES =
		1 << 6, /* graph.places.edges: where they stand in their blocks */
};

/* What stands in the block that an address is in, read while the target stood still. */
struct block_bytes {
	uint64_t address;
	struct area memory;
	size_t nr; /* bytes from the block's start on; 0: it could not be read */
};
/* No more of a block is read. */
#define BLOCK_BYTES_MAX ((size_t)1 << 20)

/* How to look. */
struct look_options {
	unsigned flags; /* enum look_flags */
	/* NULL, or called last of all while the target stands still. */
	struct error *(*while_frozen)(void *context, struct target *target);
	void *context;
	struct block_bytes *bytes; /* NULL: of no block */
	uint64_t max_count_ns;     /* with LOOK_MAPPINGS: they take no longer */
	/* With LOOK_TYPES; set by the source of the look. */
	struct types *types;
	struct symbols *symbols;
	const struct heap_span_vec *excluded; /* no roots either; NULL: nothing */
};

/* ERROR_BUSY: nothing was learned, another look may do better. */
struct error *look_take(struct target *target, struct heap *heap,
			const struct look_options *options, struct look *look) MUST_CHECK;

/* What stands in the block that bytes->address is in; memory that cannot be read is not known,
   and that is all. */
struct error *look_read_block(const struct space *space, struct target *target,
			      struct block_bytes *bytes) MUST_CHECK;

/* Reads the first words of these blocks (ascending ranks) from the running target. */
struct error *look_classify(struct look *look, struct target *target,
			    const uint32_t *ranks, uint32_t nr) MUST_CHECK;

/* Bytes that could not be looked into: what only they hold looks lost. */
uint64_t look_unseen_bytes(const struct look *look);

/* Adds what makes an answer about its heap less certain. */
struct error *look_warnings(const struct look *look,
			    struct sentence_vec *warnings) MUST_CHECK;

/* How many threads work on a graph. */
unsigned look_nr_threads(void);
void look_deinit(struct look *look);

#endif
