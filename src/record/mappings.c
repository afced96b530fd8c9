/* mappings: see mappings.h. */
#include "record/mappings.h"

#include <string.h>

/* The first that ends behind an address. */
static size_t first_behind(const struct mapping_vec *mappings, uint64_t address)
{
	size_t low = 0, high = mappings->nr;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (mappings->items[middle].end > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static bool insert(struct mapping_vec *mappings, size_t at, struct mapping mapping)
{
	if (!mapping_vec_push(mappings, mapping))
		return false;
	memmove(&mappings->items[at + 1], &mappings->items[at],
		(mappings->nr - 1 - at) * sizeof(mapping));
	mappings->items[at] = mapping;
	return true;
}

static void erase(struct mapping_vec *mappings, size_t at, size_t nr)
{
	if (!nr)
		return;
	memmove(&mappings->items[at], &mappings->items[at + nr],
		(mappings->nr - at - nr) * sizeof(*mappings->items));
	mappings->nr -= nr;
}

/* Cuts the mapping that an address lies within in two. */
static bool split(struct mapping_vec *mappings, uint64_t address)
{
	size_t at = first_behind(mappings, address);
	if (at == mappings->nr || mappings->items[at].start >= address)
		return true;
	struct mapping upper = { address, mappings->items[at].end };
	if (!insert(mappings, at + 1, upper))
		return false;
	mappings->items[at].end = address;
	return true;
}

bool mappings_remove(struct mapping_vec *mappings, uint64_t start, uint64_t size,
		     uint64_t *unmapped)
{
	uint64_t end = start + size;
	*unmapped = 0;
	if (!split(mappings, start) || !split(mappings, end))
		return false;
	size_t first = first_behind(mappings, start), nr = 0;
	while (first + nr < mappings->nr && mappings->items[first + nr].start < end) {
		const struct mapping *gone = &mappings->items[first + nr++];
		*unmapped += gone->end - gone->start;
	}
	erase(mappings, first, nr);
	return true;
}

bool mappings_add(struct mapping_vec *mappings, uint64_t start, uint64_t size,
		  uint64_t *unmapped)
{
	struct mapping mapping = { start, start + size };
	return mappings_remove(mappings, start, size, unmapped) &&
	       (!size || insert(mappings, first_behind(mappings, start), mapping));
}
