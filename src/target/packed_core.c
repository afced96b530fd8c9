/*
 * packed_core: a core that is compressed with zstd, as systemd-coredump stores them.
 *
 * It is unpacked into a file without a name, of mode 0600, in $TMPDIR or /tmp. Pages of zeros
 * become holes. A file that is cut off is unpacked up to its cut. Unpacking stops before
 * the file system is full.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "target/file_priv.h"

#define PIECE_BYTES ((size_t)1 << 20)
#define PAGE_BYTES  ((size_t)4096)
/* Left free for whoever else needs the file system. */
#define SPARE_BYTES ((uint64_t)64 << 20)
/* Windows of zstd --ultra --long=31 would take 2 GiB of our memory. */
#define WINDOW_LOG_MAX 27

struct unpacking {
	int from, to;
	const char *path, *folder;
	uint64_t size;    /* unpacked so far */
	uint64_t written; /* of that, not holes */
	bool is_cut;
};

static const char *temporary_folder(void)
{
	const char *folder = getenv("TMPDIR");
	return folder && *folder ? folder : "/tmp";
}

static struct error *open_temporary(struct unpacking *unpacking)
{
	unpacking->folder = temporary_folder();
	unpacking->to =
		open(unpacking->folder, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	if (unpacking->to >= 0)
		return NULL;
	return error_remedy(
		error_create(ERROR_SYSTEM,
			     "cannot unpack %s: no file can be made in %s: %s",
			     unpacking->path, unpacking->folder, strerror(errno)),
		"name another folder in TMPDIR, or unpack it yourself: "
		"unzstd %s",
		unpacking->path);
}

static struct error *no_room(const struct unpacking *unpacking)
{
	return error_remedy(
		error_create(ERROR_SYSTEM,
			     "cannot unpack %s: %s is full after %" PRIu64 " bytes of it",
			     unpacking->path, unpacking->folder, unpacking->written),
		"name a folder with more room in TMPDIR");
}

static struct error *check_room(const struct unpacking *unpacking, size_t size)
{
	struct statvfs room;
	/* A memory file system may have no limit of its own, and says 0. */
	if (fstatvfs(unpacking->to, &room) != 0 || room.f_blocks == 0)
		return NULL;
	uint64_t free_bytes = (uint64_t)room.f_bavail * room.f_frsize;
	return free_bytes < SPARE_BYTES + size ? no_room(unpacking) : NULL;
}

static bool is_zero(const char *bytes, size_t size)
{
	return size == 0 || (bytes[0] == 0 && !memcmp(bytes, bytes + 1, size - 1));
}

static struct error *write_page(struct unpacking *unpacking, const char *bytes,
				size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t put = pwrite(unpacking->to, bytes + done, size - done,
				     (off_t)(unpacking->size + done));
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == ENOSPC)
			return no_room(unpacking);
		if (put <= 0)
			return error_create(ERROR_SYSTEM, "cannot unpack %s: %s",
					    unpacking->path, strerror(errno));
		done += (size_t)put;
	}
	unpacking->written += size;
	return NULL;
}

/* Every piece but the last is whole pages, for PIECE_BYTES is. */
static struct error *write_piece(struct unpacking *unpacking, const char *bytes,
				 size_t size)
{
	struct error *error = check_room(unpacking, size);
	for (size_t at = 0; !error && at < size; at += PAGE_BYTES) {
		size_t step = size - at < PAGE_BYTES ? size - at : PAGE_BYTES;
		if (!is_zero(bytes + at, step))
			error = write_page(unpacking, bytes + at, step);
		unpacking->size += step;
	}
	return error;
}

static struct error *damaged(const struct unpacking *unpacking, const char *how)
{
	return error_create(ERROR_FORMAT,
			    "%s is damaged: %s, after %" PRIu64 " unpacked bytes",
			    unpacking->path, how, unpacking->size);
}

/* Fills the input when it is used up. */
static struct error *feed(const struct unpacking *unpacking, char *buffer,
			  ZSTD_inBuffer *input, bool *ended)
{
	if (input->pos < input->size)
		return NULL;
	ssize_t got = 0;
	do
		got = read(unpacking->from, buffer, PIECE_BYTES);
	while (got < 0 && errno == EINTR);
	*ended = got == 0;
	*input = (ZSTD_inBuffer){ buffer, got > 0 ? (size_t)got : 0, 0 };
	return got >= 0 ? NULL
			: error_create(ERROR_SYSTEM, "cannot read %s: %s",
				       unpacking->path, strerror(errno));
}

/* `left` is 0 between frames: only there may the file end. */
static struct error *unpack_with(struct unpacking *unpacking, ZSTD_DCtx *context,
				 char *from, char *to)
{
	ZSTD_inBuffer input = { from, 0, 0 };
	ZSTD_outBuffer output = { to, PIECE_BYTES, 0 };
	size_t left = 0;
	bool ended = false, more_is_due = false;
	struct error *error = NULL;
	while (!error) {
		if (!more_is_due)
			error = feed(unpacking, from, &input, &ended);
		if (error || ended)
			break;
		left = ZSTD_decompressStream(context, &output, &input);
		if (ZSTD_isError(left))
			return damaged(unpacking, ZSTD_getErrorName(left));
		more_is_due = output.pos == output.size;
		if (more_is_due) {
			error = write_piece(unpacking, to, output.pos);
			output.pos = 0;
		}
	}
	unpacking->is_cut = left != 0;
	return error ? error : write_piece(unpacking, to, output.pos);
}

static struct error *unpack(struct unpacking *unpacking)
{
	ZSTD_DCtx *context = ZSTD_createDCtx();
	CLEANUP_FREE char *from = malloc(PIECE_BYTES), *to = malloc(PIECE_BYTES);
	struct error *error = context && from && to ? NULL : error_no_memory();
	if (!error && ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax,
							  WINDOW_LOG_MAX)))
		error = error_no_memory();
	if (!error)
		error = unpack_with(unpacking, context, from, to);
	ZSTD_freeDCtx(context);
	if (!error && ftruncate(unpacking->to, (off_t)unpacking->size) != 0)
		error = error_create(ERROR_SYSTEM, "cannot unpack %s: %s",
				     unpacking->path, strerror(errno));
	return error;
}

static struct error *check_contents(const struct unpacking *unpacking)
{
	char magic[SELFMAG];
	if (pread(unpacking->to, magic, sizeof(magic), 0) == sizeof(magic) &&
	    !memcmp(magic, ELFMAG, sizeof(magic)))
		return NULL;
	return error_remedy(error_create(ERROR_FORMAT,
					 "what is compressed in \"%s\" is no core",
					 unpacking->path),
			    "give a core, or the pid or the name of a running process");
}

static struct error *tell(const struct unpacking *unpacking, struct target *target)
{
	struct error *error = sentences_add(&target->notes,
					    "%s was unpacked to %" PRIu64
					    " bytes in %s, which took %" PRIu64
					    " bytes there until seep ended",
					    unpacking->path, unpacking->size,
					    unpacking->folder, unpacking->written);
	if (!error && unpacking->is_cut)
		error = sentences_add(&target->warnings,
				      "%s ends in the middle of its compressed data",
				      unpacking->path);
	return error;
}

struct error *packed_core_open(int fd, const char *path,
			       const struct target_file_options *options,
			       struct target **target)
{
	struct unpacking unpacking = { .from = fd, .to = -1, .path = path };
	struct error *error = open_temporary(&unpacking);
	if (!error)
		error = unpack(&unpacking);
	if (!error)
		error = check_contents(&unpacking);
	close(fd);
	if (error) {
		if (unpacking.to >= 0)
			close(unpacking.to);
		return error;
	}
	error = core_open(unpacking.to, path, options, target);
	if (error)
		return error;
	error = tell(&unpacking, *target);
	if (error)
		target_destroy(*target);
	return error;
}
