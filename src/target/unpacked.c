/* unpacked: see unpacked.h. */
#include "target/unpacked.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "target/file_priv.h"

#define PAGE_BYTES ((size_t)4096)
/* Left free for whoever else needs the file system. */
#define SPARE_BYTES ((uint64_t)64 << 20)

static const char *temporary_folder(void)
{
	const char *folder = getenv("TMPDIR");
	return folder && *folder ? folder : "/tmp";
}

struct error *unpacked_create(const char *path, struct unpacked *unpacked)
{
	*unpacked = (struct unpacked){ .path = path, .folder = temporary_folder() };
	unpacked->fd =
		open(unpacked->folder, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	if (unpacked->fd >= 0)
		return NULL;
	return error_remedy(error_create(ERROR_SYSTEM,
					 "cannot unpack %s: no file can be made in "
					 "%s: %s",
					 path, unpacked->folder, strerror(errno)),
			    "name another folder in TMPDIR");
}

static struct error *no_room(const struct unpacked *unpacked)
{
	return error_remedy(
		error_create(ERROR_SYSTEM,
			     "cannot unpack %s: %s is full after %" PRIu64 " bytes of it",
			     unpacked->path, unpacked->folder, unpacked->written),
		"name a folder with more room in TMPDIR");
}

static struct error *check_room(const struct unpacked *unpacked, size_t size)
{
	struct statvfs room;
	/* A memory file system may have no limit of its own, and says 0. */
	if (fstatvfs(unpacked->fd, &room) != 0 || room.f_blocks == 0)
		return NULL;
	uint64_t free_bytes = (uint64_t)room.f_bavail * room.f_frsize;
	return free_bytes < SPARE_BYTES + size ? no_room(unpacked) : NULL;
}

static bool is_zero(const char *bytes, size_t size)
{
	return size == 0 || (bytes[0] == 0 && !memcmp(bytes, bytes + 1, size - 1));
}

static struct error *cannot_unpack(const struct unpacked *unpacked)
{
	return error_create(ERROR_SYSTEM, "cannot unpack %s: %s", unpacked->path,
			    strerror(errno));
}

static struct error *write_page(struct unpacked *unpacked, const char *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t put = pwrite(unpacked->fd, bytes + done, size - done,
				     (off_t)(unpacked->size + done));
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == ENOSPC)
			return no_room(unpacked);
		if (put <= 0)
			return cannot_unpack(unpacked);
		done += (size_t)put;
	}
	unpacked->written += size;
	return NULL;
}

struct error *unpacked_append(struct unpacked *unpacked, const char *bytes, size_t size)
{
	struct error *error = check_room(unpacked, size);
	for (size_t at = 0; !error && at < size; at += PAGE_BYTES) {
		size_t step = size - at < PAGE_BYTES ? size - at : PAGE_BYTES;
		if (!is_zero(bytes + at, step))
			error = write_page(unpacked, bytes + at, step);
		unpacked->size += step;
	}
	return error;
}

struct error *unpacked_finish(struct unpacked *unpacked)
{
	return ftruncate(unpacked->fd, (off_t)unpacked->size) == 0
		       ? NULL
		       : cannot_unpack(unpacked);
}

struct error *unpacked_open_core(struct unpacked *unpacked,
				 const struct target_file_options *options,
				 struct target **target)
{
	int fd = unpacked->fd;
	unpacked->fd = -1;
	struct error *error = core_open(fd, unpacked->path, options, target);
	if (error)
		return error;
	error = sentences_add(&(*target)->notes,
			      "%s was unpacked to %" PRIu64
			      " bytes in %s, which took %" PRIu64
			      " bytes there until seep ended",
			      unpacked->path, unpacked->size, unpacked->folder,
			      unpacked->written);
	if (error)
		target_destroy(*target);
	return error;
}

void unpacked_deinit(struct unpacked *unpacked)
{
	if (unpacked->fd >= 0)
		close(unpacked->fd);
	unpacked->fd = -1;
}
