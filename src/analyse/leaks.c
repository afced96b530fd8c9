/* leaks: see leaks.h. */
#include "analyse/leaks.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "analyse/findings.h"
#include "analyse/inspection.h"
#include "analyse/recorded_sites.h"
#include "analyse/snapshot.h"
#include "analyse/snapshot_load.h"
#include "analyse/traced_stacks.h"
#include "base/sentences.h"

struct analysis {
	const struct analyse_leaks_options *options;
	const struct baseline *before; /* NULL: nothing is compared */
	struct baseline *now;          /* NULL, or what this look finds */
	struct inspection inspection;
	struct traced_stacks stacks; /* where there is a trace */
	struct sentence_vec warnings;
	struct suppressions suppressions;
};

static struct error *read_suppressions(struct analysis *analysis)
{
	const struct analyse_leaks_options *options = analysis->options;
	struct error *error = NULL;
	analysis->suppressions = suppressions_begin();
	analysis->suppressions.has_stacks = options->recording || options->trace;
	for (const char *const *pattern = options->excludes;
	     !error && pattern && *pattern; pattern++)
		error = suppressions_add_type(&analysis->suppressions, *pattern);
	for (const char *const *path = options->suppressions; !error && path && *path;
	     path++)
		error = suppressions_read(&analysis->suppressions, *path);
	return error;
}

/* Lost blocks keep their contents and can be classified later; blocks that are in use must
   be while they stand still. The heuristics for interior pointers need it too. */
static bool needs_all_natures(const struct analysis *analysis)
{
	const struct analyse_leaks_options *options = analysis->options;
	unsigned asked = options->kinds | suppressions_kinds(&analysis->suppressions);
	unsigned held = 1u << LEAK_POSSIBLE | 1u << LEAK_REACHABLE;
	bool needed = options->flags & (ANALYSE_STRICT | ANALYSE_TYPES);
	return needed || (asked & held & ~(1u << LEAK_POSSIBLE)) != 0;
}

static struct error *warn_of_damage(struct analysis *analysis, const struct look *look)
{
	struct error *error = NULL;
	for (size_t i = 0; !error && i < look->damage.nr; i++)
		error = sentences_add(
			&analysis->warnings, "%s: %s",
			look->inside
				? "part of the heap was in the middle of a malloc or free"
				: "the heap is damaged",
			look->damage.items[i]);
	return error;
}

/* What was there and could not be looked into. */
static struct error *warn_of_unseen(struct analysis *analysis, const struct look *look)
{
	uint64_t unread = look->unread_bytes + look->totals.unread_bytes;
	struct error *error = NULL;
	if (unread)
		error = sentences_add(&analysis->warnings,
				      "%" PRIu64
				      " bytes are %s and were not read; what only they "
				      "hold is called possibly lost",
				      unread, look->unread_reason);
	if (!error && look->missing_blocks)
		error = sentences_add(
			&analysis->warnings,
			"the file was cut short: %" PRIu64 " blocks (%" PRIu64
			" bytes) are missing; what only they hold is called "
			"possibly lost",
			look->missing_blocks, look->missing_bytes);
	return error;
}

static struct error *warn_of_held(struct analysis *analysis, const struct look *look)
{
	if (!look->held_incomplete)
		return NULL;
	if (!look->is_of_core)
		return sentences_add(
			&analysis->warnings,
			"the kernel holds pointers of this process that it does not show "
			"(io_uring); what only they hold looks lost");
	if (analysis->inspection.lost.nr == 0)
		return NULL;
	return sentences_add(&analysis->warnings,
			     "a core does not have what the kernel held for the process "
			     "(epoll data, timers); what only that holds looks lost");
}

static struct error *collect_warnings(struct analysis *analysis)
{
	const struct look *look = &analysis->inspection.look;
	struct error *error = sentences_copy(&analysis->warnings, &look->warnings);
	if (!error)
		error = warn_of_damage(analysis, look);
	if (!error)
		error = warn_of_unseen(analysis, look);
	if (!error && look->doubted.nr)
		error = sentences_add(
			&analysis->warnings,
			"%zu blocks that only the last look called lost are not "
			"reported: they were being allocated or freed",
			look->doubted.nr);
	return error ? error : warn_of_held(analysis, look);
}

/* The last thing to be told: the copy was being taken away meanwhile. */
static struct error *describe_freezing(struct analysis *analysis,
				       struct leaks_report *report)
{
	struct target *target = analysis->inspection.source->target;
	uint64_t pause_ns = analysis->inspection.pause_ns;
	uint64_t settled_ns = target ? target_settle(target) : 0;
	report->pause_ms = (double)(settled_ns > pause_ns ? settled_ns : pause_ns) / 1e6;
	if (!target)
		return NULL;
	report->copied = target->freezing.copied;
	report->copy_bytes = target->freezing.copy_bytes;
	if (!target->freezing.why_stopped)
		return NULL;
	report->why_stopped = strdup(target->freezing.why_stopped);
	return report->why_stopped ? NULL : error_no_memory();
}

/* --- of what type blocks are ----------------------------------------------------------- */

struct type_counter {
	const struct natures *natures;
	struct leaks_types *types;
};

static void count_type(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	const struct type_counter *counter = context;
	struct leaks_types *types = counter->types;
	uint16_t code = natures_get(counter->natures, rank);
	bool is_known = natures_class(counter->natures, code) != NULL;
	(void)address;
	types->all.blocks++;
	types->all.bytes += size;
	types->known.blocks += is_known;
	types->known.bytes += is_known ? size : 0;
}

static void count_types(const struct look *look, struct leaks_report *report)
{
	struct type_counter counter = { look->natures, &report->types };
	report->types.asked = true;
	space_each(&look->graph.space, count_type, &counter);
}

static struct error *fill_summary(const struct analysis *analysis,
				  struct leaks_report *report)
{
	const struct inspection *inspection = &analysis->inspection;
	const struct look *look = &inspection->look;
	report->pid = look->subject.pid;
	report->target = strdup(look->subject.name);
	report->allocator = strdup(look->subject.allocator);
	report->heap_bytes = look->totals.mapped_bytes;
	report->parsed_bytes = look->totals.parsed_bytes;
	report->coverage_percent = heap_totals_coverage(&look->totals);
	report->looks = (unsigned)inspection->nr_looks;
	report->threads = look->nr_threads;
	report->roots = look->graph.roots.nr;
	report->edges = look->graph.nr_edges;
	report->strict = analysis->options->flags & ANALYSE_STRICT;
	if (analysis->options->flags & ANALYSE_TYPES)
		count_types(look, report);
	report->noise.blocks = look->totals.own_blocks;
	report->noise.bytes = look->totals.own_bytes;
	const char *file = analysis->options->file;
	report->file = file ? strdup(file) : NULL;
	bool good = report->target && report->allocator && !report->file == !file;
	return good ? NULL : error_no_memory();
}

/* Whoever compares has to know all that is lost, whatever is listed. */
static struct analyse_leaks_options widened(const struct analysis *analysis)
{
	struct analyse_leaks_options options = *analysis->options;
	if (analysis->before || analysis->now)
		options.kinds |= 1u << LEAK_DEFINITE | 1u << LEAK_INDIRECT |
				 1u << LEAK_POSSIBLE;
	return options;
}

static struct error *fill_findings(struct analysis *analysis, struct leaks_report *report)
{
	const struct inspection *inspection = &analysis->inspection;
	const struct subject *subject = &inspection->look.subject;
	const struct analyse_leaks_options options = widened(analysis);
	bool same = analysis->before &&
		    baseline_is_same_process(analysis->before, subject);
	const struct findings_input input = {
		.options = &options,
		.look = &inspection->look,
		.reach = &inspection->reach,
		.lost = &inspection->lost,
		.places = inspection->source->places,
		.suppressions = &analysis->suppressions,
		.sites = options.call_sites ? *options.call_sites
					    : analysis->stacks.sites,
		.traced = analysis->stacks.sites ? &analysis->stacks : NULL,
		.before = same ? analysis->before : NULL,
		.now = analysis->now,
	};
	struct error *error = findings_make(&input, report);
	if (!error && analysis->now)
		error = baseline_keep(analysis->now, subject, &report->findings);
	if (!error && analysis->before)
		error = baseline_compare(analysis->before, same, report);
	if (!error)
		findings_cut(report, analysis->options->kinds, options.max_findings);
	return error;
}

/* After the findings, whose types do not depend on who allocated. */
static struct error *name_by_sites(struct analysis *analysis)
{
	const struct analyse_leaks_options *options = analysis->options;
	if (!options->call_sites || !*options->call_sites || !options->recording->heap)
		return NULL;
	return recorded_sites_find(*options->call_sites,
				   &options->recording->heap->blocks,
				   &analysis->inspection.look);
}

static struct error *store(struct analysis *analysis)
{
	const char *path = analysis->options->snapshot;
	if (!path)
		return NULL;
	struct error *trouble = name_by_sites(analysis);
	if (!trouble)
		trouble = snapshot_write(&analysis->inspection, path);
	if (!trouble)
		return NULL;
	struct error *error = sentences_add(&analysis->warnings,
					    "the snapshot was not written: %s",
					    trouble->sentence);
	error_destroy(trouble);
	return error;
}

static struct error *fill_report(struct analysis *analysis, struct leaks_report *report)
{
	struct error *error = fill_summary(analysis, report);
	if (!error)
		error = fill_findings(analysis, report);
	if (!error && analysis->stacks.sites)
		error = call_sites_warn(analysis->stacks.sites, &analysis->warnings);
	if (!error)
		error = store(analysis);
	if (!error)
		error = describe_freezing(analysis, report);
	if (!error)
		error = collect_warnings(analysis);
	if (!error)
		error = sentences_take(&analysis->warnings, &report->warnings);
	if (!error)
		error = sentences_take(&analysis->inspection.look.notes, &report->notes);
	return error;
}

static struct error *run(struct analysis *analysis, struct leaks_report *report)
{
	const struct analyse_leaks_options *options = analysis->options;
	const struct source_options source_options = {
		.pid = options->pid,
		.command = options->command,
		.command_status = options->command_status,
		.file = options->file,
		.sysroot = options->sysroot,
		.max_pause_ms = options->max_pause_ms,
		.freeze = options->freeze,
		.max_copy_bytes = options->max_copy_bytes,
		.recording = options->recording,
		.trace = options->trace,
		.finds_types = options->flags & ANALYSE_TYPES,
	};
	if (options->trace)
		analysis->inspection.stacks = &analysis->stacks;
	struct error *error = read_suppressions(analysis);
	if (!error)
		error = source_open(&source_options, &analysis->inspection.source);
	const struct look_options look_options = {
		.flags = (needs_all_natures(analysis) ? LOOK_CLASSIFY : 0) |
			 (options->snapshot ? LOOK_CLASSIFY | LOOK_HASH | LOOK_PLACES |
						      LOOK_EDGE_PLACES
					    : 0) |
			 (options->flags & ANALYSE_TYPES ? LOOK_TYPES : 0),
	};
	if (!error)
		error = inspection_look(&analysis->inspection, &look_options,
					options->flags & ANALYSE_STRICT);
	return error ? error : fill_report(analysis, report);
}

static void analysis_deinit(struct analysis *analysis)
{
	inspection_deinit(&analysis->inspection);
	source_close(analysis->inspection.source);
	traced_stacks_deinit(&analysis->stacks);
	suppressions_deinit(&analysis->suppressions);
	sentences_deinit(&analysis->warnings);
}

/* --- comparing ---------------------------------------------------------------------- */

static struct error *check_snapshot(const char *path)
{
	if (snapshot_is_file(path))
		return NULL;
	struct error *error =
		access(path, R_OK)
			? error_create(ERROR_REFUSED, "cannot read %s: %s", path,
				       strerror(errno))
			: error_create(ERROR_REFUSED, "%s is no snapshot", path);
	return error_remedy(error, "take one with: seep snapshot -o FILE TARGET");
}

static struct error *warn_of_gaps(struct analysis *analysis,
				  const struct leaks_report *earlier)
{
	if (earlier->parsed_bytes >= earlier->heap_bytes)
		return NULL;
	return sentences_add(
		&analysis->warnings,
		"%s knows only %.2f %% of the heap of then: not all that is told as "
		"new may be",
		analysis->options->diff_from, earlier->coverage_percent);
}

/* What a look at the time of the snapshot would have found, asked the same way. */
static struct error *load_baseline(struct analysis *analysis, struct baseline **result)
{
	struct analyse_leaks_options options = *analysis->options;
	options.pid = 0;
	options.command = NULL;
	options.command_status = NULL;
	options.file = options.diff_from;
	options.max_findings = 0;
	struct leaks_report *report = calloc(1, sizeof(*report));
	if (!report)
		return error_no_memory();
	struct analysis earlier = { .options = &options };
	struct error *error = check_snapshot(options.file);
	if (!error)
		error = baseline_create(options.file, &earlier.now);
	if (!error)
		error = run(&earlier, report);
	if (!error)
		error = warn_of_gaps(analysis, report);
	analysis_deinit(&earlier);
	leaks_report_destroy(report);
	*result = earlier.now;
	return error;
}

/* Sets what this look is compared with, and room for what it finds. */
static struct error *prepare_baselines(struct analysis *analysis,
				       struct baseline **loaded)
{
	const struct analyse_leaks_options *options = analysis->options;
	struct error *error = NULL;
	if (options->baseline && *options->baseline)
		analysis->before = *options->baseline;
	else if (options->diff_from)
		error = load_baseline(analysis, loaded);
	if (*loaded)
		analysis->before = *loaded;
	if (options->known)
		analysis->before = options->known;
	if (!error && options->baseline)
		error = baseline_create(NULL, &analysis->now);
	return error;
}

struct error *analyse_leaks(const struct analyse_leaks_options *options,
			    struct leaks_report **result)
{
	struct leaks_report *report = calloc(1, sizeof(*report));
	if (!report)
		return error_no_memory();
	struct analysis analysis = { .options = options };
	struct baseline *loaded = NULL;
	struct error *error = prepare_baselines(&analysis, &loaded);
	if (!error)
		error = run(&analysis, report);
	analysis_deinit(&analysis);
	baseline_destroy(loaded);
	if (error) {
		baseline_destroy(analysis.now);
		leaks_report_destroy(report);
		return error;
	}
	if (options->baseline) {
		baseline_destroy(*options->baseline);
		*options->baseline = analysis.now;
	}
	*result = report;
	return NULL;
}
