/* heap_request: the options of seep/heap.h as the analysis wants them. */
#ifndef SEEP_LIB_HEAP_REQUEST_H
#define SEEP_LIB_HEAP_REQUEST_H

#include "seep/heap.h"
#include "views/heap_views.h"

/* ERROR_USAGE for what makes no sense. `wanted` refers to the trace. */
struct error *heap_request(const struct seep_heap_options *options, bool has_view,
			   struct analyse_heap_options *wanted,
			   struct source_trace *trace) MUST_CHECK;

#endif
