/*
 * unpacked: what a packed file holds, in a file without a name that is gone with seep.
 *
 * It is of mode 0600, in $TMPDIR or /tmp. Pages of zeros become holes. Writing stops before
 * the file system is full.
 */
#ifndef SEEP_TARGET_UNPACKED_H
#define SEEP_TARGET_UNPACKED_H

#include "target/target.h"

struct unpacked {
	int fd;
	const char *path; /* of the packed file, for messages; the caller's */
	const char *folder;
	uint64_t size;    /* so far; the caller may move it on to leave a hole */
	uint64_t written; /* of that, not holes */
};

struct error *unpacked_create(const char *path, struct unpacked *unpacked) MUST_CHECK;
struct error *unpacked_append(struct unpacked *unpacked, const char *bytes,
			      size_t size) MUST_CHECK;
/* Gives the file its size, also where it ends in a hole. */
struct error *unpacked_finish(struct unpacked *unpacked) MUST_CHECK;

/* Opens it as a core, and takes its descriptor over. The target notes where it was. */
struct error *unpacked_open_core(struct unpacked *unpacked,
				 const struct target_file_options *options,
				 struct target **target) MUST_CHECK;
void unpacked_deinit(struct unpacked *unpacked);

#endif
