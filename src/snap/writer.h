/*
 * writer: makes a snapshot or trace file, chunk after chunk, readable by its owner alone. A
 * file of that name is replaced.
 *
 * A snapshot appears under its name when it is complete: until snap_writer_commit() nothing
 * stands there, and where the file system can do it (O_TMPFILE) nothing stands anywhere,
 * however the process ends. A trace is committed when it has its first chunk, and grows in its
 * place, so that what was recorded is there however the process ends.
 */
#ifndef SEEP_SNAP_WRITER_H
#define SEEP_SNAP_WRITER_H

#include "base/error.h"
#include "snap/format.h"
#include "snap/pack.h"

struct snap_writer; /* opaque */

struct error *snap_writer_create(const char *path, enum snap_kind kind,
				 struct snap_writer **result) MUST_CHECK;
/* Without a commit before it, nothing of the file remains. */
void snap_writer_destroy(struct snap_writer *writer);

/* Writes the payload as one chunk, compressed if that pays, and empties it. It is at most
   SNAP_CHUNK_MAX bytes; when it has failed, so does this. */
struct error *snap_writer_chunk(struct snap_writer *writer, enum snap_type type,
				uint16_t version, struct pack *payload) MUST_CHECK;
/* Writes an array as chunks of the same type, SNAP_PIECE_BYTES in each but the last. */
struct error *snap_writer_array(struct snap_writer *writer, uint32_t type,
				const void *bytes, size_t size) MUST_CHECK;
/* Puts the file in its place; chunks may follow. */
struct error *snap_writer_commit(struct snap_writer *writer) MUST_CHECK;

/* The file's descriptor, which stays the writer's. */
int snap_writer_fd(const struct snap_writer *writer);
/* Bytes written so far. */
uint64_t snap_writer_size(const struct snap_writer *writer);

#endif
