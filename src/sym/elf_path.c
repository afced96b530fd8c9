/* elf_path: see elf_path_priv.h. */
#include "sym/elf_path_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct error *elf_path_open(const char *path, elf_opener opener, struct elf_file **file)
{
	struct stat status;
	/* To open what is no file may do something. */
	if (!stat(path, &status) && !S_ISREG(status.st_mode))
		return error_create(ERROR_READ, "%s is no regular file", path);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return error_create(ERROR_READ, "cannot open %s: %s", path,
				    strerror(errno));
	return opener(fd, path, file);
}

bool elf_path_is_build(const struct elf_file *file, const char *build_id)
{
	const char *found = elf_file_build_id(file);
	return found && !strcmp(found, build_id);
}
