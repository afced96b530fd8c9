/* heap_views: the table of views, and what all of them need; see heap_views.h. */
#include "views/heap_views_priv.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "analyse/answers.h"
#include "analyse/leaks.h"
#include "base/beside.h"
#include "base/bitmap.h"
#include "views/block_filter.h"
#include "views/heap_asked.h"

static const struct heap_view *const views[] = {
	&heap_histogram, &heap_dominators, &heap_retained, &heap_roots,    &heap_holders,
	&heap_paths,     &heap_refs,       &heap_cycles,   &heap_suspects, &heap_diff,
	&heap_abandoned, &heap_dups,       &heap_waste,    &heap_inspect,
};

static const struct heap_view *view_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(views); i++)
		if (!strcmp(views[i]->name, name))
			return views[i];
	return NULL;
}

/* --- answers ------------------------------------------------------------------------- */

struct heap_row *heap_row_add(struct heap_report *report, unsigned depth)
{
	if (!heap_row_vec_push(&report->rows, (struct heap_row){ .depth = depth }))
		return NULL;
	return &report->rows.items[report->rows.nr - 1];
}

struct error *heap_put_text(struct heap_row *row, size_t column, char *text)
{
	row->cells[column] = (struct heap_cell){ .is_known = text, .text = text };
	return text ? NULL : error_no_memory();
}

struct error *heap_put_copy(struct heap_row *row, size_t column, const char *text)
{
	return text ? heap_put_text(row, column, strdup(text)) : NULL;
}

size_t heap_rows_shown(struct heap_question *question, size_t nr)
{
	unsigned max = question->options->max_rows;
	size_t nr_shown = max && nr > max ? max : nr;
	question->report->rows_left_out += nr - nr_shown;
	return nr_shown;
}

char *heap_block_name(const struct heap_question *question, uint32_t rank)
{
	return block_table_name(&question->table,
				block_table_type(&question->table, rank));
}

struct error *heap_needs_sites(const struct heap_question *question, const char *what)
{
	const struct look *look = &question->inspection.look;
	const char *file = question->options->source.file;
	if (block_sites_are_known(&look->sites))
		return NULL;
	return error_remedy(
		error_create(ERROR_USAGE,
			     "there is no %s to tell: what allocated the blocks of %s "
			     "was not recorded",
			     what, file ? file : look->subject.name),
		file ? "take one of a process that is being recorded: seep snapshot "
		       "--recording TRACE"
		     : "seep record --addresses -o TRACE, then seep heap --recording "
		       "TRACE");
}

const char *heap_short_name(const char *name)
{
	static const char class[] = "class ";
	size_t length = sizeof(class) - 1;
	return strncmp(name, class, length) ? name : name + length;
}

struct error *heap_refuse_filter(const struct heap_view *view)
{
	return error_remedy(
		error_create(ERROR_USAGE,
			     "%s of one block: there is nothing for a filter to choose",
			     view->name),
		"leave out --where");
}

static uint16_t code_of(const struct heap_question *question, uint32_t rank)
{
	return natures_get(question->inspection.look.natures, rank);
}

void heap_put_word(const struct heap_question *question, struct str *out, uint32_t rank,
		   uint64_t offset)
{
	if (!fields_put(&question->inspection.look.fields, code_of(question, rank),
			offset, out))
		str_printf(out, "+%" PRIu64, offset);
}

struct error *heap_put_field(struct heap_question *question, struct heap_row *row,
			     size_t column, uint32_t rank, uint64_t offset)
{
	struct str name = { 0 };
	bool has_name = fields_put(&question->inspection.look.fields,
				   code_of(question, rank), offset, &name);
	struct error *error = has_name ? heap_put_copy(row, column, str_text(&name) + 1)
				       : NULL;
	if (!error && name.failed)
		error = error_no_memory();
	str_deinit(&name);
	return error;
}

struct error *heap_say(struct heap_report *report, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	free(report->verdict);
	if (vasprintf(&report->verdict, format, args) < 0)
		report->verdict = NULL;
	va_end(args);
	return report->verdict ? NULL : error_no_memory();
}

bool heap_is_live(const struct heap_question *question, uint32_t rank)
{
	return bitmap_test(question->entries.live, rank);
}

uint64_t heap_share(uint64_t part, uint64_t whole)
{
	return whole ? (uint64_t)((double)part * 10000 / (double)whole + 0.5) : 0;
}

void heap_put_plural(struct str *out, uint64_t nr, const char *noun)
{
	str_printf(out, "%" PRIu64 " %s%s", nr, noun, nr == 1 ? "" : "s");
}

void heap_put_bytes(struct str *out, uint64_t bytes)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB" };
	double value = (double)bytes;
	size_t unit = 0;
	if (bytes < 1000) {
		str_printf(out, "%" PRIu64 " B", bytes);
		return;
	}
	for (value /= 1000; value >= 999.5 && unit + 1 < ARRAY_SIZE(units); unit++)
		value /= 1000;
	str_printf(out, value < 99.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

/* --- looking ------------------------------------------------------------------------- */

/* What was reached before what unread memory may hold joined it. */
static const uint64_t *live_blocks(const struct heap_question *question)
{
	return reach_sure(&question->inspection.reach);
}

static struct error *find_dominators(struct heap_question *question)
{
	struct look *look = &question->inspection.look;
	struct error *error = answers_begin(look, live_blocks(question), question->places,
					    &question->lost, &question->groups,
					    &question->entries);
	if (error || answers_take_dominators(&look->answers, &question->groups,
					     &question->dominators))
		return error;
	return dominators_find(question->graph, &question->entries,
			       &question->dominators);
}

static void count_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	struct heap_question *question = context;
	const struct look *look = &question->inspection.look;
	struct heap_report *report = question->report;
	struct heap_amount *kind = heap_is_live(question, rank) ? &report->live
								: &report->lost;
	bool is_typed = natures_class(look->natures, natures_get(look->natures, rank));
	kind->blocks++;
	kind->bytes += size;
	report->typed.blocks += is_typed;
	report->typed.bytes += is_typed ? size : 0;
	report->all.blocks++;
	report->all.bytes += size;
}

struct numbering {
	struct heap_question *question;
	struct error *error;
};

static void number_types(void *context)
{
	struct numbering *numbering = context;
	struct heap_question *question = numbering->question;
	numbering->error = block_table_make(&question->inspection.look, GROUP_BY_TYPE,
					    &question->table);
}

static struct error *find_dominators_and_types(struct heap_question *question)
{
	struct numbering numbering = { .question = question };
	struct beside beside;
	beside_start(&beside, number_types, &numbering);
	struct error *error = find_dominators(question);
	/* Whoever has no report asks no more than what is there. */
	if (!error && question->report)
		space_each(&question->graph->space, count_block, question);
	beside_finish(&beside);
	if (!error)
		return numbering.error;
	error_destroy(numbering.error);
	return error;
}

struct error *heap_question_look(struct heap_question *question)
{
	struct inspection *inspection = &question->inspection;
	struct look_options look_options = {
		.flags = LOOK_CLASSIFY | LOOK_PLACES | LOOK_ANSWERS |
			 (question->view->needs_hashes ? LOOK_HASH : 0) |
			 (question->view->needs_edge_places ? LOOK_EDGE_PLACES : 0) |
			 (question->options->types ? LOOK_TYPES : 0),
	};
	if (question->view->reads_block &&
	    heap_asked_address(question->options->asked, &question->bytes.address))
		look_options.bytes = &question->bytes;

	struct source_options source = question->options->source;
	source.finds_types = question->options->types;
	struct error *error = source_open(&source, &inspection->source);
	if (!error)
		error = inspection_look(inspection, &look_options, false);
	if (error)
		return error;
	question->graph = &inspection->look.graph;
	question->places = inspection->source->places;
	error = find_dominators_and_types(question);
	return error ? error : heap_filter(question);
}

/* --- the report ---------------------------------------------------------------------- */

/* Where more than vtables were asked, and not all is known. */
static struct error *tell_typed(const struct heap_question *question,
				struct sentence_vec *warnings)
{
	const struct heap_report *report = question->report;
	const struct look *look = &question->inspection.look;
	if (!question->options->types && !look->fields.layouts.nr &&
	    !block_sites_are_known(&look->sites))
		return NULL;
	if (report->typed.blocks == report->all.blocks)
		return NULL;
	return sentences_add(
		warnings,
		"types are known for %" PRIu64 " %% of bytes, %" PRIu64 " %% of blocks",
		report->all.bytes ? report->typed.bytes * 100 / report->all.bytes : 0,
		report->all.blocks ? report->typed.blocks * 100 / report->all.blocks : 0);
}

static struct error *describe(struct heap_question *question)
{
	struct heap_report *report = question->report;
	const struct look *look = &question->inspection.look;
	const char *file = question->options->source.file;
	const char *asked = question->options->asked;
	struct sentence_vec warnings = { 0 };
	report->pid = look->subject.pid;
	report->target = strdup(look->subject.name);
	report->allocator = strdup(look->subject.allocator);
	report->file = file ? strdup(file) : NULL;
	report->asked = asked ? strdup(asked) : NULL;
	report->edges = question->graph->nr_edges;
	report->roots = question->graph->roots.nr;
	report->coverage_percent = heap_totals_coverage(&look->totals);
	report->pause_ms = (double)question->inspection.pause_ns / 1e6;
	if (!report->target || !report->allocator || !report->file != !file ||
	    !report->asked != !asked)
		return error_no_memory();
	struct error *error = look_warnings(look, &warnings);
	if (!error)
		error = tell_typed(question, &warnings);
	if (!error)
		error = sentences_take(&warnings, &report->warnings);
	sentences_deinit(&warnings);
	return error;
}

static struct error *check(const struct analyse_heap_options *options,
			   const struct heap_view *view)
{
	if (!view)
		return error_create(ERROR_USAGE, "there is no view \"%s\" of a heap",
				    options->view);
	if (!view->takes_others && options->others)
		return error_create(ERROR_USAGE,
				    "the view %s is of one target, not also of \"%s\"",
				    view->name, options->others[0]);
	if (view->takes_asked && !options->asked)
		return error_remedy(
			error_create(ERROR_USAGE, "the view %s is of something",
				     view->name),
			"give an address, a type, or a variable after %s", view->name);
	if (!view->takes_asked && options->asked)
		return error_create(ERROR_USAGE,
				    "the view %s is of the whole heap, not of \"%s\"",
				    view->name, options->asked);
	if (!view->takes_by && options->by_is_said)
		return error_remedy(
			error_create(ERROR_USAGE, "what a row of %s is cannot be chosen",
				     view->name),
			"leave out --by; histogram, diff and dominators take it");
	if (view->takes_one && options->filter)
		return heap_refuse_filter(view);
	struct block_filter filter = { 0 };
	struct error *error =
		options->filter ? block_filter_parse(options->filter, &filter) : NULL;
	block_filter_deinit(&filter);
	return error;
}

void heap_question_deinit(struct heap_question *question)
{
	area_release(&question->bytes.memory);
	area_release(&question->filtered);
	root_groups_deinit(&question->groups);
	block_table_deinit(&question->table);
	dominators_deinit(&question->dominators);
	entries_deinit(&question->entries);
	lost_deinit(&question->lost);
	inspection_deinit(&question->inspection);
	source_close(question->inspection.source);
}

struct error *analyse_heap(const struct analyse_heap_options *options,
			   struct heap_report **result)
{
	const struct heap_view *view = view_named(options->view);
	struct error *error = check(options, view);
	if (error)
		return error;
	struct heap_report *report = calloc(1, sizeof(*report));
	if (!report)
		return error_no_memory();
	report->view = view->name;
	report->columns = view->columns;
	report->nr_columns = view->nr_columns;
	report->is_tree = view->is_tree;
	report->next = view->next;
	report->next_purpose = view->next_purpose;
	struct heap_question question = { .options = options,
					  .view = view,
					  .report = report };
	error = heap_question_look(&question);
	if (!error)
		error = describe(&question);
	if (!error)
		error = view->answer(&question);
	heap_question_deinit(&question);
	if (error) {
		heap_report_destroy(report);
		return error;
	}
	*result = report;
	return NULL;
}
