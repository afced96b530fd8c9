/*
 * recording: what a trace tells, as a plain result: rows by site, function, …, or a call tree.
 */
#ifndef SEEP_TRACES_RECORDING_H
#define SEEP_TRACES_RECORDING_H

#include "base/error.h"
#include "model/recording.h"
#include "traces/replay.h"

enum recording_flags {
	RECORDING_COLLAPSE = 1 << 0,   /* recursion: a function stands once on a stack */
	RECORDING_HIDE_LIBS = 1 << 1,  /* only calls in the program itself */
	RECORDING_TREE = 1 << 2,       /* also the whole call tree, by functions */
	RECORDING_TREE_LINES = 1 << 3, /* the same, by lines */
};

struct recording_options {
	const char *file;
	enum recording_group group;
	enum recording_order order;
	unsigned flags;    /* enum recording_flags */
	uint32_t max_rows; /* 0: all */
	struct replay_moment from, to;
	bool one_thread;
	uint64_t thread; /* its id */
	uint64_t large_bytes;
	bool has_address; /* one address' history instead of rows */
	uint64_t address;
};

struct error *recording_read(const struct recording_options *options,
			     struct recording_report **result) MUST_CHECK;

/* Growth from one trace to another, by site, function or module; the largest first. */
struct error *recording_compare(const struct recording_options *before,
				const struct recording_options *after,
				struct recording_diff **result) MUST_CHECK;

#endif
