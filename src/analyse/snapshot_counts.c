/*
 * snapshot_counts: what the kernel counted of each mapping (vm_regions.h); doc/FORMAT.md draws the
 * chunk.
 */
#include "analyse/snapshot_priv.h"

#include <string.h>

static const struct {
	char letter;
	size_t at;
} accesses[] = { { 'r', 0 }, { 'w', 1 }, { 'x', 2 }, { 's', 3 } };

/* --- saving ------------------------------------------------------------------------- */

static void pack_region(struct pack *payload, const struct vm_region *region)
{
	unsigned flags = 0;
	for (size_t i = 0; i < ARRAY_SIZE(accesses); i++)
		if (region->access[accesses[i].at] == accesses[i].letter)
			flags |= 1u << i;
	pack_number(payload, region->start);
	pack_number(payload, region->end - region->start);
	pack_number(payload, flags);
	pack_text(payload, region->type);
	pack_text(payload, region->name);
	for (size_t i = 0; i < VM_NR_COLUMNS; i++)
		pack_number(payload, region->sizes.bytes[i]);
}

struct error *snapshot_save_counts(const struct look *look, struct snap_writer *writer)
{
	const struct vm_region_vec *regions = &look->mappings.regions;
	struct pack payload = { 0 };
	struct error *error = NULL;
	for (size_t i = 0; !error && i < regions->nr; i++) {
		if (!payload.size) {
			pack_number(&payload, VM_NR_COLUMNS);
			pack_number(&payload, look->mappings.known);
		}
		pack_region(&payload, &regions->items[i]);
		if (payload.size >= FLUSH_BYTES || i + 1 == regions->nr)
			error = snap_writer_chunk(writer, SNAP_COUNTS, CHUNK_VERSION,
						  &payload);
	}
	pack_deinit(&payload);
	return error;
}

/* --- loading ------------------------------------------------------------------------ */

/* One of a later seep has no name here. */
static const char *type_named(const char *name)
{
	for (size_t i = 0; name && i < VMA_NR_KINDS; i++)
		if (!strcmp(vma_kind_names[i], name))
			return vma_kind_names[i];
	return NULL;
}

static bool unpack_region(struct unpack *payload, uint64_t nr_columns,
			  struct vm_region *region)
{
	region->start = unpack_number(payload);
	region->end = region->start + unpack_number(payload);
	uint64_t flags = unpack_number(payload);
	memcpy(region->access, "---p", sizeof(region->access));
	for (size_t i = 0; i < ARRAY_SIZE(accesses); i++)
		if (flags >> i & 1)
			region->access[accesses[i].at] = accesses[i].letter;
	char *type = unpack_text(payload);
	region->type = type_named(type);
	free(type);
	region->name = unpack_text(payload);
	for (uint64_t i = 0; !payload->bad && i < nr_columns; i++) {
		uint64_t bytes = unpack_number(payload);
		if (i < VM_NR_COLUMNS)
			region->sizes.bytes[i] = bytes;
	}
	return !payload->bad && region->name && region->start < region->end;
}

struct error *snapshot_load_counts(struct loader *loader, struct unpack *payload)
{
	struct vm_regions *mappings = &loader->look->mappings;
	uint64_t nr_columns = unpack_number(payload);
	mappings->known = (unsigned)unpack_number(payload);
	if (nr_columns < VM_NR_COLUMNS)
		mappings->known &= (1u << nr_columns) - 1;
	while (unpack_left(payload)) {
		size_t nr = mappings->regions.nr;
		uint64_t end = nr ? mappings->regions.items[nr - 1].end : 0;
		struct vm_region region = { 0 };
		bool good = unpack_region(payload, nr_columns, &region) &&
			    region.start >= end;
		if (good && vm_region_vec_push(&mappings->regions, region))
			continue;
		free(region.name);
		return good ? error_no_memory()
			    : loader_nonsense(loader, "holds a mapping that cannot be");
	}
	return NULL;
}
