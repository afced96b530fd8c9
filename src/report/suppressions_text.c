/*
 * suppressions_text: what became of the suppressions, for people. One line has the numbers;
 * expired ones are named, since they ask for a decision, and with REPORT_VERBOSE all that are
 * about leaks.
 */
#include <string.h>

#include "report/layout.h"
#include "report/renderers_priv.h"

#define MAX_EXPIRED 5 /* that are named, unless all are asked for */
#define INDENT      4

static const char *const state_words[SUPPRESSION_NR_STATES] = {
	[SUPPRESSION_USED] = "used",
	[SUPPRESSION_UNUSED] = "unused",
	[SUPPRESSION_EXPIRED] = "expired",
	[SUPPRESSION_NEEDS_STACKS] = "in need of call stacks",
	[SUPPRESSION_NOT_ABOUT_LEAKS] = "not about leaks",
};

static size_t count_state(const struct leaks_report *report, int state)
{
	size_t nr = 0;
	for (size_t i = 0; i < report->suppressions.nr; i++)
		nr += (int)report->suppressions.items[i].state == state;
	return nr;
}

static void put_numbers(struct str *out, const struct leaks_report *report,
			unsigned width)
{
	struct str line = { 0 };
	const char *between = ": ";
	layout_plural(&line, report->suppressions.nr, "suppression");
	for (int state = 0; state < SUPPRESSION_NR_STATES; state++) {
		size_t nr = count_state(report, state);
		if (!nr)
			continue;
		str_puts(&line, between);
		layout_count(&line, nr);
		str_printf(&line, " %s", state_words[state]);
		between = ", ";
	}
	layout_wrap(out, str_text(&line), (struct layout_box){ .width = width });
	out->failed |= line.failed;
	str_deinit(&line);
}

static void put_state(struct str *out, const struct leak_suppression *suppression)
{
	str_puts(out, state_words[suppression->state]);
	if (suppression->state == SUPPRESSION_EXPIRED)
		str_printf(out, " on %04u-%02u-%02u", suppression->expires / 10000,
			   suppression->expires / 100 % 100, suppression->expires % 100);
	if (suppression->state != SUPPRESSION_USED)
		return;
	str_puts(out, " for ");
	layout_plural(out, suppression->matched.blocks, "block");
	str_puts(out, " (");
	layout_bytes(out, suppression->matched.bytes);
	str_puts(out, ")");
}

/* "    expired on 2026-01-31: old cache (known.supp:12)" */
static void put_name(struct str *out, const struct leak_suppression *suppression,
		     unsigned flags, unsigned width)
{
	const struct layout_box box = { .indent = INDENT, .width = width };
	struct str line = { 0 };
	put_state(&line, suppression);
	str_puts(&line, ": ");
	layout_escape(&line, suppression->name ? suppression->name : "unnamed", flags);
	if (suppression->file) {
		str_puts(&line, " (");
		layout_escape(&line, suppression->file, flags);
		str_printf(&line, ":%u)", suppression->line);
	}
	layout_wrap_coloured(out, str_text(&line), box, flags,
			     suppression->state == SUPPRESSION_EXPIRED ? LAYOUT_YELLOW
								       : LAYOUT_DIM);
	out->failed |= line.failed;
	str_deinit(&line);
}

void suppressions_text(struct str *out, const struct leaks_report *report, unsigned flags,
		       unsigned width)
{
	bool all = flags & REPORT_VERBOSE;
	size_t nr_expired = 0;
	if (!report->suppressions.nr)
		return;
	put_numbers(out, report, width);
	for (size_t i = 0; i < report->suppressions.nr; i++) {
		const struct leak_suppression *suppression =
			&report->suppressions.items[i];
		bool is_expired = suppression->state == SUPPRESSION_EXPIRED;
		nr_expired += is_expired;
		if (suppression->state == SUPPRESSION_NOT_ABOUT_LEAKS)
			continue;
		if (all || (is_expired && nr_expired <= MAX_EXPIRED))
			put_name(out, suppression, flags, width);
	}
	if (!all && nr_expired > MAX_EXPIRED)
		str_printf(out, "    and %zu more expired (all: -v)\n",
			   nr_expired - MAX_EXPIRED);
}
