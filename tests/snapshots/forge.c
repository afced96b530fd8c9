/*
 * forge: `forge FILE TYPE` writes the payload of a snapshot's first chunk of a type to stdout;
 * `forge FILE TYPE -` gives it the one on stdin, of the same size, with the right checksums.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "snap/format.h"

#define FILE_MAX (64u << 20)

static size_t read_whole(FILE *file, unsigned char *bytes)
{
	return file ? fread(bytes, 1, FILE_MAX, file) : 0;
}

/* Where its header is; 0: there is none. */
static size_t find_chunk(const unsigned char *bytes, size_t size, uint32_t type,
			 struct snap_chunk_header *header)
{
	size_t at = sizeof(struct snap_file_header);
	while (at + sizeof(*header) <= size) {
		memcpy(header, bytes + at, sizeof(*header));
		if (header->type == type)
			return at;
		at += sizeof(*header) + header->stored_size;
	}
	return 0;
}

static int write_forged(const char *path, const unsigned char *bytes, size_t size,
			size_t at, const struct snap_chunk_header *old,
			const unsigned char *payload)
{
	struct snap_chunk_header header = *old;
	size_t rest = at + sizeof(header) + old->stored_size;
	header.flags &= (uint16_t)~SNAP_ZSTD;
	header.stored_size = header.plain_size;
	header.payload_checksum = snap_checksum(payload, header.plain_size);
	header.header_checksum = snap_checksum(&header, offsetof(struct snap_chunk_header,
								 header_checksum));
	FILE *file = fopen(path, "w");
	if (!file)
		return 1;
	bool good = fwrite(bytes, 1, at, file) == at &&
		    fwrite(&header, sizeof(header), 1, file) == 1 &&
		    fwrite(payload, 1, header.plain_size, file) == header.plain_size &&
		    fwrite(bytes + rest, 1, size - rest, file) == size - rest;
	return fclose(file) || !good;
}

static bool expand(const unsigned char *stored, const struct snap_chunk_header *header,
		   unsigned char *payload)
{
	if (header->flags & SNAP_ZSTD)
		return ZSTD_decompress(payload, FILE_MAX, stored, header->stored_size) ==
		       header->plain_size;
	memcpy(payload, stored, header->plain_size);
	return true;
}

static int forge(char **argv, unsigned char *bytes, unsigned char *payload)
{
	struct snap_chunk_header header;
	FILE *file = fopen(argv[1], "r");
	size_t size = read_whole(file, bytes);
	if (file)
		fclose(file);
	size_t at =
		find_chunk(bytes, size, (uint32_t)strtoul(argv[2], NULL, 10), &header);
	if (!at)
		return 1;
	if (!argv[3])
		return !expand(bytes + at + sizeof(header), &header, payload) ||
		       fwrite(payload, 1, header.plain_size, stdout) != header.plain_size;
	if (read_whole(stdin, payload) != header.plain_size)
		return 1;
	return write_forged(argv[1], bytes, size, at, &header, payload);
}

int main(int argc, char **argv)
{
	unsigned char *bytes = malloc(FILE_MAX), *payload = malloc(FILE_MAX);
	int status = argc < 3 || !bytes || !payload ? 2 : forge(argv, bytes, payload);
	free(bytes);
	free(payload);
	return status;
}
