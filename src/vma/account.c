/* account: see account.h. */
#include "vma/account.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/str.h"

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
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
static struct error *read_text(pid_t via, const char *name, uint64_t deadline_ns,
			       struct str *text)
{
	char path[64], buffer[16384];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)via, name);
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	for (;;) {
		if (deadline_ns && now_ns() > deadline_ns)
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

bool vma_field(const char *text, const char *name, uint64_t *number)
{
	size_t length = strlen(name);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) != 0 || line[length] != ':')
			continue;
		const char *at = line + length + 1;
		at += strspn(at, " \t");
		return sscanf(at, "%" SCNu64, number) == 1;
	}
	return false;
}

static struct error *read_mappings(pid_t via, uint64_t deadline_ns,
				   struct vma_account *account)
{
	struct str text = { 0 };
	struct error *error = read_text(via, "smaps", deadline_ns, &text);
	if (!error)
		error = smaps_parse(str_text(&text), text.length, "/proc/PID/smaps",
				    &account->vmas);
	str_deinit(&text);
	return error;
}

/* Shares are summed up in it before they are rounded. */
static struct error *read_total(pid_t via, uint64_t deadline_ns,
				struct vma_account *account)
{
	struct str text = { 0 };
	struct error *error = read_text(via, "smaps_rollup", deadline_ns, &text);
	if (error && error->code != ERROR_BUDGET) {
		error_destroy(error); /* before Linux 4.14 */
		str_deinit(&text);
		vma_counts_sum(&account->vmas, &account->total);
		return NULL;
	}
	if (!error)
		error = smaps_parse_rollup(str_text(&text), text.length,
					   "/proc/PID/smaps_rollup", &account->total);
	str_deinit(&text);
	return error;
}

static struct error *read_status(pid_t via, struct vma_account *account)
{
	struct str text = { 0 };
	struct error *error = read_text(via, "status", 0, &text);
	uint64_t kib = 0;
	if (!error && vma_field(str_text(&text), "VmPTE", &kib))
		account->page_table_bytes = kib * 1024;
	if (!error)
		vma_field(str_text(&text), "Threads", &account->nr_threads);
	str_deinit(&text);
	return error;
}

/* Without it a tmpfs is a file system like any other. */
static struct error *read_devices(pid_t via, struct vma_account *account)
{
	struct str text = { 0 };
	struct error *error = read_text(via, "mountinfo", 0, &text);
	if (error)
		error_destroy(error);
	else
		error = vma_memory_devices(str_text(&text), text.length,
					   &account->devices);
	str_deinit(&text);
	return error;
}

struct error *vma_account_read(pid_t via, uint64_t deadline_ns,
			       struct vma_account *account)
{
	struct error *error = read_mappings(via, deadline_ns, account);
	if (!error)
		error = read_total(via, deadline_ns, account);
	if (!error)
		error = read_status(via, account);
	return error ? error : read_devices(via, account);
}

void vma_account_deinit(struct vma_account *account)
{
	vmas_deinit(&account->vmas);
	vma_device_vec_deinit(&account->devices);
}

void vma_counts_sum(const struct vma_vec *vmas, struct vma_counts *sum)
{
	*sum = (struct vma_counts){ .known = vmas->nr ? UINT32_MAX : 0 };
	for (size_t i = 0; i < vmas->nr; i++) {
		const struct vma_counts *counts = &vmas->items[i].counts;
		sum->known &= counts->known;
		for (size_t k = 0; k < VMA_NR_COUNTS; k++)
			sum->bytes[k] += counts->bytes[k];
	}
}
