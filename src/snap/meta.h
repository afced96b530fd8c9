/*
 * meta: what a snapshot says of itself and of the process that it was taken of.
 *
 * A zeroed struct is one that knows nothing: 0 and NULL stand for unknown.
 */
#ifndef SEEP_SNAP_META_H
#define SEEP_SNAP_META_H

#include "base/error.h"
#include "base/sentences.h"
#include "snap/pack.h"

enum snap_meta_flags {
	SNAP_META_HELD_INCOMPLETE =
		1 << 0,              /* the kernel holds words that it does not show */
	SNAP_META_INSIDE = 1 << 1,   /* a thread was inside the allocator */
	SNAP_META_CONTENTS = 1 << 2, /* a core follows the graph */
	SNAP_META_OF_CORE = 1 << 3,  /* taken of a core, not of a process */
};

struct snap_meta {
	uint64_t created_ns; /* since 1970 */
	uint64_t flags;      /* enum snap_meta_flags */
	/* With the boot id, these tell one process from all others of one machine. */
	uint64_t pid, started; /* started: clock ticks after boot */
	uint64_t pause_ns, looks;
	uint64_t nr_threads, nr_blocks, nr_edges, nr_roots;
	/* The allocator's account; all of blocks in use are in the graph. */
	uint64_t mapped_bytes, parsed_bytes;
	uint64_t used_blocks, used_bytes, free_chunks, free_bytes, own_blocks, own_bytes;
	uint64_t heap_unread_bytes, root_unread_bytes;
	/* Owned. */
	char *target, *allocator, *host, *boot_id, *seep_version, *unread_reason;
	struct sentence_vec damage; /* what of the heap did not parse */
	struct sentence_vec warnings, notes;
};

void snap_meta_pack(const struct snap_meta *meta, struct pack *payload);
/* Fills a zeroed meta; what a newer version added is left out. False: it is nonsense. */
bool snap_meta_unpack(struct unpack *payload, struct snap_meta *meta);
void snap_meta_deinit(struct snap_meta *meta);

#endif
