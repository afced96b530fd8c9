/*
 * vm_text: what the memory of processes is made of, for people: a verdict, then a table of
 * types or of regions with as many columns as there is room for.
 */
#include "report/renderers_priv.h"

#include <inttypes.h>
#include <string.h>

#include "report/text_parts_priv.h"

#define PAGE_BYTES    4096u
#define COLUMN_WIDTH  10u
#define TYPE_WIDTH    16u
#define ACCESS_WIDTH  6u   /* with the spaces around it */
#define ADDRESS_WIDTH 12   /* digits of all addresses but vsyscall's */
#define WIDE          120u /* columns that have room for names with their folders */

struct vm_page {
	struct str out;
	const struct vm_report *report;
	unsigned flags, width;
	unsigned columns; /* bits by enum vm_column: those that are shown */
	unsigned known;   /* of these, by all of the processes */
	unsigned used;    /* width that is taken */
};

static const char *const column_titles[VM_NR_COLUMNS] = {
	[VM_VIRTUAL] = "virtual", [VM_RESIDENT] = "resident",
	[VM_DIRTY] = "dirty",     [VM_CLEAN] = "clean",
	[VM_SWAPPED] = "swapped", [VM_RECLAIMABLE] = "lazyfree",
	[VM_LOCKED] = "locked",   [VM_PRIVATE] = "private",
	[VM_SHARED] = "shared",   [VM_SHARE] = "share",
	[VM_HUGE] = "huge",       [VM_FOOTPRINT] = "footprint",
};

/* Which columns to show where there is no room for all. Those of the second kind are shown
   before those of the first where they are not all zeros. */
static const struct column_wish {
	enum vm_column column;
	bool unless_zero;
} column_wishes[] = {
	{ VM_FOOTPRINT, false }, { VM_RESIDENT, false },   { VM_VIRTUAL, false },
	{ VM_SWAPPED, true },    { VM_RECLAIMABLE, true }, { VM_HUGE, true },
	{ VM_DIRTY, false },     { VM_SHARE, false },      { VM_LOCKED, true },
	{ VM_PRIVATE, false },   { VM_SHARED, false },     { VM_CLEAN, false },
};

static void put_size(struct vm_page *page, struct str *out, uint64_t bytes)
{
	if (page->flags & REPORT_PAGES)
		layout_count(out, bytes / PAGE_BYTES);
	else
		layout_bytes(out, bytes);
}

/* --- the table ---------------------------------------------------------------------- */

static uint64_t most_of(const struct vm_report *report, enum vm_column column)
{
	uint64_t most = 0;
	for (size_t i = 0; i < report->processes.nr; i++) {
		uint64_t bytes = report->processes.items[i].total.bytes[column];
		most = bytes > most ? bytes : most;
	}
	return most;
}

static void choose_columns(struct vm_page *page, unsigned taken_width)
{
	page->known = ~0u;
	page->used = taken_width;
	for (size_t i = 0; i < page->report->processes.nr; i++)
		page->known &= page->report->processes.items[i].known;
	page->columns = 0;
	for (size_t i = 0; i < ARRAY_SIZE(column_wishes); i++) {
		const struct column_wish *wish = &column_wishes[i];
		bool is_empty = wish->unless_zero && !most_of(page->report, wish->column);
		if (is_empty || page->used + COLUMN_WIDTH > page->width)
			continue;
		page->columns |= 1u << wish->column;
		page->used += COLUMN_WIDTH;
	}
}

static void put_titles(struct vm_page *page, const char *first, unsigned first_width,
		       bool has_regions)
{
	layout_colour(&page->out, page->flags, LAYOUT_DIM);
	str_printf(&page->out, "  %-*s", (int)first_width, first);
	if (has_regions)
		layout_right(&page->out, "regions", COLUMN_WIDTH);
	for (size_t i = 0; i < VM_NR_COLUMNS; i++)
		if (page->columns >> i & 1)
			layout_right(&page->out, column_titles[i], COLUMN_WIDTH);
	layout_plain(&page->out, page->flags);
	str_puts(&page->out, "\n");
}

static void put_sizes(struct vm_page *page, const struct vm_sizes *sizes)
{
	for (size_t i = 0; i < VM_NR_COLUMNS; i++) {
		struct str size = { 0 };
		if (!(page->columns >> i & 1))
			continue;
		if (!(page->known >> i & 1))
			str_puts(&size, "?");
		else if (sizes->bytes[i])
			put_size(page, &size, sizes->bytes[i]);
		else
			str_puts(&size, "0");
		layout_right(&page->out, str_text(&size), COLUMN_WIDTH);
		page->out.failed |= size.failed;
		str_deinit(&size);
	}
}

static void put_count(struct vm_page *page, uint64_t count)
{
	struct str text = { 0 };
	layout_count(&text, count);
	layout_right(&page->out, str_text(&text), COLUMN_WIDTH);
	page->out.failed |= text.failed;
	str_deinit(&text);
}

static void put_row(struct vm_page *page, const char *type, uint64_t regions,
		    const struct vm_sizes *sizes)
{
	str_printf(&page->out, "  %-*s", (int)TYPE_WIDTH, type);
	put_count(page, regions);
	put_sizes(page, sizes);
	str_puts(&page->out, "\n");
}

static void put_types(struct vm_page *page, const struct vm_process *process)
{
	choose_columns(page, 2 + TYPE_WIDTH + COLUMN_WIDTH);
	put_titles(page, "type", TYPE_WIDTH, true);
	for (size_t i = 0; i < process->rows.nr; i++)
		put_row(page, process->rows.items[i].type, process->rows.items[i].regions,
			&process->rows.items[i].sizes);
	put_row(page, "all", process->regions.nr, &process->total);
}

/* Without its folders where there is little room. */
static void put_region_name(struct vm_page *page, const char *name, unsigned name_width)
{
	const unsigned taken = page->used - name_width + 2;
	const unsigned room = page->width > taken + name_width ? page->width - taken
							       : name_width;
	const char *slash = strrchr(name, '/');
	if (*name == '/' && slash[1] && (page->width < WIDE || strlen(name) > room))
		name = slash + 1;
	if (!*name)
		return;
	str_puts(&page->out, "  ");
	text_put_short_name(&page->out, name, page->flags, room);
}

/* The virtual size stands for the end where there is little room. */
static void put_addresses(struct vm_page *page, const struct vm_region *region)
{
	str_printf(&page->out, "  %0*" PRIx64, ADDRESS_WIDTH, region->start);
	if (page->width >= WIDE)
		str_printf(&page->out, "-%0*" PRIx64, ADDRESS_WIDTH, region->end);
}

static void put_regions(struct vm_page *page, const struct vm_process *process)
{
	const bool is_wide = page->width >= WIDE;
	const unsigned addresses = is_wide ? 2 * ADDRESS_WIDTH + 1 : ADDRESS_WIDTH;
	const unsigned first_width = addresses + ACCESS_WIDTH + TYPE_WIDTH;
	const unsigned name_width = is_wide ? 30 : 12;
	choose_columns(page, 2 + first_width + name_width);
	put_titles(page, is_wide ? "region" : "region at", first_width, false);
	for (size_t i = 0; i < process->regions.nr; i++) {
		const struct vm_region *region = &process->regions.items[i];
		put_addresses(page, region);
		str_printf(&page->out, " %s %-*s", region->access, (int)TYPE_WIDTH,
			   region->type);
		put_sizes(page, &region->sizes);
		put_region_name(page, region->name ? region->name : "", name_width);
		str_puts(&page->out, "\n");
	}
}

/* --- sentences ---------------------------------------------------------------------- */

static void put_part(struct str *out, const char **lead, uint64_t bytes, const char *what)
{
	if (!bytes)
		return;
	str_puts(out, *lead);
	layout_bytes(out, bytes);
	str_printf(out, " %s", what);
	*lead = ", ";
}

static void put_name(struct vm_page *page, struct str *out,
		     const struct vm_process *process)
{
	layout_escape(out, process->target ? process->target : "the process",
		      page->flags);
}

static void put_unknown_verdict(struct vm_page *page, const struct vm_process *process,
				struct str *verdict)
{
	put_name(page, verdict, process);
	str_puts(verdict, " had ");
	layout_plural(verdict, process->regions.nr, "mapping");
	str_puts(verdict, " of ");
	layout_bytes(verdict, process->total.bytes[VM_VIRTUAL]);
}

static void put_verdict(struct vm_page *page, const struct vm_process *process)
{
	struct str verdict = { 0 };
	const char *lead = ": ";
	const uint64_t swapped = process->swap_share_bytes;
	const uint64_t column = process->total.bytes[VM_FOOTPRINT];
	if (!vm_knows(process, VM_FOOTPRINT)) {
		put_unknown_verdict(page, process, &verdict);
		text_put_verdict(&page->out, &verdict, page->flags, page->width);
		return;
	}
	put_name(page, &verdict, process);
	str_puts(&verdict, " has a footprint of ");
	layout_bytes(&verdict, process->footprint_bytes);
	put_part(&verdict, &lead, column > swapped ? column - swapped : 0, "dirty");
	put_part(&verdict, &lead, swapped, "swapped out");
	put_part(&verdict, &lead, process->page_table_bytes, "of page tables");
	put_part(&verdict, &lead, process->kernel_stack_bytes, "of kernel stacks");
	str_puts(&verdict, "; ");
	layout_bytes(&verdict, process->total.bytes[VM_RESIDENT]);
	str_puts(&verdict, " are resident");
	text_put_verdict(&page->out, &verdict, page->flags, page->width);
}

static void put_paragraph(struct vm_page *page, struct str *text)
{
	layout_wrap(
		&page->out, str_text(text),
		(struct layout_box){ .indent = 2, .width = page->width, .column = 0 });
	page->out.failed |= text->failed;
	str_deinit(text);
}

static void put_compressed(struct vm_page *page)
{
	const struct vm_compressed *compressed = &page->report->compressed;
	struct str text = { 0 };
	if (!compressed->where)
		return;
	str_puts(&text, "  of what is swapped out, about ");
	layout_bytes(&text, compressed->compressed_bytes);
	str_printf(&text, " stand in %s and take about ", compressed->where);
	layout_bytes(&text, compressed->memory_bytes);
	str_puts(&text, " of memory (an estimate: as the whole system's swap does)");
	put_paragraph(page, &text);
}

static void put_together(struct vm_page *page)
{
	const struct vm_together *together = &page->report->together;
	struct str verdict = { 0 };
	layout_count(&verdict, page->report->processes.nr);
	str_puts(&verdict, " processes have ");
	layout_bytes(&verdict, together->resident_bytes);
	str_puts(&verdict, " resident together");
	if (together->is_exact) {
		str_puts(&verdict, ", of which ");
		layout_bytes(&verdict, together->shared_bytes);
		str_puts(&verdict, " are shared and counted once");
	} else {
		str_puts(&verdict, ", by their shares");
	}
	str_puts(&verdict, "; one by one it would be ");
	layout_bytes(&verdict, together->sum_bytes);
	str_puts(&verdict, ". Their footprint is ");
	layout_bytes(&verdict, together->footprint_bytes);
	text_put_verdict(&page->out, &verdict, page->flags, page->width);
	str_puts(&page->out, "\n");
}

static void put_notes(struct vm_page *page)
{
	static const struct text_title title = { "note: ", LAYOUT_DIM };
	for (char **note = page->report->notes; note && *note; note++)
		text_put_sentence(&page->out, &title, *note, page->flags, page->width);
}

static void put_next(struct vm_page *page)
{
	const struct vm_process *process = &page->report->processes.items[0];
	struct str pid = { 0 };
	str_printf(&pid, "%d", (int)process->pid);
	const struct text_next next = { "why", str_text(&pid), "what is on these pages" };
	if (vm_knows(process, VM_RESIDENT))
		text_put_next(&page->out, &next, page->flags, page->width);
	str_deinit(&pid);
}

struct str vm_text(const struct vm_report *report, const struct report_options *options)
{
	struct vm_page page = {
		.report = report,
		.flags = options->flags,
		.width = options->width ? options->width : 80,
	};
	if (report->processes.nr > 1)
		put_together(&page);
	for (size_t i = 0; i < report->processes.nr; i++) {
		const struct vm_process *process = &report->processes.items[i];
		put_verdict(&page, process);
		if (options->flags & REPORT_REGIONS)
			put_regions(&page, process);
		else
			put_types(&page, process);
		str_puts(&page.out, i + 1 < report->processes.nr ? "\n" : "");
	}
	put_compressed(&page);
	text_put_warnings(&page.out, report->warnings, page.flags, page.width);
	put_notes(&page);
	put_next(&page);
	return page.out;
}

/* --- changes ------------------------------------------------------------------------ */

static const struct vm_row *find_row(const struct vm_process *process, const char *type)
{
	for (size_t i = 0; process && i < process->rows.nr; i++)
		if (!strcmp(process->rows.items[i].type, type))
			return &process->rows.items[i];
	return NULL;
}

static const struct vm_process *find_process(const struct vm_report *report, pid_t pid)
{
	for (size_t i = 0; i < report->processes.nr; i++)
		if (report->processes.items[i].pid == pid)
			return &report->processes.items[i];
	return NULL;
}

static void put_signed(struct str *out, uint64_t before, uint64_t now)
{
	str_puts(out, now < before ? "-" : "+");
	layout_bytes(out, now < before ? before - now : now - before);
}

static const enum vm_column changing[] = { VM_RESIDENT, VM_SWAPPED, VM_VIRTUAL };

/* "heap +1.2 MB resident, +4.1 kB virtual" */
static void put_row_changes(struct str *out, const char *type,
			    const struct vm_sizes *before, const struct vm_sizes *now)
{
	static const struct vm_sizes none;
	bool is_first = true;
	before = before ? before : &none;
	now = now ? now : &none;
	for (size_t i = 0; i < ARRAY_SIZE(changing); i++) {
		uint64_t then = before->bytes[changing[i]], is = now->bytes[changing[i]];
		if (then == is)
			continue;
		if (is_first)
			str_printf(out, "  %-*s", (int)TYPE_WIDTH, type);
		str_puts(out, is_first ? "" : ", ");
		put_signed(out, then, is);
		str_printf(out, " %s", column_titles[changing[i]]);
		is_first = false;
	}
	str_puts(out, is_first ? "" : "\n");
}

static void put_process_changes(struct vm_page *page, const struct vm_process *before,
				const struct vm_process *now)
{
	struct str verdict = { 0 };
	put_name(page, &verdict, now);
	str_puts(&verdict, ": footprint ");
	layout_bytes(&verdict, now->footprint_bytes);
	str_puts(&verdict, " (");
	put_signed(&verdict, before ? before->footprint_bytes : 0, now->footprint_bytes);
	str_puts(&verdict, "), resident ");
	layout_bytes(&verdict, now->total.bytes[VM_RESIDENT]);
	str_puts(&page->out, str_text(&verdict));
	str_puts(&page->out, "\n");
	str_deinit(&verdict);
	for (size_t i = 0; i < now->rows.nr; i++) {
		const struct vm_row *row = &now->rows.items[i];
		const struct vm_row *old = find_row(before, row->type);
		put_row_changes(&page->out, row->type, old ? &old->sizes : NULL,
				&row->sizes);
	}
	for (size_t i = 0; before && i < before->rows.nr; i++)
		if (!find_row(now, before->rows.items[i].type))
			put_row_changes(&page->out, before->rows.items[i].type,
					&before->rows.items[i].sizes, NULL);
}

struct str report_vm_changes(const struct vm_report *before, const struct vm_report *now,
			     const struct report_options *options)
{
	struct vm_page page = {
		.report = now,
		.flags = options->flags,
		.width = options->width ? options->width : 80,
	};
	for (size_t i = 0; i < now->processes.nr; i++)
		put_process_changes(&page,
				    find_process(before, now->processes.items[i].pid),
				    &now->processes.items[i]);
	return page.out;
}
