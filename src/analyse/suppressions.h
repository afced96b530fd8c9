/*
 * suppressions: rules that say which leaks are known, so that they are counted but not
 * listed. doc/suppressions.md is the manual of the files.
 *
 * A file may hold rules of three sorts, told apart by how each begins: sections of our own,
 * Valgrind's blocks, and the lines of sanitizers. Bad files give ERROR_USAGE with the place.
 *
 * The first rule that matches decides. A rule that names frames of a call stack matches only
 * what a call stack is known of.
 */
#ifndef SEEP_ANALYSE_SUPPRESSIONS_H
#define SEEP_ANALYSE_SUPPRESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"
#include "model/leaks.h"
#include "model/suppressions.h"

/* What the pattern of a frame is compared with. */
enum suppression_part {
	PART_FUNCTION,
	PART_MODULE,
	PART_SOURCE,
	PART_ANY,    /* one of these */
	PART_FRAMES, /* no pattern: any number of frames, or none */
};

struct suppression_frame {
	enum suppression_part part;
	char *pattern;
};
DEFINE_VEC(suppression_frame_vec, struct suppression_frame);

/* What is not said matches anything; all that is said must match. */
struct suppression {
	struct leak_suppression told;
	unsigned kinds;             /* 1 << enum leak_kind */
	char *type, *root, *module; /* patterns */
	uint64_t least_size, most_size;
	uint64_t fingerprint;
	bool has_fingerprint;
	struct suppression_frame_vec frames; /* innermost first */
};
DEFINE_VEC(suppression_vec, struct suppression);

struct suppressions {
	struct suppression_vec rules;
	unsigned today;  /* 20261231; rules that ended before are expired */
	bool has_stacks; /* subjects have calls; otherwise rules with frames need them */
};

/* An empty set; the day is today's, in UTC. */
struct suppressions suppressions_begin(void);
void suppressions_deinit(struct suppressions *set);

/* Each adds rules after those that are there. `text` ends with a NUL that is not counted, and
   is written to. */
struct error *suppressions_read(struct suppressions *set, const char *path) MUST_CHECK;
struct error *suppressions_parse(struct suppressions *set, const char *file, char *text,
				 size_t size) MUST_CHECK;
struct error *suppressions_add_type(struct suppressions *set,
				    const char *pattern) MUST_CHECK;

/* The kinds of blocks (1 << enum leak_kind) that some rule may match; and those among them
   of which some rule asks who holds them. */
unsigned suppressions_kinds(const struct suppressions *set);
unsigned suppressions_held_kinds(const struct suppressions *set);

/* One frame of a call stack; what is unknown is NULL. */
struct suppression_call {
	const char *function, *module, *source;
};

/* What a rule looks at; what is unknown, or is not there, is NULL. */
struct suppression_subject {
	enum leak_kind kind;
	const char *type; /* as reports name it */
	uint64_t size;
	uint64_t fingerprints[3]; /* one for each way to group */
	const char *root;         /* as reports name it */
	const char *symbol;       /* the root's own */
	const char *modules[2];   /* the one that the class is from, the root's */
	const struct suppression_call *calls; /* innermost first */
	size_t nr_calls;
};

/* The first rule that matches; NULL: none. The set keeps it. */
struct suppression *suppressions_match(struct suppressions *set,
				       const struct suppression_subject *subject);
/* Notes that the rule was the reason for not listing a block. */
void suppression_use(struct suppression *rule, uint64_t bytes);

/* Moves what became of each rule to the end of `told`. */
struct error *suppressions_tell(struct suppressions *set,
				struct leak_suppression_vec *told) MUST_CHECK;

#endif
