/*
 * recording: the plain result of reading a trace. No behaviour but its end.
 *
 * Frames, functions, modules and files are numbered by their place in their vec, and shared by
 * rows and trees. Strings are owned.
 */
#ifndef SEEP_MODEL_RECORDING_H
#define SEEP_MODEL_RECORDING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"
#include "base/vec.h"

#define RECORDING_NONE      UINT32_MAX /* no such number */
#define RECORDING_LIFETIMES 8u

/* --- where --------------------------------------------------------------------------- */

struct recording_module {
	char *path;     /* NULL: code of no file */
	char *build_id; /* NULL: not known */
	char *why_not;  /* why its file gives no names; NULL: it does, or was not asked */
};
DEFINE_VEC(recording_module_vec, struct recording_module);

struct recording_function {
	char *name;      /* demangled; NULL: all of the module that has no name */
	uint32_t module; /* RECORDING_NONE: not known */
};
DEFINE_VEC(recording_function_vec, struct recording_function);

struct recording_frame {
	uint32_t function;
	uint32_t file;   /* RECORDING_NONE: not known */
	uint32_t line;   /* 0: not known */
	uint64_t offset; /* the module's own address */
	bool is_inlined; /* into the frame behind it, which is of the same call */
};
DEFINE_VEC(recording_frame_vec, struct recording_frame);
DEFINE_VEC(recording_text_vec, char *);
DEFINE_VEC(recording_number_vec, uint32_t);

struct recording_places {
	struct recording_module_vec modules;
	struct recording_function_vec functions;
	struct recording_text_vec files;
	struct recording_frame_vec frames;
};

/* --- how much ------------------------------------------------------------------------ */

/*
 * Transient is what is not persistent: total less live. What is live in a window that begins at a
 * time is growth, and may be less than nothing: live and peak are modulo 2^64, to be taken
 * as int64_t.
 */
struct recording_counts {
	uint64_t allocations, bytes;      /* total */
	uint64_t live_blocks, live_bytes; /* persistent: live at the end */
	uint64_t peak_blocks, peak_bytes; /* live when the whole was at its peak */
	uint64_t temporary;               /* freed by the next event of their thread */
	uint64_t resizes, grown_bytes;    /* of these, and by how much they grew */
	uint64_t largest_bytes;           /* single allocation */
};

enum recording_group {
	RECORDING_BY_SITE, /* the whole stack */
	RECORDING_BY_FUNCTION,
	RECORDING_BY_MODULE,
	RECORDING_BY_THREAD,
	RECORDING_BY_SIZE,
	RECORDING_BY_MARK, /* the time between two marks */
	RECORDING_BY_TYPE, /* what memory was for, as far as stacks tell */
	RECORDING_TOP_DOWN,
	RECORDING_BOTTOM_UP,
	RECORDING_NR_GROUPS,
};

enum recording_order {
	RECORDING_PEAK,
	RECORDING_PERSISTENT,
	RECORDING_TRANSIENT,
	RECORDING_TOTAL,
	RECORDING_ALLOCATIONS,
	RECORDING_TEMPORARY,
	RECORDING_NR_ORDERS,
};

/* "site", "function", …; "peak", "persistent", … */
extern const char *const recording_group_names[RECORDING_NR_GROUPS];
extern const char *const recording_order_names[RECORDING_NR_ORDERS];

/* "under 1 ms", "under 10 ms", …, "longer" */
extern const char *const recording_lifetime_names[RECORDING_LIFETIMES];

/* What rows and trees are sorted by, and what their shares are of. */
int64_t recording_value(const struct recording_counts *counts,
			enum recording_order order);

struct recording_row {
	char *label; /* what the group is, in words */
	struct recording_counts counts;
	uint64_t lifetimes[RECORDING_LIFETIMES]; /* blocks that ended, by their class */
	bool has_lifetimes;
	unsigned depth; /* in a tree; else 0 */
	/* What tells groups of one report apart, and one of the numbers behind it. */
	uint64_t group;
	uint32_t key;
	/* Innermost first; empty unless the group is a site or a place in a tree. */
	struct recording_number_vec frames;
};
DEFINE_VEC(recording_row_vec, struct recording_row);

/* A call tree: a node stands behind its parent; node 0 is the whole. Counts are with all below. */
struct recording_node {
	uint32_t parent, frame;
	struct recording_counts counts;
};
DEFINE_VEC(recording_node_vec, struct recording_node);

/* --- when ---------------------------------------------------------------------------- */

struct recording_point {
	uint64_t peak_bytes, allocations;
};
DEFINE_VEC(recording_point_vec, struct recording_point);

struct recording_mark {
	char *name;
	uint64_t time_us, live_bytes;
};
DEFINE_VEC(recording_mark_vec, struct recording_mark);

/* Another program in the same process; so much of the one before went with it. */
struct recording_execution {
	char *program; /* as it was executed; "": not known */
	uint64_t time_us, blocks, bytes;
};
DEFINE_VEC(recording_execution_vec, struct recording_execution);

/* A single large allocation. */
struct recording_large {
	uint64_t size, time_us;
	bool is_live;
	uint64_t lifetime_us; /* when it is not live */
	uint64_t thread;      /* id */
	struct recording_number_vec frames;
};
DEFINE_VEC(recording_large_vec, struct recording_large);

/* --- one address -------------------------------------------------------------------- */

/* A block that had the address. */
struct recording_block {
	uint64_t address, bytes;
	uint64_t offset; /* of the address in it */
	uint64_t born_us, thread;
	uint32_t generation; /* the mark before it was allocated, plus one; 0: none */
};

enum recording_event_kind {
	RECORDING_ALLOCATED,
	RECORDING_FREED,
	RECORDING_RESIZED,
	RECORDING_EXECUTED,
	RECORDING_NR_EVENT_KINDS,
};

/* "allocated", … */
extern const char *const recording_event_names[RECORDING_NR_EVENT_KINDS];

/* What ended a block that had the address, began one, or both; or the execution of another program,
   whether or not that ended one. */
struct recording_event {
	enum recording_event_kind kind;
	uint64_t time_us, thread; /* an execution is of no thread */
	uint32_t execution;       /* it is this one of the report's */
	bool has_ended, has_begun;
	struct recording_block ended, begun;
	/* That allocated the block that began, else the one that ended: of calls that free none
	   is recorded. */
	struct recording_number_vec frames;
};
DEFINE_VEC(recording_event_vec, struct recording_event);

struct recording_history {
	bool is_asked;
	uint64_t address;
	uint64_t nr_blocks, nr_events;
	bool is_live; /* `live` has the address at the end */
	struct recording_block live;
	struct recording_event_vec events; /* the last ones */
	uint64_t events_left_out;
};

enum recording_end {
	RECORDING_UNKNOWN, /* the trace does not tell */
	RECORDING_EXITED,
	RECORDING_KILLED,
	RECORDING_NR_ENDS,
};

struct recording_summary {
	uint64_t allocations, resizes, frees,
		bytes; /* resizes count as allocations too */
	uint64_t peak_bytes, peak_blocks, peak_us;
	uint64_t live_bytes, live_blocks;
	uint64_t temporary;
	uint64_t strays, lost_events, pauses;
	uint64_t maps, mapped_bytes, unmapped_bytes; /* by the program itself */
	uint64_t threads, sites;
	uint64_t replaced_blocks, replaced_bytes; /* live when another program came */
	uint64_t lifetimes[RECORDING_LIFETIMES];
};

struct recording_report {
	pid_t pid;
	char *target; /* "redis-server (412)" */
	char *file;
	uint64_t start_ns; /* since 1970 */
	bool is_window;    /* not the whole run: from `from_us` to `to_us` */
	uint64_t from_us, to_us;
	bool is_cut; /* the file ends early */
	enum recording_end end;
	unsigned code; /* exit code or signal */
	struct recording_summary summary;
	uint64_t point_us; /* what a point stands for */
	struct recording_point_vec timeline;
	struct recording_mark_vec marks;
	struct recording_execution_vec executions;
	enum recording_group group;
	enum recording_order order;
	struct recording_row_vec rows;
	uint64_t rows_left_out;
	uint64_t large_bytes;             /* what counts as large; 0: not asked */
	struct recording_large_vec large; /* largest first */
	uint64_t large_left_out;
	struct recording_history history;
	struct recording_node_vec tree; /* empty unless asked for */
	struct recording_places places;
	char **warnings; /* NULL-terminated sentences; NULL: none */
};

/* What of two traces differs: groups by what they are called, not by address. */
struct recording_change {
	char *label;
	struct recording_counts before, after;
	struct recording_number_vec frames; /* of `places` of the report it is in */
	bool in_after;                      /* `frames` are of the trace after */
};
DEFINE_VEC(recording_change_vec, struct recording_change);

struct recording_diff {
	struct recording_report *before, *after; /* owned; without rows */
	struct recording_change_vec changes;     /* most grown first, shrunk last */
	uint64_t changes_left_out, unchanged;
};

/* Appends what to call a function: its name, or "??? in libfoo.so". */
void recording_put_function(struct str *out, const struct recording_places *places,
			    uint32_t function);
/* The file name without folders of a module; NULL: it has none. */
const char *recording_module_name(const struct recording_places *places, uint32_t module);

void recording_places_deinit(struct recording_places *places);
void recording_row_deinit(struct recording_row *row);
void recording_rows_deinit(struct recording_row_vec *rows);
void recording_report_destroy(struct recording_report *report);
void recording_diff_destroy(struct recording_diff *diff);

#endif
