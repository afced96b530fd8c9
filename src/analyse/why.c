/* why: see why.h. */
#include "analyse/why.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analyse/why_heap.h"

/* So much below a stack pointer may be in use (System V ABI). */
#define RED_ZONE 128u
/* What the C library knows of a thread lies above its pointer, and other data of its own below
   what the modules ask for. */
#define ABOVE_POINTER ((uint64_t)16 << 10)
#define BELOW_POINTER ((uint64_t)64 << 10)
#define PAGE_BYTES    4096u
/* More than this part of all is worth a note when it is opaque. */
#define NOTEWORTHY_PART 20u
/* Of the kernel on x86-64, and glibc's arenas for each processor on 64 bits. */
#define KERNEL_STACK_BYTES   16384u
#define ARENAS_PER_PROCESSOR 8u

struct asking {
	struct why_report *report;
	struct why_ledger ledger;
	struct why_heap heap;
	struct live_sites *sites;    /* NULL: nobody records the process */
	struct vma_hint_vec claimed; /* around threads' pointers */
	struct sentence_vec warnings, notes;
};

/* Memory of a process's own that may hold what belongs to a thread. A static program has its
   thread-local variables in the break, before malloc begins there. */
static bool may_be_threads(const struct region *region)
{
	bool is_break = !strcmp(region->name, "[heap]");
	return !region->inode && (!*region->name || is_break) &&
	       !(region->flags & REGION_SHARED);
}

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

static uint64_t page_down(uint64_t address)
{
	return address & ~(uint64_t)(PAGE_BYTES - 1);
}

/* What is free for a claim around an address of a mapping: up to the hints beside it, which are
   claimed already, or will be. Empty where the address is in one. */
static void narrow(const struct vma_hint_vec *hints, uint64_t address, uint64_t *start,
		   uint64_t *end)
{
	for (size_t i = 0; i < hints->nr; i++) {
		const struct vma_hint *hint = &hints->items[i];
		if (hint->end <= address && hint->end > *start)
			*start = hint->end;
		if (hint->start > address && hint->start < *end)
			*end = hint->start;
		if (hint->start <= address && address < hint->end)
			*start = *end;
	}
}

/* Narrows a range that is about to be claimed, and notes it; empty: nothing is left of it. */
static struct error *take(struct asking *asking, uint64_t address, uint64_t *start,
			  uint64_t *end)
{
	narrow(&asking->ledger.look->hints, address, start, end);
	narrow(&asking->claimed, address, start, end);
	const struct vma_hint hint = { .start = *start, .end = *end };
	if (*start >= *end || vma_hint_vec_push(&asking->claimed, hint))
		return NULL;
	return error_no_memory();
}

/* Of a stack that libc does not list: up to the thread's own data, which stand at its end; the
   kernel may have joined other memory to it. A thread that is not below its own data is on a
   stack of somebody else's, of which nothing is known. */
static struct error *add_unlisted_stack(struct asking *asking,
					const struct region *region,
					const struct thread *thread)
{
	uint64_t start = region->start, end = region->end;
	uint64_t pointer = thread->thread_pointer;
	if (pointer < thread->sp || pointer >= end)
		return NULL;
	if (end - pointer > ABOVE_POINTER)
		end = page_down(pointer + ABOVE_POINTER);
	struct error *error = take(asking, thread->sp, &start, &end);
	if (error || start >= end)
		return error;
	return add_stack(asking, start, end, "threads");
}

/* The loader puts them into a mapping for the main thread, with what it allocates itself before
   there is a malloc. */
static struct error *add_tls(struct asking *asking, const struct region *region,
			     uint64_t pointer, const char *whose)
{
	const struct vm_look *look = asking->ledger.look;
	uint64_t below = look->tls_bytes + BELOW_POINTER;
	uint64_t start = region->start, end = region->end;
	if (pointer - start > below)
		start = page_down(pointer - below);
	if (end - pointer > ABOVE_POINTER)
		end = page_down(pointer + ABOVE_POINTER);
	struct error *error = take(asking, pointer, &start, &end);
	if (error || start >= end)
		return error;
	return why_ledger_add(&asking->ledger, asking->report, WHY_TLS, whose, start,
			      end);
}

/* Of one thread, what it has in mappings that nobody else tells of. */
static struct error *add_thread(struct asking *asking, const struct thread *thread)
{
	const struct vma_vec *vmas = &asking->ledger.look->account.vmas;
	const struct region *stack = vmas_at(vmas, thread->sp);
	const struct region *tls = vmas_at(vmas, thread->thread_pointer);
	struct error *error = NULL;
	if (stack && may_be_threads(stack))
		error = add_unlisted_stack(asking, stack, thread);
	if (error || !tls || tls == stack || !may_be_threads(tls))
		return error;
	return add_tls(asking, tls, thread->thread_pointer,
		       thread->tid == asking->ledger.look->target->pid ? "main thread"
								       : "threads");
}

/* The list is in memory that a program may have written to: of what it says counts what is in one
   mapping of a stack's kind, with the end. Below that is the guard. */
static struct error *add_listed_stack(struct asking *asking, const struct vma_hint *hint)
{
	const struct region *region =
		vmas_at(&asking->ledger.look->account.vmas, hint->end - 1);
	if (!region || *region->name)
		return NULL;
	return add_stack(asking,
			 hint->start > region->start ? hint->start : region->start,
			 hint->end, "threads");
}

/* Those of libc's own list, the main thread's, and those that are in neither. */
static struct error *add_stacks(struct asking *asking)
{
	const struct vm_look *look = asking->ledger.look;
	struct error *error = NULL;
	for (size_t i = 0; !error && i < look->hints.nr; i++)
		if (look->hints.items[i].kind == VMA_THREAD_STACK)
			error = add_listed_stack(asking, &look->hints.items[i]);
	for (size_t i = 0; !error && i < look->account.vmas.nr; i++) {
		const struct region *region = &look->account.vmas.items[i].region;
		if (!strcmp(region->name, "[stack]"))
			error = add_stack(asking, region->start, region->end,
					  "main thread");
	}
	for (size_t i = 0; !error && i < look->target->threads.nr; i++)
		error = add_thread(asking, &look->target->threads.items[i]);
	return error;
}

/* --- the moment --------------------------------------------------------------------- */

/* The try before met the allocator at a bad instant. */
static struct error *begin_afresh(struct asking *asking)
{
	why_ledger_deinit(&asking->ledger);
	why_heap_deinit(&asking->heap);
	why_report_destroy(asking->report);
	vma_hint_vec_deinit(&asking->claimed);
	asking->ledger = (struct why_ledger){ 0 };
	asking->claimed = (struct vma_hint_vec){ 0 };
	asking->heap = (struct why_heap){ .sites = asking->sites };
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
	if (error || !look->heap)
		return error;
	return why_heap_walk(&asking->heap, ledger, asking->report);
}

/* --- what stands beside ------------------------------------------------------------- */

static void count_processors(struct why_report *report)
{
	cpu_set_t set;
	long all = sysconf(_SC_NPROCESSORS_ONLN);
	report->processors = all > 0 ? (uint64_t)all : 1;
	/* A set has room for 1,024 of them; on larger machines all count. */
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
	report->is_trim_known = look->heap && !look->heap->damage.nr;
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

/* Who maps memory for objects of its own, which then is opaque. */
static const struct own_allocator {
	const char *module; /* its file's name, without a version */
	const char *sentence;
} own_allocators[] = {
	{ "python3",
	  "Python keeps small objects in memory that it maps itself; where it is started "
	  "with PYTHONMALLOC=malloc it asks malloc, which seep reads" },
	{ "libpython3",
	  "Python keeps small objects in memory that it maps itself; where it is started "
	  "with PYTHONMALLOC=malloc it asks malloc, which seep reads" },
	{ "libjvm.so", "Java's heap is memory that its virtual machine maps itself" },
	{ "node", "JavaScript's heap is memory that V8 maps itself" },
};

/* "node", and "python3" with a version; not "node_exporter". */
static bool has_module(const struct target *target, const char *name)
{
	const struct module *module = target_module_named(target, name);
	const char *slash = module ? strrchr(module->path, '/') : NULL;
	const char *rest = slash ? slash + 1 + strlen(name) : NULL;
	return rest && (!*rest || *rest == '.');
}

static struct error *note_own_allocator(const struct vm_look *look, struct asking *asking)
{
	const struct why_report *report = asking->report;
	if (report->opaque_bytes <= report->rss_bytes / NOTEWORTHY_PART)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(own_allocators); i++)
		if (has_module(look->target, own_allocators[i].module))
			return sentences_add(&asking->notes, "%s",
					     own_allocators[i].sentence);
	return NULL;
}

/* What came and went between the trace's being read and the moment is told as doubtful. */
static struct error *warn_of_doubts(struct asking *asking)
{
	uint64_t nr = 0;
	if (!asking->sites)
		return NULL;
	struct error *error = live_sites_doubts(asking->sites, &nr);
	if (error || !nr)
		return error;
	return sentences_add(&asking->warnings,
			     "at %" PRIu64 " addresses blocks came or went meanwhile: as "
			     "many may be told by the wrong call stack",
			     nr);
}

/* After the process runs on. */
static struct error *conclude(struct vm_look *look, struct asking *asking)
{
	struct why_report *report = asking->report;
	struct error *error = fill_subject(look, report);
	if (!error)
		error = add_stacks(asking);
	if (!error)
		error = warn_of_doubts(asking);
	if (!error)
		error = why_heap_name(&asking->heap, look->symbols, &asking->ledger,
				      report);
	if (!error)
		error = why_ledger_close(&asking->ledger, report);
	if (!error)
		error = describe_freezing(look, report);
	if (!error)
		error = note_own_allocator(look, asking);
	if (!error && look->heap)
		error = sentences_copy(&asking->warnings, &look->heap->damage);
	if (!error)
		error = sentences_take(&asking->warnings, &report->warnings);
	return error ? error : sentences_take(&asking->notes, &report->notes);
}

struct error *analyse_why(const struct analyse_why_options *options,
			  struct why_report **report)
{
	struct live_sites sites = { 0 };
	struct asking asking = { .sites = options->trace ? &sites : NULL };
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
	struct error *error = NULL;
	if (options->trace)
		error = live_sites_open(options->trace, options->pid, &sites);
	if (!error)
		error = vm_look_at_process(options->pid, &looking, &look);
	if (!error)
		error = conclude(&look, &asking);
	if (!error) {
		*report = asking.report;
		asking.report = NULL;
	}
	why_report_destroy(asking.report);
	why_ledger_deinit(&asking.ledger);
	why_heap_deinit(&asking.heap);
	vma_hint_vec_deinit(&asking.claimed);
	sentences_deinit(&asking.warnings);
	sentences_deinit(&asking.notes);
	vm_look_deinit(&look);
	live_sites_close(&sites);
	return error;
}
