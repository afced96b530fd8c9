/*
 * snapshot: a snapshot with contents as a target. They are an ELF core in pieces, which is
 * put together again and opened as one.
 */
#include "snap/reader.h"
#include "target/file_priv.h"
#include "target/unpacked.h"

static struct error *no_contents(const char *path)
{
	return error_remedy(
		error_create(ERROR_REFUSED,
			     "%s is a snapshot without contents: it has a graph of the "
			     "heap, and no memory",
			     path),
		"take one with them: seep snapshot --contents");
}

/* A piece says how large the core is, and where in it it stands. Pieces ascend. */
static struct error *append_piece(struct unpacked *unpacked, struct snap_reader *reader,
				  const struct snap_chunk *chunk, uint64_t *size)
{
	struct unpack payload;
	struct error *error = snap_reader_load(reader, chunk, &payload);
	if (error)
		return error;
	*size = unpack_number(&payload);
	uint64_t offset = unpack_number(&payload);
	uint64_t length = unpack_left(&payload);
	if (payload.bad || *size > INT64_MAX || offset < unpacked->size ||
	    offset > *size || length > *size - offset)
		return snap_reader_nonsense(reader, chunk, "holds a piece of no core");
	unpacked->size = offset;
	return unpacked_append(unpacked, (const char *)payload.at, length);
}

static struct error *put_together(struct unpacked *unpacked, struct snap_reader *reader)
{
	uint64_t size = 0;
	bool more = false;
	do {
		struct snap_chunk chunk;
		struct error *error = snap_reader_next(reader, &chunk, &more);
		if (!error && more && chunk.header.type == SNAP_CORE)
			error = append_piece(unpacked, reader, &chunk, &size);
		if (error)
			return error;
	} while (more);
	if (!size)
		return no_contents(snap_reader_name(reader));
	/* Of a file that was cut short the core is, too. */
	if (!snap_reader_is_cut(reader))
		unpacked->size = size;
	return unpacked_finish(unpacked);
}

struct error *snapshot_open(int fd, const char *path,
			    const struct target_file_options *options,
			    struct target **target)
{
	struct snap_reader *reader = NULL;
	struct unpacked unpacked = { .fd = -1 };
	struct error *error = snap_reader_open(fd, path, SNAP_KIND_SNAPSHOT, &reader);
	if (!error)
		error = unpacked_create(path, &unpacked);
	if (!error)
		error = put_together(&unpacked, reader);
	if (!error)
		error = unpacked_open_core(&unpacked, options, target);
	unpacked_deinit(&unpacked);
	snap_reader_close(reader);
	return error;
}
