/* leaks: see leaks.h. */
#include "analyse/leaks.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "analyse/findings.h"
#include "analyse/look.h"
#include "base/bitmap.h"
#include "base/cleanup.h"
#include "base/sentences.h"
#include "graph/lost.h"
#include "graph/reach.h"
#include "heap/heap.h"
#include "target/target.h"

/* So often a look that met the allocator at a bad instant is tried again. */
#define TRIES 12u

/* What two looks are compared by. */
struct lost_block {
	uint64_t address, size;
};
DEFINE_VEC(lost_block_vec, struct lost_block);

struct analysis {
	const struct analyse_leaks_options *options;
	struct target *target;
	struct symbols *symbols;
	struct heap *heap;
	struct look look;
	struct reach reach;
	struct lost lost;
	uint64_t pause_ns; /* the longest */
	unsigned looks;
	uint64_t unconfirmed; /* blocks that only one look called lost */
	struct sentence_vec warnings;
	struct suppressions suppressions;
};

static struct error *read_suppressions(struct analysis *analysis)
{
	const struct analyse_leaks_options *options = analysis->options;
	struct error *error = NULL;
	analysis->suppressions = suppressions_begin();
	for (const char *const *pattern = options->excludes;
	     !error && pattern && *pattern; pattern++)
		error = suppressions_add_type(&analysis->suppressions, *pattern);
	for (const char *const *path = options->suppressions; !error && path && *path;
	     path++)
		error = suppressions_read(&analysis->suppressions, *path);
	return error;
}

static struct error *open_target(struct analysis *analysis)
{
	const struct analyse_leaks_options *options = analysis->options;
	uint64_t max_pause_ns = (uint64_t)options->max_pause_ms * 1000000;
	if (options->command) {
		const struct target_exit_options exit_options = {
			.max_pause_ns = max_pause_ns,
			.status = options->command_status,
		};
		return target_exit_start(options->command, &exit_options,
					 &analysis->target);
	}
	if (options->file) {
		const struct target_file_options file_options = {
			.sysroot = options->sysroot,
		};
		return target_file_open(options->file, &file_options, &analysis->target);
	}
	const struct target_frozen_options frozen_options = {
		.max_pause_ns = max_pause_ns,
		.freeze = (enum target_freeze)options->freeze,
		.max_copy_bytes = options->max_copy_bytes,
	};
	return target_frozen_open(options->pid, &frozen_options, &analysis->target);
}

static void note_pause(struct analysis *analysis)
{
	analysis->looks++;
	if (analysis->look.pause_ns > analysis->pause_ns)
		analysis->pause_ns = analysis->look.pause_ns;
}

/* Lost blocks keep their contents and can be classified later; blocks that are in use must
   be while they stand still. The heuristics for interior pointers need it too. */
static bool needs_all_natures(const struct analysis *analysis)
{
	const struct analyse_leaks_options *options = analysis->options;
	unsigned held = 1u << LEAK_POSSIBLE | 1u << LEAK_REACHABLE;
	unsigned asked = options->kinds | suppressions_kinds(&analysis->suppressions);
	bool strict = options->flags & ANALYSE_STRICT;
	return strict || (asked & held & ~(1u << LEAK_POSSIBLE)) != 0;
}

/* A busy allocator is left alone for a moment that grows: 0.5 ms, 1 ms, … */
static struct error *take_look(struct analysis *analysis)
{
	struct error *error = NULL;
	for (unsigned i = 0; i < TRIES; i++) {
		analysis->heap->last_try = i + 1 == TRIES;
		error = look_take(analysis->target, analysis->heap,
				  needs_all_natures(analysis), &analysis->look);
		note_pause(analysis);
		if (!error || error->code != ERROR_BUSY)
			return error;
		if (i + 1 == TRIES)
			break;
		error_destroy(error);
		struct timespec wait = { .tv_nsec = 500000 * (i + 1) };
		nanosleep(&wait, NULL);
	}
	return error_remedy(error,
			    "%u looks in a row met it so; try again, or when the program "
			    "allocates less",
			    TRIES);
}

static struct error *mark(struct analysis *analysis)
{
	bool strict = analysis->options->flags & ANALYSE_STRICT;
	struct error *error = reach_mark(&analysis->look.graph, strict, look_nr_threads(),
					 &analysis->reach);
	if (error)
		return error;
	return lost_find(&analysis->look.graph, analysis->reach.any.memory,
			 &analysis->lost);
}

static void forget_look(struct analysis *analysis)
{
	lost_deinit(&analysis->lost);
	reach_deinit(&analysis->reach);
	look_deinit(&analysis->look);
}

static struct error *remember_lost(const struct analysis *analysis,
				   struct lost_block_vec *blocks)
{
	const uint32_t *ranks = analysis->lost.ranks.memory;
	for (uint32_t i = 0; i < analysis->lost.nr; i++) {
		struct lost_block block;
		space_block(&analysis->look.graph.space, ranks[i], &block.address,
			    &block.size);
		if (!lost_block_vec_push(blocks, block))
			return error_no_memory();
	}
	return NULL;
}

static bool was_lost(const struct lost_block_vec *blocks, uint64_t address, uint64_t size)
{
	size_t low = 0, high = blocks->nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (blocks->items[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < blocks->nr && blocks->items[low].address == address &&
	       blocks->items[low].size == size;
}

/* Whatever is lost now and was not then counts as held, with all that it holds. */
static struct error *keep_confirmed(struct analysis *analysis,
				    const struct lost_block_vec *before)
{
	struct graph *graph = &analysis->look.graph;
	const uint32_t *ranks = analysis->lost.ranks.memory;
	CLEANUP_FREE uint32_t *held = calloc(analysis->lost.nr + 1, sizeof(*held));
	if (!held)
		return error_no_memory();
	for (uint32_t i = 0; i < analysis->lost.nr; i++) {
		struct lost_block block;
		space_block(&graph->space, ranks[i], &block.address, &block.size);
		if (!was_lost(before, block.address, block.size))
			held[analysis->unconfirmed++] = ranks[i];
	}
	if (!analysis->unconfirmed)
		return NULL;
	struct error *error =
		reach_add(graph, &analysis->reach, held, analysis->unconfirmed);
	lost_deinit(&analysis->lost);
	return error ? error
		     : lost_find(graph, analysis->reach.any.memory, &analysis->lost);
}

static struct error *look_again(struct analysis *analysis)
{
	struct lost_block_vec before = { 0 };
	struct error *error = remember_lost(analysis, &before);
	if (!error) {
		forget_look(analysis);
		error = take_look(analysis);
	}
	if (!error)
		error = mark(analysis);
	if (!error)
		error = keep_confirmed(analysis, &before);
	lost_block_vec_deinit(&before);
	return error;
}

static struct error *look_until_sure(struct analysis *analysis)
{
	struct error *error = take_look(analysis);
	if (!error)
		error = mark(analysis);
	if (!error && analysis->look.inside && analysis->lost.nr > 0)
		error = look_again(analysis);
	return error;
}

static struct error *warn_of_heap(struct analysis *analysis)
{
	const struct heap *heap = analysis->heap;
	struct error *error = NULL;
	for (size_t i = 0; !error && i < heap->damage.nr; i++)
		error = sentences_add(
			&analysis->warnings, "%s: %s",
			analysis->look.inside
				? "part of the heap was in the middle of a malloc or free"
				: "the heap is damaged",
			heap->damage.items[i]);
	uint64_t unread = analysis->look.unread_bytes + heap->totals.unread_bytes;
	if (!error && unread)
		error = sentences_add(&analysis->warnings,
				      "%" PRIu64
				      " bytes are %s and were not read; what only they "
				      "hold is called possibly lost",
				      unread, analysis->target->ops->unread);
	if (!error && analysis->unconfirmed)
		error = sentences_add(
			&analysis->warnings,
			"%" PRIu64 " blocks that only the last look called lost are not "
			"reported: they were being allocated or freed",
			analysis->unconfirmed);
	return error;
}

static struct error *warn_of_held(struct analysis *analysis)
{
	const struct target *target = analysis->target;
	if (!target->held_incomplete)
		return NULL;
	if (!target->path)
		return sentences_add(
			&analysis->warnings,
			"the kernel holds pointers of this process that it does not show "
			"(io_uring); what only they hold looks lost");
	if (analysis->lost.nr == 0)
		return NULL;
	return sentences_add(&analysis->warnings,
			     "a core does not have what the kernel held for the process "
			     "(epoll data, timers); what only that holds looks lost");
}

static struct error *collect_warnings(struct analysis *analysis)
{
	struct error *error =
		sentences_copy(&analysis->warnings, &analysis->target->warnings);
	if (!error)
		error = warn_of_heap(analysis);
	return error ? error : warn_of_held(analysis);
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 100.0;
}

/* Before some of the lost blocks become doubtful ones. */
static struct error *classify_lost(struct analysis *analysis)
{
	if (needs_all_natures(analysis))
		return NULL;
	return look_classify(&analysis->look, analysis->target,
			     analysis->lost.ranks.memory, analysis->lost.nr);
}

/* When some memory could not be read, whatever looks lost may be held from there. */
static struct error *doubt_lost(struct analysis *analysis)
{
	uint64_t unread =
		analysis->look.unread_bytes + analysis->look.totals.unread_bytes;
	if (!unread || analysis->lost.nr == 0)
		return NULL;
	struct graph *graph = &analysis->look.graph;
	const uint32_t *ranks = analysis->lost.ranks.memory;
	if (!analysis->reach.strict) {
		/* Keep the sure ones apart before the doubtful ones join `any`. */
		size_t bytes = bitmap_words(graph->nr_blocks + 1) * 8;
		if (!area_reserve(&analysis->reach.sure, bytes))
			return error_no_memory();
		memcpy(analysis->reach.sure.memory, analysis->reach.any.memory, bytes);
		analysis->reach.strict = true;
	}
	for (uint32_t i = 0; i < analysis->lost.nr; i++)
		bitmap_set(analysis->reach.any.memory, ranks[i]);
	lost_deinit(&analysis->lost);
	return lost_find(graph, analysis->reach.any.memory, &analysis->lost);
}

/* The last thing to be told: the copy was being taken away meanwhile. */
static struct error *describe_freezing(struct analysis *analysis,
				       struct leaks_report *report)
{
	uint64_t settled_ns = target_settle(analysis->target);
	if (settled_ns > analysis->pause_ns)
		analysis->pause_ns = settled_ns;
	const struct target_freezing *freezing = &analysis->target->freezing;
	report->pause_ms = (double)analysis->pause_ns / 1e6;
	report->copied = freezing->copied;
	report->copy_bytes = freezing->copy_bytes;
	report->why_stopped = freezing->why_stopped ? strdup(freezing->why_stopped)
						    : NULL;
	return freezing->why_stopped && !report->why_stopped ? error_no_memory() : NULL;
}

static struct error *fill_report(struct analysis *analysis, struct leaks_report *report)
{
	const struct heap *heap = analysis->heap;
	const struct look *look = &analysis->look;
	report->pid = analysis->target->pid;
	report->target = strdup(analysis->target->name);
	report->file = analysis->target->path ? strdup(analysis->target->path) : NULL;
	report->allocator = strdup(heap->name);
	report->heap_bytes = look->totals.mapped_bytes;
	report->parsed_bytes = look->totals.parsed_bytes;
	report->coverage_percent = percent(report->parsed_bytes, report->heap_bytes);
	report->looks = analysis->looks;
	report->threads = look->nr_threads;
	report->roots = look->graph.roots.nr;
	report->edges = look->graph.nr_edges;
	report->strict = analysis->options->flags & ANALYSE_STRICT;
	report->noise.blocks = look->totals.own_blocks;
	report->noise.bytes = look->totals.own_bytes;
	if (!report->target || !report->allocator ||
	    !report->file != !analysis->target->path)
		return error_no_memory();
	struct error *error = natures_name(look->natures, analysis->symbols);
	const struct findings_input input = {
		.options = analysis->options,
		.look = look,
		.reach = &analysis->reach,
		.lost = &analysis->lost,
		.target = analysis->target,
		.symbols = analysis->symbols,
		.suppressions = &analysis->suppressions,
	};
	if (!error)
		error = findings_make(&input, report);
	if (!error)
		error = describe_freezing(analysis, report);
	if (!error)
		error = collect_warnings(analysis);
	if (!error)
		error = sentences_take(&analysis->warnings, &report->warnings);
	if (!error)
		error = sentences_take(&analysis->target->notes, &report->notes);
	return error;
}

static struct error *run(struct analysis *analysis, struct leaks_report *report)
{
	struct error *error = read_suppressions(analysis);
	if (!error)
		error = open_target(analysis);
	if (!error)
		error = symbols_create(analysis->target, &analysis->symbols);
	if (!error)
		error = heap_open(analysis->target, analysis->symbols, &analysis->heap);
	if (!error)
		error = look_until_sure(analysis);
	if (!error)
		error = classify_lost(analysis);
	if (!error)
		error = doubt_lost(analysis);
	return error ? error : fill_report(analysis, report);
}

struct error *analyse_leaks(const struct analyse_leaks_options *options,
			    struct leaks_report **result)
{
	struct leaks_report *report = calloc(1, sizeof(*report));
	if (!report)
		return error_no_memory();
	struct analysis analysis = { .options = options };
	struct error *error = run(&analysis, report);
	forget_look(&analysis);
	heap_destroy(analysis.heap);
	symbols_destroy(analysis.symbols);
	target_destroy(analysis.target);
	suppressions_deinit(&analysis.suppressions);
	sentences_deinit(&analysis.warnings);
	if (error) {
		leaks_report_destroy(report);
		return error;
	}
	*result = report;
	return NULL;
}
