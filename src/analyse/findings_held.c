/* findings_held: counts the blocks that roots hold, and lists them if they are asked for. */
#include "analyse/findings_priv.h"

#include "analyse/block_types.h"
#include "base/bitmap.h"

struct held_lister {
	struct findings_maker *maker;
	struct area owners; /* roots by rank, for kinds that roots hold */
	struct error *error;
};

static enum leak_kind held_kind(const struct findings_maker *maker, uint32_t rank)
{
	return bitmap_test(reach_sure(maker->in->reach), rank) ? LEAK_REACHABLE
							       : LEAK_POSSIBLE;
}

static struct findings_block describe_held(const struct held_lister *lister,
					   uint32_t rank, uint64_t address, uint64_t size)
{
	const struct natures *natures = lister->maker->in->look->natures;
	const uint32_t *owners = lister->owners.memory;
	uint16_t code = natures_get(natures, rank);
	return (struct findings_block){
		.kind = held_kind(lister->maker, rank),
		.rank = rank,
		.code = code,
		.address = address,
		.size = size,
		.cause = block_type_hash(natures, code, size),
		.root = owners ? owners[rank] : RANK_NONE,
		.retained_blocks = 1,
		.retained_bytes = size,
		.holder = RANK_NONE,
	};
}

static void list_held_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	struct held_lister *lister = context;
	struct findings_maker *maker = lister->maker;
	if (lister->error || !bitmap_test(maker->in->reach->any.memory, rank))
		return;
	enum leak_kind kind = held_kind(maker, rank);
	if (!(maker->asked & (1u << kind))) {
		findings_count(maker->report, kind, size);
		return;
	}
	struct suppression *rule = NULL;
	struct findings_block block = describe_held(lister, rank, address, size);
	lister->error = findings_block_find_site(maker, &block);
	if (!lister->error)
		lister->error = findings_find_rule(maker, &block, &rule);
	if (!lister->error)
		lister->error = findings_tell(maker, &block, rule);
}

/* When nothing of them is listed, the held blocks are all that are not lost. */
static bool is_enough_to_subtract(const struct findings_maker *maker)
{
	unsigned held = 1u << LEAK_REACHABLE | 1u << LEAK_POSSIBLE;
	return reach_sure(maker->in->reach) == maker->in->reach->any.memory &&
	       !(maker->asked & held & ~(1u << LEAK_POSSIBLE));
}

static void subtract_lost(struct findings_maker *maker)
{
	struct leak_count held = {
		.blocks = maker->in->look->totals.used_blocks,
		.bytes = maker->in->look->totals.used_bytes,
	};
	const uint64_t *sizes = maker->in->lost->sizes.memory;
	held.blocks -= maker->in->lost->nr;
	for (uint32_t i = 0; i < maker->in->lost->nr; i++)
		held.bytes -= sizes[i];
	maker->report->kinds[LEAK_REACHABLE] = held;
}

struct error *findings_list_held(struct findings_maker *maker)
{
	if (is_enough_to_subtract(maker)) {
		subtract_lost(maker);
		return NULL;
	}
	unsigned held = 1u << LEAK_REACHABLE | 1u << LEAK_POSSIBLE;
	bool by_root = (maker->in->options->group_by == GROUP_BY_ROOT &&
			(maker->in->options->kinds & held)) ||
		       suppressions_held_kinds(maker->in->suppressions);
	struct held_lister lister = { .maker = maker };
	if (by_root)
		lister.error = reach_attribute(&maker->in->look->graph, &lister.owners);
	if (!lister.error)
		space_each(&maker->in->look->graph.space, list_held_block, &lister);
	area_release(&lister.owners);
	return lister.error;
}
