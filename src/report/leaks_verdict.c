/* leaks_verdict: the first line of a leaks report: what is lost, since when, of whom. */
#include "report/leaks_page_priv.h"

#include "report/layout.h"
#include "report/text_parts_priv.h"

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

void leaks_put_verdict(struct leaks_page *page)
{
	const struct leaks_report *report = page->report;
	struct str verdict = { 0 };
	if (leaks_report_has_leaks(report)) {
		put_leak_verdict(page, &verdict);
	} else {
		str_puts(&verdict, report->diff ? "no new leaks" : "no leaks");
		if (!report->diff && report->kinds[LEAK_SUPPRESSED].blocks)
			str_puts(&verdict, " but suppressed ones");
		str_puts(&verdict, leaks_is_covered(report) ? "" : " found");
		put_since(page, &verdict);
		str_puts(&verdict, " in ");
	}
	text_put_name(&verdict, report->target ? report->target : "the target",
		      page->flags);
	if (report->file) {
		str_puts(&verdict, ", from ");
		text_put_name(&verdict, report->file, page->flags);
	}
	if (!leaks_is_covered(report)) {
		str_puts(&verdict, ", but only ");
		leaks_put_percent(&verdict, report->coverage_percent);
		str_puts(&verdict, " of its heap could be read");
	}

	text_put_verdict(&page->out, &verdict, page->flags, page->width);
}
