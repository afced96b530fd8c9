/*
 * leaks: the plain result of one look for leaks. No behaviour but its end.
 *
 * Strings are owned by the result unless they are `const char *` to static text.
 */
#ifndef SEEP_MODEL_LEAKS_H
#define SEEP_MODEL_LEAKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/vec.h"
#include "model/stack.h"
#include "model/suppressions.h"

/* Memcheck's words and order of strength; suppressed overrides any kind. */
enum leak_kind {
	LEAK_DEFINITE,
	LEAK_INDIRECT,
	LEAK_POSSIBLE,
	LEAK_REACHABLE,
	LEAK_SUPPRESSED,
	LEAK_NR_KINDS,
};

/* "definite", "indirect", "possible", "reachable", "suppressed" */
extern const char *const leak_kind_names[LEAK_NR_KINDS];

/* One block, shown as an example of its finding. */
struct leak_example {
	uint64_t address;
	uint64_t size;     /* usable bytes */
	char *last_holder; /* who holds it or held it last; NULL: unknown */
};
DEFINE_VEC(leak_example_vec, struct leak_example);

/* What a comparison with an earlier look tells of a finding. */
enum leak_change {
	LEAK_NOT_COMPARED,
	LEAK_UNCHANGED,
	LEAK_NEW,
	LEAK_GROWN,
	LEAK_NR_CHANGES,
};

/* NULL, "unchanged", "new", "grown" */
extern const char *const leak_change_names[LEAK_NR_CHANGES];

struct leak_finding {
	enum leak_kind kind;
	uint64_t blocks, bytes; /* of this kind, in this group */
	/* With all that only they keep alive. Known for definite ones alone: for blocks that
	   are held it takes the dominators of the whole heap. */
	uint64_t retained_bytes, retained_blocks;
	uint64_t cycles; /* how many of the blocks stand for a lost cycle */
	char *type;      /* "class Node", "32-byte block of text", … */
	char *root;      /* the root that keeps it (kind reachable or possible); NULL */
	struct call_stack stack; /* that allocated them; no frames: not known */
	uint64_t fingerprint;
	struct leak_example_vec examples; /* a few, lowest addresses first */
	enum leak_change change;
	uint64_t new_blocks, new_bytes; /* of its blocks, when it was compared */
};
DEFINE_VEC(leak_finding_vec, struct leak_finding);

/* How a report differs from an earlier look; its findings are those that are new or grown. */
struct leaks_diff {
	char *from;        /* the snapshot of that look; NULL: the look before this one */
	bool same_process; /* blocks were compared by address, not by number */
	struct leak_count kinds[LEAK_NR_KINDS]; /* what is new of each */
	struct leak_finding_vec gone;           /* without examples; worst first */
	uint64_t unchanged;                     /* findings, which are not listed */
};

/* How many blocks are of a type that is known. */
struct leaks_types {
	bool asked; /* else all else is 0 */
	struct leak_count known, all;
};

struct leaks_report {
	pid_t pid;
	char *target;    /* "redis-server (412)" */
	char *file;      /* that it was read from; NULL: a process */
	char *allocator; /* "glibc 2.36" */
	struct leak_count kinds[LEAK_NR_KINDS];
	struct leak_count noise; /* the allocator's, loader's, libc's own: not listed */
	uint64_t heap_bytes;     /* that the allocator has mapped */
	uint64_t parsed_bytes;   /* of those, understood */
	double coverage_percent;
	double pause_ms;     /* the longest of the looks */
	unsigned looks;      /* how often the target was stopped */
	bool copied;         /* looked at through a frozen copy; else stopped and read */
	uint64_t copy_bytes; /* private pages that the copy came to have */
	char *why_stopped;   /* why there was no copy; NULL: none was asked for */
	uint64_t threads, roots, edges;
	bool strict;
	struct leaks_types types;
	struct leak_finding_vec findings; /* worst first: kind, then retained bytes */
	uint64_t findings_left_out;
	struct leak_suppression_vec suppressions; /* in the order in which they apply */
	char **warnings;         /* NULL-terminated sentences; NULL: none */
	char **notes;            /* what is good to know but changes nothing; likewise */
	struct leaks_diff *diff; /* NULL: not compared */
};

/* Whether there are leaks that count: since the earlier look, if there was one. */
static inline bool leaks_report_has_leaks(const struct leaks_report *report)
{
	const struct leak_count *kinds = report->diff ? report->diff->kinds
						      : report->kinds;
	return kinds[LEAK_DEFINITE].blocks || kinds[LEAK_POSSIBLE].blocks;
}

static inline bool leak_finding_has_retained(const struct leak_finding *finding)
{
	return finding->kind == LEAK_DEFINITE;
}

/* Ends what it owns. */
void leak_finding_deinit(struct leak_finding *finding);
void leak_findings_deinit(struct leak_finding_vec *findings);
void leaks_report_destroy(struct leaks_report *report);

#endif
