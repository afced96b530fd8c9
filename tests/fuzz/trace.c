/*
 * A trace made of the input: each piece is a type, a length of two bytes, and a payload, and
 * gets headers with the right checksums; if the first byte is odd the rest is the file itself,
 * headers and all. What can be read must add up.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "analyse/recording.h"
#include "snap/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void put(int fd, const void *bytes, size_t size)
{
	if (write(fd, bytes, size) != (ssize_t)size)
		abort();
}

static void put_file_header(int fd)
{
	struct snap_file_header header = { .major = SNAP_MAJOR, .kind = SNAP_KIND_TRACE };
	memcpy(header.magic, SNAP_MAGIC, SNAP_MAGIC_SIZE);
	header.checksum =
		snap_checksum(&header, offsetof(struct snap_file_header, checksum));
	put(fd, &header, sizeof(header));
}

static void put_chunk(int fd, uint8_t type, const uint8_t *payload, size_t size)
{
	struct snap_chunk_header header = {
		.type = type,
		.version = trace_chunk_version(type),
		.stored_size = size,
		.plain_size = size,
		.payload_checksum = snap_checksum(payload, size),
	};
	header.header_checksum = snap_checksum(&header, offsetof(struct snap_chunk_header,
								 header_checksum));
	put(fd, &header, sizeof(header));
	put(fd, payload, size);
}

static void put_pieces(int fd, const uint8_t *bytes, size_t size)
{
	put_file_header(fd);
	while (size >= 3) {
		size_t length = bytes[1] | (size_t)bytes[2] << 8;
		if (length > size - 3)
			length = size - 3;
		put_chunk(fd, bytes[0], bytes + 3, length);
		bytes += 3 + length;
		size -= 3 + length;
	}
}

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
	if (ended != summary->allocations - summary->live_blocks)
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
	int fd = memfd_create("trace", MFD_CLOEXEC);
	if (fd < 0)
		abort();
	if (size && bytes[0] & 1)
		put(fd, bytes + 1, size - 1);
	else if (size)
		put_pieces(fd, bytes + 1, size - 1);
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	const struct recording_options options = {
		.file = path,
		.flags = RECORDING_TREE,
		.large_bytes = 1000,
	};
	struct recording_report *report = NULL;
	struct error *error = recording_read(&options, &report);
	if (!error)
		check_report(report);
	error_destroy(error);
	recording_report_destroy(report);
	read_history(path);
	close(fd);
	return 0;
}
