/* chunk_file: see chunk_file.h. */
#include "fuzz/chunk_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void put(int fd, const void *bytes, size_t size)
{
	if (write(fd, bytes, size) != (ssize_t)size)
		abort();
}

static void put_file_header(int fd, enum snap_kind kind)
{
	struct snap_file_header header = { .major = SNAP_MAJOR, .kind = kind };
	memcpy(header.magic, SNAP_MAGIC, SNAP_MAGIC_SIZE);
	header.checksum =
		snap_checksum(&header, offsetof(struct snap_file_header, checksum));
	put(fd, &header, sizeof(header));
}

static void put_chunk(int fd, uint8_t type, const uint8_t *payload, size_t size)
{
	struct snap_chunk_header header = {
		.type = type & 0x7f,
		.version = 1 + (type >> 7),
		.stored_size = size,
		.plain_size = size,
		.payload_checksum = snap_checksum(payload, size),
	};
	header.header_checksum = snap_checksum(&header, offsetof(struct snap_chunk_header,
								 header_checksum));
	put(fd, &header, sizeof(header));
	put(fd, payload, size);
}

static void put_pieces(int fd, enum snap_kind kind, const uint8_t *bytes, size_t size)
{
	put_file_header(fd, kind);
	while (size >= 3) {
		size_t length = bytes[1] | (size_t)bytes[2] << 8;
		if (length > size - 3)
			length = size - 3;
		put_chunk(fd, bytes[0], bytes + 3, length);
		bytes += 3 + length;
		size -= 3 + length;
	}
}

struct chunk_file chunk_file_make(enum snap_kind kind, const uint8_t *bytes, size_t size)
{
	struct chunk_file file = { .fd = memfd_create("fuzz", MFD_CLOEXEC) };
	if (file.fd < 0)
		abort();
	if (size && bytes[0] & 1)
		put(file.fd, bytes + 1, size - 1);
	else if (size)
		put_pieces(file.fd, kind, bytes + 1, size - 1);
	snprintf(file.path, sizeof(file.path), "/proc/self/fd/%d", file.fd);
	return file;
}

void chunk_file_close(struct chunk_file *file)
{
	close(file->fd);
}
