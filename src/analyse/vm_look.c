/* vm_look: see vm_look.h. */
#include "analyse/vm_look.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "analyse/mapped_target.h"
#include "analyse/snapshot_load.h"
#include "analyse/vm_regions.h"
#include "target/freezer.h"
#include "target/process.h"

/* So often a look that met the allocator at a bad instant is tried again. */
#define TRIES 12u

/* --- what is known of addresses ----------------------------------------------------- */

/* Takes the reason over. */
static struct error *go_without_heap(struct vm_look *look, struct error *reason)
{
	heap_destroy(look->heap);
	look->heap = NULL;
	look->unread = strdup(reason->sentence);
	error_destroy(reason);
	return look->unread ? NULL : error_no_memory();
}

/* What is no property of the heap, and may be otherwise the next time. */
static bool is_of_the_moment(const struct error *error)
{
	return error->code == ERROR_BUSY || error->code == ERROR_BUDGET ||
	       error->code == ERROR_MEMORY;
}

/* A heap that does not let itself be surveyed has no hints, and that is all. */
static struct error *survey(struct vm_look *look, const struct vm_looking *looking)
{
	if (!look->heap)
		return NULL;
	struct error *error = heap_survey(look->heap);
	if (!error)
		return vm_regions_hint(look->heap, &look->hints);
	if (looking && looking->reads_heap && is_of_the_moment(error))
		return error;
	struct error *told = NULL;
	if (looking && !looking->reads_heap)
		told = sentences_add(looking->warnings,
				     "which mappings are malloc's is not known: %s",
				     error->sentence);
	struct error *gone = go_without_heap(look, error);
	return told ? told : gone;
}

/* An allocator that is not known, or none. */
static struct error *open_heap(struct vm_look *look)
{
	struct error *error = symbols_create(look->target, &look->symbols);
	if (error)
		return error;
	error = heap_open(look->target, look->symbols, &look->heap);
	if (!error || error->code == ERROR_MEMORY)
		return error;
	return go_without_heap(look, error);
}

/* --- a process ---------------------------------------------------------------------- */

static struct error *look_closer(const struct vm_looking *looking, struct vm_look *look)
{
	return looking->while_still ? looking->while_still(looking->context, look) : NULL;
}

static struct error *read_account(struct vm_look *look)
{
	if (look->target->instant)
		return vma_account_of_instant(look->via, look->target->instant,
					      &look->account);
	struct error *error =
		vma_account_read(look->via, look->deadline_ns, &look->account);
	if (error && error->code == ERROR_BUDGET && !error->remedy)
		return error_remedy(error, "it runs on unharmed; allow a longer pause "
					   "with --max-pause");
	return error;
}

static void note_pause(struct vm_look *look, uint64_t pause_ns)
{
	look->pause_ns = pause_ns > look->pause_ns ? pause_ns : look->pause_ns;
}

static struct error *count_still(struct vm_look *look, const struct vm_looking *looking)
{
	look->deadline_ns = freezer_now_ns() + (uint64_t)looking->max_pause_ms * 1000000;
	struct error *error = target_freeze(look->target);
	if (error)
		return error;
	/* What is read of the process may become resident: it counts after that. */
	error = survey(look, looking);
	if (!error)
		error = read_account(look);
	if (!error)
		error = look_closer(looking, look);
	note_pause(look, target_thaw(look->target));
	look->stood_still = !error;
	return error;
}

static void forget_count(struct vm_look *look)
{
	vma_account_deinit(&look->account);
	vma_hint_vec_deinit(&look->hints);
	look->account = (struct vma_account){ 0 };
	look->hints = (struct vma_hint_vec){ 0 };
}

/* A busy allocator is left alone for a moment that grows: 0.5 ms, 1 ms, … Who only asks which
   mappings are the heap's takes what there is. */
static struct error *count_calm(struct vm_look *look, const struct vm_looking *looking)
{
	unsigned tries = looking->reads_heap ? TRIES : 1;
	for (unsigned i = 1;; i++) {
		if (look->heap)
			look->heap->last_try = i == tries;
		struct error *error = count_still(look, looking);
		if (!error || error->code != ERROR_BUSY || i == tries)
			return error;
		error_destroy(error);
		forget_count(look);
		struct timespec wait = { .tv_nsec = 500000 * i };
		nanosleep(&wait, NULL);
	}
}

static struct error *open_process(struct vm_look *look, pid_t pid,
				  const struct vm_looking *looking)
{
	const struct target_live_options live = {
		.max_pause_ns = (uint64_t)looking->max_pause_ms * 1000000,
		.few_reads = true,
		.command = looking->command,
	};
	const struct target_frozen_options frozen = {
		.max_pause_ns = live.max_pause_ns,
		.command = looking->command,
		.freeze = looking->freeze,
		.max_copy_bytes = looking->max_copy_bytes,
		.keeps_instant = true,
	};
	struct error *error = looking->reads_heap
				      ? target_frozen_open(pid, &frozen, &look->target)
				      : target_live_open(pid, &live, &look->target);
	if (!error)
		error = open_heap(look);
	if (!error && looking->reads_heap)
		look->tls_bytes = symbols_tls_bytes(look->symbols);
	return error;
}

static void forget(struct vm_look *look)
{
	pid_t via = look->via;
	vm_look_deinit(look);
	*look = (struct vm_look){ .via = via };
}

static struct error *copy_region(const struct region *region, struct region_vec *regions)
{
	struct region copy = *region;
	copy.name = strdup(region->name);
	if (copy.name && region_vec_push(regions, copy))
		return NULL;
	free(copy.name);
	return error_no_memory();
}

static struct error *copy_regions(const struct vm_look *look, struct region_vec *regions)
{
	struct error *error = NULL;
	for (size_t i = 0; !error && i < look->account.vmas.nr; i++)
		error = copy_region(&look->account.vmas.items[i].region, regions);
	return error;
}

/* Of one that ended meanwhile the kernel tells nothing, which is not that it had nothing. */
static struct error *check_still_there(pid_t pid)
{
	return process_has_ended(pid)
		       ? error_create(ERROR_REFUSED,
				      "process %d ended while its mappings were counted",
				      (int)pid)
		       : NULL;
}

/* What must not be stopped, or not for so long, is counted as it runs. */
static struct error *count_running(struct vm_look *look, pid_t pid, const char *name)
{
	struct region_vec regions = { 0 };
	forget(look);
	struct error *error = vma_account_read(look->via, 0, &look->account);
	if (!error)
		error = check_still_there(pid);
	if (!error)
		error = copy_regions(look, &regions);
	if (!error)
		error = mapped_target_create(pid, name, &regions, &look->target);
	for (size_t i = 0; i < regions.nr; i++)
		free(regions.items[i].name);
	region_vec_deinit(&regions);
	return error;
}

/* Whom the kernel does not even tell the mappings to: then the first reason is the one. */
static struct error *go_on_running(struct vm_look *look, pid_t pid,
				   const struct process_status *status,
				   struct error *reason, struct sentence_vec *warnings)
{
	char name[128];
	snprintf(name, sizeof(name), "%s (%d)", status->comm, (int)pid);
	struct error *error = count_running(look, pid, name);
	if (error) {
		error_destroy(error);
		return reason;
	}
	error = sentences_add(
		warnings,
		"it ran on while its mappings were counted, so that sums may "
		"differ: %s",
		reason->sentence);
	error_destroy(reason);
	return error;
}

struct error *vm_look_at_process(pid_t pid, const struct vm_looking *looking,
				 struct vm_look *look)
{
	struct process_status status;
	struct error *error = process_status(pid, 0, &status);
	if (error)
		return error;
	look->via = status.via;
	error = open_process(look, pid, looking);
	if (!error)
		error = count_calm(look, looking);
	bool may_go_on = status.has_memory && status.group == pid;
	if (!error || error->code == ERROR_MEMORY || !may_go_on || looking->reads_heap)
		return error;
	error = go_on_running(look, pid, &status, error, looking->warnings);
	return error ? error : look_closer(looking, look);
}

/* --- a file ------------------------------------------------------------------------- */

static struct error *mappings_of_target(struct vm_look *look)
{
	const struct region_vec *regions = &look->target->regions;
	struct error *error = NULL;
	for (size_t i = 0; !error && i < regions->nr; i++) {
		struct vma vma = { .region = regions->items[i] };
		vma.counts.known = 1u << VMA_SIZE;
		vma.counts.bytes[VMA_SIZE] = vma.region.end - vma.region.start;
		vma.region.name = strdup(vma.region.name);
		if (!vma.region.name || !vma_vec_push(&look->account.vmas, vma)) {
			free(vma.region.name);
			error = error_no_memory();
		}
	}
	vma_counts_sum(&look->account.vmas, &look->account.total);
	look->account.nr_threads = look->target->threads.nr;
	return error;
}

struct error *vm_look_at_file(const char *path, const char *sysroot, struct vm_look *look)
{
	const struct target_file_options options = { .sysroot = sysroot };
	struct error *error = NULL;
	if (snapshot_is_file(path))
		error = mapped_target_of_snapshot(path, &look->target);
	if (!error && !look->target)
		error = target_file_open(path, &options, &look->target);
	if (!error)
		error = open_heap(look);
	if (!error)
		error = target_freeze(look->target);
	if (!error)
		error = mappings_of_target(look);
	if (!error)
		error = survey(look, NULL);
	look->stood_still = true;
	return error;
}

void vm_look_deinit(struct vm_look *look)
{
	heap_destroy(look->heap);
	symbols_destroy(look->symbols);
	target_destroy(look->target);
	vma_account_deinit(&look->account);
	vma_hint_vec_deinit(&look->hints);
	free(look->unread);
}

/* The last thing to ask: a copy was being taken away meanwhile. */
uint64_t vm_look_settle(struct vm_look *look)
{
	note_pause(look, target_settle(look->target));
	return look->pause_ns;
}

enum vma_kind vm_look_kind(const struct vm_look *look, size_t i)
{
	const struct vma_surroundings surroundings = {
		.target = look->target,
		.hints = &look->hints,
		.devices = &look->account.devices,
	};
	return vma_kind_of(&look->account.vmas, i, &surroundings);
}
