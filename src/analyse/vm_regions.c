/* vm_regions: see vm_regions.h. */
#include "analyse/vm_regions.h"

#include <string.h>

#include "target/freezer.h"
#include "target/process.h"

/* --- columns ------------------------------------------------------------------------ */

/* Each column is a sum of counts of the kernel, of which the alternative serves where an older
   kernel lacks the first one. */
static const struct column_rule {
	enum vm_column column;
	enum vma_count counts[5];
	size_t nr;
	enum vma_count instead; /* of the first */
	size_t nr_late; /* so many of the last ones older kernels neither have nor tell */
} column_rules[] = {
	{ VM_VIRTUAL, { VMA_SIZE }, 1, VMA_SIZE, 0 },
	{ VM_RESIDENT, { VMA_RSS }, 1, VMA_RSS, 0 },
	{ VM_DIRTY, { VMA_PRIVATE_DIRTY, VMA_SHARED_DIRTY }, 2, VMA_PRIVATE_DIRTY, 0 },
	{ VM_CLEAN, { VMA_PRIVATE_CLEAN, VMA_SHARED_CLEAN }, 2, VMA_PRIVATE_CLEAN, 0 },
	{ VM_SWAPPED, { VMA_SWAP }, 1, VMA_SWAP, 0 },
	{ VM_RECLAIMABLE, { VMA_LAZY_FREE }, 1, VMA_LAZY_FREE, 0 },
	{ VM_LOCKED, { VMA_LOCKED }, 1, VMA_LOCKED, 0 },
	{ VM_PRIVATE, { VMA_PRIVATE_CLEAN, VMA_PRIVATE_DIRTY }, 2, VMA_PRIVATE_CLEAN, 0 },
	{ VM_SHARED, { VMA_SHARED_CLEAN, VMA_SHARED_DIRTY }, 2, VMA_SHARED_CLEAN, 0 },
	{ VM_SHARE, { VMA_PSS }, 1, VMA_PSS, 0 },
	{ VM_HUGE,
	  { VMA_ANON_HUGE, VMA_SHMEM_HUGE, VMA_SHARED_HUGETLB, VMA_PRIVATE_HUGETLB,
	    VMA_FILE_HUGE },
	  5,
	  VMA_ANON_HUGE,
	  1 },
	{ VM_FOOTPRINT,
	  { VMA_PSS_DIRTY, VMA_SWAP_PSS, VMA_PRIVATE_HUGETLB },
	  3,
	  VMA_PRIVATE_DIRTY,
	  0 },
};

void vm_sizes_of(const struct vma_counts *counts, struct vm_sizes *sizes, unsigned *known)
{
	*known = 0;
	for (size_t i = 0; i < ARRAY_SIZE(column_rules); i++) {
		const struct column_rule *rule = &column_rules[i];
		bool all = true;
		uint64_t sum = 0;
		for (size_t k = 0; k < rule->nr; k++) {
			enum vma_count count = rule->counts[k];
			if (k == 0 && !vma_knows(counts, count))
				count = rule->instead;
			all &= vma_knows(counts, count) || k + rule->nr_late >= rule->nr;
			sum += counts->bytes[count];
		}
		sizes->bytes[rule->column] = sum;
		*known |= all ? 1u << rule->column : 0u;
	}
}

/* --- regions ------------------------------------------------------------------------ */

static void put_access(unsigned flags, char access[5])
{
	access[0] = flags & REGION_READ ? 'r' : '-';
	access[1] = flags & REGION_WRITE ? 'w' : '-';
	access[2] = flags & REGION_EXEC ? 'x' : '-';
	access[3] = flags & REGION_SHARED ? 's' : 'p';
	access[4] = '\0';
}

struct error *vm_regions_add(const struct vma *vma, const char *type,
			     struct vm_region_vec *regions, unsigned *known)
{
	struct vm_region region = {
		.start = vma->region.start,
		.end = vma->region.end,
		.type = type,
		.name = strdup(vma->region.name),
	};
	put_access(vma->region.flags, region.access);
	vm_sizes_of(&vma->counts, &region.sizes, known);
	if (region.name && vm_region_vec_push(regions, region))
		return NULL;
	free(region.name);
	return error_no_memory();
}

/* --- what is known of addresses ----------------------------------------------------- */

static struct error *add_hint(struct vma_hint_vec *hints, uint64_t start, uint64_t end,
			      enum vma_kind kind)
{
	struct vma_hint hint = { .start = start, .end = end, .kind = kind };
	return vma_hint_vec_push(hints, hint) ? NULL : error_no_memory();
}

/* The main arena is the heap, also where it is no break, or where a core does not say so. */
static enum vma_kind kind_of_arena(const struct heap *heap, size_t arena)
{
	return arena < heap->arenas.nr && heap->arenas.items[arena].is_main ? VMA_HEAP
									    : VMA_ARENA;
}

struct error *vm_regions_hint(const struct heap *heap, struct vma_hint_vec *hints)
{
	struct error *error = NULL;
	for (size_t i = 0; !error && i < heap->spans.nr; i++) {
		const struct heap_span *span = &heap->spans.items[i];
		error = add_hint(hints, span->start, span->end,
				 span->single ? VMA_MAPPED
					      : kind_of_arena(heap, span->arena));
	}
	for (size_t i = 0; !error && i < heap->arenas.nr; i++) {
		const struct heap_arena *arena = &heap->arenas.items[i];
		error = add_hint(hints, arena->top, arena->top + arena->top_bytes,
				 kind_of_arena(heap, i));
	}
	for (size_t i = 0; !error && i < heap->stacks.nr; i++) {
		const struct heap_span *stack = &heap->stacks.items[i];
		error = add_hint(hints, stack->start, stack->end, VMA_THREAD_STACK);
	}
	vma_hints_sort(hints);
	return error;
}

/* --- of one moment ------------------------------------------------------------------ */

static struct error *count(const struct target *target, uint64_t deadline_ns,
			   struct vma_account *account)
{
	struct process_status status;
	struct error *error = process_status(target->pid, 0, &status);
	if (error)
		return error;
	if (target->instant)
		return vma_account_of_instant(status.via, target->instant, account);
	error = vma_account_read(status.via, deadline_ns, account);
	if (error && error->code == ERROR_BUDGET && !error->remedy)
		error = error_remedy(error, "it runs on unharmed; allow a longer pause "
					    "with --max-pause");
	return error;
}

struct error *vm_regions_take(const struct target *target, const struct heap *heap,
			      uint64_t deadline_ns, struct vm_regions *mappings)
{
	struct vma_account account = { 0 };
	struct vma_hint_vec hints = { 0 };
	const struct vma_surroundings around = { target, &hints, &account.devices };
	struct error *error = count(target, deadline_ns, &account);
	if (!error)
		error = vm_regions_hint(heap, &hints);
	for (size_t i = 0; !error && i < account.vmas.nr; i++) {
		enum vma_kind kind = vma_kind_of(&account.vmas, i, &around);
		unsigned known = 0;
		error = vm_regions_add(&account.vmas.items[i], vma_kind_names[kind],
				       &mappings->regions, &known);
		mappings->known = i ? mappings->known & known : known;
	}
	vma_account_deinit(&account);
	vma_hint_vec_deinit(&hints);
	return error;
}

void vm_regions_deinit(struct vm_regions *mappings)
{
	for (size_t i = 0; i < mappings->regions.nr; i++)
		free(mappings->regions.items[i].name);
	vm_region_vec_deinit(&mappings->regions);
}
