/*
 * packed_core: a core that is compressed with zstd, as systemd-coredump stores them. A file
 * that is cut off is unpacked up to its cut.
 */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "target/file_priv.h"
#include "target/unpacked.h"

#define PIECE_BYTES ((size_t)1 << 20)
/* Windows of zstd --ultra --long=31 would take 2 GiB of our memory. */
#define WINDOW_LOG_MAX 27

struct unpacking {
	int from;
	struct unpacked to;
	bool is_cut;
};

static struct error *damaged(const struct unpacking *unpacking, const char *how)
{
	return error_create(ERROR_FORMAT,
			    "%s is damaged: %s, after %" PRIu64 " unpacked bytes",
			    unpacking->to.path, how, unpacking->to.size);
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
				       unpacking->to.path, strerror(errno));
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
			error = unpacked_append(&unpacking->to, to, output.pos);
			output.pos = 0;
		}
	}
	unpacking->is_cut = left != 0;
	return error ? error : unpacked_append(&unpacking->to, to, output.pos);
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
	return error ? error : unpacked_finish(&unpacking->to);
}

static struct error *check_contents(const struct unpacking *unpacking)
{
	char magic[SELFMAG];
	if (pread(unpacking->to.fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	    !memcmp(magic, ELFMAG, sizeof(magic)))
		return NULL;
	return error_remedy(error_create(ERROR_FORMAT,
					 "what is compressed in \"%s\" is no core",
					 unpacking->to.path),
			    "give a core, or the pid or the name of a running process");
}

static struct error *tell_cut(const struct unpacking *unpacking, struct target *target)
{
	if (!unpacking->is_cut)
		return NULL;
	struct error *error = sentences_add(
		&target->warnings, "%s ends in the middle of its compressed data",
		unpacking->to.path);
	if (error)
		target_destroy(target);
	return error;
}

struct error *packed_core_open(int fd, const char *path,
			       const struct target_file_options *options,
			       struct target **target)
{
	struct unpacking unpacking = { .from = fd };
	struct error *error = unpacked_create(path, &unpacking.to);
	if (!error)
		error = unpack(&unpacking);
	if (!error)
		error = check_contents(&unpacking);
	if (!error)
		error = unpacked_open_core(&unpacking.to, options, target);
	close(fd);
	unpacked_deinit(&unpacking.to);
	return error ? error : tell_cut(&unpacking, *target);
}
