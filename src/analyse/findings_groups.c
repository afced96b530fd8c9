/* findings_groups: blocks that have something in common become one finding. */
#include "analyse/findings_priv.h"

#include <string.h>

#include "analyse/block_types.h"
#include "analyse/root_names.h"

/* The number of the finding of that key, which may be a new one. */
static struct error *find_finding(struct findings_maker *maker, uint64_t key,
				  size_t *number, bool *is_new)
{
	struct leak_finding_vec *findings = &maker->report->findings;
	uint64_t *known = map_at(&maker->numbers, key);
	if (!known)
		return error_no_memory();
	*is_new = *known == 0;
	if (*is_new &&
	    (!leak_finding_vec_push(findings, (struct leak_finding){ 0 }) ||
	     !findings_group_vec_push(&maker->groups, (struct findings_group){ 0 })))
		return error_no_memory();
	if (*is_new)
		*known = findings->nr;
	*number = *known - 1;
	return NULL;
}

static struct error *add_example(struct findings_maker *maker,
				 struct leak_finding *finding,
				 const struct findings_block *block)
{
	if (finding->examples.nr >= maker->in->options->max_examples)
		return NULL;
	struct leak_example example = { .address = block->address, .size = block->size };
	if (block->holder != RANK_NONE)
		example.last_holder = last_holders_lost(&maker->holders, block->holder);
	else if (block->kind == LEAK_DEFINITE)
		example.last_holder = last_holders_stale(&maker->holders, block->rank);
	if (leak_example_vec_push(&finding->examples, example))
		return NULL;
	free(example.last_holder);
	return error_no_memory();
}

static struct error *name_finding(struct findings_maker *maker,
				  struct leak_finding *finding,
				  const struct findings_block *block)
{
	finding->kind = block->kind;
	finding->fingerprint =
		findings_block_fingerprint(maker, block, maker->in->options->group_by);
	finding->type = block_type_name(maker->in->look->natures, block->code,
					block->size, maker->in->options->group_by);
	if (!finding->type)
		return error_no_memory();
	struct error *error = NULL;
	if (block->site && maker->in->options->group_by == GROUP_BY_CAUSE)
		error = call_sites_tell(maker->in->sites, block->site, &finding->stack);
	if (error)
		return error;
	bool held = block->kind == LEAK_REACHABLE || block->kind == LEAK_POSSIBLE;
	if (maker->in->options->group_by != GROUP_BY_ROOT || !held ||
	    block->root == RANK_NONE)
		return NULL;
	finding->root = root_name(maker->in->places,
				  &maker->in->look->graph.roots.items[block->root]);
	return finding->root ? NULL : error_no_memory();
}

/* Grouped by what holds or allocated them, blocks of all types come together. */
static struct error *note_type(const struct findings_maker *maker,
			       struct findings_group *group, struct leak_finding *finding,
			       const struct findings_block *block)
{
	uint64_t type =
		block_type_hash(maker->in->look->natures, block->code, block->size);
	if (finding->blocks == 1)
		group->type = type;
	if (group->is_mixed || group->type == type ||
	    (maker->in->options->group_by != GROUP_BY_ROOT && !block->site))
		return NULL;
	char *mixed = strdup("blocks of several types");
	if (!mixed)
		return error_no_memory();
	free(finding->type);
	finding->type = mixed;
	group->is_mixed = true;
	return NULL;
}

/* Counts what is new, and notes the block for who compares with this look later. */
static struct error *compare_block(const struct findings_maker *maker,
				   const struct findings_block *block,
				   struct leak_finding *finding, bool *is_new)
{
	const struct baseline *before = maker->in->before;
	const struct known_block known = {
		.address = block->address,
		.size = block->size,
		.type = block_type_hash(maker->in->look->natures, block->code,
					block->size),
	};
	*is_new = !before || !baseline_has(before, block->kind, &known);
	if (before && *is_new) {
		finding->new_blocks++;
		finding->new_bytes += block->size;
	}
	return maker->in->now ? baseline_note(maker->in->now, block->kind, &known) : NULL;
}

struct error *findings_list(struct findings_maker *maker,
			    const struct findings_block *block)
{
	if (!(maker->in->options->kinds & (1u << block->kind)))
		return NULL;
	bool is_first = false, is_new = true;
	size_t number = 0;
	struct error *error =
		find_finding(maker, findings_block_key(maker, block), &number, &is_first);
	if (error)
		return error;
	struct leak_finding *finding = &maker->report->findings.items[number];
	finding->blocks++;
	finding->bytes += block->size;
	finding->retained_blocks += block->retained_blocks;
	finding->retained_bytes += block->retained_bytes;
	finding->cycles += block->is_cycle;
	if (is_first)
		error = name_finding(maker, finding, block);
	if (!error)
		error = note_type(maker, &maker->groups.items[number], finding, block);
	if (!error && (maker->in->before || maker->in->now))
		error = compare_block(maker, block, finding, &is_new);
	return error || !is_new ? error : add_example(maker, finding, block);
}
