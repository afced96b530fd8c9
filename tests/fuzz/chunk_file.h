/*
 * chunk_file: a snapshot or a trace made of a fuzzer's input.
 *
 * Each piece of it is a type (with the top bit of version 2), a length of two bytes, and a payload,
 * and gets headers with the right checksums; if the first byte is odd the rest is the file itself,
 * headers and all.
 */
#ifndef SEEP_FUZZ_CHUNK_FILE_H
#define SEEP_FUZZ_CHUNK_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "snap/format.h"

struct chunk_file {
	int fd;
	char path[64];
};

struct chunk_file chunk_file_make(enum snap_kind kind, const uint8_t *bytes, size_t size);
void chunk_file_close(struct chunk_file *file);

#endif
