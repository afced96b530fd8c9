/*
 * recording_priv: what the parts of recording.c share: stacks, rows and trees of one trace.
 */
#ifndef SEEP_TRACES_RECORDING_PRIV_H
#define SEEP_TRACES_RECORDING_PRIV_H

#include "base/map.h"
#include "traces/recording.h"
#include "traces/recording_frames.h"

/* Types by number; see recording_type(). */
struct recording_types {
	struct recording_text_vec labels;
	struct map numbers; /* plus one, by hash of the label */
	struct map by_node; /* plus one */
};

/* A trace that was replayed, and the report being made of it. */
struct recording_work {
	const struct recording_options *options;
	struct trace_reader *reader;
	const struct trace *trace;
	struct replay replay;
	struct recording_frames *frames;
	struct recording_types types;
	struct recording_report *report;
};

/* Opens, replays, and begins the report; recording_work_deinit() is due in any case. */
struct error *recording_work_begin(struct recording_work *work,
				   const struct recording_options *options) MUST_CHECK;
/* At the end: what makes the report less certain. */
struct error *recording_work_warn(struct recording_work *work) MUST_CHECK;
void recording_work_deinit(struct recording_work *work);

/* Replay's key for what the rows are. */
enum replay_key recording_key(enum recording_group group);

/* What there is of a key. */
struct recording_counts recording_counts_of(const struct recording_work *work,
					    uint32_t key);
void recording_counts_add(struct recording_counts *sum,
			  const struct recording_counts *counts);

/* --- stacks (recording_stacks.c) ----------------------------------------------------- */

/*
 * The stack that a node stands for, innermost frame first, in place of what was in `stack`:
 * without what allocates for others, without libraries if they are hidden, and with each function
 * once if recursion is to collapse.
 */
struct error *recording_stack(struct recording_work *work, uint32_t node,
			      struct recording_number_vec *stack) MUST_CHECK;

/* The innermost frame of that, RECORDING_NONE if it is empty. */
struct error *recording_innermost(struct recording_work *work, uint32_t node,
				  uint32_t *frame) MUST_CHECK;

/* --- types (recording_types.c) -------------------------------------------------------- */

/* What a request's blocks are for, as a number of work->types.labels: a type that their stack
   tells, or "unknown, 24-byte block". */
struct error *recording_type(struct recording_work *work, uint32_t request,
			     uint64_t *number) MUST_CHECK;
void recording_types_deinit(struct recording_types *types);

/* --- one address (recording_history.c) ------------------------------------------------- */

struct error *recording_tell_history(struct recording_work *work) MUST_CHECK;

/* --- rows (recording_rows.c) and trees (recording_tree.c) ------------------------------ */

/* Rows of all groups, unsorted and without names. */
struct error *recording_rows_make(struct recording_work *work,
				  struct recording_row_vec *rows) MUST_CHECK;

/* Gives a row its label, and the frames that it has. */
struct error *recording_row_name(struct recording_work *work,
				 struct recording_row *row) MUST_CHECK;

/* Sorts rows by the order, the largest first, and leaves `max_rows` of them. */
void recording_rows_cut(struct recording_work *work, struct recording_row_vec *rows);

/* The whole call tree: from the outermost call in, or from the innermost out. */
struct error *recording_tree_make(struct recording_work *work, bool bottom_up,
				  bool by_line,
				  struct recording_node_vec *tree) MUST_CHECK;

/* The part of a tree that is worth showing, as rows. */
struct error *recording_tree_rows(struct recording_work *work,
				  const struct recording_node_vec *tree,
				  struct recording_row_vec *rows) MUST_CHECK;

#endif
