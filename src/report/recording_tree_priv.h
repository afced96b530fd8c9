/* recording_tree: what writers of call trees share. */
#ifndef SEEP_REPORT_RECORDING_TREE_PRIV_H
#define SEEP_REPORT_RECORDING_TREE_PRIV_H

#include "model/recording.h"

/* By node: its value without what is below it, where that is more than nothing: pictures have
   no place for less. The caller frees it; NULL when memory ran out. */
uint64_t *recording_tree_own(const struct recording_report *report,
			     enum recording_order order);

/* The same with all that is below it. */
uint64_t *recording_tree_values(const struct recording_report *report,
				enum recording_order order);

/* What a node is called: its function, or the program for node 0. */
void recording_tree_put_name(struct str *out, const struct recording_report *report,
			     uint32_t node);

#endif
