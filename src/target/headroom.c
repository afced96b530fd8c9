/* headroom: see headroom.h. Formats: cgroups(7), proc(5); Documentation/admin-guide/
   cgroup-v1/memory.rst and cgroup-v2.rst of the kernel. */
#include "target/headroom.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/process.h"

/* Names of one controller's files in either version. */
struct controller {
	const char *name;
	const char *limit[2], *usage[2]; /* v1, v2 */
	const char *reclaimable[2];      /* a line of memory.stat; NULL: nothing is */
};

static const struct controller memory_controller = {
	.name = "memory",
	.limit = { "memory.limit_in_bytes", "memory.max" },
	.usage = { "memory.usage_in_bytes", "memory.current" },
	.reclaimable = { "total_inactive_file", "inactive_file" },
};

static const struct controller pids_controller = {
	.name = "pids",
	.limit = { "pids.max", "pids.max" },
	.usage = { "pids.current", "pids.current" },
};

/* Whether a comma-separated list has a word. */
static bool list_has(const char *list, size_t length, const char *word)
{
	size_t word_length = strlen(word);
	for (const char *at = list; at < list + length;) {
		size_t span = strcspn(at, ",");
		if (span > (size_t)(list + length - at))
			span = (size_t)(list + length - at);
		if (span == word_length && !memcmp(at, word, span))
			return true;
		at += span + 1;
	}
	return false;
}

/* The path of a "ID:CONTROLLERS:PATH" line for the controller; for v2 the one with ID 0. */
static char *path_of(const char *cgroups, const char *controller, bool v2)
{
	for (const char *line = cgroups; line && *line;) {
		size_t length = strcspn(line, "\n");
		const char *first = memchr(line, ':', length);
		const char *second = first ? memchr(first + 1, ':',
						    length - (size_t)(first + 1 - line))
					   : NULL;
		if (second) {
			size_t list = (size_t)(second - first - 1);
			bool found = v2 ? list == 0 && !strncmp(line, "0:", 2)
					: list_has(first + 1, list, controller);
			if (found)
				return strndup(second + 1,
					       length - (size_t)(second + 1 - line));
		}
		line = line[length] ? line + length + 1 : NULL;
	}
	return NULL;
}

/* A line of mountinfo: ID PARENT DEV ROOT POINT OPTIONS … - TYPE SOURCE SUPER. */
struct mount {
	char root[512], point[512], type[32], super[256];
};

static bool parse_mount(const char *line, size_t length, struct mount *mount)
{
	CLEANUP_FREE char *copy = strndup(line, length);
	if (!copy ||
	    sscanf(copy, "%*s %*s %*s %511s %511s", mount->root, mount->point) != 2)
		return false;
	const char *dash = strstr(copy, " - ");
	return dash && sscanf(dash + 3, "%31s %*s %255s", mount->type, mount->super) == 2;
}

static bool find_mount(const char *mounts, const char *controller, bool v2,
		       struct mount *mount)
{
	for (const char *line = mounts; line && *line;) {
		size_t length = strcspn(line, "\n");
		if (parse_mount(line, length, mount) &&
		    (v2 ? !strcmp(mount->type, "cgroup2")
			: !strcmp(mount->type, "cgroup") &&
				     list_has(mount->super, strlen(mount->super),
					      controller)))
			return true;
		line = line[length] ? line + length + 1 : NULL;
	}
	return false;
}

/* In a container the mount shows only a part of the tree: its root is cut off the path. */
static char *join(const struct mount *mount, const char *path)
{
	size_t root = strcmp(mount->root, "/") ? strlen(mount->root) : 0;
	const char *below = !strncmp(path, mount->root, root) ? path + root : "";
	char *folder = NULL;
	if (asprintf(&folder, "%s%s", mount->point, strcmp(below, "/") ? below : "") < 0)
		return NULL;
	return folder;
}

char *headroom_folder(const char *cgroups, const char *mounts, const char *controller,
		      bool *is_v2, size_t *root_length)
{
	struct mount mount;
	for (unsigned v2 = 0; v2 < 2; v2++) {
		CLEANUP_FREE char *path = path_of(cgroups, controller, v2);
		if (!path || !find_mount(mounts, controller, v2, &mount))
			continue;
		*is_v2 = v2;
		*root_length = strlen(mount.point);
		return join(&mount, path);
	}
	return NULL;
}

/* The number in a file; HEADROOM_UNLIMITED for "max", or when there is no such file. */
static uint64_t read_number(const char *path)
{
	char text[64];
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (got <= 0)
		return HEADROOM_UNLIMITED;
	text[got] = '\0';
	char *end = text;
	uint64_t number = strtoull(text, &end, 10);
	return end == text ? HEADROOM_UNLIMITED : number;
}

/* The number after "NAME " or "NAME:" at the beginning of a line; 0 if there is none. */
static uint64_t read_line(const char *path, const char *name)
{
	CLEANUP_FCLOSE FILE *file = fopen(path, "re");
	char line[256];
	size_t length = strlen(name);
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, length) &&
		    (line[length] == ' ' || line[length] == ':'))
			return strtoull(line + length + 1, NULL, 10);
	return 0;
}

static struct error *add_gauge(struct headroom_gauge_vec *gauges, const char *folder,
			       const struct controller *controller, bool v2)
{
	struct headroom_gauge gauge = { 0 };
	CLEANUP_FREE char *statistics = NULL;
	if (asprintf(&gauge.limit_path, "%s/%s", folder, controller->limit[v2]) < 0)
		gauge.limit_path = NULL;
	if (asprintf(&gauge.usage_path, "%s/%s", folder, controller->usage[v2]) < 0)
		gauge.usage_path = NULL;
	if (asprintf(&statistics, "%s/memory.stat", folder) < 0)
		statistics = NULL;
	if (statistics && controller->reclaimable[v2])
		gauge.reclaimable = read_line(statistics, controller->reclaimable[v2]);
	if (gauge.limit_path && gauge.usage_path && statistics &&
	    headroom_gauge_vec_push(gauges, gauge))
		return NULL;
	free(gauge.limit_path);
	free(gauge.usage_path);
	return error_no_memory();
}

/* From the process' own cgroup up to the root. */
static struct error *add_gauges(struct headroom_gauge_vec *gauges, const char *cgroups,
				const char *mounts, const struct controller *controller)
{
	bool v2 = false;
	size_t root = 0;
	CLEANUP_FREE char *folder =
		headroom_folder(cgroups, mounts, controller->name, &v2, &root);
	while (folder && strlen(folder) >= root) {
		struct error *error = add_gauge(gauges, folder, controller, v2);
		char *slash = strrchr(folder, '/');
		if (error || !slash || strlen(folder) == root)
			return error;
		*slash = '\0';
	}
	return NULL;
}

struct error *headroom_init(struct headroom *headroom, pid_t pid)
{
	*headroom = (struct headroom){ 0 };
	struct str cgroups = { 0 }, mounts = { 0 };
	struct error *error = process_file(pid, "cgroup", &cgroups);
	if (!error)
		error = process_file(getpid(), "mountinfo", &mounts);
	if (!error)
		error = add_gauges(&headroom->memory, str_text(&cgroups),
				   str_text(&mounts), &memory_controller);
	if (!error)
		error = add_gauges(&headroom->pids, str_text(&cgroups), str_text(&mounts),
				   &pids_controller);
	str_deinit(&cgroups);
	str_deinit(&mounts);
	return error;
}

static void gauges_deinit(struct headroom_gauge_vec *gauges)
{
	for (size_t i = 0; i < gauges->nr; i++) {
		free(gauges->items[i].limit_path);
		free(gauges->items[i].usage_path);
	}
	headroom_gauge_vec_deinit(gauges);
}

void headroom_deinit(struct headroom *headroom)
{
	gauges_deinit(&headroom->memory);
	gauges_deinit(&headroom->pids);
}

static uint64_t gauge_read(const struct headroom_gauge *gauge)
{
	uint64_t limit = read_number(gauge->limit_path);
	if (limit == HEADROOM_UNLIMITED)
		return HEADROOM_UNLIMITED;
	uint64_t usage = read_number(gauge->usage_path);
	usage = usage > gauge->reclaimable ? usage - gauge->reclaimable : 0;
	return limit > usage ? limit - usage : 0;
}

static uint64_t tightest_of(const struct headroom_gauge_vec *gauges,
			    const char **tightest)
{
	uint64_t least = HEADROOM_UNLIMITED;
	for (size_t i = 0; i < gauges->nr; i++) {
		uint64_t left = gauge_read(&gauges->items[i]);
		if (left >= least)
			continue;
		least = left;
		*tightest = gauges->items[i].limit_path;
	}
	return least;
}

static const char machine[] = "/proc/meminfo";

uint64_t headroom_promises(void)
{
	enum { NEVER_OVERCOMMIT = 2 }; /* of the kernel's mm/util.c */
	if (read_number("/proc/sys/vm/overcommit_memory") != NEVER_OVERCOMMIT)
		return HEADROOM_UNLIMITED;
	uint64_t limit = read_line(machine, "CommitLimit") * 1024;
	uint64_t promised = read_line(machine, "Committed_AS") * 1024;
	return limit > promised ? limit - promised : 0;
}

uint64_t headroom_bytes(const struct headroom *headroom, const char **tightest)
{
	uint64_t least = tightest_of(&headroom->memory, tightest);
	uint64_t available = read_line(machine, "MemAvailable") * 1024;
	if (available < least) {
		least = available;
		*tightest = "the machine's available memory";
	}
	return least;
}

uint64_t headroom_pids(const struct headroom *headroom, const char **tightest)
{
	return tightest_of(&headroom->pids, tightest);
}
