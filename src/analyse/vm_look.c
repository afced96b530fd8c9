/* vm_look: see vm_look.h. */
#include "analyse/vm_look.h"

#include <stdio.h>
#include <string.h>

#include "analyse/mapped_target.h"
#include "analyse/snapshot_load.h"
#include "target/freezer.h"
#include "target/process.h"

/* --- what is known of addresses ----------------------------------------------------- */

static struct error *add_hint(struct vm_look *look, uint64_t start, uint64_t end,
			      enum vma_kind kind)
{
	struct vma_hint hint = { .start = start, .end = end, .kind = kind };
	return vma_hint_vec_push(&look->hints, hint) ? NULL : error_no_memory();
}

/* The main arena is the heap, also where it is no break, or where a core does not say so. */
static enum vma_kind kind_of_arena(const struct heap *heap, size_t arena)
{
	return arena < heap->arenas.nr && heap->arenas.items[arena].is_main ? VMA_HEAP
									    : VMA_ARENA;
}

static struct error *hint_heap(struct vm_look *look)
{
	const struct heap *heap = look->heap;
	struct error *error = NULL;
	for (size_t i = 0; !error && i < heap->spans.nr; i++) {
		const struct heap_span *span = &heap->spans.items[i];
		error = add_hint(look, span->start, span->end,
				 span->single ? VMA_MAPPED
					      : kind_of_arena(heap, span->arena));
	}
	for (size_t i = 0; !error && i < heap->arenas.nr; i++) {
		const struct heap_arena *arena = &heap->arenas.items[i];
		error = add_hint(look, arena->top, arena->top + arena->top_bytes,
				 kind_of_arena(heap, i));
	}
	for (size_t i = 0; !error && i < heap->stacks.nr; i++) {
		const struct heap_span *stack = &heap->stacks.items[i];
		error = add_hint(look, stack->start, stack->end, VMA_THREAD_STACK);
	}
	return error;
}

/* A heap that does not let itself be surveyed has no hints, and that is all. */
static struct error *survey(struct vm_look *look, struct sentence_vec *warnings)
{
	if (!look->heap)
		return NULL;
	look->heap->last_try = true;
	struct error *error = heap_survey(look->heap);
	if (!error)
		return hint_heap(look);
	struct error *told = warnings ? sentences_add(warnings,
						      "which mappings are malloc's is "
						      "not known: %s",
						      error->sentence)
				      : NULL;
	error_destroy(error);
	return told;
}

/* An allocator that is not known, or none. */
static struct error *open_heap(struct vm_look *look)
{
	struct error *error = symbols_create(look->target, &look->symbols);
	if (error)
		return error;
	error = heap_open(look->target, look->symbols, &look->heap);
	if (error && error->code == ERROR_MEMORY)
		return error;
	error_destroy(error);
	return NULL;
}

/* --- a process ---------------------------------------------------------------------- */

static struct error *look_closer(const struct vm_looking *looking, struct vm_look *look)
{
	return looking->while_still ? looking->while_still(looking->context, look) : NULL;
}

static struct error *count_still(struct vm_look *look, const struct vm_looking *looking)
{
	uint64_t deadline_ns =
		freezer_now_ns() + (uint64_t)looking->max_pause_ms * 1000000;
	struct error *error = target_freeze(look->target);
	if (error)
		return error;
	/* What is read of the process may become resident: it counts after that. */
	error = survey(look, looking->warnings);
	if (!error)
		error = vma_account_read(look->via, deadline_ns, &look->account);
	if (!error)
		error = look_closer(looking, look);
	look->pause_ns = target_thaw(look->target);
	look->stood_still = !error;
	return error;
}

static struct error *open_process(struct vm_look *look, pid_t pid,
				  const struct vm_looking *looking)
{
	const struct target_live_options options = {
		.max_pause_ns = (uint64_t)looking->max_pause_ms * 1000000,
		.few_reads = !looking->reads_heap,
	};
	struct error *error = target_live_open(pid, &options, &look->target);
	return error ? error : open_heap(look);
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

/* What must not be stopped, or not for so long, is counted as it runs. */
static struct error *count_running(struct vm_look *look, pid_t pid, const char *name)
{
	struct region_vec regions = { 0 };
	forget(look);
	struct error *error = vma_account_read(look->via, 0, &look->account);
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
		error = count_still(look, looking);
	if (!error || error->code == ERROR_MEMORY || !status.has_memory ||
	    looking->reads_heap)
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
	struct error *error = snapshot_is_file(path)
				      ? mapped_target_of_snapshot(path, &look->target)
				      : target_file_open(path, &options, &look->target);
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
