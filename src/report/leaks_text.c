/*
 * leaks_text: a leaks report for people: verdict, findings, summary, warnings, next command.
 *
 * Findings are rows under a heading per kind. The numbers get the columns they need; what a
 * finding is gets the rest, wrapped.
 */
#include "report/renderers_priv.h"

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

/* What every function here needs. */
struct leaks_page {
	struct str out;
	const struct leaks_report *report;
	const struct report_options *options;
	unsigned flags, width;
};

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

/* --- findings ----------------------------------------------------------------------- */

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

static void put_findings(struct leaks_page *page)
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

/* --- verdict ------------------------------------------------------------------------ */

static bool is_covered(const struct leaks_report *report)
{
	return report->coverage_percent >= REPORT_FULL_COVERAGE_PERCENT;
}

/* Cut off, not rounded, so that 98.999 does not look like enough. */
static void put_percent(struct str *out, double percent)
{
	if (!(percent >= 0 && percent <= 100)) {
		str_puts(out, "an unknown part");
		return;
	}
	unsigned hundredths = (unsigned)(percent * 100 + 1e-6);
	str_printf(out, "%u.%02u %%", hundredths / 100, hundredths % 100);
}

/* "3 leaks: ", or nothing when the leaks were not listed. */
static void put_leak_number(struct str *out, const struct leaks_report *report)
{
	uint64_t nr = 0;
	enum leak_kind last = LEAK_NR_KINDS;
	for (size_t i = 0; i < report->findings.nr; i++) {
		last = report->findings.items[i].kind;
		nr += last == LEAK_DEFINITE || last == LEAK_POSSIBLE;
	}
	if (!nr)
		return;
	/* What was left out comes after the last one listed: of its kind or a lesser one. */
	if (report->findings_left_out && last <= LEAK_POSSIBLE)
		str_puts(out, "at least ");
	layout_plural(out, nr, report->diff ? "new leak" : "leak");
}

/* " since monday.seep" */
static void put_since(struct leaks_page *page, struct str *out)
{
	if (!page->report->diff)
		return;
	str_puts(out, " since ");
	if (page->report->diff->from)
		text_put_name(out, page->report->diff->from, page->flags);
	else
		str_puts(out, "the look before");
}

/* What hangs on a lost block is lost with it, so both count. */
static void put_leak_verdict(struct leaks_page *page, struct str *out)
{
	const struct leaks_report *report = page->report;
	const struct leak_count *kinds = report->diff ? report->diff->kinds
						      : report->kinds;
	struct leak_count lost = kinds[LEAK_DEFINITE];
	lost.blocks += kinds[LEAK_INDIRECT].blocks;
	lost.bytes += kinds[LEAK_INDIRECT].bytes;
	struct leak_count possible = kinds[LEAK_POSSIBLE];

	put_leak_number(out, report);
	if (out->length) {
		put_since(page, out);
		str_puts(out, ": ");
	}
	if (lost.blocks) {
		layout_bytes(out, lost.bytes);
		str_puts(out, possible.blocks ? " lost and " : " lost in ");
	}
	if (possible.blocks) {
		layout_bytes(out, possible.bytes);
		str_puts(out, " possibly lost in ");
	}
	layout_plural(out, lost.blocks + possible.blocks, "block");
	str_puts(out, " of ");
}

static void put_verdict(struct leaks_page *page)
{
	const struct leaks_report *report = page->report;
	struct str verdict = { 0 };
	if (leaks_report_has_leaks(report)) {
		put_leak_verdict(page, &verdict);
	} else {
		str_puts(&verdict, report->diff ? "no new leaks" : "no leaks");
		if (!report->diff && report->kinds[LEAK_SUPPRESSED].blocks)
			str_puts(&verdict, " but suppressed ones");
		str_puts(&verdict, is_covered(report) ? "" : " found");
		put_since(page, &verdict);
		str_puts(&verdict, " in ");
	}
	text_put_name(&verdict, report->target ? report->target : "the target",
		      page->flags);
	if (report->file) {
		str_puts(&verdict, ", from ");
		text_put_name(&verdict, report->file, page->flags);
	}
	if (!is_covered(report)) {
		str_puts(&verdict, ", but only ");
		put_percent(&verdict, report->coverage_percent);
		str_puts(&verdict, " of its heap could be read");
	}

	layout_colour(&page->out, page->flags, LAYOUT_BOLD);
	layout_wrap(
		&page->out, str_text(&verdict),
		(struct layout_box){ .indent = 2, .width = page->width, .column = 2 });
	layout_plain(&page->out, page->flags);
	page->out.failed |= verdict.failed;
	str_deinit(&verdict);
}

/* --- summary ------------------------------------------------------------------------ */

static void put_kind_counts(struct str *out, const struct leaks_report *report)
{
	for (int kind = 0; kind < LEAK_NR_KINDS; kind++) {
		struct leak_count count = report->kinds[kind];
		if (kind == LEAK_SUPPRESSED && !count.blocks)
			continue;
		str_printf(out, "%s%s ", kind ? ", " : "", leak_kind_names[kind]);
		layout_count(out, count.blocks);
		if (!count.blocks)
			continue;
		str_puts(out, " (");
		layout_bytes(out, count.bytes);
		str_puts(out, ")");
	}
	str_puts(out, "; ");
}

static void put_coverage(struct str *out, const struct leaks_report *report)
{
	put_percent(out, report->coverage_percent);
	str_puts(out, " of ");
	layout_bytes(out, report->heap_bytes);
	str_puts(out, " of ");
	str_puts(out, report->allocator ? report->allocator : "heap");
	str_puts(out, " read");
	if (report->file)
		return; /* nobody was paused */
	if (report->looks > 1)
		str_printf(out, "; paused %u times, at most %.1f ms", report->looks,
			   report->pause_ms);
	else
		str_printf(out, "; paused for %.1f ms", report->pause_ms);
}

static void put_noise(struct str *out, const struct leaks_report *report)
{
	if (!report->noise.blocks)
		return;
	str_puts(out, "; ");
	layout_plural(out, report->noise.blocks, "block");
	str_puts(out, " (");
	layout_bytes(out, report->noise.bytes);
	str_puts(out, ") of libc and the loader not listed");
}

static void put_freezing(struct str *out, const struct leaks_report *report)
{
	if (report->copied) {
		str_puts(out, "; read through a frozen copy, which came to need ");
		layout_bytes(out, report->copy_bytes);
	} else if (report->why_stopped) {
		str_puts(out, "; stopped and read, not copied: ");
		str_puts(out, report->why_stopped);
	}
}

static void put_numbers(struct str *out, const struct leaks_report *report)
{
	str_puts(out, "; ");
	layout_plural(out, report->threads, "thread");
	str_puts(out, ", ");
	layout_plural(out, report->roots, "root");
	str_puts(out, ", ");
	layout_plural(out, report->edges, "edge");
	str_puts(out, report->strict ? ", strict" : "");
}

static void put_summary(struct leaks_page *page)
{
	struct str raw = { 0 }, visible = { 0 };
	put_kind_counts(&raw, page->report);
	put_coverage(&raw, page->report);
	put_noise(&raw, page->report);
	if (page->flags & REPORT_VERBOSE) {
		put_numbers(&raw, page->report);
		put_freezing(&raw, page->report);
	}
	layout_escape(&visible, str_text(&raw), page->flags);
	str_puts(&page->out, "\n");
	layout_wrap(&page->out, str_text(&visible),
		    (struct layout_box){ .width = page->width });
	page->out.failed |= raw.failed || visible.failed;
	str_deinit(&raw);
	str_deinit(&visible);
}

static void put_notes(struct leaks_page *page)
{
	static const struct text_title title = { "note: ", LAYOUT_DIM };
	char **notes = page->flags & REPORT_VERBOSE ? page->report->notes : NULL;
	for (size_t i = 0; notes && notes[i]; i++)
		text_put_sentence(&page->out, &title, notes[i], page->flags, page->width);
}

/* --- next --------------------------------------------------------------------------- */

static bool is_doctor_next(const struct leaks_page *page)
{
	return !is_covered(page->report) && !(page->flags & REPORT_ENDED) &&
	       !page->report->file;
}

static bool is_rules_next(const struct leaks_page *page)
{
	return page->flags & REPORT_RULES && page->report->findings.nr;
}

static bool is_left_out(const struct leaks_page *page)
{
	return page->report->findings_left_out;
}

static bool is_indirect_next(const struct leaks_page *page)
{
	const struct leaks_report *report = page->report;
	for (size_t i = 0; i < report->findings.nr; i++)
		if (report->findings.items[i].kind == LEAK_INDIRECT)
			return false;
	return report->kinds[LEAK_INDIRECT].blocks;
}

static bool is_json_next(const struct leaks_page *page)
{
	return leaks_report_has_leaks(page->report);
}

static bool is_reachable_next(const struct leaks_page *page)
{
	return !page->report->findings.nr;
}

static bool is_root_next(const struct leaks_page *page)
{
	(void)page;
	return true;
}

/* The first row that applies is what to do next. */
static const struct next_step {
	bool (*applies)(const struct leaks_page *page);
	const char *words, *purpose;
} next_steps[] = {
	{ is_doctor_next, "doctor", "why not all of the heap could be read" },
	{ is_rules_next, "leaks --suppressions known.supp",
	  "what is new, once this is in known.supp" },
	{ is_left_out, "leaks --max-findings all", "the whole list" },
	{ is_indirect_next, "leaks --kinds definite,indirect",
	  "what the lost blocks hold" },
	{ is_json_next, "leaks --json -o leaks.json", "every detail, for programs" },
	{ is_reachable_next, "leaks --kinds reachable --group-by type",
	  "what is still held" },
	{ is_root_next, "leaks --kinds reachable --group-by root", "who holds it" },
};

static void put_next(struct leaks_page *page)
{
	const struct next_step *step = next_steps;
	while (!step->applies(page))
		step++;
	struct str pid = { 0 };
	str_printf(&pid, "%d", (int)page->report->pid);
	const char *again = page->options->again;
	const struct text_next next = { .words = step->words,
					.target = again ? again : str_text(&pid),
					.purpose = step->purpose };
	text_put_next(&page->out, &next, page->flags, page->width);
	page->out.failed |= pid.failed;
	str_deinit(&pid);
}

/* A file of rules, in which the page is a comment. */
static struct str make_rules(struct leaks_page *page)
{
	struct str file = { .failed = page->out.failed };
	rules_put_comment(&file, str_text(&page->out));
	str_puts(&file, page->report->findings.nr ? "\n" : "");
	rules_put(&file, page->report);
	str_deinit(&page->out);
	return file;
}

static struct leaks_page begin_page(const struct leaks_report *report,
				    const struct report_options *options)
{
	struct leaks_page page = {
		.report = report,
		.options = options,
		.flags = options->flags,
		.width = options->width ? options->width : 80,
	};
	if (page.flags & REPORT_RULES)
		page.width -= RULES_COMMENT_WIDTH;
	return page;
}

static void put_body(struct leaks_page *page)
{
	const struct leaks_report *report = page->report;
	bool is_brief = (page->flags & REPORT_BRIEF) && report->diff;
	put_verdict(page);
	if (!is_brief || report->findings.nr || report->diff->gone.nr)
		put_findings(page);
	if (!is_brief) {
		put_summary(page);
		suppressions_text(&page->out, report, page->flags, page->width);
	}
	text_put_warnings(&page->out, report->warnings, page->flags, page->width);
	if (!is_brief)
		put_notes(page);
}

struct str leaks_text_body(const struct leaks_report *report,
			   const struct report_options *options)
{
	struct leaks_page page = begin_page(report, options);
	put_body(&page);
	return page.out;
}

struct str leaks_text(const struct leaks_report *report,
		      const struct report_options *options)
{
	struct leaks_page page = begin_page(report, options);
	put_body(&page);
	if (!(page.flags & REPORT_BRIEF) || !report->diff)
		put_next(&page);
	return options->flags & REPORT_RULES ? make_rules(&page) : page.out;
}
