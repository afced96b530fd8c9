/* Nodes in one array; the children of a hash are a list that only ever grows at its head. */
#include "stack_tree.h"

#include <stdatomic.h>

enum {
	MAX_NODES = 1 << 24,
	NR_LISTS = 1 << 20,
};

struct node {
	uint64_t address;
	uint32_t parent, next;
};

static struct node nodes[MAX_NODES];
static _Atomic uint32_t nr_nodes = 1;
static _Atomic uint32_t lists[NR_LISTS];

static uint32_t find(uint32_t node, uint32_t parent, uint64_t address)
{
	while (node && (nodes[node].parent != parent || nodes[node].address != address))
		node = nodes[node].next;
	return node;
}

uint32_t stack_tree_child(void *context, uint32_t parent, uint64_t address)
{
	(void)context;
	uint64_t hash = (address + parent) * 0x9e3779b97f4a7c15;
	_Atomic uint32_t *list = &lists[hash >> 44];
	uint32_t first = atomic_load(list);
	uint32_t found = find(first, parent, address);
	if (found)
		return found;
	uint32_t node = atomic_fetch_add(&nr_nodes, 1);
	if (node >= MAX_NODES)
		return parent;
	nodes[node] = (struct node){ address, parent, first };
	while (!atomic_compare_exchange_weak(list, &nodes[node].next, node))
		continue;
	return node;
}

size_t stack_tree_addresses(uint32_t node, uint64_t *addresses, size_t room)
{
	size_t nr = 0;
	for (; node && nr < room; node = nodes[node].parent)
		addresses[nr++] = nodes[node].address;
	return nr;
}
