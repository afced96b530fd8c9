/*
 * reader: a snapshot file, chunk by chunk, which is never trusted.
 *
 * Headers are read one after the other; payloads only when asked for, into one buffer of at
 * most SNAP_CHUNK_MAX bytes. Reads are bounded and never through a mapping, so that a file
 * that is cut short meanwhile is no SIGBUS. A chunk that does not match its checksum is an
 * error that names the file, the chunk and its offset. A file that ends early is none: the
 * chunks end there, and snap_reader_is_cut() says so.
 */
#ifndef SEEP_SNAP_READER_H
#define SEEP_SNAP_READER_H

#include "base/error.h"
#include "snap/format.h"
#include "snap/pack.h"

struct snap_reader; /* opaque */

struct snap_chunk {
	uint64_t offset; /* of its header in the file */
	struct snap_chunk_header header;
};

/* Takes the descriptor over, which is of a regular file; `name` is for messages. */
struct error *snap_reader_open(int fd, const char *name, enum snap_kind kind,
			       struct snap_reader **result) MUST_CHECK;
void snap_reader_close(struct snap_reader *reader);

/* The next chunk; *more is false after SNAP_END or where the file ends. */
struct error *snap_reader_next(struct snap_reader *reader, struct snap_chunk *chunk,
			       bool *more) MUST_CHECK;
/* Back to the first chunk. */
void snap_reader_rewind(struct snap_reader *reader);
/* The payload of a chunk, expanded and checked, valid until the next call. */
struct error *snap_reader_load(struct snap_reader *reader, const struct snap_chunk *chunk,
			       struct unpack *payload) MUST_CHECK;
/* The same where it has plain_size bytes at `to`. */
struct error *snap_reader_load_to(struct snap_reader *reader,
				  const struct snap_chunk *chunk, void *to) MUST_CHECK;
/* Another reader of the same file, for another thread. */
struct error *snap_reader_again(const struct snap_reader *reader,
				struct snap_reader **result) MUST_CHECK;

/* After the last chunk: whether the file ended before SNAP_END. */
bool snap_reader_is_cut(const struct snap_reader *reader);
/* Bytes of the file. */
uint64_t snap_reader_size(const struct snap_reader *reader);
const char *snap_reader_name(const struct snap_reader *reader);

/* The error for a payload whose checksum is right and whose contents make no sense. */
struct error *snap_reader_nonsense(const struct snap_reader *reader,
				   const struct snap_chunk *chunk,
				   const char *what) MUST_CHECK;

/* Whether these first bytes of a file are a snapshot's or trace's. */
bool snap_is_magic(const void *bytes, size_t size);

#endif
