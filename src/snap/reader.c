/* reader: see reader.h. */
#include "snap/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

struct snap_reader {
	char *name;
	int fd;
	uint64_t size, at;
	enum snap_kind kind;
	bool ended; /* SNAP_END was seen */
	unsigned char *stored, *plain;
	size_t stored_capacity, plain_capacity;
	ZSTD_DCtx *expander;
};

static struct error *remedied(const struct snap_reader *reader, struct error *error)
{
	return error_remedy(error, "copy the file again, or %s",
			    reader->kind == SNAP_KIND_TRACE ? "record again"
							    : "take a new snapshot");
}

/* A file of seep, but not what was asked for. */
static struct error *wrong_kind(const struct snap_reader *reader, uint32_t kind)
{
	if (reader->kind == SNAP_KIND_SNAPSHOT && kind == SNAP_KIND_TRACE)
		return error_remedy(error_create(ERROR_FORMAT,
						 "%s is a trace, not a snapshot",
						 reader->name),
				    "seep report %s", reader->name);
	if (reader->kind == SNAP_KIND_TRACE && kind == SNAP_KIND_SNAPSHOT)
		return error_remedy(error_create(ERROR_FORMAT,
						 "%s is a snapshot, not a trace",
						 reader->name),
				    "seep leaks %s", reader->name);
	return remedied(reader,
			error_create(ERROR_FORMAT, "%s is no %s", reader->name,
				     reader->kind == SNAP_KIND_TRACE ? "trace"
								     : "snapshot"));
}

static struct error *damaged(const struct snap_reader *reader,
			     const struct snap_chunk *chunk, const char *how)
{
	return remedied(reader,
			error_create(ERROR_FORMAT,
				     "%s is damaged: the chunk \"%s\" at offset %" PRIu64
				     " %s",
				     reader->name, snap_type_name(chunk->header.type),
				     chunk->offset, how));
}

struct error *snap_reader_nonsense(const struct snap_reader *reader,
				   const struct snap_chunk *chunk, const char *what)
{
	return damaged(reader, chunk, what);
}

/* As many bytes as the file still has. */
static struct error *read_at(const struct snap_reader *reader, uint64_t offset,
			     void *bytes, size_t size, size_t *nr_read)
{
	for (*nr_read = 0; *nr_read < size;) {
		ssize_t got = pread(reader->fd, (char *)bytes + *nr_read, size - *nr_read,
				    (off_t)(offset + *nr_read));
		if (got < 0 && errno != EINTR)
			return error_create(ERROR_SYSTEM, "cannot read %s: %s",
					    reader->name, strerror(errno));
		if (got == 0)
			break;
		*nr_read += got > 0 ? (size_t)got : 0;
	}
	return NULL;
}

bool snap_is_magic(const void *bytes, size_t size)
{
	return size >= SNAP_MAGIC_SIZE && !memcmp(bytes, SNAP_MAGIC, SNAP_MAGIC_SIZE);
}

static struct error *check_file_header(const struct snap_reader *reader,
				       const struct snap_file_header *header,
				       size_t nr_read)
{
	if (!snap_is_magic(header->magic, nr_read))
		return error_remedy(
			error_create(ERROR_FORMAT, "%s is no file of seep", reader->name),
			reader->kind == SNAP_KIND_TRACE
				? "give a trace: seep record -o FILE -- COMMAND"
				: "give a snapshot: seep snapshot -o FILE PID");
	if (nr_read < sizeof(*header))
		return remedied(reader,
				error_create(ERROR_FORMAT, "%s ends within its header",
					     reader->name));
	if (header->major != SNAP_MAJOR)
		return error_remedy(
			error_create(ERROR_FORMAT,
				     "%s is of format %u; this seep reads format %u",
				     reader->name, header->major, SNAP_MAJOR),
			"read it with the seep that wrote it, or a newer one");
	if (header->checksum !=
	    snap_checksum(header, offsetof(struct snap_file_header, checksum)))
		return remedied(
			reader,
			error_create(
				ERROR_FORMAT,
				"%s is damaged: its header does not match its checksum",
				reader->name));
	return header->kind == reader->kind ? NULL : wrong_kind(reader, header->kind);
}

struct error *snap_reader_open(int fd, const char *name, enum snap_kind kind,
			       struct snap_reader **result)
{
	struct snap_reader *reader = calloc(1, sizeof(*reader));
	if (!reader) {
		close(fd);
		return error_no_memory();
	}
	reader->fd = fd;
	reader->kind = kind;
	reader->name = strdup(name);
	reader->expander = ZSTD_createDCtx();
	struct stat status = { 0 };
	struct snap_file_header header = { 0 };
	size_t nr_read = 0;
	struct error *error = NULL;
	if (!reader->name || !reader->expander)
		error = error_no_memory();
	else if (fstat(fd, &status))
		error = error_create(ERROR_SYSTEM, "cannot read %s: %s", name,
				     strerror(errno));
	if (!error)
		error = read_at(reader, 0, &header, sizeof(header), &nr_read);
	if (!error)
		error = check_file_header(reader, &header, nr_read);
	if (error) {
		snap_reader_close(reader);
		return error;
	}
	reader->size = (uint64_t)status.st_size;
	snap_reader_rewind(reader);
	*result = reader;
	return NULL;
}

void snap_reader_close(struct snap_reader *reader)
{
	if (!reader)
		return;
	close(reader->fd);
	ZSTD_freeDCtx(reader->expander);
	free(reader->stored);
	free(reader->plain);
	free(reader->name);
	free(reader);
}

/* --- chunks ------------------------------------------------------------------------- */

static struct error *check_header(const struct snap_reader *reader,
				  const struct snap_chunk *chunk)
{
	const struct snap_chunk_header *header = &chunk->header;
	if (header->header_checksum !=
	    snap_checksum(header, offsetof(struct snap_chunk_header, header_checksum)))
		return remedied(
			reader,
			error_create(ERROR_FORMAT,
				     "%s is damaged: the chunk header at offset %" PRIu64
				     " does not match its checksum",
				     reader->name, chunk->offset));
	if (header->stored_size > SNAP_CHUNK_MAX || header->plain_size > SNAP_CHUNK_MAX)
		return damaged(reader, chunk, "is larger than any may be");
	if (!(header->flags & SNAP_ZSTD) && header->stored_size != header->plain_size)
		return damaged(reader, chunk, "has two sizes");
	return NULL;
}

void snap_reader_rewind(struct snap_reader *reader)
{
	reader->at = sizeof(struct snap_file_header);
	reader->ended = false;
}

struct error *snap_reader_next(struct snap_reader *reader, struct snap_chunk *chunk,
			       bool *more)
{
	size_t nr_read = 0;
	*more = false;
	if (reader->ended)
		return NULL;
	*chunk = (struct snap_chunk){ .offset = reader->at };
	struct error *error = read_at(reader, reader->at, &chunk->header,
				      sizeof(chunk->header), &nr_read);
	if (error || nr_read < sizeof(chunk->header))
		return error;
	error = check_header(reader, chunk);
	if (error)
		return error;
	uint64_t payload = reader->at + sizeof(chunk->header);
	if (payload > reader->size || chunk->header.stored_size > reader->size - payload)
		return NULL;
	reader->at = payload + chunk->header.stored_size;
	reader->ended = chunk->header.type == SNAP_END;
	*more = !reader->ended;
	return NULL;
}

static bool reserve(unsigned char **buffer, size_t *capacity, size_t size)
{
	if (size <= *capacity)
		return true;
	unsigned char *larger = realloc(*buffer, size);
	if (!larger)
		return false;
	*buffer = larger;
	*capacity = size;
	return true;
}

static struct error *expand(struct snap_reader *reader, const struct snap_chunk *chunk,
			    void *to)
{
	const struct snap_chunk_header *header = &chunk->header;
	size_t size = ZSTD_decompressDCtx(reader->expander, to, header->plain_size,
					  reader->stored, header->stored_size);
	if (ZSTD_isError(size) || size != header->plain_size)
		return damaged(reader, chunk, "cannot be expanded");
	return NULL;
}

/* Reads the payload as it is stored, and checks it. */
static struct error *read_stored(const struct snap_reader *reader,
				 const struct snap_chunk *chunk, void *to)
{
	const struct snap_chunk_header *header = &chunk->header;
	size_t nr_read = 0;
	struct error *error = read_at(reader, chunk->offset + sizeof(*header), to,
				      header->stored_size, &nr_read);
	if (error)
		return error;
	if (nr_read < header->stored_size ||
	    header->payload_checksum != snap_checksum(to, header->stored_size))
		return damaged(reader, chunk, "does not match its checksum");
	if (header->flags & ~(unsigned)SNAP_ZSTD)
		return damaged(reader, chunk, "is stored in a way that is not known");
	return NULL;
}

struct error *snap_reader_load(struct snap_reader *reader, const struct snap_chunk *chunk,
			       struct unpack *payload)
{
	const struct snap_chunk_header *header = &chunk->header;
	if (!reserve(&reader->stored, &reader->stored_capacity, header->stored_size + 1))
		return error_no_memory();
	struct error *error = read_stored(reader, chunk, reader->stored);
	if (error)
		return error;
	*payload = unpack_of(reader->stored, header->stored_size);
	if (!(header->flags & SNAP_ZSTD))
		return NULL;
	if (!reserve(&reader->plain, &reader->plain_capacity, header->plain_size + 1))
		return error_no_memory();
	error = expand(reader, chunk, reader->plain);
	*payload = unpack_of(reader->plain, header->plain_size);
	return error;
}

struct error *snap_reader_load_to(struct snap_reader *reader,
				  const struct snap_chunk *chunk, void *to)
{
	const struct snap_chunk_header *header = &chunk->header;
	if (!(header->flags & SNAP_ZSTD))
		return read_stored(reader, chunk, to);
	if (!reserve(&reader->stored, &reader->stored_capacity, header->stored_size + 1))
		return error_no_memory();
	struct error *error = read_stored(reader, chunk, reader->stored);
	return error ? error : expand(reader, chunk, to);
}

struct error *snap_reader_again(const struct snap_reader *reader,
				struct snap_reader **result)
{
	int fd = fcntl(reader->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return error_create(ERROR_SYSTEM, "cannot read %s: %s", reader->name,
				    strerror(errno));
	return snap_reader_open(fd, reader->name, reader->kind, result);
}

bool snap_reader_is_cut(const struct snap_reader *reader)
{
	return !reader->ended;
}

uint64_t snap_reader_size(const struct snap_reader *reader)
{
	return reader->size;
}

const char *snap_reader_name(const struct snap_reader *reader)
{
	return reader->name;
}
