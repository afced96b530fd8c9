/* kind: see kind.h. */
#include "vma/kind.h"

#include <string.h>

const char *const vma_kind_names[VMA_NR_KINDS] = {
	[VMA_HEAP] = "heap",
	[VMA_ARENA] = "thread arena",
	[VMA_MAPPED] = "mapped block",
	[VMA_STACK] = "main stack",
	[VMA_THREAD_STACK] = "thread stack",
	[VMA_TLS] = "TLS",
	[VMA_TEXT] = "text",
	[VMA_RODATA] = "rodata",
	[VMA_RELRO] = "relro",
	[VMA_DATA] = "data",
	[VMA_BSS] = "bss",
	[VMA_ANONYMOUS_MEMORY] = "anonymous",
	[VMA_NAMED] = "named anonymous",
	[VMA_FILE] = "mapped file",
	[VMA_SHARED_MEMORY] = "shared memory",
	[VMA_HUGETLB] = "hugetlb",
	[VMA_DEVICE] = "device",
	[VMA_GUARD] = "guard",
	[VMA_RESERVED] = "reserved",
	[VMA_KERNEL] = "kernel",
};

/* --- by name ------------------------------------------------------------------------ */

static const struct name_rule {
	const char *prefix;
	enum vma_kind kind;
} name_rules[] = {
	{ "[heap]", VMA_HEAP },
	{ "[stack]", VMA_STACK },
	{ "[stack:", VMA_THREAD_STACK },
	{ "[anon:", VMA_NAMED },
	{ "[anon_shmem:", VMA_SHARED_MEMORY },
	{ "[", VMA_KERNEL },
	{ "/memfd:", VMA_SHARED_MEMORY },
	{ "/SYSV", VMA_SHARED_MEMORY },
	{ "/dev/shm/", VMA_SHARED_MEMORY },
	{ "/dev/zero", VMA_SHARED_MEMORY },
	{ "/dmabuf", VMA_DEVICE },
	{ "anon_inode:dmabuf", VMA_DEVICE },
	{ "/dev/", VMA_DEVICE },
	{ "/anon_hugepage", VMA_HUGETLB },
};

static bool find_by_name(const char *name, enum vma_kind *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(name_rules); i++) {
		const char *prefix = name_rules[i].prefix;
		if (strncmp(name, prefix, strlen(prefix)) != 0)
			continue;
		*kind = name_rules[i].kind;
		return true;
	}
	return false;
}

/* --- by file ------------------------------------------------------------------------ */

static bool is_same_file(const struct region *a, const struct region *b)
{
	return a->inode == b->inode && a->major == b->major && a->minor == b->minor;
}

static bool is_mine(const struct module *module, const struct target *target,
		    const struct region *region)
{
	return module && region->inode &&
	       is_same_file(&target->regions.items[module->first_region], region);
}

/* What the loader wrote and then closed to writing. The kernel remembers that a mapping
   was writable; a core does not, and there it is what stands just before the data. */
static bool is_relro(const struct vma_vec *vmas, size_t i)
{
	const struct vma *vma = &vmas->items[i], *next = vma + 1;
	if (vma->flags & VMA_HAS_FLAGS)
		return vma->flags & VMA_WAS_WRITABLE;
	return i + 1 < vmas->nr && i > 0 && is_same_file(&vma->region, &next->region) &&
	       vma->region.end == next->region.start &&
	       (next->region.flags & REGION_WRITE) &&
	       !(vma[-1].region.flags & REGION_EXEC);
}

static enum vma_kind kind_in_module(const struct vma_vec *vmas, size_t i)
{
	unsigned flags = vmas->items[i].region.flags;
	if (flags & REGION_EXEC)
		return VMA_TEXT;
	if (flags & REGION_WRITE)
		return VMA_DATA;
	if (!(flags & REGION_READ))
		return VMA_RESERVED;
	return is_relro(vmas, i) ? VMA_RELRO : VMA_RODATA;
}

static bool is_in_memory(const struct vma_device_vec *devices,
			 const struct region *region)
{
	for (size_t i = 0; i < devices->nr; i++)
		if (devices->items[i].major == region->major &&
		    devices->items[i].minor == region->minor)
			return true;
	return false;
}

static enum vma_kind kind_of_file(const struct vma_vec *vmas, size_t i,
				  const struct vma_surroundings *around)
{
	const struct region *region = &vmas->items[i].region;
	const struct module *module = target_module(around->target, region->start);
	enum vma_kind kind;
	if (is_mine(module, around->target, region))
		return kind_in_module(vmas, i);
	if (find_by_name(region->name, &kind))
		return kind;
	return is_in_memory(around->devices, region) ? VMA_SHARED_MEMORY : VMA_FILE;
}

/* --- anonymous ones ----------------------------------------------------------------- */

static int by_start(const void *a, const void *b)
{
	const struct vma_hint *left = a, *right = b;
	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	return left->end < right->end ? -1 : left->end > right->end;
}

void vma_hints_sort(struct vma_hint_vec *hints)
{
	size_t kept = 0;
	uint64_t end = 0;
	if (hints->nr)
		qsort(hints->items, hints->nr, sizeof(hints->items[0]), by_start);
	for (size_t i = 0; i < hints->nr; i++) {
		struct vma_hint hint = hints->items[i];
		hint.start = hint.start > end ? hint.start : end;
		if (hint.start >= hint.end)
			continue;
		end = hint.end;
		hints->items[kept++] = hint;
	}
	hints->nr = kept;
}

/* The first hint that ends behind an address. */
static size_t first_behind(const struct vma_hint_vec *hints, uint64_t address)
{
	size_t low = 0, high = hints->nr;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (hints->items[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The kind that most of it is known to be. */
static bool find_by_hint(const struct vma_hint_vec *hints, const struct region *region,
			 enum vma_kind *kind)
{
	uint64_t bytes[VMA_NR_KINDS] = { 0 }, most = 0;
	size_t first = first_behind(hints, region->start);
	for (size_t i = first; i < hints->nr && hints->items[i].start < region->end;
	     i++) {
		const struct vma_hint *hint = &hints->items[i];
		uint64_t start = hint->start > region->start ? hint->start
							     : region->start;
		uint64_t end = hint->end < region->end ? hint->end : region->end;
		if (start < end)
			bytes[hint->kind] += end - start;
	}
	for (size_t i = 0; i < VMA_NR_KINDS; i++)
		if (bytes[i] > most) {
			most = bytes[i];
			*kind = (enum vma_kind)i;
		}
	return most > 0;
}

static bool holds_thread_pointer(const struct target *target, const struct region *region)
{
	for (size_t i = 0; i < target->threads.nr; i++) {
		uint64_t at = target->threads.items[i].thread_pointer;
		if (at >= region->start && at < region->end)
			return true;
	}
	return false;
}

static bool holds_stack_pointer(const struct target *target, const struct region *region)
{
	for (size_t i = 0; i < target->threads.nr; i++) {
		uint64_t at = target->threads.items[i].sp;
		if (at >= region->start && at < region->end)
			return true;
	}
	return false;
}

/* Behind the data of a module, with which its file does not reach to the end. */
static bool is_bss(const struct vma_vec *vmas, size_t i, const struct target *target)
{
	const struct region *region = &vmas->items[i].region;
	if (i == 0 || vmas->items[i - 1].region.end != region->start)
		return false;
	const struct region *before = &vmas->items[i - 1].region;
	return (before->flags & REGION_WRITE) && (region->flags & REGION_WRITE) &&
	       is_mine(target_module(target, before->start), target, before);
}

static enum vma_kind kind_of_writable(const struct vma_vec *vmas, size_t i,
				      const struct vma_surroundings *around)
{
	const struct region *region = &vmas->items[i].region;
	enum vma_kind kind;
	if (find_by_hint(around->hints, region, &kind))
		return kind;
	if (is_bss(vmas, i, around->target))
		return VMA_BSS;
	if (holds_stack_pointer(around->target, region))
		return VMA_THREAD_STACK;
	if (holds_thread_pointer(around->target, region))
		return VMA_TLS;
	return VMA_ANONYMOUS_MEMORY;
}

/* Addresses without access: below a stack they catch what runs over it. */
static enum vma_kind kind_of_closed(const struct vma_vec *vmas, size_t i,
				    const struct vma_surroundings *around)
{
	bool is_below = i + 1 < vmas->nr &&
			vmas->items[i + 1].region.start == vmas->items[i].region.end &&
			!vmas->items[i + 1].region.inode &&
			(vmas->items[i + 1].region.flags & REGION_WRITE);
	if (is_below && kind_of_writable(vmas, i + 1, around) == VMA_THREAD_STACK)
		return VMA_GUARD;
	return VMA_RESERVED;
}

enum vma_kind vma_kind_of(const struct vma_vec *vmas, size_t i,
			  const struct vma_surroundings *surroundings)
{
	const struct vma *vma = &vmas->items[i];
	enum vma_kind kind;
	if (vma->flags & VMA_IS_HUGETLB)
		return VMA_HUGETLB;
	if (vma->region.inode)
		return vma->flags & VMA_IS_DEVICE ? VMA_DEVICE
						  : kind_of_file(vmas, i, surroundings);
	if (vma->region.name[0] && find_by_name(vma->region.name, &kind))
		return kind;
	if (vma->flags & VMA_IS_DEVICE)
		return VMA_DEVICE;
	if (!(vma->region.flags & (REGION_READ | REGION_WRITE | REGION_EXEC)))
		return kind_of_closed(vmas, i, surroundings);
	if (vma->region.flags & REGION_SHARED)
		return VMA_SHARED_MEMORY;
	return kind_of_writable(vmas, i, surroundings);
}

/* --- file systems in memory --------------------------------------------------------- */

static bool take_decimal(const char **at, const char *end, uint32_t *number)
{
	uint64_t value = 0;
	const char *start = *at;
	for (; *at < end && **at >= '0' && **at <= '9' && value <= UINT32_MAX; (*at)++)
		value = value * 10 + (uint64_t)(**at - '0');
	*number = (uint32_t)value;
	return *at > start && value <= UINT32_MAX;
}

/* "36 35 98:0 /root /point options… - type source options": proc(5). */
static bool parse_mount(const char *at, const char *end, struct vma_device *device)
{
	static const char separator[] = " - ";
	for (unsigned i = 0; i < 2; i++) {
		at = memchr(at, ' ', (size_t)(end - at));
		if (!at)
			return false;
		at++;
	}
	if (!take_decimal(&at, end, &device->major) || at == end || *at++ != ':' ||
	    !take_decimal(&at, end, &device->minor))
		return false;
	const char *type = memmem(at, (size_t)(end - at), separator, 3);
	if (!type)
		return false;
	type += 3;
	const char *type_end = memchr(type, ' ', (size_t)(end - type));
	size_t length = (size_t)((type_end ? type_end : end) - type);
	return (length == 5 && (!memcmp(type, "tmpfs", 5) || !memcmp(type, "ramfs", 5)));
}

struct error *vma_memory_devices(const char *text, size_t size,
				 struct vma_device_vec *devices)
{
	const char *end = text + size;
	for (const char *line = text; line < end;) {
		const char *line_end = memchr(line, '\n', (size_t)(end - line));
		if (!line_end)
			line_end = end;
		struct vma_device device;
		if (parse_mount(line, line_end, &device) &&
		    !vma_device_vec_push(devices, device))
			return error_no_memory();
		line = line_end + 1;
	}
	return NULL;
}
