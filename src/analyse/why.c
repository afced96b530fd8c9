/* why: see why.h. */
#include "analyse/why.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "analyse/why_heap.h"

/* So much below a stack pointer may be in use (System V ABI). */
#define RED_ZONE 128u
/* Of the kernel on x86-64, and glibc's arenas for each processor on 64 bits. */
#define KERNEL_STACK_BYTES   16384u
#define ARENAS_PER_PROCESSOR 8u

struct asking {
	struct why_report *report;
	struct why_ledger ledger;
	struct why_heap heap;
	struct sentence_vec warnings, notes;
};

/* --- stacks ------------------------------------------------------------------------- */

static const struct thread *thread_on(const struct target *target, uint64_t start,
				      uint64_t end)
{
	for (size_t i = 0; i < target->threads.nr; i++)
		if (target->threads.items[i].sp >= start &&
		    target->threads.items[i].sp < end)
			return &target->threads.items[i];
	return NULL;
}

/* A stack on which nobody runs is libc's, for the next thread. */
static struct error *add_stack(struct asking *asking, uint64_t start, uint64_t end,
			       const char *whose)
{
	const struct thread *thread = thread_on(asking->ledger.look->target, start, end);
	struct why_ledger *ledger = &asking->ledger;
	if (!thread)
		return why_ledger_add(ledger, asking->report, WHY_DEAD_STACK,
				      "kept for the next threads", start, end);
	uint64_t used = thread->sp - start > RED_ZONE ? thread->sp - RED_ZONE : start;
	struct error *error = why_ledger_add(ledger, asking->report, WHY_DEAD_STACK,
					     whose, start, used);
	return error ? error
		     : why_ledger_add(ledger, asking->report, WHY_STACK, whose, used,
				      end);
}

/* libc's own list first; of stacks that are not in it, those that mappings are for. */
static struct error *add_stacks(struct asking *asking)
{
	const struct vm_look *look = asking->ledger.look;
	const struct heap *heap = look->heap;
	struct error *error = NULL;
	for (size_t i = 0; !error && heap && i < heap->stacks.nr; i++)
		error = add_stack(asking, heap->stacks.items[i].start,
				  heap->stacks.items[i].end, "threads");
	for (size_t i = 0; !error && i < look->account.vmas.nr; i++) {
		const struct region *region = &look->account.vmas.items[i].region;
		if (!strcmp(region->name, "[stack]"))
			error = add_stack(asking, region->start, region->end,
					  "main thread");
	}
	return error;
}

/* --- the moment --------------------------------------------------------------------- */

/* The try before met the allocator at a bad instant. */
static struct error *begin_afresh(struct asking *asking)
{
	why_ledger_deinit(&asking->ledger);
	why_heap_deinit(&asking->heap);
	why_report_destroy(asking->report);
	asking->ledger = (struct why_ledger){ 0 };
	asking->heap = (struct why_heap){ 0 };
	asking->report = calloc(1, sizeof(*asking->report));
	return asking->report ? NULL : error_no_memory();
}

static struct error *explain(void *context, struct vm_look *look)
{
	struct asking *asking = context;
	struct why_ledger *ledger = &asking->ledger;
	struct error *error = begin_afresh(asking);
	if (!error)
		error = why_ledger_init(ledger, look);
	if (!error && look->heap)
		error = why_heap_walk(&asking->heap, ledger, asking->report);
	return error ? error : add_stacks(asking);
}

/* --- what stands beside ------------------------------------------------------------- */

static void count_processors(struct why_report *report)
{
	cpu_set_t set;
	report->processors = 1;
	if (!sched_getaffinity(report->pid, sizeof(set), &set))
		report->processors = (uint64_t)CPU_COUNT(&set);
}

static void explain_arenas(const struct vm_look *look, struct why_report *report)
{
	count_processors(report);
	if (!look->heap)
		return;
	report->is_limit_set = look->heap->arena_limit != 0;
	report->arena_limit = report->is_limit_set
				      ? look->heap->arena_limit
				      : ARENAS_PER_PROCESSOR * report->processors;
}

static struct error *copy_text(const char *text, char **copy)
{
	*copy = text ? strdup(text) : NULL;
	return *copy || !text ? NULL : error_no_memory();
}

static struct error *fill_subject(const struct vm_look *look, struct why_report *report)
{
	const struct vma_account *account = &look->account;
	report->pid = look->target->pid;
	report->threads = account->nr_threads;
	report->page_table_bytes = account->page_table_bytes;
	report->kernel_stack_bytes = account->nr_threads * KERNEL_STACK_BYTES;
	report->swapped_bytes = account->total.bytes[VMA_SWAP];
	explain_arenas(look, report);
	struct error *error = copy_text(look->target->name, &report->target);
	if (!error)
		error = copy_text(look->heap ? look->heap->name : NULL,
				  &report->allocator);
	return error ? error : copy_text(look->unread, &report->unknown);
}

static struct error *describe_freezing(struct vm_look *look, struct why_report *report)
{
	const struct target_freezing *freezing = &look->target->freezing;
	report->pause_ms = (double)vm_look_settle(look) / 1e6;
	report->copied = freezing->copied;
	report->copy_bytes = freezing->copy_bytes;
	return copy_text(freezing->why_stopped, &report->why_stopped);
}

/* After the process runs on. */
static struct error *conclude(struct vm_look *look, struct asking *asking)
{
	struct why_report *report = asking->report;
	struct error *error = fill_subject(look, report);
	if (!error)
		error = why_heap_name(&asking->heap, look->symbols, report);
	if (!error)
		error = why_ledger_close(&asking->ledger, report);
	if (!error)
		error = describe_freezing(look, report);
	if (!error && look->heap)
		error = sentences_copy(&asking->warnings, &look->heap->damage);
	if (!error)
		error = sentences_take(&asking->warnings, &report->warnings);
	return error ? error : sentences_take(&asking->notes, &report->notes);
}

struct error *analyse_why(const struct analyse_why_options *options,
			  struct why_report **report)
{
	struct asking asking = { 0 };
	struct vm_look look = { 0 };
	const struct vm_looking looking = {
		.command = "why",
		.max_pause_ms = options->max_pause_ms,
		.reads_heap = true,
		.freeze = (enum target_freeze)options->freeze,
		.max_copy_bytes = options->max_copy_bytes,
		.while_still = explain,
		.context = &asking,
		.warnings = &asking.warnings,
	};
	struct error *error = vm_look_at_process(options->pid, &looking, &look);
	if (!error)
		error = conclude(&look, &asking);
	if (!error) {
		*report = asking.report;
		asking.report = NULL;
	}
	why_report_destroy(asking.report);
	why_ledger_deinit(&asking.ledger);
	why_heap_deinit(&asking.heap);
	sentences_deinit(&asking.warnings);
	sentences_deinit(&asking.notes);
	vm_look_deinit(&look);
	return error;
}
