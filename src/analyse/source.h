/*
 * source: where looks come from. A process that runs, a command that is caught at its end, a
 * file with the memory of one, or a snapshot, in which a look is stored.
 *
 * To add one: fill a source_ops, embed struct source first in your own struct, and give its
 * opener a row in source.c.
 */
#ifndef SEEP_ANALYSE_SOURCE_H
#define SEEP_ANALYSE_SOURCE_H

#include "analyse/look.h"
#include "analyse/places.h"
#include "heap/recorded.h"

/* A command that somebody else records. It waits, as a child of ours, until it is let run. */
struct source_recording {
	pid_t child;
	/* Lets it run, or says why it cannot. */
	struct error *(*go)(void *context, const struct await *await);
	/* It stands still at its end, or has ended: makes *blocks and *trace known, which stay the
	   recorder's. */
	struct error *(*settle)(void *context);
	void *context;
	const struct heap_recording *heap; /* NULL: what was recorded is of no use */
};

/* A trace that a process is recorded into while it is looked at. */
struct source_trace {
	const char *path;
	/* Has whoever writes it write all that happened until now; refuses if the file is not
	   the process's own, or does not tell all. */
	struct error *(*flush)(pid_t pid, const char *path);
};

/* One of pid, command and file is set. */
struct source_options {
	pid_t pid;
	const char *asker;    /* seep's command, for remedies; NULL: "leaks" */
	char *const *command; /* start it and look at its exit */
	int *command_status;  /* if not NULL: its wait status, set by source_close() */
	const char *file;
	const char *sysroot; /* of a core: where the files of its machine are; NULL: / */
	unsigned max_pause_ms;
	unsigned freeze; /* enum target_freeze */
	uint64_t max_copy_bytes;
	bool finds_types; /* looks will be LOOK_TYPES, for which a copy pays earlier */
	bool counts_mappings; /* looks will be LOOK_MAPPINGS: a copy keeps what that takes */
	bool from_memory; /* of a snapshot: its contents, not the look that it holds */
	struct source_recording *recording; /* of `command`; NULL: nobody records it */
	const struct source_trace *trace;   /* of `pid`; NULL: nobody records it */
};

struct source;

struct source_ops {
	/* One look, taken or loaded. Of a bad instant it makes the best it can. */
	struct error *(*look)(struct source *source, const struct look_options *options,
			      struct look *look);
	/* Makes natures_class() and natures_word() of these blocks (ascending ranks) known. */
	struct error *(*name)(struct source *source, struct look *look,
			      const uint32_t *ranks, uint32_t nr);
	void (*close)(struct source *source);
};

struct source {
	const struct source_ops *ops;
	struct places *places; /* names of what holds blocks; owned */
	bool repeatable;       /* another look is another instant */
	const struct source_trace
		*trace; /* NULL: there is none; looks have no sites then */
	/* A process's, for who stores a look; NULL: there is none. */
	struct target *target;
	struct symbols *symbols;
	struct types *types;           /* NULL until a look with LOOK_TYPES */
	struct heap_span_vec excluded; /* memory of who records it: no roots */
};

struct error *source_open(const struct source_options *options,
			  struct source **source) MUST_CHECK;
void source_close(struct source *source);

#endif
