/* why_ledger: see why_ledger.h. */
#include "analyse/why_ledger.h"

#include <string.h>

#include "base/hash.h"
#include "target/instant.h"

#define PAGE_BYTES 4096u

struct error *why_ledger_init(struct why_ledger *ledger, const struct vm_look *look)
{
	ledger->look = look;
	ledger->claimed = calloc(look->account.vmas.nr + 1, sizeof(*ledger->claimed));
	if (!ledger->claimed)
		return error_no_memory();
	if (look->target->instant)
		return resident_take(&ledger->resident, &look->target->instant->pages);
	return resident_list(&ledger->resident, look->via, &look->account.vmas);
}

void why_ledger_deinit(struct why_ledger *ledger)
{
	resident_deinit(&ledger->resident);
	free(ledger->claimed);
	map_deinit(&ledger->parts);
}

/* The first mapping that ends past an address. */
static size_t mapping_past(const struct vma_vec *vmas, uint64_t address)
{
	size_t low = 0, high = vmas->nr;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (vmas->items[middle].region.end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_in(const struct vma *vma, uint64_t start, uint64_t end)
{
	return start >= vma->region.start && end <= vma->region.end;
}

/* Nearly all claims lie in the mapping of the one before. */
uint64_t why_ledger_claim(struct why_ledger *ledger, uint64_t start, uint64_t end)
{
	const struct vma_vec *vmas = &ledger->look->account.vmas;
	if (start >= end)
		return 0;
	if (ledger->at < vmas->nr && is_in(&vmas->items[ledger->at], start, end)) {
		uint64_t bytes = resident_bytes(&ledger->resident, start, end);
		ledger->claimed[ledger->at] += bytes;
		return bytes;
	}
	uint64_t sum = 0;
	for (size_t i = mapping_past(vmas, start);
	     i < vmas->nr && vmas->items[i].region.start < end; i++) {
		const struct region *region = &vmas->items[i].region;
		uint64_t from = start > region->start ? start : region->start;
		uint64_t to = end < region->end ? end : region->end;
		uint64_t bytes = resident_bytes(&ledger->resident, from, to);
		ledger->claimed[i] += bytes;
		ledger->at = i;
		sum += bytes;
	}
	return sum;
}

static bool is_part(const struct why_part *part, enum why_kind kind, const char *name)
{
	return part->kind == kind && !strcmp(part->name, name);
}

/* A name whose hash another one has gets a part at each claim: they are not joined. */
static struct why_part *find_part(const struct why_report *report, uint64_t number,
				  enum why_kind kind, const char *name)
{
	struct why_part *part = number ? &report->parts.items[number - 1] : NULL;
	return part && is_part(part, kind, name) ? part : NULL;
}

struct error *why_part_add(struct why_ledger *ledger, struct why_report *report,
			   enum why_kind kind, const char *name, uint64_t bytes,
			   uint64_t count)
{
	if (!bytes)
		return NULL;
	uint64_t hash = hash_bytes(HASH_SEED + kind, name, strlen(name));
	uint64_t *number = map_at(&ledger->parts, hash);
	if (!number)
		return error_no_memory();
	struct why_part *found = find_part(report, *number, kind, name);
	if (found) {
		found->bytes += bytes;
		found->count += count;
		return NULL;
	}
	struct why_part part = { kind, strdup(name), bytes, count };
	if (part.name && why_part_vec_push(&report->parts, part)) {
		*number = report->parts.nr;
		return NULL;
	}
	free(part.name);
	return error_no_memory();
}

struct error *why_ledger_add(struct why_ledger *ledger, struct why_report *report,
			     enum why_kind kind, const char *name, uint64_t start,
			     uint64_t end)
{
	return why_part_add(ledger, report, kind, name,
			    why_ledger_claim(ledger, start, end), 1);
}

/* --- what is left ------------------------------------------------------------------- */

/* What a mapping is for, when nobody claimed it. A name of NULL is the mapping's own. */
static const struct leftover {
	enum why_kind kind;
	const char *name;
} leftovers[VMA_NR_KINDS] = {
	[VMA_HEAP] = { WHY_SLACK, "heap" },
	[VMA_ARENA] = { WHY_SLACK, "thread arenas" },
	[VMA_MAPPED] = { WHY_OPAQUE, "anonymous mappings" },
	[VMA_STACK] = { WHY_DEAD_STACK, "main thread" },
	[VMA_THREAD_STACK] = { WHY_OPAQUE, "anonymous mappings" },
	[VMA_TLS] = { WHY_OPAQUE, "anonymous mappings" },
	[VMA_TEXT] = { WHY_FILE, NULL },
	[VMA_RODATA] = { WHY_FILE, NULL },
	[VMA_RELRO] = { WHY_GLOBALS, NULL },
	[VMA_DATA] = { WHY_GLOBALS, NULL },
	[VMA_BSS] = { WHY_GLOBALS, NULL },
	[VMA_ANONYMOUS_MEMORY] = { WHY_OPAQUE, "anonymous mappings" },
	[VMA_NAMED] = { WHY_NAMED, NULL },
	[VMA_FILE] = { WHY_FILE, NULL },
	[VMA_SHARED_MEMORY] = { WHY_SHARED_MEMORY, NULL },
	[VMA_HUGETLB] = { WHY_DEVICE, "huge pages" },
	[VMA_DEVICE] = { WHY_DEVICE, NULL },
	[VMA_GUARD] = { WHY_OPAQUE, "mappings without access" },
	[VMA_RESERVED] = { WHY_OPAQUE, "mappings without access" },
	[VMA_KERNEL] = { WHY_KERNEL, NULL },
};

/* Without its folders. A .bss has the name of the data before it. */
static const char *name_of(const struct vma_vec *vmas, size_t i, enum vma_kind kind)
{
	const char *name = vmas->items[i - (kind == VMA_BSS && i > 0)].region.name;
	const char *slash = *name == '/' ? strrchr(name, '/') : NULL;
	if (!*name)
		return "without a name";
	/* What the kernel calls shared memory that has no file. */
	if (!strcmp(name, "/dev/zero (deleted)"))
		return "anonymous";
	return slash && slash[1] ? slash + 1 : name;
}

/* The heap of an allocator that is not walked is as opaque as any mapping. */
static struct leftover leftover_of(const struct vm_look *look, enum vma_kind kind)
{
	if (!look->heap && leftovers[kind].kind == WHY_SLACK)
		return (struct leftover){ WHY_OPAQUE, "program break" };
	return leftovers[kind];
}

/* The kernel joins what is mapped behind a .bss to it. */
static struct error *close_bss(struct why_ledger *ledger, struct why_report *report,
			       size_t i, uint64_t left)
{
	const struct vm_look *look = ledger->look;
	const struct vma_vec *vmas = &look->account.vmas;
	const struct region *region = &vmas->items[i].region;
	const struct module *module = target_module(look->target, region->start - 1);
	uint64_t end = module ? symbols_module_end(look->symbols, module) : 0;
	end = (end + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
	uint64_t shown = resident_bytes(&ledger->resident, region->start,
					end && end < region->end ? end : region->end);
	uint64_t bss = shown < left ? shown : left;
	struct error *error = why_part_add(ledger, report, WHY_GLOBALS,
					   name_of(vmas, i, VMA_BSS), bss, 1);
	return error ? error
		     : why_part_add(ledger, report, WHY_OPAQUE, "anonymous mappings",
				    left - bss, 1);
}

static struct error *close_mapping(struct why_ledger *ledger, struct why_report *report,
				   size_t i)
{
	const struct vma_vec *vmas = &ledger->look->account.vmas;
	const struct vma *vma = &vmas->items[i];
	uint64_t shown =
		resident_bytes(&ledger->resident, vma->region.start, vma->region.end);
	uint64_t left = shown > ledger->claimed[i] ? shown - ledger->claimed[i] : 0;
	if (!left)
		return NULL;
	enum vma_kind kind = vm_look_kind(ledger->look, i);
	if (kind == VMA_BSS)
		return close_bss(ledger, report, i, left);
	const struct leftover rest = leftover_of(ledger->look, kind);
	return why_part_add(ledger, report, rest.kind,
			    rest.name ? rest.name : name_of(vmas, i, kind), left, 1);
}

static int by_kind_and_size(const void *a, const void *b)
{
	const struct why_part *left = a, *right = b;
	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	if (left->bytes != right->bytes)
		return left->bytes > right->bytes ? -1 : 1;
	return strcmp(left->name, right->name);
}

static void sum_up(struct why_report *report)
{
	for (size_t i = 0; i < report->parts.nr; i++) {
		const struct why_part *part = &report->parts.items[i];
		report->kinds[part->kind] += part->bytes;
		if (part->kind == WHY_OPAQUE)
			report->opaque_bytes += part->bytes;
		else
			report->explained_bytes += part->bytes;
	}
	if (report->parts.nr)
		qsort(report->parts.items, report->parts.nr,
		      sizeof(report->parts.items[0]), by_kind_and_size);
}

struct error *why_ledger_close(struct why_ledger *ledger, struct why_report *report)
{
	const struct vma_account *account = &ledger->look->account;
	struct error *error = NULL;
	for (size_t i = 0; !error && i < account->vmas.nr; i++)
		if (account->vmas.items[i].counts.bytes[VMA_RSS])
			error = close_mapping(ledger, report, i);
	report->rss_bytes = account->total.bytes[VMA_RSS];
	sum_up(report);
	report->residual_bytes = (int64_t)report->rss_bytes -
				 (int64_t)report->explained_bytes -
				 (int64_t)report->opaque_bytes;
	return error;
}
