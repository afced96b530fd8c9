/*
 * loaded: the code that a program has loaded, and which stack nodes are in it.
 */
#ifndef SEEP_RECORD_LOADED_H
#define SEEP_RECORD_LOADED_H

#include "base/vec.h"
#include "record/records.h"

/* Nodes from first_node up to end_node with addresses in [start, end) are of it. */
struct loaded {
	uint64_t start, end, bias;
	uint64_t first_node, end_node; /* UINT64_MAX: it was not unloaded */
	char *path, *build_id;         /* owned; NULL: not known */
	bool is_executed; /* the first of a program that another executed: its own */
};
DEFINE_VEC(loaded_vec, struct loaded);

/* False when memory ran out. */
bool loaded_add(struct loaded_vec *all, const struct record_load *load, bool is_executed);
/* The code that starts there was unloaded: nodes from `node` on do not mean it. */
void loaded_end(struct loaded_vec *all, uint64_t start, uint32_t node);
void loaded_deinit(struct loaded_vec *all);

#endif
