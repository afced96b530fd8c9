/*
 * debug_file: finds separate debug files by build-id, where distributions install them.
 *
 * The target's root may be a stranger's: links in it are resolved inside it, and nothing
 * but a regular file is ever opened for reading (a device might act on being opened).
 */
#include "sym/symbols_priv.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sym/elf_file_priv.h"

static int open_regular(int path_fd)
{
	struct stat status;
	if (fstat(path_fd, &status) != 0 || !S_ISREG(status.st_mode))
		return -1;
	char again[64];
	snprintf(again, sizeof(again), "/proc/self/fd/%d", path_fd);
	return open(again, O_RDONLY | O_CLOEXEC);
}

static int open_below(const char *root, const char *path)
{
	CLEANUP_CLOSE int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return -1;
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	CLEANUP_CLOSE int path_fd =
		(int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	return path_fd < 0 ? -1 : open_regular(path_fd);
}

static struct elf_file *open_matching(const char *root, const char *path,
				      const char *build_id)
{
	int fd = open_below(root, path);
	if (fd < 0)
		return NULL;
	struct elf_file *file;
	struct error *error = elf_file_open_debug(fd, path, &file);
	if (error) {
		error_destroy(error);
		return NULL;
	}
	const char *found = elf_file_build_id(file);
	if (found && strcmp(found, build_id) == 0)
		return file;
	elf_file_destroy(file);
	return NULL;
}

struct elf_file *debug_file_open(pid_t pid, const char *build_id)
{
	if (strlen(build_id) < 3)
		return NULL;
	char path[256];
	int length = snprintf(path, sizeof(path), "usr/lib/debug/.build-id/%.2s/%s.debug",
			      build_id, build_id + 2);
	if (length < 0 || (size_t)length >= sizeof(path))
		return NULL;
	struct elf_file *file = NULL;
	if (pid > 0) {
		char root[64];
		snprintf(root, sizeof(root), "/proc/%ld/root", (long)pid);
		file = open_matching(root, path, build_id);
	}
	return file ? file : open_matching("/", path, build_id);
}
