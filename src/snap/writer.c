/* writer: see writer.h. */
#include "snap/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/cleanup.h"

/* Higher levels took twice the time for a tenth less (doc/NOTES.md). */
#define LEVEL 1
/* Smaller payloads are not worth a frame. */
#define WORTH_COMPRESSING 256u
/* So often another name is sought for the file that is to be renamed. */
#define NAME_TRIES 100

struct snap_writer {
	char *path;      /* where it is to appear; links followed */
	char *temporary; /* where it stands meanwhile; NULL: it has no name */
	int fd;
	uint64_t size;
	ZSTD_CCtx *compressor;
	struct pack compressed;
};

static struct error *write_error(const struct snap_writer *writer)
{
	int cause = errno;
	struct error *error = error_create(ERROR_SYSTEM, "cannot write %s: %s",
					   writer->path, strerror(cause));
	if (cause == ENOSPC || cause == EDQUOT)
		return error_remedy(error, "write it to a file system with more room");
	return error_remedy(error, "give -o a file in a folder that exists and that you "
				   "may write to");
}

static struct error *write_all(struct snap_writer *writer, const void *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t written =
			write(writer->fd, (const char *)bytes + done, size - done);
		if (written < 0 && errno != EINTR)
			return write_error(writer);
		done += written > 0 ? (size_t)written : 0;
	}
	writer->size += size;
	return NULL;
}

/* --- names -------------------------------------------------------------------------- */

/* The folder that the file stands in. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* A file without a name; -1 where the file system has none. */
static int open_nameless(const char *path)
{
	CLEANUP_FREE char *folder = folder_of(path);
	return folder ? open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
}

static struct error *open_beside(struct snap_writer *writer)
{
	if (asprintf(&writer->temporary, "%s.XXXXXX", writer->path) < 0) {
		writer->temporary = NULL;
		return error_no_memory();
	}
	writer->fd = mkostemp(writer->temporary, O_CLOEXEC); /* mode 0600 */
	if (writer->fd >= 0)
		return NULL;
	struct error *error = write_error(writer);
	free(writer->temporary);
	writer->temporary = NULL;
	return error;
}

/* Gives the nameless file a name beside the one it is to have: a link replaces nothing. */
static struct error *name_file(struct snap_writer *writer)
{
	char link[64];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", writer->fd);
	for (int i = 0; i < NAME_TRIES; i++) {
		char *name = NULL;
		if (asprintf(&name, "%s.%d-%d", writer->path, (int)getpid(), i) < 0)
			return error_no_memory();
		if (!linkat(AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW)) {
			writer->temporary = name;
			return NULL;
		}
		free(name);
		if (errno != EEXIST)
			break;
	}
	return write_error(writer);
}

static struct error *open_file(struct snap_writer *writer)
{
	struct stat status;
	if (!stat(writer->path, &status) && !S_ISREG(status.st_mode))
		return error_remedy(error_create(ERROR_REFUSED, "%s is no regular file",
						 writer->path),
				    "give -o the name of a file");
	writer->fd = open_nameless(writer->path);
	return writer->fd >= 0 ? NULL : open_beside(writer);
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

struct error *snap_writer_create(const char *path, enum snap_kind kind,
				 struct snap_writer **result)
{
	struct snap_writer *writer = calloc(1, sizeof(*writer));
	if (!writer)
		return error_no_memory();
	writer->fd = -1;
	writer->path = realpath(path, NULL);
	if (!writer->path)
		writer->path = strdup(path);
	writer->compressor = ZSTD_createCCtx();
	struct error *error = writer->path && writer->compressor ? open_file(writer)
								 : error_no_memory();
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
	if (writer->temporary)
		unlink(writer->temporary);
	if (writer->fd >= 0)
		close(writer->fd);
	ZSTD_freeCCtx(writer->compressor);
	pack_deinit(&writer->compressed);
	free(writer->temporary);
	free(writer->path);
	free(writer);
}

/* --- chunks ------------------------------------------------------------------------- */

/* True if the compressed payload is worth storing instead. */
static bool compress(struct snap_writer *writer, const struct pack *payload)
{
	struct pack *compressed = &writer->compressed;
	size_t bound = ZSTD_compressBound(payload->size);
	compressed->size = 0;
	if (payload->size < WORTH_COMPRESSING || !pack_reserve(compressed, bound))
		return false;
	size_t size = ZSTD_compressCCtx(writer->compressor, compressed->bytes, bound,
					payload->bytes, payload->size, LEVEL);
	if (ZSTD_isError(size) || size > payload->size - payload->size / 16)
		return false;
	compressed->size = size;
	return true;
}

struct error *snap_writer_chunk(struct snap_writer *writer, enum snap_type type,
				uint16_t version, struct pack *payload)
{
	if (payload->failed)
		return error_no_memory();
	assert(payload->size <= SNAP_CHUNK_MAX);
	bool smaller = compress(writer, payload);
	const struct pack *stored = smaller ? &writer->compressed : payload;
	struct snap_chunk_header header = {
		.type = type,
		.version = version,
		.flags = smaller ? SNAP_ZSTD : 0,
		.stored_size = stored->size,
		.plain_size = payload->size,
		.payload_checksum = snap_checksum(stored->bytes, stored->size),
	};
	header.header_checksum = snap_checksum(&header, offsetof(struct snap_chunk_header,
								 header_checksum));
	struct error *error = write_all(writer, &header, sizeof(header));
	if (!error)
		error = write_all(writer, stored->bytes, stored->size);
	payload->size = 0;
	return error;
}

struct error *snap_writer_commit(struct snap_writer *writer)
{
	if (fsync(writer->fd))
		return write_error(writer);
	struct error *error = writer->temporary ? NULL : name_file(writer);
	if (error)
		return error;
	if (rename(writer->temporary, writer->path))
		return write_error(writer);
	free(writer->temporary);
	writer->temporary = NULL;
	return NULL;
}

uint64_t snap_writer_size(const struct snap_writer *writer)
{
	return writer->size;
}
