/*
 * file_priv: the openers of the kinds of files that file.c tells apart.
 *
 * Each takes the descriptor over, which is of a regular file; `path` is for messages and
 * for what lies beside the file.
 */
#ifndef SEEP_TARGET_FILE_PRIV_H
#define SEEP_TARGET_FILE_PRIV_H

#include "target/target.h"

struct error *core_open(int fd, const char *path,
			const struct target_file_options *options,
			struct target **target) MUST_CHECK;

/* A core that is compressed with zstd; ERROR_FORMAT when what is in it is no core. */
struct error *packed_core_open(int fd, const char *path,
			       const struct target_file_options *options,
			       struct target **target) MUST_CHECK;
/* A snapshot that has contents. */
struct error *snapshot_open(int fd, const char *path,
			    const struct target_file_options *options,
			    struct target **target) MUST_CHECK;

#endif
