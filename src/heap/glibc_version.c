/* glibc_version: see glibc_version.h. */
#include "heap/glibc_version.h"

#include <stdio.h>
#include <string.h>

/* Versions 2.0 to 2.99. */
#define NR_VERSIONS 100u
/* Every libc for x86-64 defines more; chance does not bring so many together. */
#define LEAST_FOUND 8u
/* The loader's own memory is a few pages. */
#define REGION_MAX  ((uint64_t)4 << 20)
#define PIECE_BYTES 65536u

/* struct r_found_version */
struct found_version {
	uint64_t name;
	uint32_t hash, hidden;
	uint64_t filename;
};

struct hunt {
	struct target *target;
	const struct module *libc;
	uint32_t hashes[NR_VERSIONS];
	bool found[NR_VERSIONS];
};

/* The hash function of symbol versions, from the gABI ("Hash Table"). */
static uint32_t elf_hash(const char *name)
{
	uint32_t hash = 0;
	for (; *name; name++) {
		hash = (hash << 4) + (unsigned char)*name;
		uint32_t high = hash & 0xf0000000u;
		hash = (hash ^ (high >> 24)) & ~high;
	}
	return hash;
}

static void take(struct hunt *hunt, const struct found_version *entry)
{
	if (entry->name < hunt->libc->start || entry->name >= hunt->libc->end ||
	    entry->hidden || entry->filename)
		return;
	for (size_t i = 0; i < NR_VERSIONS; i++)
		if (entry->hash == hunt->hashes[i])
			hunt->found[i] = true;
}

/* Pieces overlap by an entry less a word. */
static struct error *hunt_in(struct hunt *hunt, uint64_t start, uint64_t end)
{
	static const size_t step = sizeof(uint64_t);
	unsigned char bytes[PIECE_BYTES];
	const size_t overlap = sizeof(struct found_version) - step;
	for (uint64_t at = start; at + sizeof(struct found_version) <= end;
	     at += sizeof(bytes) - overlap) {
		size_t size = end - at < sizeof(bytes) ? (size_t)(end - at)
						       : sizeof(bytes);
		size_t nr_read = 0;
		struct error *error =
			hunt->target->ops->read(hunt->target, at, bytes, size, &nr_read);
		if (error)
			return error;
		for (size_t i = 0; i + sizeof(struct found_version) <= nr_read;
		     i += step) {
			struct found_version entry;
			memcpy(&entry, bytes + i, sizeof(entry));
			take(hunt, &entry);
		}
		if (nr_read < size)
			break;
	}
	return NULL;
}

static struct error *hunt_in_region(struct hunt *hunt, const struct region *region)
{
	struct extent_vec extents = { 0 };
	struct error *error = target_extents(hunt->target, region, region->start,
					     region->end, &extents);
	for (size_t i = 0; !error && i < extents.nr; i++)
		if (!extents.items[i].swapped)
			error = hunt_in(hunt, extents.items[i].start,
					extents.items[i].end);
	extent_vec_deinit(&extents);
	return error;
}

static unsigned highest(const struct hunt *hunt)
{
	unsigned nr = 0, version = 0;
	for (unsigned i = 0; i < NR_VERSIONS; i++)
		if (hunt->found[i]) {
			nr++;
			version = 2000 + i;
		}
	return nr >= LEAST_FOUND ? version : 0;
}

struct error *glibc_version_find(struct target *target, const struct module *libc,
				 unsigned *version)
{
	struct hunt hunt = { .target = target, .libc = libc };
	for (unsigned i = 0; i < NR_VERSIONS; i++) {
		char name[32];
		snprintf(name, sizeof(name), "GLIBC_2.%u", i);
		hunt.hashes[i] = elf_hash(name);
	}
	*version = 0;
	for (size_t i = 0; i < target->regions.nr && !*version; i++) {
		const struct region *region = &target->regions.items[i];
		if (!(region->flags & REGION_WRITE) ||
		    region->end - region->start > REGION_MAX)
			continue;
		struct error *error = hunt_in_region(&hunt, region);
		if (error)
			return error;
		*version = highest(&hunt);
	}
	return NULL;
}
