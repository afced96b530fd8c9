/* snapshot_contents: see snapshot_contents.h. */
#include "analyse/snapshot_contents.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "analyse/snapshot_priv.h"

#define PIECE_BYTES ((size_t)4 << 20)

struct error *contents_init(struct contents *contents, pid_t pid, const char *path)
{
	*contents = (struct contents){ .path = path, .file.fd = -1 };
	struct error *error = core_facts_read(pid, &contents->facts);
	return error ? error : new_file_create(path, &contents->file);
}

void contents_deinit(struct contents *contents)
{
	core_facts_deinit(&contents->facts);
	new_file_deinit(&contents->file);
}

struct error *contents_take(void *context, struct target *target)
{
	struct contents *contents = context;
	if (ftruncate(contents->file.fd, 0) != 0)
		return new_file_error(contents->path);
	return core_write(target, &contents->facts, contents->file.fd, contents->path,
			  &contents->outcome);
}

/* Where the next bytes that are no hole begin; the end of the file if there are none, and
   `at` itself where the file system knows of no holes. */
static uint64_t next_data(const struct contents *contents, uint64_t at)
{
	off_t found = lseek(contents->file.fd, (off_t)at, SEEK_DATA);
	if (found < 0)
		return errno == ENXIO ? contents->outcome.file_bytes : at;
	return (uint64_t)found;
}

/* Up to the next hole, and no more than a piece. */
static size_t data_length(const struct contents *contents, uint64_t at)
{
	off_t found = lseek(contents->file.fd, (off_t)at, SEEK_HOLE);
	uint64_t end = found < 0 ? contents->outcome.file_bytes : (uint64_t)found;
	return end - at < PIECE_BYTES ? (size_t)(end - at) : PIECE_BYTES;
}

static struct error *read_piece(const struct contents *contents, uint64_t at,
				struct pack *payload, size_t size)
{
	if (!pack_reserve(payload, size))
		return error_no_memory();
	for (size_t done = 0; done < size;) {
		ssize_t got = pread(contents->file.fd, payload->bytes + payload->size,
				    size - done, (off_t)(at + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return error_create(ERROR_SYSTEM, "cannot read back %s: %s",
					    contents->path, strerror(got ? errno : EIO));
		done += (size_t)got;
		payload->size += (size_t)got;
	}
	return NULL;
}

struct error *contents_save(const struct contents *contents, struct snap_writer *writer)
{
	struct pack payload = { 0 };
	struct error *error = NULL;
	uint64_t at = next_data(contents, 0);
	while (!error && at < contents->outcome.file_bytes) {
		size_t size = data_length(contents, at);
		pack_number(&payload, contents->outcome.file_bytes);
		pack_number(&payload, at);
		error = read_piece(contents, at, &payload, size);
		if (!error)
			error = snap_writer_chunk(writer, SNAP_CORE, CHUNK_VERSION,
						  &payload);
		at = next_data(contents, at + size);
	}
	pack_deinit(&payload);
	return error;
}
