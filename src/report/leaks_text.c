/* leaks_text: a leaks report for people: verdict, findings, summary, warnings, next command. */
#include "report/renderers_priv.h"

#include "report/leaks_page_priv.h"
#include "report/text_parts_priv.h"

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
	return !leaks_is_covered(page->report) && !(page->flags & REPORT_ENDED) &&
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
	leaks_put_verdict(page);
	if (!is_brief || report->findings.nr || report->diff->gone.nr)
		leaks_put_findings(page);
	if (!is_brief) {
		leaks_put_summary(page);
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
	return options->flags & REPORT_RULES ? rules_file(&page.out, report) : page.out;
}
