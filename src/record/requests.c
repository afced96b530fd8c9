/* requests: see requests.h. */
#include "record/requests.h"

#include "base/hash.h"

#define FIRST_SIZE 1024u

/* The place of a pair, or where it belongs. */
static struct request *find(struct request *table, size_t table_size, uint64_t size,
			    uint32_t node)
{
	size_t at = hash_mix(size ^ (uint64_t)node << 32) & (table_size - 1);
	while (table[at].number && (table[at].size != size || table[at].node != node))
		at = (at + 1) & (table_size - 1);
	return &table[at];
}

static bool grow(struct requests *requests)
{
	struct area area = { 0 };
	size_t size = requests->size ? requests->size * 2 : FIRST_SIZE;
	if (!area_reserve(&area, size * sizeof(struct request)))
		return false;
	for (uint32_t i = 0; i < requests->nr; i++) {
		const struct request *request = requests_at(requests, i);
		*find(area.memory, size, request->size, request->node) = *request;
	}
	area_release(&requests->table_area);
	requests->table_area = area;
	requests->table = area.memory;
	requests->size = size;
	return true;
}

uint32_t requests_number(struct requests *requests, uint64_t size, uint32_t node)
{
	if ((size_t)requests->nr * 2 >= requests->size && !grow(requests))
		return REQUESTS_NO_MEMORY;
	struct request *place = find(requests->table, requests->size, size, node);
	if (place->number)
		return place->number - 1;
	if (requests->nr == REQUESTS_NO_MEMORY - 1 ||
	    !area_reserve(&requests->numbered,
			  ((size_t)requests->nr + 1) * sizeof(*place)))
		return REQUESTS_NO_MEMORY;
	*place = (struct request){ size, node, ++requests->nr };
	((struct request *)requests->numbered.memory)[requests->nr - 1] = *place;
	return requests->nr - 1;
}

void requests_deinit(struct requests *requests)
{
	area_release(&requests->table_area);
	area_release(&requests->numbered);
	*requests = (struct requests){ 0 };
}
