/*
 * core: an ELF core file as a target.
 */
#include <unistd.h>

#include "target/file_priv.h"

struct error *core_open(int fd, const char *path,
			const struct target_file_options *options, struct target **target)
{
	(void)options;
	(void)target;
	close(fd);
	return error_remedy(
		error_create(ERROR_REFUSED,
			     "%s is a core file, which this version does not read yet",
			     path),
		"give the pid or the name of a running process");
}
