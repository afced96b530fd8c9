/* instant: see instant.h. */
#include "target/instant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/freezer.h"
#include "target/maps.h"

/* So much of a page table is listed between two looks at the clock. */
#define STEP_BYTES ((uint64_t)1 << 32)

static bool is_over(uint64_t deadline_ns)
{
	return deadline_ns && freezer_now_ns() > deadline_ns;
}

static struct error *over_deadline(pid_t via)
{
	return error_create(
		ERROR_BUDGET,
		"process %d has so much memory that the kernel takes longer to "
		"count it than it may be stopped",
		(int)via);
}

/* The kernel counts as it is read, a few mappings at a time. */
struct error *instant_read_file(pid_t via, const char *name, uint64_t deadline_ns,
				struct str *text)
{
	char path[64], buffer[16384];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)via, name);
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	for (;;) {
		if (is_over(deadline_ns))
			return over_deadline(via);
		ssize_t got = fd < 0 ? -1 : read(fd, buffer, sizeof(buffer));
		if (got < 0 && (errno == ESRCH || (fd < 0 && errno == ENOENT)))
			return error_create(ERROR_REFUSED, "%s cannot be read: %s", path,
					    "there is no such process, or no such file");
		if (got < 0)
			return error_create(ERROR_SYSTEM, "cannot read %s: %s", path,
					    strerror(errno));
		if (got == 0)
			return text->failed ? error_no_memory() : NULL;
		str_append(text, buffer, (size_t)got);
	}
}

static struct error *read_text(pid_t via, const char *name, uint64_t deadline_ns,
			       char **result)
{
	struct str text = { 0 };
	struct error *error = instant_read_file(via, name, deadline_ns, &text);
	if (error) {
		str_deinit(&text);
		return error;
	}
	*result = str_take(&text);
	return *result ? NULL : error_no_memory();
}

/* --- pages -------------------------------------------------------------------------- */

static struct error *list_region(int fd, const struct region *region, pid_t via,
				 uint64_t deadline_ns, struct page_run_vec *pages)
{
	struct error *error = NULL;
	for (uint64_t at = region->start; !error && at < region->end;) {
		uint64_t left = region->end - at;
		uint64_t end = at + (left < STEP_BYTES ? left : STEP_BYTES);
		error = is_over(deadline_ns) ? over_deadline(via)
					     : pages_list(fd, at, end, pages);
		at = end;
	}
	return error;
}

/* A mapping's line in smaps begins as in maps, the others with a name: "Rss:   12 kB". */
static bool begins_mapping(const char *line)
{
	return (*line >= '0' && *line <= '9') || (*line >= 'a' && *line <= 'f');
}

static bool says_resident(const char *line)
{
	return !strncmp(line, "Rss:", 4) && strtoull(line + 4, NULL, 10) > 0;
}

static struct error *list_pages(int fd, pid_t via, uint64_t deadline_ns,
				struct instant *instant)
{
	struct region region = { 0 };
	struct error *error = NULL;
	for (const char *line = instant->smaps; !error && *line;) {
		const char *end = line + strcspn(line, "\n");
		if (begins_mapping(line)) {
			free(region.name);
			region = (struct region){ 0 };
			if (!maps_parse_line(line, end, &region))
				error = error_create(
					ERROR_FORMAT,
					"/proc/%d/smaps: a line is no account "
					"of a mapping",
					(int)via);
		} else if (says_resident(line)) {
			error = list_region(fd, &region, via, deadline_ns,
					    &instant->pages);
		}
		line = end + (*end == '\n');
	}
	free(region.name);
	return error;
}

struct error *instant_read(pid_t via, uint64_t deadline_ns, struct instant *instant)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)via);
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_create(ERROR_SYSTEM, "cannot open %s: %s", path,
				    strerror(errno));
	struct error *error = read_text(via, "smaps", deadline_ns, &instant->smaps);
	if (!error)
		error = read_text(via, "status", deadline_ns, &instant->status);
	return error ? error : list_pages(fd, via, deadline_ns, instant);
}

void instant_deinit(struct instant *instant)
{
	free(instant->smaps);
	free(instant->status);
	page_run_vec_deinit(&instant->pages);
	*instant = (struct instant){ 0 };
}

/* --- on its way --------------------------------------------------------------------- */

void instant_put(struct parcel *parcel, const struct instant *instant)
{
	parcel_put_text(parcel, instant->smaps);
	parcel_put_text(parcel, instant->status);
	parcel_put(parcel, &instant->pages.nr, sizeof(instant->pages.nr));
	parcel_put(parcel, instant->pages.items,
		   instant->pages.nr * sizeof(instant->pages.items[0]));
}

bool instant_take(struct parcel *parcel, struct instant *instant)
{
	size_t nr = 0;
	if (!parcel_take_text(parcel, &instant->smaps) ||
	    !parcel_take_text(parcel, &instant->status) ||
	    !parcel_take(parcel, &nr, sizeof(nr)))
		return false;
	for (size_t i = 0; i < nr; i++) {
		struct page_run run;
		if (!parcel_take(parcel, &run, sizeof(run)) ||
		    !page_run_vec_push(&instant->pages, run))
			return false;
	}
	return true;
}
