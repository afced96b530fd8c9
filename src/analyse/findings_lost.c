/*
 * findings_lost: lists lost blocks. Rules are asked about root leaks; what hangs on one
 * goes with it.
 */
#include "analyse/findings_priv.h"

#include <stdlib.h>
#include <string.h>

#include "analyse/block_types.h"
#include "base/bitmap.h"
#include "base/cleanup.h"
#include "base/hash.h"

/* So many distinct kinds of members make up the shape of a tree; more do not change it. */
#define SHAPE_MAX 64u

/* What is known of a lost root. */
struct root_leak {
	uint64_t shape;           /* hash of what hangs on it */
	struct suppression *rule; /* that suppresses it; NULL: none does */
};

struct lost_lister {
	struct findings_maker *maker;
	struct root_leak *roots; /* as lost->roots */
	struct reach listed; /* blocks that roots or lost roots that are listed lead to */
};

/* Members of each root's tree, as (root, hash of its type) pairs in ascending order. */
struct member {
	uint32_t root;
	uint64_t hash;
};
DEFINE_VEC(member_vec, struct member);

static int by_root_and_hash(const void *a, const void *b)
{
	const struct member *left = a, *right = b;
	if (left->root != right->root)
		return left->root < right->root ? -1 : 1;
	return left->hash < right->hash ? -1 : left->hash > right->hash;
}

static struct error *list_members(const struct lost_lister *lister,
				  struct member_vec *members)
{
	const struct lost *lost = lister->maker->in->lost;
	const struct natures *natures = lister->maker->in->look->natures;
	const uint32_t *ranks = lost->ranks.memory, *owners = lost->owners.memory;
	const uint64_t *sizes = lost->sizes.memory;
	for (uint32_t i = 0; i < lost->nr; i++) {
		if (owners[i] == LOST_SHARED ||
		    lost->roots.items[owners[i]].leader == ranks[i])
			continue;
		struct member member = {
			.root = owners[i],
			.hash = block_type_hash(natures, natures_get(natures, ranks[i]),
						sizes[i]),
		};
		if (!member_vec_push(members, member))
			return error_no_memory();
	}
	if (members->nr)
		qsort(members->items, members->nr, sizeof(members->items[0]),
		      by_root_and_hash);
	return NULL;
}

/* Each hash counts once for its root. */
static void add_members(struct lost_lister *lister, const struct member_vec *members)
{
	unsigned distinct = 0;
	for (size_t i = 0; i < members->nr; i++) {
		const struct member *member = &members->items[i];
		bool same_root = i > 0 && member[-1].root == member->root;
		distinct = same_root ? distinct : 0;
		if ((same_root && member[-1].hash == member->hash) ||
		    distinct == SHAPE_MAX)
			continue;
		distinct++;
		uint64_t *shape = &lister->roots[member->root].shape;
		*shape = hash_bytes(*shape, &member->hash, sizeof(member->hash));
	}
}

/* The shape of the tree that hangs on each lost root: the set of kinds of its members, so
   that two lists of different length have the same cause. */
static struct error *hash_shapes(struct lost_lister *lister)
{
	struct member_vec members = { 0 };
	struct error *error = list_members(lister, &members);
	if (!error)
		add_members(lister, &members);
	member_vec_deinit(&members);
	return error;
}

/* The root leak that a block stands for; NULL: it hangs on one, or on several. */
static const struct lost_root *led_by(const struct lost *lost, uint32_t i)
{
	uint32_t owner = ((const uint32_t *)lost->owners.memory)[i];
	uint32_t rank = ((const uint32_t *)lost->ranks.memory)[i];
	if (owner == LOST_SHARED || lost->roots.items[owner].leader != rank)
		return NULL;
	return &lost->roots.items[owner];
}

/* A lost block as it would be listed. */
static struct error *describe_lost(const struct lost_lister *lister, uint32_t i,
				   struct findings_block *result)
{
	const struct lost *lost = lister->maker->in->lost;
	const struct look *look = lister->maker->in->look;
	const struct lost_root *leads = led_by(lost, i);
	uint32_t rank = ((const uint32_t *)lost->ranks.memory)[i];
	uint32_t owner = ((const uint32_t *)lost->owners.memory)[i];
	uint64_t size = ((const uint64_t *)lost->sizes.memory)[i];
	uint16_t code = natures_get(look->natures, rank);
	struct findings_block block = {
		.kind = leads ? LEAK_DEFINITE : LEAK_INDIRECT,
		.rank = rank,
		.code = code,
		.size = size,
		.cause = block_type_hash(look->natures, code, size),
		.root = owner,
		.retained_blocks = leads ? leads->blocks : 1,
		.retained_bytes = leads ? leads->bytes : size,
		.is_cycle = leads && leads->members > 1,
		.holder = ((const uint32_t *)lost->holders.memory)[i],
	};
	if (leads)
		block.cause = hash_bytes(block.cause, &lister->roots[owner].shape,
					 sizeof(lister->roots[owner].shape));
	uint64_t ignored = 0;
	space_block(&look->graph.space, rank, &block.address, &ignored);
	*result = block;
	return findings_block_find_site(lister->maker, result);
}

/* What root leaks that are not suppressed lead to is not either. */
static struct error *mark_listed(struct lost_lister *lister)
{
	const struct lost *lost = lister->maker->in->lost;
	const struct graph *graph = &lister->maker->in->look->graph;
	size_t bytes = (bitmap_words(graph->nr_blocks) + 1) * 8;
	CLEANUP_FREE uint32_t *leaders = calloc(lost->roots.nr + 1, sizeof(*leaders));
	uint64_t nr = 0;
	if (!leaders || !area_reserve(&lister->listed.any, bytes))
		return error_no_memory();
	memcpy(lister->listed.any.memory, lister->maker->in->reach->any.memory, bytes);
	for (size_t i = 0; i < lost->roots.nr; i++)
		if (!lister->roots[i].rule)
			leaders[nr++] = lost->roots.items[i].leader;
	return reach_add(graph, &lister->listed, leaders, nr);
}

/* Rules are asked once per root leak; what hangs on it goes with it. */
static struct error *suppress_roots(struct lost_lister *lister)
{
	const struct lost *lost = lister->maker->in->lost;
	const uint32_t *owners = lost->owners.memory;
	bool any = false;
	if (!(lister->maker->ruled & (1u << LEAK_DEFINITE)))
		return NULL;
	for (uint32_t i = 0; i < lost->nr; i++) {
		if (!led_by(lost, i))
			continue;
		struct findings_block block;
		struct error *error = describe_lost(lister, i, &block);
		if (!error)
			error = findings_find_rule(lister->maker, &block,
						   &lister->roots[owners[i]].rule);
		if (error)
			return error;
		any = any || lister->roots[owners[i]].rule;
	}
	return any ? mark_listed(lister) : NULL;
}

/* Whether all root leaks that lead to a lost block are suppressed. */
static bool is_suppressed(const struct lost_lister *lister, uint32_t rank)
{
	return lister->listed.any.memory && !bitmap_test(lister->listed.any.memory, rank);
}

static struct error *list_lost_block(struct lost_lister *lister, uint32_t i)
{
	const struct lost *lost = lister->maker->in->lost;
	uint32_t owner = ((const uint32_t *)lost->owners.memory)[i];
	uint64_t size = ((const uint64_t *)lost->sizes.memory)[i];
	struct suppression *rule = owner == LOST_SHARED ? NULL
							: lister->roots[owner].rule;
	if (is_suppressed(lister, ((const uint32_t *)lost->ranks.memory)[i])) {
		findings_suppress(lister->maker, rule, size);
		return NULL;
	}
	enum leak_kind kind = led_by(lost, i) ? LEAK_DEFINITE : LEAK_INDIRECT;
	if (!(lister->maker->asked & (1u << kind))) {
		findings_count(lister->maker->report, kind, size);
		return NULL;
	}
	struct findings_block block;
	struct error *error = describe_lost(lister, i, &block);
	if (!error && kind == LEAK_INDIRECT)
		error = findings_find_rule(lister->maker, &block, &rule);
	return error ? error : findings_tell(lister->maker, &block, rule);
}

static struct error *list_all(struct lost_lister *lister)
{
	struct error *error = hash_shapes(lister);
	if (!error)
		error = suppress_roots(lister);
	for (uint32_t i = 0; !error && i < lister->maker->in->lost->nr; i++)
		error = list_lost_block(lister, i);
	return error;
}

struct error *findings_list_lost(struct findings_maker *maker)
{
	struct lost_lister lister = { .maker = maker };
	lister.roots = calloc(maker->in->lost->roots.nr + 1, sizeof(*lister.roots));
	struct error *error = lister.roots ? list_all(&lister) : error_no_memory();
	free(lister.roots);
	reach_deinit(&lister.listed);
	return error;
}
