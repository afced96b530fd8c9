/* new_file: see new_file.h. */
#include "base/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

/* So often another name is tried for a file that had none. */
#define TRIES 100

struct error *new_file_error(const char *path)
{
	return error_create(ERROR_SYSTEM, "cannot write %s: %s", path, strerror(errno));
}

/* The file behind links; the path itself when there is no such file yet. */
static char *resolve(const char *path)
{
	char *resolved = realpath(path, NULL);
	return resolved ? resolved : strdup(path);
}

static int open_nameless(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t length = !slash ? 1 : slash == path ? 1 : (size_t)(slash - path);
	CLEANUP_FREE char *folder = strndup(slash ? path : ".", length);
	return folder ? open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
}

struct error *new_file_create(const char *path, struct new_file *file)
{
	*file = (struct new_file){ .fd = -1, .path = resolve(path) };
	if (!file->path)
		return error_no_memory();
	file->fd = open_nameless(file->path);
	if (file->fd >= 0)
		return NULL;
	if (asprintf(&file->temporary, "%s.XXXXXX", file->path) < 0) {
		file->temporary = NULL;
		return error_no_memory();
	}
	file->fd = mkostemp(file->temporary, O_CLOEXEC); /* mode 0600 */
	if (file->fd >= 0)
		return NULL;
	struct error *error = new_file_error(path);
	free(file->temporary);
	file->temporary = NULL;
	return error;
}

/* Only a file with a name can take the place of another. */
static bool give_name(struct new_file *file)
{
	char own[64];
	snprintf(own, sizeof(own), "/proc/self/fd/%d", file->fd);
	for (unsigned i = 0; i < TRIES; i++) {
		char *name = NULL;
		if (asprintf(&name, "%s.%d-%u", file->path, (int)getpid(), i) < 0)
			return false;
		if (linkat(AT_FDCWD, own, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0) {
			file->temporary = name;
			return true;
		}
		free(name);
		if (errno != EEXIST)
			return false;
	}
	return false;
}

struct error *new_file_commit(struct new_file *file)
{
	if (fsync(file->fd) != 0 || (!file->temporary && !give_name(file)) ||
	    rename(file->temporary, file->path) != 0)
		return new_file_error(file->path);
	free(file->temporary);
	file->temporary = NULL;
	return NULL;
}

void new_file_deinit(struct new_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	if (file->temporary)
		unlink(file->temporary);
	free(file->temporary);
	free(file->path);
	*file = (struct new_file){ .fd = -1 };
}
