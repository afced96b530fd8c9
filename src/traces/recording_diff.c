/*
 * recording_diff: what grew from one trace to another; see recording.h.
 *
 * Groups are matched by what their functions are called, since another build has other addresses
 * and lines; those of one trace that go by the same names count as one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/map.h"
#include "traces/recording_priv.h"

struct comparison {
	const struct recording_options *options;
	struct recording_diff *diff;
	struct map changes; /* number plus one, by hash of the names */
};

static uint64_t name_hash(const struct recording_work *work,
			  const struct recording_row *row)
{
	const struct recording_places *places = &work->report->places;
	uint64_t hash = hash_bytes(HASH_SEED, row->label, strlen(row->label) + 1);
	for (size_t i = 0; i < row->frames.nr; i++) {
		struct str name = { 0 };
		recording_put_function(
			&name, places,
			places->frames.items[row->frames.items[i]].function);
		hash = hash_bytes(hash, str_text(&name), name.length + 1);
		str_deinit(&name);
	}
	return hash;
}

/* The change that a row is part of; it takes the row's label and frames if it is a new one. */
static struct recording_change *change_of(struct comparison *comparison,
					  const struct recording_work *work,
					  struct recording_row *row, bool in_after)
{
	struct recording_change_vec *changes = &comparison->diff->changes;
	uint64_t *known = map_at(&comparison->changes, name_hash(work, row));
	if (!known)
		return NULL;
	if (!*known) {
		struct recording_change change = {
			.label = row->label,
			.frames = row->frames,
			.in_after = in_after,
		};
		if (!recording_change_vec_push(changes, change))
			return NULL;
		row->label = NULL;
		row->frames = (struct recording_number_vec){ 0 };
		*known = changes->nr;
	}
	return &changes->items[*known - 1];
}

static struct error *take_rows(struct comparison *comparison, struct recording_work *work,
			       struct recording_row_vec *rows, bool in_after)
{
	for (size_t i = 0; i < rows->nr; i++) {
		struct recording_row *row = &rows->items[i];
		struct error *error = recording_row_name(work, row);
		if (error)
			return error;
		struct recording_change *change =
			change_of(comparison, work, row, in_after);
		if (!change)
			return error_no_memory();
		recording_counts_add(in_after ? &change->after : &change->before,
				     &row->counts);
	}
	return NULL;
}

static struct error *take_trace(struct comparison *comparison,
				const struct recording_options *options, bool in_after,
				struct recording_report **report)
{
	struct recording_work work;
	struct recording_row_vec rows = { 0 };
	struct error *error = recording_work_begin(&work, options);
	if (!error)
		error = recording_rows_make(&work, &rows);
	if (!error)
		error = take_rows(comparison, &work, &rows, in_after);
	if (!error)
		error = recording_work_warn(&work);
	if (!error) {
		*report = work.report;
		work.report = NULL;
	}
	recording_rows_deinit(&rows);
	recording_work_deinit(&work);
	return error;
}

/* --- order -------------------------------------------------------------------------- */

static int64_t growth(const struct recording_change *change, enum recording_order order)
{
	return (int64_t)((uint64_t)recording_value(&change->after, order) -
			 (uint64_t)recording_value(&change->before, order));
}

static uint64_t distance(int64_t change)
{
	return change < 0 ? -(uint64_t)change : (uint64_t)change;
}

static int compare_distance(const void *one, const void *other, void *context)
{
	const enum recording_order order = *(const enum recording_order *)context;
	uint64_t a = distance(growth(one, order)), b = distance(growth(other, order));
	if (a != b)
		return a < b ? 1 : -1;
	return strcmp(((const struct recording_change *)one)->label,
		      ((const struct recording_change *)other)->label);
}

static int compare_growth(const void *one, const void *other, void *context)
{
	const enum recording_order order = *(const enum recording_order *)context;
	int64_t a = growth(one, order), b = growth(other, order);
	return a != b ? (a < b ? 1 : -1) : compare_distance(one, other, context);
}

static void drop_last(struct recording_change_vec *changes)
{
	struct recording_change *change = &changes->items[--changes->nr];
	free(change->label);
	recording_number_vec_deinit(&change->frames);
}

/* Keeps what changed most, whichever way, and lists the most grown first. */
static void cut(struct comparison *comparison)
{
	struct recording_change_vec *changes = &comparison->diff->changes;
	enum recording_order order = comparison->options->order;
	uint32_t most = comparison->options->max_rows;
	if (!changes->nr)
		return;
	qsort_r(changes->items, changes->nr, sizeof(*changes->items), compare_distance,
		&order);
	while (changes->nr && !growth(&changes->items[changes->nr - 1], order)) {
		drop_last(changes);
		comparison->diff->unchanged++;
	}
	while (most && changes->nr > most) {
		drop_last(changes);
		comparison->diff->changes_left_out++;
	}
	qsort_r(changes->items, changes->nr, sizeof(*changes->items), compare_growth,
		&order);
}

struct error *recording_compare(const struct recording_options *before,
				const struct recording_options *after,
				struct recording_diff **result)
{
	struct comparison comparison = { .options = after };
	comparison.diff = calloc(1, sizeof(*comparison.diff));
	if (!comparison.diff)
		return error_no_memory();
	struct error *error =
		take_trace(&comparison, before, false, &comparison.diff->before);
	if (!error)
		error = take_trace(&comparison, after, true, &comparison.diff->after);
	map_deinit(&comparison.changes);
	if (error) {
		recording_diff_destroy(comparison.diff);
		return error;
	}
	cut(&comparison);
	*result = comparison.diff;
	return NULL;
}
