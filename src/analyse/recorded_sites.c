/* recorded_sites: see recorded_sites.h. */
#include "analyse/recorded_sites.h"

#include "analyse/site_naming.h"

struct telling {
	const struct heap_block_vec *blocks;
	size_t next; /* both are in order of addresses */
	struct site_naming naming;
	struct error *error;
};

static void tell_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)size;
	struct telling *telling = context;
	const struct heap_block_vec *blocks = telling->blocks;
	while (telling->next < blocks->nr &&
	       blocks->items[telling->next].address < address)
		telling->next++;
	if (telling->error || telling->next == blocks->nr ||
	    blocks->items[telling->next].address != address)
		return;
	const struct heap_block *block = &blocks->items[telling->next];
	const struct site_fact fact = {
		.rank = rank,
		.node = block->node,
		.requested = block->size,
		.age_ms = BLOCK_AGE_UNKNOWN,
	};
	telling->error = site_naming_tell(&telling->naming, &fact);
}

struct error *recorded_sites_find(struct call_sites *stacks,
				  const struct heap_block_vec *blocks, struct look *look)
{
	struct telling telling = {
		.blocks = blocks,
		.naming = { .sites = &look->sites, .stacks = stacks },
	};
	struct error *error = block_sites_init(&look->sites, look->graph.nr_blocks);
	if (error)
		return error;
	space_each(&look->graph.space, tell_block, &telling);
	site_naming_deinit(&telling.naming);
	if (telling.error)
		return telling.error;
	return block_sites_name(&look->sites, &look->graph.space, look->natures);
}
