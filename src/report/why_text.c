/* why_text: why a process has so much memory resident, for people. */
#include "report/renderers_priv.h"

#include <inttypes.h>

#include "report/text_parts_priv.h"

#define AMOUNT_WIDTH  10u
#define PERCENT_WIDTH 8u
#define COLUMN_WIDTH  10u
#define ARENA_COLUMN  8u
/* No less of a name is told, however narrow the terminal is. */
#define NAME_LEAST    12u
#define ARENA_WIDTH   11u
#define MOST_PARTS    5u /* of a kind, or arenas, or types, unless all are asked for */
#define LEAST_PERCENT 0.05
#define INDENT        2u
#define NAME_COLUMN   (INDENT + AMOUNT_WIDTH + PERCENT_WIDTH + 2u)

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
	{ 1u << WHY_FREE, "freed and kept by malloc" },
	{ 1u << WHY_METADATA | 1u << WHY_SLACK, "malloc's own" },
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

/* Largest first: what most of it is comes before what the rest is. */
static void put_shares(struct str *out, const struct why_report *report)
{
	const char *lead = ": ";
	unsigned told = 0;
	for (;;) {
		size_t largest = ARRAY_SIZE(verdict_parts);
		uint64_t most = 0;
		for (size_t i = 0; i < ARRAY_SIZE(verdict_parts); i++) {
			uint64_t sum = sum_of(report, verdict_parts[i].kinds);
			if (sum <= most || told >> i & 1)
				continue;
			largest = i;
			most = sum;
		}
		if (percent_of(report, most) < 0.5)
			return;
		str_printf(out, "%s%.0f %% %s", lead, percent_of(report, most),
			   verdict_parts[largest].words);
		told |= 1u << largest;
		lead = ", ";
	}
}

static void put_verdict(struct why_page *page)
{
	const struct why_report *report = page->report;
	struct str verdict = { 0 };
	layout_escape(&verdict, report->target ? report->target : "the process",
		      page->flags);
	str_puts(&verdict, " has ");
	layout_bytes(&verdict, report->rss_bytes);
	str_puts(&verdict, " resident");
	put_shares(&verdict, report);
	if (report->is_trim_known) {
		str_puts(&verdict, "; malloc_trim would give back ");
		layout_bytes(&verdict, report->trim_bytes);
	}
	text_put_verdict(&page->out, &verdict, page->flags, page->width);
}

/* --- tables ------------------------------------------------------------------------- */

static void put_cell(struct why_page *page, struct str *text, unsigned width)
{
	layout_right(&page->out, str_text(text), width);
	page->out.failed |= text->failed;
	str_deinit(text);
}

static void put_size(struct why_page *page, uint64_t bytes, unsigned width)
{
	struct str text = { 0 };
	layout_bytes(&text, bytes);
	put_cell(page, &text, width);
}

static void put_count(struct why_page *page, uint64_t count, unsigned width)
{
	struct str text = { 0 };
	layout_count(&text, count);
	put_cell(page, &text, width);
}

/* As much of a name as there is room for on a line. */
static void put_name(struct why_page *page, const char *name, unsigned column)
{
	unsigned room = page->width > column + NAME_LEAST ? page->width - column
							  : NAME_LEAST;
	text_put_short_name(&page->out, name, page->flags, room);
}

/* A line of titles, above columns that end where theirs do. */
static void put_titles(struct why_page *page, const char *line)
{
	layout_colour(&page->out, page->flags, LAYOUT_DIM);
	str_puts(&page->out, line);
	layout_plain(&page->out, page->flags);
	str_puts(&page->out, "\n");
}

static void put_paragraph(struct why_page *page, struct str *text)
{
	const struct layout_box box = { .indent = INDENT, .width = page->width };
	layout_wrap(&page->out, str_text(text), box);
	page->out.failed |= text->failed;
	str_deinit(text);
}

/* "and 12 more": what stands in a table's last line. */
static void put_rest(struct why_page *page, size_t nr, const char *what)
{
	struct str text = { 0 };
	str_puts(&text, "and ");
	layout_count(&text, nr);
	str_printf(&text, " more%s%s", *what ? " " : "", what);
	layout_colour(&page->out, page->flags, LAYOUT_DIM);
	str_puts(&page->out, str_text(&text));
	layout_plain(&page->out, page->flags);
	str_puts(&page->out, "\n");
	str_deinit(&text);
}

/* --- the parts ---------------------------------------------------------------------- */

static void put_amount(struct why_page *page, uint64_t bytes)
{
	struct str percent = { 0 };
	layout_spaces(&page->out, INDENT);
	put_size(page, bytes, AMOUNT_WIDTH);
	str_printf(&percent, "%.1f %%", percent_of(page->report, bytes));
	put_cell(page, &percent, PERCENT_WIDTH);
	layout_spaces(&page->out, 2);
}

/* From a column on, and to the end of the line. */
static void put_part_name(struct why_page *page, const struct why_part *part,
			  unsigned column)
{
	struct str count = { 0 };
	if (part->kind == WHY_LIVE && part->count != 1) {
		str_puts(&count, ", ");
		layout_count(&count, part->count);
		str_puts(&count, " of them");
	}
	put_name(page, part->name, column + layout_columns(str_text(&count)));
	str_printf(&page->out, "%s\n", str_text(&count));
	str_deinit(&count);
}

static void put_part(struct why_page *page, const struct why_part *part)
{
	put_amount(page, part->bytes);
	layout_spaces(&page->out, INDENT);
	put_part_name(page, part, NAME_COLUMN + INDENT);
}

/* What is not worth a line of its own is told as one. */
static bool is_told(const struct why_page *page, const struct why_part *part, size_t nr)
{
	return page->flags & REPORT_VERBOSE ||
	       (nr < MOST_PARTS &&
		percent_of(page->report, part->bytes) >= LEAST_PERCENT);
}

static void put_parts_of(struct why_page *page, const struct why_part *parts, size_t nr)
{
	size_t told = 0;
	uint64_t rest = 0;
	while (told < nr && is_told(page, &parts[told], told))
		put_part(page, &parts[told++]);
	for (size_t i = told; i < nr; i++)
		rest += parts[i].bytes;
	if (told == 0 || told == nr)
		return;
	put_amount(page, rest);
	layout_spaces(&page->out, INDENT);
	put_rest(page, nr - told, "");
}

/* A single part stands beside its kind. */
static void put_kind(struct why_page *page, const struct why_part *parts, size_t nr)
{
	const enum why_kind kind = parts->kind;
	put_amount(page, page->report->kinds[kind]);
	layout_colour(&page->out, page->flags,
		      kind == WHY_OPAQUE ? LAYOUT_YELLOW : LAYOUT_BOLD);
	str_puts(&page->out, why_kind_names[kind]);
	layout_plain(&page->out, page->flags);
	str_puts(&page->out, nr == 1 ? ": " : "\n");
	if (nr == 1)
		put_part_name(page, parts,
			      NAME_COLUMN + layout_columns(why_kind_names[kind]) + 2);
	else
		put_parts_of(page, parts, nr);
}

/* The parts of a kind stand together. */
static size_t parts_of(const struct why_part_vec *parts, enum why_kind kind, size_t *nr)
{
	size_t first = 0;
	while (first < parts->nr && parts->items[first].kind != kind)
		first++;
	for (*nr = 0; first + *nr < parts->nr; ++*nr)
		if (parts->items[first + *nr].kind != kind)
			break;
	return first;
}

static void put_residual(struct why_page *page)
{
	int64_t residual = page->report->residual_bytes;
	struct str text = { 0 };
	str_puts(&text, residual < 0 ? "-" : "");
	layout_bytes(&text, (uint64_t)(residual < 0 ? -residual : residual));
	layout_spaces(&page->out, INDENT);
	put_cell(page, &text, AMOUNT_WIDTH);
	layout_spaces(&page->out, PERCENT_WIDTH + 2);
	str_puts(&page->out, residual
				     ? "in the kernel's sum, and not in its page tables\n"
				     : "left over\n");
}

/* Kinds with the most of it first. */
static void put_ledger(struct why_page *page)
{
	const struct why_report *report = page->report;
	unsigned told = 0;
	str_puts(&page->out, "\n");
	put_titles(page, "        size   share  of what is resident");
	for (;;) {
		size_t largest = WHY_NR_KINDS;
		for (size_t i = 0; i < WHY_NR_KINDS; i++)
			if (!(told >> i & 1) && report->kinds[i] &&
			    (largest == WHY_NR_KINDS ||
			     report->kinds[i] > report->kinds[largest]))
				largest = i;
		if (largest == WHY_NR_KINDS)
			break;
		size_t nr, first = parts_of(&report->parts, (enum why_kind)largest, &nr);
		told |= 1u << largest;
		put_kind(page, &report->parts.items[first], nr);
	}
	put_residual(page);
}

static void put_beside(struct why_page *page)
{
	struct str text = { 0 };
	str_puts(&text, "  Beside it: ");
	layout_bytes(&text, page->report->page_table_bytes);
	str_puts(&text, " of page tables, ");
	layout_bytes(&text, page->report->kernel_stack_bytes);
	str_puts(&text, " of kernel stacks, ");
	layout_bytes(&text, page->report->swapped_bytes);
	str_puts(&text, " swapped out.");
	put_paragraph(page, &text);
}

/* --- pins --------------------------------------------------------------------------- */

static void put_pin(struct why_page *page, const struct why_pin *pin)
{
	layout_spaces(&page->out, INDENT);
	put_size(page, pin->free_bytes, AMOUNT_WIDTH);
	put_count(page, pin->pages, COLUMN_WIDTH);
	put_count(page, pin->blocks, COLUMN_WIDTH);
	put_size(page, pin->bytes, COLUMN_WIDTH);
	str_puts(&page->out, "  ");
	put_name(page, pin->type, INDENT + 4 * COLUMN_WIDTH + 2);
	str_puts(&page->out, "\n");
}

static void put_pins(struct why_page *page)
{
	const struct why_report *report = page->report;
	struct str text = { 0 };
	if (!report->pinned_pages)
		return;
	str_puts(&page->out, "\n");
	layout_bytes(&text, report->pinned_bytes);
	str_puts(&text, " are free on ");
	layout_plural(&text, report->pinned_pages, "page");
	str_puts(&text, " that live blocks pin: on each at least half is free.");
	put_paragraph(page, &text);
	put_titles(page, "        free     pages    blocks     bytes  pinned by");
	size_t nr = page->flags & REPORT_VERBOSE ? report->pins.nr : MOST_PARTS;
	for (size_t i = 0; i < report->pins.nr && i < nr; i++)
		put_pin(page, &report->pins.items[i]);
	if (nr >= report->pins.nr)
		return;
	layout_spaces(&page->out, INDENT + 4 * COLUMN_WIDTH + 2);
	put_rest(page, report->pins.nr - nr, "types");
}

/* --- arenas ------------------------------------------------------------------------- */

static void put_arena(struct why_page *page, size_t i)
{
	const struct why_arena *arena = &page->report->arenas.items[i];
	struct str name = { 0 };
	str_printf(&name, arena->is_main ? "main" : "%zu", i);
	layout_spaces(&page->out, INDENT);
	str_printf(&page->out, "%-*s", (int)ARENA_WIDTH - (int)INDENT, str_text(&name));
	put_size(page, arena->system_bytes, ARENA_COLUMN);
	put_size(page, arena->live_bytes, ARENA_COLUMN);
	put_size(page, arena->tcache_bytes, ARENA_COLUMN);
	put_size(page, arena->fast_bytes + arena->binned_bytes, ARENA_COLUMN);
	put_size(page, arena->top_bytes, ARENA_COLUMN);
	put_count(page, arena->threads, ARENA_COLUMN);
	str_puts(&page->out, "\n");
	str_deinit(&name);
}

static void put_limit(struct str *text, const struct why_report *report)
{
	str_puts(text, "there can be ");
	layout_count(text, report->arena_limit);
	if (report->is_limit_set)
		str_puts(text, ", as MALLOC_ARENA_MAX, a tunable or mallopt() says.");
	else
		str_printf(text, ", 8 for each of %" PRIu64 " processor%s.",
			   report->processors, report->processors == 1 ? "" : "s");
}

static void put_arenas(struct why_page *page)
{
	const struct why_report *report = page->report;
	struct str text = { 0 };
	size_t nr = page->flags & REPORT_VERBOSE ? report->arenas.nr : MOST_PARTS;
	if (!report->arenas.nr)
		return;
	str_puts(&page->out, "\n");
	layout_plural(&text, report->arenas.nr, "arena");
	str_puts(&text, " for ");
	layout_plural(&text, report->threads, "thread");
	if (report->arenas.nr > 1)
		str_puts(&text, ": the main one, and one more for each thread that "
				"allocated when no other was free");
	str_puts(&text, "; ");
	put_limit(&text, report);
	put_paragraph(page, &text);
	put_titles(page, "  arena        size    live  cached    free  at end threads");
	for (size_t i = 0; i < report->arenas.nr && i < nr; i++)
		put_arena(page, i);
	if (nr >= report->arenas.nr)
		return;
	layout_spaces(&page->out, INDENT);
	put_rest(page, report->arenas.nr - nr, "");
}

/* --- the page ----------------------------------------------------------------------- */

static void put_freezing(struct why_page *page)
{
	const struct why_report *report = page->report;
	struct str text = { 0 };
	str_puts(&page->out, "\n");
	if (report->copied)
		str_printf(&text, "Stopped for %.1f ms, and read through a frozen copy",
			   report->pause_ms);
	else
		str_printf(&text, "Stopped for %.1f ms while it was read",
			   report->pause_ms);
	if (report->copied && (page->flags & REPORT_VERBOSE)) {
		str_puts(&text, ", which came to need ");
		layout_bytes(&text, report->copy_bytes);
	}
	if (report->why_stopped && (page->flags & REPORT_VERBOSE)) {
		str_puts(&text, ", not copied: ");
		layout_escape(&text, report->why_stopped, page->flags);
	}
	str_puts(&text, ".");
	put_paragraph(page, &text);
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
	put_ledger(&page);
	put_beside(&page);
	put_pins(&page);
	put_arenas(&page);
	put_freezing(&page);
	text_put_warnings(&page.out, report->warnings, page.flags, page.width);
	put_unknown(&page);
	str_printf(&pid, "%d", (int)report->pid);
	const struct text_next leaks = { "leaks", str_text(&pid), "what it has lost" };
	const struct text_next vm = { "vm --interleaved", str_text(&pid),
				      "mapping by mapping" };
	text_put_next(&page.out, report->allocator ? &leaks : &vm, page.flags,
		      page.width);
	str_deinit(&pid);
	return page.out;
}
