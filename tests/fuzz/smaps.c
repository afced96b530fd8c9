/* Any bytes as the text of smaps, as a rollup, as mountinfo, and as what tells of swap: refused, or
   mappings that ascend, which get a kind each. */
#include "vma/account.h"
#include "vma/swap.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_vmas(const struct vma_vec *vmas)
{
	uint64_t end = 0;
	for (size_t i = 0; i < vmas->nr; i++) {
		const struct region *region = &vmas->items[i].region;
		if (region->start < end || region->end <= region->start || !region->name)
			abort();
		end = region->end;
	}
}

/* Around mappings of which nothing else is known. */
static void check_kinds(const struct vma_vec *vmas, const struct vma_device_vec *devices)
{
	struct target target = { 0 };
	struct vma_hint hint = { 0x1000, 0x3000, VMA_ARENA };
	struct vma_hint_vec hints = { .items = &hint, .nr = 1 };
	const struct vma_surroundings surroundings = { &target, &hints, devices };
	for (size_t i = 0; i < vmas->nr; i++)
		if ((unsigned)vma_kind_of(vmas, i, &surroundings) >= VMA_NR_KINDS)
			abort();
}

static void check_swap(const char *text)
{
	struct vma_swap swap = { 0 };
	uint64_t compressed = 0, memory = 0;
	vma_swap_add_meminfo(&swap, text);
	vma_swap_add_zram(&swap, text);
	vma_swap_estimate(&swap, 1 << 20, &compressed, &memory);
	if (compressed > 1 << 20)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct vma_vec vmas = { 0 };
	struct vma_counts counts;
	struct vma_device_vec devices = { 0 };
	char *text = calloc(size + 1, 1);
	if (!text)
		return 0;
	if (size)
		memcpy(text, bytes, size);
	error_destroy(smaps_parse(text, size, "fuzz", &vmas));
	check_vmas(&vmas);
	error_destroy(smaps_parse_rollup(text, size, "fuzz", &counts));
	error_destroy(vma_memory_devices(text, size, &devices));
	check_kinds(&vmas, &devices);
	check_swap(text);
	vmas_deinit(&vmas);
	vma_device_vec_deinit(&devices);
	free(text);
	return 0;
}
