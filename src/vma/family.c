/* family: see family.h. */
#include "vma/family.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

struct child {
	pid_t pid, parent;
};
DEFINE_VEC(child_vec, struct child);

/* /proc/PID/stat is "PID (comm) STATE PPID …"; the comm may hold parentheses itself. */
static bool read_parent(pid_t pid, pid_t *parent)
{
	char path[64], text[1024];
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	CLEANUP_FCLOSE FILE *file = fopen(path, "re");
	size_t got = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	text[got] = '\0';
	const char *end = strrchr(text, ')');
	char state;
	int number;
	if (!end || sscanf(end + 1, " %c %d", &state, &number) != 2 || state == 'Z' ||
	    state == 'X')
		return false;
	*parent = number;
	return true;
}

static struct error *list_all(struct child_vec *children)
{
	CLEANUP_CLOSEDIR DIR *folder = opendir("/proc");
	if (!folder)
		return error_create(ERROR_SYSTEM, "cannot read /proc: %s",
				    strerror(errno));
	for (struct dirent *entry; (entry = readdir(folder));) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);
		struct child child = { .pid = (pid_t)pid };
		if (*end || pid <= 0 || !read_parent(child.pid, &child.parent))
			continue;
		if (!child_vec_push(children, child))
			return error_no_memory();
	}
	return NULL;
}

static bool is_in(const struct family_vec *family, pid_t pid)
{
	for (size_t i = 0; i < family->nr; i++)
		if (family->items[i] == pid)
			return true;
	return false;
}

struct error *family_add(struct family_vec *family, pid_t pid)
{
	return is_in(family, pid) || family_vec_push(family, pid) ? NULL
								  : error_no_memory();
}

struct error *family_add_descendants(struct family_vec *family)
{
	struct child_vec children = { 0 };
	struct error *error = list_all(&children);
	for (size_t i = 0; !error && i < family->nr; i++)
		for (size_t k = 0; !error && k < children.nr; k++)
			if (children.items[k].parent == family->items[i])
				error = family_add(family, children.items[k].pid);
	child_vec_deinit(&children);
	return error;
}
