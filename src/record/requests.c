/* requests: see requests.h. */
#include "record/requests.h"

#define FIRST_SIZE 1024u

/* The entry of a pair, or the empty one where it belongs. */
static struct request *find(const struct requests *requests, uint64_t size, uint32_t node)
{
	size_t at = requests_place(requests->shift, size, node);
	for (;; at = (at + 1) & (requests->size - 1)) {
		struct request *place = &requests->table[at];
		if (!place->number || (place->size == size && place->node == node))
			return place;
	}
}

static bool grow(struct requests *requests)
{
	struct requests larger = *requests;
	larger.table_area = (struct area){ 0 };
	larger.size = requests->size ? requests->size * 2 : FIRST_SIZE;
	larger.shift = 64 - (unsigned)__builtin_ctzll(larger.size);
	if (!area_reserve(&larger.table_area, larger.size * sizeof(struct request)))
		return false;
	larger.table = larger.table_area.memory;
	for (uint32_t i = requests->nr_forgotten; i < requests->nr; i++) {
		const struct request *request = requests_at(requests, i);
		*find(&larger, request->size, request->node) = *request;
	}
	area_release(&requests->table_area);
	*requests = larger;
	return true;
}

uint32_t requests_number(struct requests *requests, uint64_t size, uint32_t node)
{
	if ((size_t)(requests->nr - requests->nr_forgotten) * 2 >= requests->size &&
	    !grow(requests))
		return REQUESTS_NO_MEMORY;
	struct request *place = find(requests, size, node);
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

void requests_forget(struct requests *requests)
{
	area_release(&requests->table_area);
	requests->table = NULL;
	requests->size = 0;
	requests->nr_forgotten = requests->nr;
}

void requests_deinit(struct requests *requests)
{
	area_release(&requests->table_area);
	area_release(&requests->numbered);
	*requests = (struct requests){ 0 };
}
