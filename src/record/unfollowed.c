/* unfollowed: see unfollowed.h. */
#include "record/unfollowed.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/image.h"

/* Elsewhere than where seep is (in another root, or deleted) the path may lead to another file. */
static bool is_file(const char *path, const char *link)
{
	struct stat named, run;
	return stat(path, &named) == 0 && stat(link, &run) == 0 &&
	       named.st_dev == run.st_dev && named.st_ino == run.st_ino;
}

void unfollowed_look(struct unfollowed *unfollowed, pid_t pid)
{
	char link[64], path[PATH_MAX];
	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	ssize_t size = unfollowed->why ? -1 : readlink(link, path, sizeof(path) - 1);
	if (size <= 0)
		return;
	path[size] = '\0';
	if (unfollowed->seen && !strcmp(unfollowed->seen, path))
		return;
	free(unfollowed->seen);
	unfollowed->seen = strdup(path);
	char *const command[] = { path, NULL };
	enum image_libc libc;
	if (is_file(path, link))
		unfollowed->why = image_check(path, command, &libc);
}

void unfollowed_deinit(struct unfollowed *unfollowed)
{
	free(unfollowed->seen);
	error_destroy(unfollowed->why);
	*unfollowed = (struct unfollowed){ 0 };
}
