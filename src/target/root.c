/* root: see root.h. */
#include "target/root.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

static int open_regular(int path_fd)
{
	struct stat status;
	if (fstat(path_fd, &status) != 0 || !S_ISREG(status.st_mode))
		return -1;
	char again[64];
	snprintf(again, sizeof(again), "/proc/self/fd/%d", path_fd);
	return open(again, O_RDONLY | O_CLOEXEC);
}

int root_open(const char *root, const char *path)
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
