/*
 * snapshot_contents: the memory of a process for its snapshot, as an ELF core (core_write.h)
 * that waits beside the snapshot until the graph is written.
 */
#ifndef SEEP_ANALYSE_SNAPSHOT_CONTENTS_H
#define SEEP_ANALYSE_SNAPSHOT_CONTENTS_H

#include "base/new_file.h"
#include "snap/writer.h"
#include "target/core_write.h"

struct contents {
	struct new_file file; /* never put in its place */
	const char *path;     /* of the snapshot; the caller's */
	struct core_facts facts;
	struct core_outcome outcome;
};

struct error *contents_init(struct contents *contents, pid_t pid,
			    const char *path) MUST_CHECK;
void contents_deinit(struct contents *contents);

/* For look_options.while_frozen; `context` is the contents. The last look's are kept. */
struct error *contents_take(void *context, struct target *target) MUST_CHECK;
struct error *contents_save(const struct contents *contents,
			    struct snap_writer *writer) MUST_CHECK;

#endif
