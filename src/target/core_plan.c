/* core_plan: see core_plan.h. */
#include "target/core_plan.h"

#include <string.h>

#define PAGE_BYTES ((uint64_t)4096)
/* Larger gaps have no place in the file, lest copies of it that know no holes explode. */
#define HOLE_MAX ((uint64_t)64 << 20)

static bool begins_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* What the process cannot have written, or what nobody may read. */
static bool is_left_to_others(const struct region *region)
{
	bool shared_and_fixed = (region->flags & REGION_SHARED) &&
				!(region->flags & REGION_WRITE);
	return !(region->flags & REGION_READ) || shared_and_fixed ||
	       begins_with(region->name, "[vvar") ||
	       begins_with(region->name, "[vsyscall");
}

/* Where a mapped file's headers are. */
static bool has_headers(const struct target *target, const struct region *region)
{
	const struct module *module = target_module(target, region->start);
	return module && module->start == region->start && region->offset == 0;
}

/* The extents of a region, and what else belongs into a core. */
static struct error *find_extents(struct target *target, const struct region *region,
				  struct extent_vec *extents)
{
	if (is_left_to_others(region))
		return NULL;
	struct extent whole = { .start = region->start, .end = region->end };
	struct extent first = { .start = region->start,
				.end = region->start + PAGE_BYTES };
	if (!strcmp(region->name, "[vdso]"))
		return extent_vec_push(extents, whole) ? NULL : error_no_memory();
	struct error *error =
		target_extents(target, region, region->start, region->end, extents);
	if (error || !has_headers(target, region) ||
	    (extents->nr && extents->items[0].start == region->start))
		return error;
	if (!extent_vec_push(extents, first))
		return error_no_memory();
	memmove(extents->items + 1, extents->items,
		(extents->nr - 1) * sizeof(extents->items[0]));
	extents->items[0] = first;
	return NULL;
}

static struct error *begin_segment(struct core_plan *plan, const struct region *region,
				   uint64_t start)
{
	struct core_plan_segment_vec *segments = &plan->segments;
	if (segments->nr && segments->items[segments->nr - 1].end > start)
		segments->items[segments->nr - 1].end = start;
	struct core_plan_segment segment = {
		.start = start,
		.end = region->end,
		.flags = region->flags,
	};
	return core_plan_segment_vec_push(segments, segment) ? NULL : error_no_memory();
}

/* In memory without a file a hole reads as the zeros that it is; in a mapped file it would
   hide the file's contents. */
static uint64_t largest_hole(const struct region *region)
{
	return region->inode ? 0 : HOLE_MAX;
}

static struct error *add_run(struct core_plan *plan, const struct region *region,
			     const struct extent *extent, bool after_gap)
{
	struct core_plan_segment *last = &plan->segments.items[plan->segments.nr - 1];
	uint64_t gap = extent->start - (last->start + last->dumped);
	bool starts_it = extent->start == last->start;
	if (!starts_it && (after_gap || gap > largest_hole(region))) {
		struct error *error = begin_segment(plan, region, extent->start);
		if (error)
			return error;
		last = &plan->segments.items[plan->segments.nr - 1];
	}
	last->dumped = extent->end - last->start;
	plan->run_bytes += extent->end - extent->start;
	struct core_plan_run run = { extent->start, extent->end, plan->segments.nr - 1 };
	return core_plan_run_vec_push(&plan->runs, run) ? NULL : error_no_memory();
}

static struct error *add_region(struct target *target, const struct region *region,
				struct core_plan *plan)
{
	struct extent_vec extents = { 0 };
	struct error *error = begin_segment(plan, region, region->start);
	if (!error)
		error = find_extents(target, region, &extents);
	bool after_gap = false;
	for (size_t i = 0; !error && i < extents.nr; i++) {
		bool left_out = extents.items[i].swapped;
		if (!left_out)
			error = add_run(plan, region, &extents.items[i], after_gap);
		else if (!extent_vec_push(&plan->left_out, extents.items[i]))
			error = error_no_memory();
		after_gap = left_out;
	}
	/* The rest of a region that is one piece: zeros that cost nothing. */
	struct core_plan_segment *last = &plan->segments.items[plan->segments.nr - 1];
	if (!error && extents.nr && !after_gap &&
	    last->end - last->start - last->dumped <= largest_hole(region))
		last->dumped = last->end - last->start;
	extent_vec_deinit(&extents);
	return error;
}

struct error *core_plan_make(struct target *target, struct core_plan *plan)
{
	*plan = (struct core_plan){ 0 };
	struct error *error = NULL;
	for (size_t i = 0; !error && i < target->regions.nr; i++)
		error = add_region(target, &target->regions.items[i], plan);
	return error;
}

void core_plan_deinit(struct core_plan *plan)
{
	core_plan_segment_vec_deinit(&plan->segments);
	core_plan_run_vec_deinit(&plan->runs);
	extent_vec_deinit(&plan->left_out);
}

uint64_t core_plan_place(struct core_plan *plan, uint64_t offset)
{
	for (size_t i = 0; i < plan->segments.nr; i++) {
		offset = (offset + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
		plan->segments.items[i].offset = offset;
		offset += plan->segments.items[i].dumped;
	}
	return offset;
}
