/* recording_tree: see recording_tree_priv.h. */
#include "report/recording_tree_priv.h"

#include <stdlib.h>

/* A child stands behind its parent. */
uint64_t *recording_tree_own(const struct recording_report *report,
			     enum recording_order order)
{
	const struct recording_node_vec *tree = &report->tree;
	uint64_t *own = calloc(tree->nr + 1, sizeof(*own));
	for (size_t i = 0; own && i < tree->nr; i++) {
		uint64_t value = (uint64_t)recording_value(&tree->items[i].counts, order);
		own[i] += value;
		if (i)
			own[tree->items[i].parent] -= value;
	}
	for (size_t i = 0; own && i < tree->nr; i++)
		if ((int64_t)own[i] < 0)
			own[i] = 0;
	return own;
}

uint64_t *recording_tree_values(const struct recording_report *report,
				enum recording_order order)
{
	uint64_t *values = recording_tree_own(report, order);
	for (size_t i = values ? report->tree.nr : 0; i-- > 1;)
		values[report->tree.items[i].parent] += values[i];
	return values;
}

void recording_tree_put_name(struct str *out, const struct recording_report *report,
			     uint32_t node)
{
	const struct recording_frame_vec *frames = &report->places.frames;
	if (!node)
		str_puts(out, report->target);
	else
		recording_put_function(
			out, &report->places,
			frames->items[report->tree.items[node].frame].function);
}
