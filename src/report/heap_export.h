/*
 * heap_export: a heap as other programs read it: a .heapsnapshot for Chrome's DevTools and memlab, a drawing of a
 * block's neighbourhood for GraphViz.
 *
 * The text comes bit by bit, so that a heap of any size needs no more memory than itself.
 */
#ifndef SEEP_REPORT_HEAP_EXPORT_H
#define SEEP_REPORT_HEAP_EXPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "graph/entries.h"

/* Whom it belongs to stays with the caller. */
struct heap_export {
	const char *target; /* "redis-server (412)" */
	const struct graph *graph;
	const struct entries *entries; /* with their groups */
	const uint64_t *live;          /* bitmap by rank */
	const uint64_t *retained;      /* by node: blocks, then groups */
	const uint32_t *types;         /* numbers by rank */
	const char *const *type_names;
	size_t nr_types;
	const char *const *group_names; /* entries->nr_groups */
	/* Names of fields, and the number of the one that a word so far into a block is in; SIZE_MAX: it has none. */
	const char *const *field_names;
	size_t nr_fields;
	size_t (*field_at)(const void *context, uint32_t rank, uint64_t offset);
	const void *context;
	/* Of a drawing: */
	uint32_t rank;
	unsigned depth; /* so many pointers from there */
};

/* Where text goes; it is emptied. */
struct heap_export_sink {
	struct error *(*put)(void *context, struct str *text);
	void *context;
};

struct error *heap_export_snapshot(const struct heap_export *heap,
				   const struct heap_export_sink *sink) MUST_CHECK;
struct error *heap_export_dot(const struct heap_export *heap,
			      const struct heap_export_sink *sink) MUST_CHECK;

#endif
