/*
 * new_file: a file that appears complete or not at all, readable by its owner alone.
 *
 * It is written without a name where the file system can do that (O_TMPFILE), so that
 * nothing is left behind even when we are killed, and beside its place otherwise. A link is
 * followed: the file that it leads to is replaced.
 */
#ifndef SEEP_BASE_NEW_FILE_H
#define SEEP_BASE_NEW_FILE_H

#include "base/error.h"

struct new_file {
	int fd;          /* for reading and writing */
	char *path;      /* where it will stand */
	char *temporary; /* where it stands for now; NULL: nowhere */
};

struct error *new_file_create(const char *path, struct new_file *file) MUST_CHECK;

/* Puts it in its place, after which only new_file_deinit() is due. */
struct error *new_file_commit(struct new_file *file) MUST_CHECK;

/* Closes it; unless it was committed nothing of it is left. A zeroed struct with fd -1 is a
   no-op. */
void new_file_deinit(struct new_file *file);

/* "cannot write PATH: …" by errno. */
struct error *new_file_error(const char *path) MUST_CHECK;

#endif
