/*
 * recording_rows: groups of what was allocated; see recording_priv.h.
 *
 * To add a group: a name in model/recording.h, and a row in `groupings`.
 */
#include "traces/recording_priv.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/map.h"

/* While rows are made: row numbers plus one by what tells groups apart. */
struct grouping_state {
	struct recording_work *work;
	struct recording_row_vec *rows;
	struct map groups;
	struct map by_node; /* group number plus one of a node, where that takes long */
	struct recording_number_vec stack;
};

/* --- which group -------------------------------------------------------------------- */

static struct error *group_by_site(struct grouping_state *state, uint32_t key,
				   uint64_t *group)
{
	struct recording_work *work = state->work;
	uint32_t node = work->trace->requests.items[key].node;
	*group = node;
	if (!(work->options->flags & (RECORDING_COLLAPSE | RECORDING_HIDE_LIBS)))
		return NULL;
	uint64_t *known = map_at(&state->by_node, node);
	if (!known)
		return error_no_memory();
	if (!*known) {
		struct error *error = recording_stack(work, node, &state->stack);
		if (error)
			return error;
		*known = hash_bytes(HASH_SEED, state->stack.items,
				    state->stack.nr * sizeof(*state->stack.items)) |
			 1;
	}
	*group = *known;
	return NULL;
}

static struct error *innermost_of(struct grouping_state *state, uint32_t key,
				  uint32_t *frame)
{
	uint32_t node = state->work->trace->requests.items[key].node;
	uint64_t *known = map_at(&state->by_node, node);
	if (!known)
		return error_no_memory();
	struct error *error = NULL;
	if (!*known) {
		error = recording_innermost(state->work, node, frame);
		*known = (uint64_t)*frame + 1;
	}
	*frame = (uint32_t)(*known - 1);
	return error;
}

static struct error *group_by_function(struct grouping_state *state, uint32_t key,
				       uint64_t *group)
{
	uint32_t frame = RECORDING_NONE;
	struct error *error = innermost_of(state, key, &frame);
	*group = error || frame == RECORDING_NONE
			 ? RECORDING_NONE
			 : state->work->report->places.frames.items[frame].function;
	return error;
}

static struct error *group_by_module(struct grouping_state *state, uint32_t key,
				     uint64_t *group)
{
	const struct recording_places *places = &state->work->report->places;
	struct error *error = group_by_function(state, key, group);
	if (!error && *group != RECORDING_NONE)
		*group = places->functions.items[*group].module;
	return error;
}

static struct error *group_by_size(struct grouping_state *state, uint32_t key,
				   uint64_t *group)
{
	*group = state->work->trace->requests.items[key].size;
	return NULL;
}

static struct error *group_by_type(struct grouping_state *state, uint32_t key,
				   uint64_t *group)
{
	return recording_type(state->work, key, group);
}

static struct error *group_by_key(struct grouping_state *state, uint32_t key,
				  uint64_t *group)
{
	(void)state;
	*group = key;
	return NULL;
}

/* --- what to call it ---------------------------------------------------------------- */

static void name_site(const struct recording_work *work, struct str *label,
		      uint64_t group, const struct recording_row *row)
{
	const struct recording_places *places = &work->report->places;
	(void)group;
	if (row->frames.nr)
		recording_put_function(
			label, places,
			places->frames.items[row->frames.items[0]].function);
	else
		str_puts(label, "a stack that is not known");
}

static void name_function(const struct recording_work *work, struct str *label,
			  uint64_t group, const struct recording_row *row)
{
	(void)row;
	if (group == RECORDING_NONE)
		str_puts(label, "???");
	else
		recording_put_function(label, &work->report->places, (uint32_t)group);
}

static void name_module(const struct recording_work *work, struct str *label,
			uint64_t group, const struct recording_row *row)
{
	const char *path = group == RECORDING_NONE
				   ? NULL
				   : work->report->places.modules.items[group].path;
	(void)row;
	str_puts(label, path ? path : "code of no file");
}

static void name_thread(const struct recording_work *work, struct str *label,
			uint64_t group, const struct recording_row *row)
{
	(void)row;
	str_printf(label, "thread %" PRIu64, work->trace->threads.items[group]);
}

static void name_size(const struct recording_work *work, struct str *label,
		      uint64_t group, const struct recording_row *row)
{
	(void)work;
	(void)row;
	str_printf(label, "%" PRIu64 " bytes", group);
}

static void name_type(const struct recording_work *work, struct str *label,
		      uint64_t group, const struct recording_row *row)
{
	(void)row;
	str_puts(label, work->types.labels.items[group]);
}

/* The time between two marks is called by the one that begins it. */
static void name_mark(const struct recording_work *work, struct str *label,
		      uint64_t group, const struct recording_row *row)
{
	(void)row;
	if (!group)
		str_puts(label, "from the start");
	else
		str_printf(label, "from %s", work->replay.marks.items[group - 1].name);
}

static const struct grouping {
	enum replay_key key;
	struct error *(*group)(struct grouping_state *state, uint32_t key,
			       uint64_t *group);
	void (*name)(const struct recording_work *work, struct str *label, uint64_t group,
		     const struct recording_row *row);
	bool has_frames;
} groupings[RECORDING_NR_GROUPS] = {
	[RECORDING_BY_SITE] = { REPLAY_BY_REQUEST, group_by_site, name_site, true },
	[RECORDING_BY_FUNCTION] = { REPLAY_BY_REQUEST, group_by_function, name_function,
				    false },
	[RECORDING_BY_MODULE] = { REPLAY_BY_REQUEST, group_by_module, name_module,
				  false },
	[RECORDING_BY_THREAD] = { REPLAY_BY_THREAD, group_by_key, name_thread, false },
	[RECORDING_BY_SIZE] = { REPLAY_BY_REQUEST, group_by_size, name_size, false },
	[RECORDING_BY_MARK] = { REPLAY_BY_MARK, group_by_key, name_mark, false },
	[RECORDING_BY_TYPE] = { REPLAY_BY_REQUEST, group_by_type, name_type, false },
	[RECORDING_TOP_DOWN] = { REPLAY_BY_REQUEST, NULL, name_site, true },
	[RECORDING_BOTTOM_UP] = { REPLAY_BY_REQUEST, NULL, name_site, true },
};

enum replay_key recording_key(enum recording_group group)
{
	return groupings[group].key;
}

/* --- rows --------------------------------------------------------------------------- */

static void add_key(const struct recording_work *work, struct recording_row *row,
		    uint32_t key)
{
	struct recording_counts counts = recording_counts_of(work, key);
	const struct tally_more *more = replay_more(&work->replay, key);
	recording_counts_add(&row->counts, &counts);
	static_assert(RECORDING_LIFETIMES == TRACE_NR_LIVES, "classes of lifetimes");
	for (size_t i = 0; i < RECORDING_LIFETIMES; i++)
		row->lifetimes[i] += more->lifetimes[i];
}

static struct error *add_to_group(struct grouping_state *state, uint32_t key)
{
	const struct grouping *grouping = &groupings[state->work->options->group];
	uint64_t group;
	struct error *error = grouping->group(state, key, &group);
	if (error)
		return error;
	uint64_t *known = map_at(&state->groups, group);
	if (!known)
		return error_no_memory();
	if (!*known) {
		/* Names come later, for those that are shown: till then a row knows one
		   of its keys, and its group. */
		struct recording_row row = { .group = group, .key = key };
		row.has_lifetimes = true;
		if (!recording_row_vec_push(state->rows, row))
			return error_no_memory();
		*known = state->rows->nr;
	}
	add_key(state->work, &state->rows->items[*known - 1], key);
	return NULL;
}

struct error *recording_rows_make(struct recording_work *work,
				  struct recording_row_vec *rows)
{
	struct grouping_state state = { .work = work, .rows = rows };
	struct error *error = NULL;
	for (uint32_t key = 0; !error && key < work->replay.nr_keys; key++)
		if (replay_has(&work->replay, key))
			error = add_to_group(&state, key);
	map_deinit(&state.groups);
	map_deinit(&state.by_node);
	recording_number_vec_deinit(&state.stack);
	return error;
}

struct error *recording_row_name(struct recording_work *work, struct recording_row *row)
{
	const struct grouping *grouping = &groupings[work->options->group];
	struct str label = { 0 };
	if (grouping->has_frames && grouping->group) {
		uint32_t node = work->trace->requests.items[row->key].node;
		struct error *error = recording_stack(work, node, &row->frames);
		if (error)
			return error;
	}
	grouping->name(work, &label, row->group, row);
	row->label = str_take(&label);
	return row->label ? NULL : error_no_memory();
}

/* --- order -------------------------------------------------------------------------- */

/* Equal ones stay in a fixed order. */
static int compare_rows(const void *one, const void *other, void *order)
{
	const struct recording_row *a = one, *b = other;
	int64_t values[] = {
		recording_value(&a->counts, *(const enum recording_order *)order),
		recording_value(&b->counts, *(const enum recording_order *)order),
	};
	if (values[0] != values[1])
		return values[0] < values[1] ? 1 : -1;
	if (a->counts.bytes != b->counts.bytes)
		return a->counts.bytes < b->counts.bytes ? 1 : -1;
	return (a->group > b->group) - (a->group < b->group);
}

void recording_rows_cut(struct recording_work *work, struct recording_row_vec *rows)
{
	enum recording_order order = work->options->order;
	uint32_t most = work->options->max_rows;
	if (rows->nr)
		qsort_r(rows->items, rows->nr, sizeof(*rows->items), compare_rows,
			&order);
	while (most && rows->nr > most) {
		recording_row_deinit(&rows->items[--rows->nr]);
		work->report->rows_left_out++;
	}
}
