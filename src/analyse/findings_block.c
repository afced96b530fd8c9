/* findings_block: what a block is grouped by, and known by to rules and in later runs. */
#include "analyse/findings_priv.h"

#include <string.h>

#include "analyse/block_types.h"
#include "base/hash.h"
#include "model/size_class.h"

uint64_t findings_block_key(const struct findings_maker *maker,
			    const struct findings_block *block)
{
	uint64_t parts[3] = { block->kind, block->cause,
			      block->site ? block->site->lines : 0 };
	switch (maker->in->options->group_by) {
	case GROUP_BY_TYPE:
		parts[1] = block_type_hash(maker->in->look->natures, block->code,
					   block->size);
		break;
	case GROUP_BY_SIZE:
		parts[1] = size_class_of(block->size);
		break;
	case GROUP_BY_ROOT:
		parts[1] = block->kind == LEAK_DEFINITE ? block->address : block->root;
		break;
	default:
		break;
	}
	return hash_bytes(HASH_SEED, parts, sizeof(parts));
}

uint64_t findings_block_fingerprint(const struct findings_maker *maker,
				    const struct findings_block *block, unsigned group_by)
{
	const char *kind = leak_kind_names[block->kind];
	uint64_t hash = hash_bytes(HASH_SEED, kind, strlen(kind));
	uint64_t rest = block->cause;
	if (group_by == GROUP_BY_TYPE)
		rest = block_type_hash(maker->in->look->natures, block->code,
				       block->size);
	else if (group_by == GROUP_BY_SIZE)
		rest = size_class_of(block->size);
	return hash_bytes(hash, &rest, sizeof(rest));
}

const struct graph_root *findings_block_root(const struct findings_maker *maker,
					     const struct findings_block *block)
{
	bool is_held = block->kind == LEAK_POSSIBLE || block->kind == LEAK_REACHABLE;
	return is_held && block->root != RANK_NONE
		       ? &maker->in->look->graph.roots.items[block->root]
		       : NULL;
}

uint64_t findings_block_look(const struct findings_maker *maker,
			     const struct findings_block *block)
{
	const bool is_held = findings_block_root(maker, block);
	const uint64_t parts[] = { block->kind,
				   block->code,
				   block->size,
				   block->cause,
				   is_held ? block->root : RANK_NONE,
				   block->site ? block->site->lines : 0 };
	uint64_t look = 0;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		look = hash_mix(look ^ parts[i]);
	return look;
}

struct error *findings_block_find_site(const struct findings_maker *maker,
				       struct findings_block *block)
{
	if (!maker->in->sites)
		return NULL;
	const struct findings_input *in = maker->in;
	struct error *error =
		in->traced ? traced_stacks_of_block(in->traced, block->rank, block->size,
						    &block->site)
			   : call_sites_of_block(in->sites, block->address, &block->site);
	if (block->site)
		block->cause = block->site->functions;
	return error;
}
