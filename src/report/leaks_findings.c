/*
 * leaks_findings: the findings of a leaks report, as rows under a heading per kind. The
 * numbers get the columns they need; what a finding is gets the rest, wrapped.
 */
#include "report/leaks_page_priv.h"

#include <inttypes.h>
#include <string.h>

#include "report/layout.h"
#include "report/stack_parts_priv.h"
#include "report/text_parts_priv.h"

#define COLUMN_GAP     2
#define LEAST_ROOM     24 /* columns for what a finding is, or it gets its own line */
#define STACKED_INDENT 4
#define STACK_INDENT   6 /* stacks and source need more room than is left of a line */
#define MAX_GONE       10

static const struct kind_words {
	const char *heading;
	enum layout_colour colour;
} kind_words[LEAK_NR_KINDS] = {
	[LEAK_DEFINITE] = { "definitely lost", LAYOUT_RED },
	[LEAK_INDIRECT] = { "indirectly lost", LAYOUT_RED },
	[LEAK_POSSIBLE] = { "possibly lost", LAYOUT_YELLOW },
	[LEAK_REACHABLE] = { "still reachable", LAYOUT_GREEN },
	[LEAK_SUPPRESSED] = { "suppressed", LAYOUT_DIM },
};

/* --- columns ------------------------------------------------------------------------ */

static void format_retained(struct str *out, const struct leak_finding *finding)
{
	if (leak_finding_has_retained(finding))
		layout_bytes(out, finding->retained_bytes);
	else
		str_puts(out, "-");
}

static void format_bytes(struct str *out, const struct leak_finding *finding)
{
	layout_bytes(out, finding->bytes);
}

static void format_blocks(struct str *out, const struct leak_finding *finding)
{
	layout_count(out, finding->blocks);
}

static const struct leak_column {
	const char *title;
	void (*format)(struct str *out, const struct leak_finding *finding);
} leak_columns[] = {
	{ "retained", format_retained },
	{ "bytes", format_bytes },
	{ "blocks", format_blocks },
};

struct column_widths {
	unsigned of[ARRAY_SIZE(leak_columns)];
	unsigned all;  /* with the gaps */
	unsigned what; /* where the last column begins */
	bool stacked;  /* the last column stands on a line of its own */
};

static void measure_column(const struct leak_column *column,
			   const struct leak_finding_vec *findings, unsigned *width)
{
	for (size_t i = 0; i < findings->nr; i++) {
		struct str cell = { 0 };
		column->format(&cell, &findings->items[i]);
		if (cell.length > *width)
			*width = (unsigned)cell.length;
		str_deinit(&cell);
	}
}

static struct column_widths measure_columns(const struct leaks_report *report,
					    unsigned page_width)
{
	struct column_widths widths = { 0 };
	for (size_t c = 0; c < ARRAY_SIZE(leak_columns); c++) {
		widths.of[c] = (unsigned)strlen(leak_columns[c].title);
		measure_column(&leak_columns[c], &report->findings, &widths.of[c]);
		if (report->diff)
			measure_column(&leak_columns[c], &report->diff->gone,
				       &widths.of[c]);
		widths.all += COLUMN_GAP + widths.of[c];
	}
	widths.all += COLUMN_GAP;
	widths.stacked = page_width < widths.all + LEAST_ROOM;
	widths.what = widths.stacked ? STACKED_INDENT : widths.all;
	return widths;
}

static void put_cell(struct leaks_page *page, const char *text, unsigned width)
{
	layout_spaces(&page->out, COLUMN_GAP);
	layout_right(&page->out, text, width);
}

/* From the end of the numbers to where the last column begins. */
static void put_what_column(struct leaks_page *page, const struct column_widths *widths)
{
	if (widths->stacked)
		str_puts(&page->out, "\n");
	layout_spaces(&page->out, widths->stacked ? widths->what : COLUMN_GAP);
}

static void put_heading(struct leaks_page *page, const struct kind_words *words,
			const struct column_widths *widths)
{
	str_puts(&page->out, "\n");
	layout_colour(&page->out, page->flags, LAYOUT_DIM);
	for (size_t c = 0; c < ARRAY_SIZE(leak_columns); c++)
		put_cell(page, leak_columns[c].title, widths->of[c]);
	layout_plain(&page->out, page->flags);
	put_what_column(page, widths);
	layout_colour(&page->out, page->flags, words->colour);
	str_puts(&page->out, words->heading);
	layout_plain(&page->out, page->flags);
	str_puts(&page->out, "\n");
}

/* --- rows --------------------------------------------------------------------------- */

/* Appends what is in `line` as a dimmed paragraph of details, and empties it. */
static void put_detail(struct leaks_page *page, struct str *line,
		       const struct column_widths *widths)
{
	const struct layout_box box = { .indent = widths->what + COLUMN_GAP,
					.width = page->width };
	layout_wrap_coloured(&page->out, str_text(line), box, page->flags, LAYOUT_DIM);
	page->out.failed |= line->failed;
	str_deinit(line);
}

static bool same_place(const struct leak_example *one, const struct leak_example *other)
{
	if (!one->last_holder || !other->last_holder)
		return one->last_holder == other->last_holder;
	return !strcmp(one->last_holder, other->last_holder);
}

/* Examples of one size and one holder share a paragraph; returns how many did. */
static size_t put_examples(struct leaks_page *page, const struct leak_example *examples,
			   size_t nr, const struct column_widths *widths)
{
	struct str line = { 0 };
	size_t taken = 0;
	for (; taken < nr && examples[taken].size == examples[0].size &&
	       same_place(&examples[taken], &examples[0]);
	     taken++)
		str_printf(&line, "%s0x%" PRIx64, taken ? ", " : "at ",
			   examples[taken].address);
	str_puts(&line, " (");
	layout_bytes(&line, examples[0].size);
	str_puts(&line, taken > 1 ? " each)" : ")");
	if (examples[0].last_holder) {
		str_puts(&line, ", last held by ");
		text_put_name(&line, examples[0].last_holder, page->flags);
	}
	put_detail(page, &line, widths);
	return taken;
}

/* What an earlier look did not see of it. */
static void put_change(struct str *what, const struct leak_finding *finding)
{
	if (finding->change == LEAK_NEW)
		str_puts(what, " (new)");
	if (finding->change != LEAK_GROWN)
		return;
	str_puts(what, " (");
	layout_plural(what, finding->new_blocks, "block");
	str_puts(what, ", ");
	layout_bytes(what, finding->new_bytes);
	str_puts(what, " more)");
}

static void put_what(struct leaks_page *page, const struct leak_finding *finding,
		     const struct column_widths *widths)
{
	struct str what = { 0 };
	text_put_name(&what, finding->type ? finding->type : "block", page->flags);
	if (finding->cycles == 1 && finding->blocks == 1)
		str_puts(&what, " (cycle)");
	else if (finding->cycles) {
		str_puts(&what, " (");
		layout_plural(&what, finding->cycles, "cycle");
		str_puts(&what, ")");
	}
	put_change(&what, finding);
	put_what_column(page, widths);
	layout_wrap(&page->out, str_text(&what),
		    (struct layout_box){ widths->what, page->width, widths->what });
	page->out.failed |= what.failed;
	str_deinit(&what);
}

static void put_finding(struct leaks_page *page, const struct leak_finding *finding,
			const struct column_widths *widths)
{
	for (size_t c = 0; c < ARRAY_SIZE(leak_columns); c++) {
		struct str cell = { 0 };
		leak_columns[c].format(&cell, finding);
		put_cell(page, str_text(&cell), widths->of[c]);
		page->out.failed |= cell.failed;
		str_deinit(&cell);
	}
	put_what(page, finding, widths);

	stack_put(&page->out, &finding->stack, STACK_INDENT, page->width, page->flags);
	struct str line = { 0 };
	if (finding->root) {
		str_puts(&line, "kept by ");
		text_put_name(&line, finding->root, page->flags);
		put_detail(page, &line, widths);
	}
	for (size_t i = 0; i < finding->examples.nr;)
		i += put_examples(page, &finding->examples.items[i],
				  finding->examples.nr - i, widths);
	if (page->flags & REPORT_VERBOSE) {
		str_printf(&line, "fingerprint 0x%016" PRIx64, finding->fingerprint);
		put_detail(page, &line, widths);
	}
}

static void put_gone(struct leaks_page *page, const struct column_widths *widths)
{
	static const struct kind_words words = { "gone", LAYOUT_GREEN };
	const struct leak_finding_vec *gone = &page->report->diff->gone;
	size_t nr_shown = page->flags & REPORT_VERBOSE || gone->nr <= MAX_GONE + 1
				  ? gone->nr
				  : MAX_GONE;
	if (gone->nr)
		put_heading(page, &words, widths);
	for (size_t i = 0; i < nr_shown; i++)
		put_finding(page, &gone->items[i], widths);
	if (nr_shown < gone->nr)
		str_printf(&page->out, "  and %zu more (all of them: -v)\n",
			   gone->nr - nr_shown);
}

static void put_unchanged(struct leaks_page *page)
{
	uint64_t unchanged = page->report->diff->unchanged;
	if (!unchanged)
		return;
	str_puts(&page->out, "\n  ");
	layout_plural(&page->out, unchanged, "finding");
	str_puts(&page->out, " as before, not listed\n");
}

void leaks_put_findings(struct leaks_page *page)
{
	const struct leaks_report *report = page->report;
	struct column_widths widths = measure_columns(report, page->width);
	enum leak_kind kind = LEAK_NR_KINDS;
	for (size_t i = 0; i < report->findings.nr; i++) {
		const struct leak_finding *finding = &report->findings.items[i];
		if (finding->kind != kind)
			put_heading(page, &kind_words[finding->kind], &widths);
		kind = finding->kind;
		put_finding(page, finding, &widths);
	}
	if (report->findings_left_out) {
		str_puts(&page->out, "  and ");
		layout_count(&page->out, report->findings_left_out);
		str_puts(&page->out, " more\n");
	}
	if (report->diff) {
		put_gone(page, &widths);
		put_unchanged(page);
	}
}
