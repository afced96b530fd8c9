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
		      const struct recording_number_vec *frames)
{
	struct str stack = { 0 };
	for (size_t i = 0; i < frames->nr; i++) {
		str_puts(&stack, i ? ";" : "");
		recording_put_frame(&stack, &report->places, frames->items[i]);
	}
	put_text(out, str_text(&stack));
	out->failed |= stack.failed;
	str_deinit(&stack);
}

static void put_counts(struct str *out, const struct recording_counts *counts)
{
	const int64_t numbers[] = {
		(int64_t)counts->live_blocks,
		(int64_t)counts->live_bytes,
		(int64_t)(counts->allocations - counts->live_blocks),
		(int64_t)(counts->bytes - counts->live_bytes),
		(int64_t)counts->allocations,
		(int64_t)counts->bytes,
		(int64_t)counts->peak_blocks,
		(int64_t)counts->peak_bytes,
		(int64_t)counts->temporary,
		(int64_t)counts->resizes,
		(int64_t)counts->grown_bytes,
		(int64_t)counts->largest_bytes,
	};
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		str_printf(out, "%" PRId64 ",", numbers[i]);
}

/* Rows of a tree have none, and empty cells. */
static void put_lifetimes(struct str *out, const struct recording_row *row)
{
	for (size_t i = 0; i < RECORDING_LIFETIMES; i++) {
		if (row->has_lifetimes)
			str_printf(out, "%" PRIu64, row->lifetimes[i]);
		str_puts(out, ",");
	}
}

static void put_titles(struct str *out, const struct recording_report *report)
{
	str_puts(out,
		 "persistent_blocks,persistent_bytes,transient_blocks,transient_bytes,"
		 "allocations,total_bytes,peak_blocks,peak_bytes,temporary,resizes,"
		 "grown_bytes,largest_bytes,");
	for (size_t i = 0; i < RECORDING_LIFETIMES; i++)
		str_printf(out, "lived %s,", recording_lifetime_names[i]);
	str_printf(out, "depth,%s,stack\r\n", recording_group_names[report->group]);
}

/* --- one address -------------------------------------------------------------------- */

static void put_event(struct str *out, const struct recording_report *report,
		      const struct recording_event *event)
{
	const struct recording_block *block = event->has_begun ? &event->begun
							       : &event->ended;
	bool is_execution = event->kind == RECORDING_EXECUTED;
	str_printf(out, "%.6f,", (double)event->time_us / 1e6);
	if (!is_execution)
		str_printf(out, "%" PRIu64, event->thread);
	str_printf(out, ",%s,", recording_event_names[event->kind]);
	if (event->has_ended)
		str_printf(out, "0x%" PRIx64 ",%.6f", event->ended.address,
			   (double)(event->time_us - event->ended.born_us) / 1e6);
	str_puts(out, event->has_ended ? "," : ",,");
	if (event->has_begun)
		str_printf(out, "0x%" PRIx64, event->begun.address);
	str_puts(out, ",");
	if (event->has_ended || event->has_begun)
		str_printf(out, "%" PRIu64 ",%" PRIu64, block->bytes, block->offset);
	else
		str_puts(out, ",");
	str_puts(out, ",");
	if (block->generation)
		put_text(out, report->marks.items[block->generation - 1].name);
	str_puts(out, ",");
	if (is_execution)
		put_text(out, report->executions.items[event->execution].program);
	str_puts(out, ",");
	put_stack(out, report, &event->frames);
	str_puts(out, "\r\n");
}

static struct str history_csv(const struct recording_report *report)
{
	struct str out = { 0 };
	str_puts(&out, "time_s,thread,event,ended,lifetime_s,began,bytes,offset,mark,"
		       "program,stack\r\n");
	for (size_t i = 0; i < report->history.events.nr; i++)
		put_event(&out, report, &report->history.events.items[i]);
	return out;
}

/* --- all of it ---------------------------------------------------------------------- */

struct str recording_csv(const struct recording_report *report,
			 const struct report_options *options)
{
	struct str out = { 0 };
	(void)options;
	if (report->history.is_asked)
		return history_csv(report);
	put_titles(&out, report);
	for (size_t i = 0; i < report->rows.nr; i++) {
		const struct recording_row *row = &report->rows.items[i];
		put_counts(&out, &row->counts);
		put_lifetimes(&out, row);
		str_printf(&out, "%u,", row->depth);
		put_text(&out, row->label);
		str_puts(&out, ",");
		put_stack(&out, report, &row->frames);
		str_puts(&out, "\r\n");
	}
	return out;
}
