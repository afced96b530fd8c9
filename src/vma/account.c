/* account: see account.h. */
#include "vma/account.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "target/instant.h"

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
	struct error *error = instant_read_file(via, "smaps", deadline_ns, &text);
	if (!error)
		error = smaps_parse(str_text(&text), text.length, "/proc/PID/smaps",
				    &account->vmas);
	str_deinit(&text);
	/* The kernel's word for somebody whose memory is gone. */
	if (!error && !account->vmas.nr)
		error = error_create(ERROR_REFUSED,
				     "process %d ended while its mappings were counted",
				     (int)via);
	return error;
}

/* Shares are summed up in it before they are rounded. */
static struct error *read_total(pid_t via, uint64_t deadline_ns,
				struct vma_account *account)
{
	struct str text = { 0 };
	struct error *error = instant_read_file(via, "smaps_rollup", deadline_ns, &text);
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

static void take_status(const char *text, struct vma_account *account)
{
	uint64_t kib = 0;
	if (vma_field(text, "VmPTE", &kib))
		account->page_table_bytes = kib * 1024;
	vma_field(text, "Threads", &account->nr_threads);
}

static struct error *read_status(pid_t via, struct vma_account *account)
{
	struct str text = { 0 };
	struct error *error = instant_read_file(via, "status", 0, &text);
	if (!error)
		take_status(str_text(&text), account);
	str_deinit(&text);
	return error;
}

/* Without it a tmpfs is a file system like any other. */
static struct error *read_devices(pid_t via, struct vma_account *account)
{
	struct str text = { 0 };
	struct error *error = instant_read_file(via, "mountinfo", 0, &text);
	bool is_told = !error;
	error_destroy(error);
	error = is_told ? vma_memory_devices(str_text(&text), text.length,
					     &account->devices)
			: NULL;
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

/* Sums of what is resident are the same in a rollup: only shares are rounded. */
struct error *vma_account_of_instant(pid_t via, const struct instant *instant,
				     struct vma_account *account)
{
	struct error *error = smaps_parse(instant->smaps, strlen(instant->smaps),
					  "/proc/PID/smaps", &account->vmas);
	if (error)
		return error;
	vma_counts_sum(&account->vmas, &account->total);
	take_status(instant->status, account);
	return read_devices(via, account);
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
