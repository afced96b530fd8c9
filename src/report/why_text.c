/* why_text: why a process has so much memory resident, for people. */
#include "report/renderers_priv.h"

#include <inttypes.h>

#include "report/text_parts_priv.h"

#define AMOUNT_WIDTH  10u
#define PERCENT_WIDTH 7u
#define MOST_PARTS    5u /* of a kind, unless all are asked for */
#define MOST_PINS     5u
#define NAME_INDENT   4u

struct why_page {
	struct str out;
	const struct why_report *report;
	unsigned flags, width;
};

/* --- the verdict -------------------------------------------------------------------- */

/* Kinds that a verdict puts together. */
static const struct verdict_part {
	unsigned kinds; /* bits by enum why_kind */
	const char *words;
} verdict_parts[] = {
	{ 1u << WHY_LIVE, "live blocks" },
	{ 1u << WHY_FREE | 1u << WHY_METADATA | 1u << WHY_SLACK,
	  "what malloc keeps free or needs itself" },
	{ 1u << WHY_FILE, "pages of files" },
	{ 1u << WHY_STACK | 1u << WHY_DEAD_STACK, "stacks" },
	{ 1u << WHY_GLOBALS | 1u << WHY_TLS, "variables" },
	{ 1u << WHY_SHARED_MEMORY | 1u << WHY_NAMED | 1u << WHY_DEVICE | 1u << WHY_KERNEL,
	  "other mappings" },
	{ 1u << WHY_OPAQUE, "opaque" },
};

static uint64_t sum_of(const struct why_report *report, unsigned kinds)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < WHY_NR_KINDS; i++)
		sum += kinds >> i & 1 ? report->kinds[i] : 0;
	return sum;
}

static double percent_of(const struct why_report *report, uint64_t bytes)
{
	return report->rss_bytes ? 100.0 * (double)bytes / (double)report->rss_bytes : 0;
}

static void put_verdict(struct why_page *page)
{
	const struct why_report *report = page->report;
	struct str verdict = { 0 };
	const char *lead = ": ";
	layout_escape(&verdict, report->target ? report->target : "the process",
		      page->flags);
	str_puts(&verdict, " has ");
	layout_bytes(&verdict, report->rss_bytes);
	str_puts(&verdict, " resident");
	for (size_t i = 0; i < ARRAY_SIZE(verdict_parts); i++) {
		double percent =
			percent_of(report, sum_of(report, verdict_parts[i].kinds));
		if (percent < 0.5)
			continue;
		str_printf(&verdict, "%s%.0f %% %s", lead, percent,
			   verdict_parts[i].words);
		lead = ", ";
	}
	if (report->is_trim_known) {
		str_puts(&verdict, "; malloc_trim would give back ");
		layout_bytes(&verdict, report->trim_bytes);
	}
	text_put_verdict(&page->out, &verdict, page->flags, page->width);
}

/* --- the parts ---------------------------------------------------------------------- */

static void put_amount(struct why_page *page, uint64_t bytes)
{
	struct str size = { 0 }, percent = { 0 };
	layout_bytes(&size, bytes);
	str_printf(&percent, "%.1f %%", percent_of(page->report, bytes));
	layout_right(&page->out, str_text(&size), AMOUNT_WIDTH);
	layout_right(&page->out, str_text(&percent), PERCENT_WIDTH + 1);
	page->out.failed |= size.failed || percent.failed;
	str_deinit(&size);
	str_deinit(&percent);
}

static void put_kind(struct why_page *page, enum why_kind kind)
{
	str_puts(&page->out, "  ");
	put_amount(page, page->report->kinds[kind]);
	layout_colour(&page->out, page->flags,
		      kind == WHY_OPAQUE ? LAYOUT_YELLOW : LAYOUT_BOLD);
	str_printf(&page->out, "  %s\n", why_kind_names[kind]);
	layout_plain(&page->out, page->flags);
}

static void put_part(struct why_page *page, const struct why_part *part)
{
	str_puts(&page->out, "  ");
	put_amount(page, part->bytes);
	layout_spaces(&page->out, NAME_INDENT);
	text_put_name(&page->out, part->name, page->flags);
	if (part->kind == WHY_LIVE && part->count != 1) {
		str_puts(&page->out, " (");
		layout_count(&page->out, part->count);
		str_puts(&page->out, " of them)");
	}
	str_puts(&page->out, "\n");
}

/* The parts of one kind, from the i-th on; returns where the next kind begins. */
static size_t put_parts(struct why_page *page, size_t i)
{
	const struct why_part_vec *parts = &page->report->parts;
	const enum why_kind kind = parts->items[i].kind;
	size_t nr = 0, first = i;
	uint64_t rest = 0;
	put_kind(page, kind);
	for (; i < parts->nr && parts->items[i].kind == kind; i++) {
		if (i - first < MOST_PARTS || (page->flags & REPORT_VERBOSE)) {
			put_part(page, &parts->items[i]);
			continue;
		}
		rest += parts->items[i].bytes;
		nr++;
	}
	if (!nr)
		return i;
	str_puts(&page->out, "  ");
	put_amount(page, rest);
	layout_spaces(&page->out, NAME_INDENT);
	str_printf(&page->out, "and %zu more\n", nr);
	return i;
}

static void put_residual(struct why_page *page)
{
	int64_t residual = page->report->residual_bytes;
	struct str text = { 0 };
	str_puts(&text, residual < 0 ? "-" : "");
	layout_bytes(&text, (uint64_t)(residual < 0 ? -residual : residual));
	str_puts(&page->out, "  ");
	layout_right(&page->out, str_text(&text), AMOUNT_WIDTH);
	layout_spaces(&page->out, PERCENT_WIDTH + 1);
	str_puts(&page->out,
		 "  residual: in the kernel's sum, and not in its page tables\n");
	str_deinit(&text);
}

/* --- sentences ---------------------------------------------------------------------- */

static void put_paragraph(struct why_page *page, struct str *text)
{
	const struct layout_box box = { .indent = 4, .width = page->width, .column = 2 };
	str_puts(&page->out, "  ");
	layout_wrap(&page->out, str_text(text), box);
	page->out.failed |= text->failed;
	str_deinit(text);
}

static void put_beside(struct why_page *page)
{
	struct str text = { 0 };
	str_puts(&text, "beside what is resident: ");
	layout_bytes(&text, page->report->page_table_bytes);
	str_puts(&text, " of page tables, ");
	layout_bytes(&text, page->report->kernel_stack_bytes);
	str_puts(&text, " of kernel stacks, ");
	layout_bytes(&text, page->report->swapped_bytes);
	str_puts(&text, " swapped out");
	put_paragraph(page, &text);
}

static void put_pin(struct why_page *page, const struct why_pin *pin)
{
	struct str text = { 0 };
	layout_bytes(&text, pin->free_bytes);
	str_puts(&text, " by ");
	layout_plural(&text, pin->blocks, "block");
	str_puts(&text, " (");
	layout_bytes(&text, pin->bytes);
	str_puts(&text, ") on ");
	layout_plural(&text, pin->pages, "page");
	str_puts(&text, ": ");
	text_put_name(&text, pin->type, page->flags);
	layout_spaces(&page->out, 2);
	put_paragraph(page, &text);
}

static void put_pins(struct why_page *page)
{
	const struct why_report *report = page->report;
	struct str text = { 0 };
	if (!report->pinned_pages)
		return;
	layout_bytes(&text, report->pinned_bytes);
	str_puts(&text, " are free on ");
	layout_plural(&text, report->pinned_pages, "page");
	str_puts(&text, " that live blocks pin, at least half of each:");
	put_paragraph(page, &text);
	size_t nr = page->flags & REPORT_VERBOSE ? report->pins.nr : MOST_PINS;
	for (size_t i = 0; i < report->pins.nr && i < nr; i++)
		put_pin(page, &report->pins.items[i]);
	if (nr < report->pins.nr)
		str_printf(&page->out, "      and by blocks of %zu more types\n",
			   report->pins.nr - nr);
}

static void put_limit(struct str *text, const struct why_report *report)
{
	str_puts(text, "; there can be ");
	layout_count(text, report->arena_limit);
	if (report->is_limit_set)
		str_puts(text, ", as MALLOC_ARENA_MAX, a tunable or mallopt() says");
	else
		str_printf(text, ", 8 for each of %" PRIu64 " processor%s",
			   report->processors, report->processors == 1 ? "" : "s");
}

static void put_arenas(struct why_page *page)
{
	const struct why_report *report = page->report;
	struct str text = { 0 };
	if (!report->arenas.nr)
		return;
	layout_plural(&text, report->arenas.nr, "arena");
	str_puts(&text,
		 report->arenas.nr > 1
			 ? ": the main one, and one more for each new thread that "
			   "allocated when no other was free ("
			 : ": the main one, for threads that allocate get others (");
	layout_plural(&text, report->threads, "thread");
	str_puts(&text, " now)");
	put_limit(&text, report);
	put_paragraph(page, &text);
	for (size_t i = 0; i < report->arenas.nr; i++) {
		const struct why_arena *arena = &report->arenas.items[i];
		if (i >= MOST_PARTS && !(page->flags & REPORT_VERBOSE))
			break;
		struct str row = { 0 };
		str_printf(&row, arena->is_main ? "main arena: " : "arena %zu: ", i);
		layout_bytes(&row, arena->system_bytes);
		str_puts(&row, ", of which ");
		layout_bytes(&row, arena->live_bytes);
		str_puts(&row, " live, ");
		layout_bytes(&row, arena->tcache_bytes + arena->fast_bytes +
					   arena->binned_bytes);
		str_puts(&row, " free in lists, ");
		layout_bytes(&row, arena->top_bytes);
		str_puts(&row, " at its end; ");
		layout_plural(&row, arena->threads, "thread");
		layout_spaces(&page->out, 2);
		put_paragraph(page, &row);
	}
}

static void put_unknown(struct why_page *page)
{
	static const struct text_title title = { "note: ", LAYOUT_DIM };
	if (page->report->unknown)
		text_put_sentence(&page->out, &title, page->report->unknown, page->flags,
				  page->width);
	for (char **note = page->report->notes; note && *note; note++)
		text_put_sentence(&page->out, &title, *note, page->flags, page->width);
}

struct str why_text(const struct why_report *report, const struct report_options *options)
{
	struct why_page page = {
		.report = report,
		.flags = options->flags,
		.width = options->width ? options->width : 80,
	};
	struct str pid = { 0 };
	put_verdict(&page);
	for (size_t i = 0; i < report->parts.nr;)
		i = put_parts(&page, i);
	put_residual(&page);
	put_beside(&page);
	put_pins(&page);
	put_arenas(&page);
	text_put_warnings(&page.out, report->warnings, page.flags, page.width);
	put_unknown(&page);
	str_printf(&pid, "%d", (int)report->pid);
	const struct text_next next = { "leaks", str_text(&pid), "what it has lost" };
	text_put_next(&page.out, &next, page.flags, page.width);
	str_deinit(&pid);
	return page.out;
}
