/*
 * root_names: what a root is called in a report.
 */
#ifndef SEEP_ANALYSE_ROOT_NAMES_H
#define SEEP_ANALYSE_ROOT_NAMES_H

#include "analyse/places.h"
#include "graph/graph.h"

/* The variable that a root is, if it is one; what is returned belongs to the places. */
struct symbol_name root_variable(struct places *places, const struct graph_root *root);

/* "global libc.so.6:cache+8", "stack at 0x7ffd…"; NULL: no memory. */
char *root_name(struct places *places, const struct graph_root *root);

#endif
