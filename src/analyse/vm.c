/* vm: see vm.h. */
#include "analyse/vm.h"

#include <stdio.h>
#include <string.h>

#include "analyse/vm_look.h"
#include "analyse/vm_regions.h"
#include "target/process.h"
#include "vma/family.h"
#include "vma/frames.h"
#include "vma/swap.h"

/* THREAD_SIZE of the kernel on x86-64. */
#define KERNEL_STACK_BYTES 16384u

/* --- regions and rows --------------------------------------------------------------- */

static void add_sizes(struct vm_sizes *sum, const struct vm_sizes *sizes)
{
	for (size_t i = 0; i < VM_NR_COLUMNS; i++)
		sum->bytes[i] += sizes->bytes[i];
}

static int compare(uint64_t a, uint64_t b)
{
	return a > b ? -1 : a < b;
}

static int by_footprint(const void *a, const void *b)
{
	const struct vm_row *left = a, *right = b;
	const uint64_t *l = left->sizes.bytes, *r = right->sizes.bytes;
	int order = compare(l[VM_FOOTPRINT], r[VM_FOOTPRINT]);
	if (!order)
		order = compare(l[VM_RESIDENT], r[VM_RESIDENT]);
	if (!order)
		order = compare(l[VM_VIRTUAL], r[VM_VIRTUAL]);
	return order ? order : strcmp(left->type, right->type);
}

static struct error *add_rows(struct vm_row rows[VMA_NR_KINDS],
			      struct vm_process *process)
{
	for (size_t i = 0; i < VMA_NR_KINDS; i++)
		if (rows[i].regions && !vm_row_vec_push(&process->rows, rows[i]))
			return error_no_memory();
	if (process->rows.nr)
		qsort(process->rows.items, process->rows.nr,
		      sizeof(process->rows.items[0]), by_footprint);
	return NULL;
}

static struct error *fill_regions(const struct vm_look *look, struct vm_process *process)
{
	struct vm_row rows[VMA_NR_KINDS] = { 0 };
	unsigned known = 0; /* the rollup's counts: the same */
	for (size_t i = 0; i < look->account.vmas.nr; i++) {
		enum vma_kind kind = vm_look_kind(look, i);
		rows[kind].type = vma_kind_names[kind];
		struct error *error = vm_regions_add(&look->account.vmas.items[i],
						     rows[kind].type, &process->regions,
						     &known);
		if (error)
			return error;
		rows[kind].regions++;
		add_sizes(&rows[kind].sizes,
			  &process->regions.items[process->regions.nr - 1].sizes);
	}
	return add_rows(rows, process);
}

/* --- one process -------------------------------------------------------------------- */

static void fill_charge(const struct vma_counts *counts, struct vm_charge *charge)
{
	charge->is_known = vma_knows(counts, VMA_PSS_ANON) &&
			   vma_knows(counts, VMA_PSS_FILE) &&
			   vma_knows(counts, VMA_PSS_SHMEM);
	charge->anonymous_bytes = counts->bytes[VMA_PSS_ANON];
	charge->file_bytes = counts->bytes[VMA_PSS_FILE];
	charge->shared_memory_bytes = counts->bytes[VMA_PSS_SHMEM];
}

/* The rollup has no size of its own: that is the sum of the regions'. */
static struct error *fill_process(const struct vm_look *look, struct vm_process *process)
{
	const struct vma_account *account = &look->account;
	struct vma_counts sum, total = account->total;
	vma_counts_sum(&account->vmas, &sum);
	total.bytes[VMA_SIZE] = sum.bytes[VMA_SIZE];
	total.known |= 1u << VMA_SIZE;
	vm_sizes_of(&total, &process->total, &process->known);
	fill_charge(&total, &process->charge);
	process->pid = look->target->pid;
	process->stood_still = look->stood_still;
	process->threads = account->nr_threads;
	process->page_table_bytes = account->page_table_bytes;
	process->kernel_stack_bytes = look->via ? account->nr_threads * KERNEL_STACK_BYTES
						: 0;
	process->swap_share_bytes = account->total.bytes[VMA_SWAP_PSS];
	process->footprint_bytes = process->total.bytes[VM_FOOTPRINT] +
				   process->page_table_bytes +
				   process->kernel_stack_bytes;
	process->pause_ms = (double)look->pause_ns / 1e6;
	process->target = strdup(look->target->name);
	return process->target ? fill_regions(look, process) : error_no_memory();
}

static struct error *add_process(const struct vm_look *look, struct vm_report *report)
{
	struct vm_process process = { 0 };
	struct error *error = fill_process(look, &process);
	if (!error && vm_process_vec_push(&report->processes, process))
		return NULL;
	vm_process_deinit(&process);
	return error ? error : error_no_memory();
}

static struct error *add_frames(void *context, struct vm_look *look)
{
	return vma_frames_add(context, look->via, &look->account.vmas, look->deadline_ns);
}

/* --- all of them -------------------------------------------------------------------- */

struct looking {
	const struct analyse_vm_options *options;
	struct vm_report *report;
	struct sentence_vec warnings, notes;
	struct vma_frames frames;
	size_t nr_ended; /* children that were gone before they were counted */
};

static struct error *look_at(struct looking *looking, pid_t pid, bool is_one_of_many)
{
	struct vm_look look = { 0 };
	const struct vm_looking how = {
		.command = "vm",
		.max_pause_ms = looking->options->max_pause_ms,
		.while_still = is_one_of_many ? add_frames : NULL,
		.context = &looking->frames,
		.warnings = &looking->warnings,
	};
	vma_frames_next(&looking->frames);
	struct error *error = vm_look_at_process(pid, &how, &look);
	if (!error)
		error = add_process(&look, looking->report);
	vm_look_deinit(&look);
	return error;
}

/* A child that has ended since it was listed is not there to be told of. */
static struct error *look_at_child(struct looking *looking, pid_t pid)
{
	const size_t nr_warnings = looking->warnings.nr;
	struct error *error = look_at(looking, pid, true);
	if (!error || error->code == ERROR_MEMORY || !process_has_ended(pid))
		return error;
	error_destroy(error);
	while (looking->warnings.nr > nr_warnings)
		free(looking->warnings.items[--looking->warnings.nr]);
	looking->nr_ended++;
	return NULL;
}

static struct error *note_ended(struct looking *looking)
{
	size_t nr = looking->nr_ended;
	if (!nr)
		return NULL;
	return sentences_add(&looking->notes,
			     nr == 1 ? "%zu child ended before it was counted"
				     : "%zu children ended before they were counted",
			     nr);
}

static struct error *look_at_all(struct looking *looking)
{
	const struct analyse_vm_options *options = looking->options;
	struct family_vec family = { 0 };
	struct error *error = NULL;
	for (size_t i = 0; !error && i < options->nr_pids; i++)
		error = family_add(&family, options->pids[i]);
	const size_t nr_asked = family.nr;
	if (!error && options->children)
		error = family_add_descendants(&family);
	for (size_t i = 0; !error && i < family.nr; i++)
		error = i < nr_asked ? look_at(looking, family.items[i], family.nr > 1)
				     : look_at_child(looking, family.items[i]);
	family_vec_deinit(&family);
	return error ? error : note_ended(looking);
}

static struct error *look_at_file(struct looking *looking)
{
	struct vm_look look = { 0 };
	struct error *error =
		vm_look_at_file(looking->options->file, looking->options->sysroot, &look);
	if (!error)
		error = add_process(&look, looking->report);
	if (!error)
		error = sentences_add(
			&looking->notes,
			"%s tells which mappings there were; what of them was resident, "
			"dirty, shared or swapped out it does not tell (\"?\")",
			looking->options->file);
	vm_look_deinit(&look);
	return error;
}

static struct error *sum_up(struct looking *looking)
{
	struct vm_report *report = looking->report;
	struct vm_together *together = &report->together;
	uint64_t shares = 0;
	for (size_t i = 0; i < report->processes.nr; i++) {
		const struct vm_process *process = &report->processes.items[i];
		together->sum_bytes += process->total.bytes[VM_RESIDENT];
		together->footprint_bytes += process->footprint_bytes;
		shares += process->total.bytes[VM_SHARE];
	}
	together->is_exact = !looking->frames.are_hidden;
	together->resident_bytes = together->is_exact ? looking->frames.page_bytes
						      : shares;
	together->shared_bytes = looking->frames.shared_bytes;
	if (together->is_exact || report->processes.nr < 2)
		return NULL;
	return sentences_add(
		&looking->notes,
		"the kernel does not tell seep which page frames the processes "
		"have in common, so what they hold together is the sum of their "
		"shares; root gets the exact number");
}

static void estimate_compressed(struct vm_report *report)
{
	struct vma_swap swap;
	uint64_t swapped = 0;
	for (size_t i = 0; i < report->processes.nr; i++)
		swapped += report->processes.items[i].total.bytes[VM_SWAPPED];
	vma_swap_read(&swap);
	vma_swap_estimate(&swap, swapped, &report->compressed.compressed_bytes,
			  &report->compressed.memory_bytes);
	report->compressed.where = report->compressed.compressed_bytes ? swap.where
								       : NULL;
}

static struct error *fill_report(struct looking *looking)
{
	struct vm_report *report = looking->report;
	struct error *error = looking->options->file ? look_at_file(looking)
						     : look_at_all(looking);
	if (!error)
		error = sum_up(looking);
	if (!error && !looking->options->file)
		estimate_compressed(report);
	if (!error)
		error = sentences_group(&looking->warnings);
	if (!error)
		error = sentences_take(&looking->warnings, &report->warnings);
	return error ? error : sentences_take(&looking->notes, &report->notes);
}

struct error *analyse_vm(const struct analyse_vm_options *options,
			 struct vm_report **result)
{
	struct vm_report *report = calloc(1, sizeof(*report));
	if (!report)
		return error_no_memory();
	struct looking looking = { .options = options, .report = report };
	struct error *error = fill_report(&looking);
	vma_frames_deinit(&looking.frames);
	sentences_deinit(&looking.warnings);
	sentences_deinit(&looking.notes);
	if (error) {
		vm_report_destroy(report);
		return error;
	}
	*result = report;
	return NULL;
}
