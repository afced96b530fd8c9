/* stored_core: see stored_core.h. */
#include "cmd/stored_core.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/str.h"

#define FOLDER "/var/lib/systemd/coredump"
/* The kernel's TASK_COMM_LEN without the NUL. */
#define COMM_LENGTH 15u

/* As systemd writes it: dots, slashes, spaces and the like become \xNN. */
static char *prefix_of(const char *name)
{
	struct str prefix = { 0 };
	str_puts(&prefix, "core.");
	for (size_t i = 0; name[i] && i < COMM_LENGTH; i++) {
		unsigned char byte = (unsigned char)name[i];
		if (byte <= ' ' || byte >= 0x7f || strchr("./\\", byte))
			str_printf(&prefix, "\\x%02x", byte);
		else
			str_append(&prefix, &name[i], 1);
	}
	str_puts(&prefix, ".");
	return str_take(&prefix);
}

char *stored_core_newest(const char *name)
{
	CLEANUP_FREE char *prefix = prefix_of(name);
	CLEANUP_CLOSEDIR DIR *folder = opendir(FOLDER);
	CLEANUP_FREE char *newest = NULL;
	struct timespec newest_time = { 0 };
	struct dirent *entry;
	while (folder && prefix && (entry = readdir(folder))) {
		struct stat status;
		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
		    fstatat(dirfd(folder), entry->d_name, &status, 0) != 0)
			continue;
		bool is_newer = status.st_mtim.tv_sec != newest_time.tv_sec
					? status.st_mtim.tv_sec > newest_time.tv_sec
					: status.st_mtim.tv_nsec > newest_time.tv_nsec;
		if (newest && !is_newer)
			continue;
		free(newest);
		newest = strdup(entry->d_name);
		newest_time = status.st_mtim;
	}
	struct str path = { 0 };
	if (newest)
		str_printf(&path, FOLDER "/%s", newest);
	return newest ? str_take(&path) : NULL;
}
