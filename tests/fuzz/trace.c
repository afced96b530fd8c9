/* A trace made of the input, as chunk_file.h says. What can be read must add up. */
#include <stdlib.h>

#include "fuzz/chunk_file.h"
#include "traces/recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Rows are all there is, and none is more than the whole. */
static void check_report(const struct recording_report *report)
{
	uint64_t allocations = 0, live = 0, peak = 0, ended = 0;
	for (size_t i = 0; i < report->rows.nr; i++) {
		allocations += report->rows.items[i].counts.allocations;
		live += report->rows.items[i].counts.live_bytes;
		peak += report->rows.items[i].counts.peak_bytes;
	}
	const struct recording_summary *summary = &report->summary;
	if (allocations != summary->allocations || live != summary->live_bytes ||
	    peak != summary->peak_bytes || summary->temporary > summary->frees)
		abort();
	for (size_t i = 0; i < RECORDING_LIFETIMES; i++)
		ended += summary->lifetimes[i];
	if (ended !=
	    summary->allocations - summary->live_blocks - summary->replaced_blocks)
		abort();
	const struct recording_counts *whole = &report->tree.items[0].counts;
	if (whole->allocations != allocations || whole->peak_bytes != peak)
		abort();
}

/* The last events are there, and each is of the address. */
static void check_history(const struct recording_history *history, uint32_t most)
{
	const struct recording_event *events = history->events.items;
	if (history->events.nr > most ||
	    history->events.nr + history->events_left_out != history->nr_events)
		abort();
	for (size_t i = 0; i < history->events.nr; i++)
		if (!events[i].has_ended && !events[i].has_begun)
			abort();
}

static void read_history(const char *path)
{
	const struct recording_options options = {
		.file = path,
		.max_rows = 3,
		.has_address = true,
		.address = 0x1010,
	};
	struct recording_report *report = NULL;
	struct error *error = recording_read(&options, &report);
	if (!error)
		check_history(&report->history, options.max_rows);
	error_destroy(error);
	recording_report_destroy(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct chunk_file file = chunk_file_make(SNAP_KIND_TRACE, bytes, size);
	const struct recording_options options = {
		.file = file.path,
		.flags = RECORDING_TREE,
		.large_bytes = 1000,
	};
	struct recording_report *report = NULL;
	struct error *error = recording_read(&options, &report);
	if (!error)
		check_report(report);
	error_destroy(error);
	recording_report_destroy(report);
	read_history(file.path);
	chunk_file_close(&file);
	return 0;
}
