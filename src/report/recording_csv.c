/* recording_csv: the rows of what a trace tells, for spreadsheets (RFC 4180). */
#include "report/renderers_priv.h"

#include <inttypes.h>
#include <string.h>

#include "report/recording_parts_priv.h"

static void put_text(struct str *out, const char *text)
{
	str_puts(out, "\"");
	for (; *text; text++)
		str_append(out, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
	str_puts(out, "\"");
}

static void put_stack(struct str *out, const struct recording_report *report,
		      const struct recording_row *row)
{
	struct str stack = { 0 };
	for (size_t i = 0; i < row->frames.nr; i++) {
		str_puts(&stack, i ? ";" : "");
		recording_put_frame(&stack, &report->places, row->frames.items[i]);
	}
	put_text(out, str_text(&stack));
	out->failed |= stack.failed;
	str_deinit(&stack);
}

static void put_counts(struct str *out, const struct recording_counts *counts)
{
	const uint64_t numbers[] = {
		counts->live_blocks,
		counts->live_bytes,
		counts->allocations - counts->live_blocks,
		counts->bytes - counts->live_bytes,
		counts->allocations,
		counts->bytes,
		counts->peak_blocks,
		counts->peak_bytes,
		counts->temporary,
		counts->resizes,
		counts->grown_bytes,
		counts->largest_bytes,
	};
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		str_printf(out, "%" PRIu64 ",", numbers[i]);
}

struct str recording_csv(const struct recording_report *report,
			 const struct report_options *options)
{
	struct str out = { 0 };
	(void)options;
	str_printf(&out,
		   "persistent_blocks,persistent_bytes,transient_blocks,transient_bytes,"
		   "allocations,total_bytes,peak_blocks,peak_bytes,temporary,resizes,"
		   "grown_bytes,largest_bytes,depth,%s,stack\r\n",
		   recording_group_names[report->group]);
	for (size_t i = 0; i < report->rows.nr; i++) {
		const struct recording_row *row = &report->rows.items[i];
		put_counts(&out, &row->counts);
		str_printf(&out, "%u,", row->depth);
		put_text(&out, row->label);
		str_puts(&out, ",");
		put_stack(&out, report, row);
		str_puts(&out, "\r\n");
	}
	return out;
}
