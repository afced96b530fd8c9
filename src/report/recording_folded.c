/* recording_folded: stacks as lines "outermost;…;innermost value", as flamegraph.pl,
   speedscope and others read them. */
#include "report/renderers_priv.h"

#include <inttypes.h>
#include <stdlib.h>

#include "report/recording_tree_priv.h"

/* Names may not hold what separates them. */
static void put_name(struct str *out, const struct recording_report *report,
		     uint32_t node)
{
	size_t start = out->length;
	recording_tree_put_name(out, report, node);
	for (size_t i = start; i < out->length; i++)
		if (out->text[i] == ';' || out->text[i] == '\n')
			out->text[i] = ':';
}

static void put_path(struct str *out, const struct recording_report *report,
		     uint32_t node, struct recording_number_vec *path)
{
	path->nr = 0;
	for (; node; node = report->tree.items[node].parent)
		out->failed |= !recording_number_vec_push(path, node);
	for (size_t i = path->nr; i-- > 0;) {
		put_name(out, report, path->items[i]);
		str_puts(out, i ? ";" : "");
	}
}

struct str recording_folded(const struct recording_report *report,
			    const struct report_options *options)
{
	struct str out = { 0 };
	struct recording_number_vec path = { 0 };
	uint64_t *own = recording_tree_own(report, report->order);
	(void)options;
	out.failed = !own;
	for (uint32_t node = 0; own && node < report->tree.nr; node++) {
		if (!own[node])
			continue;
		if (node)
			put_path(&out, report, node, &path);
		else
			str_puts(&out, "???");
		str_printf(&out, " %" PRIu64 "\n", own[node]);
	}
	recording_number_vec_deinit(&path);
	free(own);
	return out;
}
