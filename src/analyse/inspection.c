/* inspection: see inspection.h. */
#include "analyse/inspection.h"

#include <string.h>

#include "analyse/traced_sites.h"
#include "analyse/traced_stacks.h"
#include "base/bitmap.h"

/* What two looks are compared by. */
struct lost_block {
	uint64_t address, size;
};
DEFINE_VEC(lost_block_vec, struct lost_block);

static void forget_look(struct inspection *inspection)
{
	lost_deinit(&inspection->lost);
	reach_deinit(&inspection->reach);
	look_deinit(&inspection->look);
}

void inspection_deinit(struct inspection *inspection)
{
	forget_look(inspection);
}

static struct error *take_look(struct inspection *inspection,
			       const struct look_options *options)
{
	struct look *look = &inspection->look;
	struct error *error =
		inspection->source->ops->look(inspection->source, options, look);
	inspection->nr_looks += look->nr_looks;
	if (look->pause_ns > inspection->pause_ns)
		inspection->pause_ns = look->pause_ns;
	return error;
}

static struct error *find_lost(struct inspection *inspection)
{
	lost_deinit(&inspection->lost);
	return lost_find(&inspection->look.graph, inspection->reach.any.memory,
			 &inspection->lost);
}

/* Blocks that are doubted to be lost count as held, with all that they hold. */
static struct error *hold_doubted(struct inspection *inspection)
{
	const struct rank_vec *doubted = &inspection->look.doubted;
	return reach_add(&inspection->look.graph, &inspection->reach, doubted->items,
			 (uint32_t)doubted->nr);
}

/* What was reached when the look was stored. */
static void take_marks(struct inspection *inspection)
{
	inspection->reach = (struct reach){ .any = inspection->look.answers.live };
	inspection->look.answers.live = (struct area){ 0 };
}

static struct error *mark(struct inspection *inspection, bool strict)
{
	struct look *look = &inspection->look;
	struct error *error = NULL;
	if (!strict && look->answers.live.memory)
		take_marks(inspection);
	else
		error = reach_mark(&look->graph, strict, look_nr_threads(),
				   &inspection->reach);
	if (!error && look->doubted.nr)
		error = hold_doubted(inspection);
	return error ? error : find_lost(inspection);
}

static struct error *remember_lost(const struct inspection *inspection,
				   struct lost_block_vec *blocks)
{
	const uint32_t *ranks = inspection->lost.ranks.memory;
	for (uint32_t i = 0; i < inspection->lost.nr; i++) {
		struct lost_block block;
		space_block(&inspection->look.graph.space, ranks[i], &block.address,
			    &block.size);
		if (!lost_block_vec_push(blocks, block))
			return error_no_memory();
	}
	return NULL;
}

static bool was_lost(const struct lost_block_vec *blocks, uint64_t address, uint64_t size)
{
	size_t low = 0, high = blocks->nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (blocks->items[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < blocks->nr && blocks->items[low].address == address &&
	       blocks->items[low].size == size;
}

/* Whatever is lost now and was not then is doubted. */
static struct error *keep_confirmed(struct inspection *inspection,
				    const struct lost_block_vec *before)
{
	struct look *look = &inspection->look;
	const uint32_t *ranks = inspection->lost.ranks.memory;
	for (uint32_t i = 0; i < inspection->lost.nr; i++) {
		struct lost_block block;
		space_block(&look->graph.space, ranks[i], &block.address, &block.size);
		if (!was_lost(before, block.address, block.size) &&
		    !rank_vec_push(&look->doubted, ranks[i]))
			return error_no_memory();
	}
	if (!look->doubted.nr)
		return NULL;
	struct error *error = hold_doubted(inspection);
	return error ? error : find_lost(inspection);
}

static struct error *look_again(struct inspection *inspection,
				const struct look_options *options, bool strict)
{
	struct lost_block_vec before = { 0 };
	struct error *error = remember_lost(inspection, &before);
	if (!error) {
		forget_look(inspection);
		error = take_look(inspection, options);
	}
	if (!error)
		error = mark(inspection, strict);
	if (!error)
		error = keep_confirmed(inspection, &before);
	lost_block_vec_deinit(&before);
	return error;
}

/* When some memory could not be read, whatever looks lost may be held from there. */
static struct error *doubt_lost(struct inspection *inspection)
{
	if (!look_unseen_bytes(&inspection->look) || inspection->lost.nr == 0)
		return NULL;
	struct reach *reach = &inspection->reach;
	const uint32_t *ranks = inspection->lost.ranks.memory;
	if (!reach->strict) {
		/* Keep the sure ones apart before the doubtful ones join `any`. */
		size_t bytes = bitmap_words(inspection->look.graph.nr_blocks + 1) * 8;
		if (!area_reserve(&reach->sure, bytes))
			return error_no_memory();
		memcpy(reach->sure.memory, reach->any.memory, bytes);
		reach->strict = true;
	}
	for (uint32_t i = 0; i < inspection->lost.nr; i++)
		bitmap_set(reach->any.memory, ranks[i]);
	return find_lost(inspection);
}

static struct error *look_surely(struct inspection *inspection,
				 const struct look_options *options, bool strict)
{
	struct error *error = take_look(inspection, options);
	if (!error)
		error = mark(inspection, strict);
	bool unsure = inspection->source->repeatable && inspection->look.inside;
	if (!error && unsure && inspection->lost.nr > 0)
		error = look_again(inspection, options, strict);
	return error;
}

static struct error *name_blocks(struct inspection *inspection)
{
	struct source *source = inspection->source;
	struct look *look = &inspection->look;
	struct error *error = source->ops->name(
		source, look, inspection->lost.ranks.memory, inspection->lost.nr);
	/* A snapshot's are named. */
	if (error || !block_sites_are_known(&look->sites) || !look->classified ||
	    !source->target)
		return error;
	return block_sites_name(&look->sites, &look->graph.space, look->natures);
}

struct error *inspection_look(struct inspection *inspection,
			      const struct look_options *options, bool strict)
{
	const struct source_trace *trace = inspection->source->trace;
	const struct target *target = inspection->source->target;
	struct traced_look before = TRACED_LOOK_AT_END;
	struct error *error = NULL;
	forget_look(inspection);
	if (trace && !target->path)
		error = traced_look_begin(trace, target->pid, &before);
	if (!error)
		error = look_surely(inspection, options, strict);
	if (!error && trace)
		error = inspection->stacks ? traced_stacks_find(trace, target, &before,
								&inspection->look,
								inspection->stacks)
					   : traced_sites_find(trace, target, &before,
							       &inspection->look);
	/* Before some of the lost blocks become doubtful ones. */
	if (!error)
		error = name_blocks(inspection);
	return error ? error : doubt_lost(inspection);
}
