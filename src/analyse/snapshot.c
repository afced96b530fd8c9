/* snapshot: see snapshot.h. */
#include "analyse/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "analyse/snapshot_save.h"

static struct error *fill_report(const struct inspection *inspection,
				 const struct analyse_snapshot_options *options,
				 uint64_t file_bytes, struct snapshot_report *report)
{
	const struct look *look = &inspection->look;
	const struct heap_totals *totals = &look->totals;
	report->pid = look->subject.pid;
	report->target = strdup(look->subject.name);
	report->allocator = strdup(look->subject.allocator);
	report->path = strdup(options->output);
	report->file_bytes = file_bytes;
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

static struct error *take(struct inspection *inspection, struct snap_writer *writer)
{
	const struct look_options look_options = { .flags = LOOK_CLASSIFY | LOOK_HASH };
	struct error *error = inspection_look(inspection, &look_options, false);
	return error ? error : snapshot_save(inspection, writer);
}

struct error *analyse_snapshot(const struct analyse_snapshot_options *options,
			       struct snapshot_report **result)
{
	if (options->flags & ANALYSE_CONTENTS)
		return error_create(ERROR_REFUSED,
				    "this version does not store contents yet");
	struct snapshot_report *report = calloc(1, sizeof(*report));
	if (!report)
		return error_no_memory();
	struct inspection inspection = { 0 };
	struct snap_writer *writer = NULL;
	struct error *error = source_open(&options->source, &inspection.source);
	if (!error)
		error = snap_writer_create(options->output, SNAP_KIND_SNAPSHOT, &writer);
	if (!error)
		error = take(&inspection, writer);
	if (!error)
		error = snap_writer_commit(writer);
	if (!error)
		error = fill_report(&inspection, options, snap_writer_size(writer),
				    report);
	snap_writer_destroy(writer);
	inspection_deinit(&inspection);
	source_close(inspection.source);
	if (error) {
		snapshot_report_destroy(report);
		return error;
	}
	*result = report;
	return NULL;
}
