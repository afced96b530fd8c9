/* identity: see identity.h. */
#include "target/identity.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* In /proc/PID/stat, counted from the state, which follows the name in parentheses. */
#define FIELDS_TO_START 19

static void read_file(const char *path, char *text, size_t size)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);
	text[got > 0 ? got : 0] = '\0';
}

void target_identify(pid_t pid, struct target_identity *identity)
{
	char path[64], text[1024];
	*identity = (struct target_identity){ 0 };
	read_file("/proc/sys/kernel/random/boot_id", identity->boot_id,
		  sizeof(identity->boot_id));
	identity->boot_id[strcspn(identity->boot_id, "\n")] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	read_file(path, text, sizeof(text));
	const char *at = strrchr(text, ')');
	for (int i = 0; at && i <= FIELDS_TO_START; i++)
		at = strchr(at + 1, ' ');
	identity->started = at ? strtoull(at + 1, NULL, 10) : 0;
}

bool target_identity_equal(const struct target_identity *a,
			   const struct target_identity *b)
{
	return a->started && a->started == b->started && a->boot_id[0] &&
	       !strcmp(a->boot_id, b->boot_id);
}
