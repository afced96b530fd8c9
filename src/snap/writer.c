/* writer: see writer.h. */
#include "snap/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/new_file.h"

/* Level 6 took 1.7 times the time for 1 % less (doc/NOTES.md). */
#define LEVEL 1
/* Smaller payloads are not worth a frame. */
#define WORTH_COMPRESSING 256u

struct snap_writer {
	struct new_file file;
	uint64_t size;
	ZSTD_CCtx *compressor;
	struct pack compressed;
};

static struct error *write_error(const struct snap_writer *writer)
{
	int cause = errno;
	struct error *error = new_file_error(writer->file.path);
	if (cause == ENOSPC || cause == EDQUOT || cause == EFBIG)
		return error_remedy(error, "write it to a place with more room");
	return error;
}

static struct error *write_all(struct snap_writer *writer, const void *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t written =
			write(writer->file.fd, (const char *)bytes + done, size - done);
		if (written < 0 && errno != EINTR)
			return write_error(writer);
		done += written > 0 ? (size_t)written : 0;
	}
	writer->size += size;
	return NULL;
}

static struct error *write_file_header(struct snap_writer *writer, enum snap_kind kind)
{
	struct snap_file_header header = {
		.major = SNAP_MAJOR,
		.minor = SNAP_MINOR,
		.kind = kind,
	};
	memcpy(header.magic, SNAP_MAGIC, SNAP_MAGIC_SIZE);
	header.checksum =
		snap_checksum(&header, offsetof(struct snap_file_header, checksum));
	return write_all(writer, &header, sizeof(header));
}

/* A device or pipe cannot be replaced. */
static struct error *check_place(const char *path, enum snap_kind kind)
{
	struct stat status;
	if (stat(path, &status) != 0 || S_ISREG(status.st_mode))
		return NULL;
	return error_remedy(
		error_create(ERROR_REFUSED, "%s is no regular file, which a %s must be",
			     path, kind == SNAP_KIND_TRACE ? "trace" : "snapshot"),
		"give -o the name of a new file");
}

struct error *snap_writer_create(const char *path, enum snap_kind kind,
				 struct snap_writer **result)
{
	struct snap_writer *writer = calloc(1, sizeof(*writer));
	if (!writer)
		return error_no_memory();
	writer->file.fd = -1;
	writer->compressor = ZSTD_createCCtx();
	struct error *error = writer->compressor ? check_place(path, kind)
						 : error_no_memory();
	if (!error)
		error = new_file_create(path, &writer->file);
	if (!error)
		error = write_file_header(writer, kind);
	if (error) {
		snap_writer_destroy(writer);
		return error;
	}
	*result = writer;
	return NULL;
}

void snap_writer_destroy(struct snap_writer *writer)
{
	if (!writer)
		return;
	new_file_deinit(&writer->file);
	ZSTD_freeCCtx(writer->compressor);
	pack_deinit(&writer->compressed);
	free(writer);
}

/* --- chunks ------------------------------------------------------------------------- */

/* What must be saved for a payload to be stored compressed: a sixteenth; half of an array, since
   whoever opens the file waits for those. */
enum saving { SAVING_SOME = 16, SAVING_HALF = 2 };

/* True if the compressed payload is worth storing instead. */
static bool compress(struct snap_writer *writer, const void *bytes, size_t plain_size,
		     enum saving saving)
{
	struct pack *compressed = &writer->compressed;
	size_t bound = ZSTD_compressBound(plain_size);
	compressed->size = 0;
	if (plain_size < WORTH_COMPRESSING || !pack_reserve(compressed, bound))
		return false;
	size_t size = ZSTD_compressCCtx(writer->compressor, compressed->bytes, bound,
					bytes, plain_size, LEVEL);
	if (ZSTD_isError(size) || size > plain_size - plain_size / saving)
		return false;
	compressed->size = size;
	return true;
}

static struct error *write_chunk(struct snap_writer *writer, uint32_t type,
				 uint16_t version, const void *bytes, size_t size,
				 enum saving saving)
{
	bool smaller = compress(writer, bytes, size, saving);
	const void *stored = smaller ? writer->compressed.bytes : bytes;
	struct snap_chunk_header header = {
		.type = type,
		.version = version,
		.flags = smaller ? SNAP_ZSTD : 0,
		.stored_size = smaller ? writer->compressed.size : size,
		.plain_size = size,
	};
	header.payload_checksum = snap_checksum(stored, header.stored_size);
	header.header_checksum = snap_checksum(&header, offsetof(struct snap_chunk_header,
								 header_checksum));
	struct error *error = write_all(writer, &header, sizeof(header));
	return error ? error : write_all(writer, stored, header.stored_size);
}

struct error *snap_writer_chunk(struct snap_writer *writer, enum snap_type type,
				uint16_t version, struct pack *payload)
{
	if (payload->failed)
		return error_no_memory();
	assert(payload->size <= SNAP_CHUNK_MAX);
	struct error *error = write_chunk(writer, type, version, payload->bytes,
					  payload->size, SAVING_SOME);
	payload->size = 0;
	return error;
}

struct error *snap_writer_array(struct snap_writer *writer, uint32_t type,
				const void *bytes, size_t size)
{
	struct error *error = NULL;
	for (size_t at = 0; !error && at < size; at += SNAP_PIECE_BYTES) {
		size_t left = size - at;
		error = write_chunk(writer, type, 1, (const char *)bytes + at,
				    left < SNAP_PIECE_BYTES ? left : SNAP_PIECE_BYTES,
				    SAVING_HALF);
	}
	return error;
}

struct error *snap_writer_commit(struct snap_writer *writer)
{
	return new_file_commit(&writer->file);
}

int snap_writer_fd(const struct snap_writer *writer)
{
	return writer->file.fd;
}

uint64_t snap_writer_size(const struct snap_writer *writer)
{
	return writer->size;
}
