/* snapshot: see snapshot.h. */
#include "analyse/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "analyse/answers.h"
#include "analyse/snapshot_save.h"

static struct error *fill_report(const struct inspection *inspection,
				 const struct analyse_snapshot_options *options,
				 struct snapshot_report *report)
{
	const struct look *look = &inspection->look;
	const struct heap_totals *totals = &look->totals;
	report->pid = look->subject.pid;
	report->target = strdup(look->subject.name);
	report->allocator = strdup(look->subject.allocator);
	report->path = strdup(options->output);
	report->blocks = look->graph.nr_blocks;
	report->block_bytes = totals->used_bytes;
	report->edges = look->graph.nr_edges;
	report->roots = look->graph.roots.nr;
	report->heap_bytes = totals->mapped_bytes;
	report->coverage_percent = heap_totals_coverage(totals);
	report->pause_ms = (double)inspection->pause_ns / 1e6;
	report->looks = (unsigned)inspection->nr_looks;
	return report->target && report->allocator && report->path ? NULL
								   : error_no_memory();
}

/* A process is counted, too, for so long: 0 for what is none. */
static struct error *take(struct inspection *inspection, unsigned flags,
			  uint64_t max_count_ns, struct contents *contents,
			  struct snap_writer *writer)
{
	const struct look_options look_options = {
		.flags = LOOK_CLASSIFY | LOOK_HASH | LOOK_PLACES | LOOK_EDGE_PLACES,
		.while_frozen = contents ? contents_take : NULL,
		.context = contents,
	};
	struct look_options wanted = look_options;
	wanted.flags |= flags & ANALYSE_WITH_TYPES ? LOOK_TYPES : 0;
	wanted.flags |= max_count_ns ? LOOK_MAPPINGS : 0;
	wanted.max_count_ns = max_count_ns;
	struct error *error = inspection_look(inspection, &wanted, false);
	if (!error && flags & ANALYSE_WITH_ANSWERS)
		error = answers_find(inspection, inspection->source->places,
				     &inspection->look.answers);
	return error ? error : snapshot_save(inspection, contents, writer);
}

static struct error *write_snapshot(const struct analyse_snapshot_options *options,
				    struct inspection *inspection,
				    struct contents *contents,
				    struct snapshot_report *report)
{
	struct snap_writer *writer = NULL;
	uint64_t max_count_ns = options->source.pid
					? (uint64_t)options->source.max_pause_ms * 1000000
					: 0;
	struct error *error =
		snap_writer_create(options->output, SNAP_KIND_SNAPSHOT, &writer);
	if (!error && contents)
		error = contents_init(contents, options->source.pid, options->output);
	if (!error)
		error = take(inspection, options->flags, max_count_ns, contents, writer);
	if (!error)
		error = snap_writer_commit(writer);
	if (!error) {
		report->file_bytes = snap_writer_size(writer);
		report->contents_bytes = contents ? contents->outcome.memory_bytes : 0;
		error = fill_report(inspection, options, report);
	}
	snap_writer_destroy(writer);
	return error;
}

struct error *snapshot_write(struct inspection *inspection, const char *path)
{
	struct snap_writer *writer = NULL;
	struct error *error = snap_writer_create(path, SNAP_KIND_SNAPSHOT, &writer);
	if (!error)
		error = snapshot_save(inspection, NULL, writer);
	if (!error)
		error = snap_writer_commit(writer);
	snap_writer_destroy(writer);
	return error;
}

static struct error *check_options(const struct analyse_snapshot_options *options)
{
	if (options->source.pid || !(options->flags & ANALYSE_CONTENTS))
		return NULL;
	return error_remedy(error_create(ERROR_REFUSED,
					 "%s is a file with its contents already",
					 options->source.file),
			    "leave out --contents");
}

struct error *analyse_snapshot(const struct analyse_snapshot_options *options,
			       struct snapshot_report **result)
{
	struct error *error = check_options(options);
	if (error)
		return error;
	struct snapshot_report *report = calloc(1, sizeof(*report));
	if (!report)
		return error_no_memory();
	bool with_contents = options->flags & ANALYSE_CONTENTS;
	struct inspection inspection = { 0 };
	struct contents contents = { .file.fd = -1 };
	struct source_options source = options->source;
	source.counts_mappings = source.pid != 0;
	source.finds_types = options->flags & ANALYSE_WITH_TYPES;
	error = source_open(&source, &inspection.source);
	if (!error)
		error = write_snapshot(options, &inspection,
				       with_contents ? &contents : NULL, report);
	contents_deinit(&contents);
	inspection_deinit(&inspection);
	source_close(inspection.source);
	if (error) {
		snapshot_report_destroy(report);
		return error;
	}
	*result = report;
	return NULL;
}
