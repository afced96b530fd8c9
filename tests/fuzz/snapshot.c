/*
 * A snapshot made of the input: each piece is a type, a length of two bytes, and a payload,
 * and gets headers with the right checksums; if the first byte is odd the rest is the file
 * itself, headers and all. What can be loaded must be sound enough to be marked.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "analyse/snapshot_load.h"
#include "base/bitmap.h"
#include "graph/lost.h"
#include "graph/reach.h"
#include "snap/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void put(int fd, const void *bytes, size_t size)
{
	if (write(fd, bytes, size) != (ssize_t)size)
		abort();
}

static void put_file_header(int fd)
{
	struct snap_file_header header = {
		.major = SNAP_MAJOR,
		.kind = SNAP_KIND_SNAPSHOT,
	};
	memcpy(header.magic, SNAP_MAGIC, SNAP_MAGIC_SIZE);
	header.checksum =
		snap_checksum(&header, offsetof(struct snap_file_header, checksum));
	put(fd, &header, sizeof(header));
}

static void put_chunk(int fd, uint8_t type, const uint8_t *payload, size_t size)
{
	struct snap_chunk_header header = {
		.type = type,
		.version = 1,
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

/* Every block and every edge is where the graph says. */
static void check_graph(const struct look *look)
{
	const struct graph *graph = &look->graph;
	struct reach reach = { 0 };
	struct lost lost = { 0 };
	struct error *error = reach_mark(graph, true, 1, &reach);
	if (!error)
		error = reach_add(graph, &reach, look->doubted.items, look->doubted.nr);
	if (!error)
		error = lost_find(graph, reach.any.memory, &lost);
	uint64_t end = 0;
	for (uint32_t rank = 0; rank < graph->nr_blocks; rank++) {
		uint64_t address = 0, length = 0;
		space_block(&graph->space, rank, &address, &length);
		if (address < end || length == 0)
			abort();
		end = address + length;
		if (!natures_knows(look->natures, natures_get(look->natures, rank)))
			abort();
	}
	error_destroy(error);
	lost_deinit(&lost);
	reach_deinit(&reach);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	int fd = memfd_create("snapshot", MFD_CLOEXEC);
	if (fd < 0)
		abort();
	if (size && bytes[0] & 1)
		put(fd, bytes + 1, size - 1);
	else if (size)
		put_pieces(fd, bytes + 1, size - 1);
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	struct look look = { 0 };
	struct places *places = NULL;
	struct error *error = places_listed(&places);
	if (!error)
		error = snapshot_load(path, &look, places);
	if (!error)
		check_graph(&look);
	error_destroy(error);
	look_deinit(&look);
	places_destroy(places);
	close(fd);
	return 0;
}
