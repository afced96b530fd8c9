/* recording_history: one address' history with the names of its calls; see recording_priv.h. */
#include "traces/recording_priv.h"

static struct recording_block block_of(const struct recording_work *work,
				       const struct history_block *known)
{
	return (struct recording_block){
		.address = known->address,
		.bytes = work->trace->requests.items[known->request].size,
		.offset = work->replay.history.address - known->address,
		.born_us = known->born_us,
		.thread = work->trace->threads.items[known->thread],
		.generation = known->generation,
	};
}

/* The call that allocated the block that begins, or else the one that ends. */
static struct error *stack_of(struct recording_work *work,
			      const struct history_event *known,
			      struct recording_number_vec *frames)
{
	const struct history_block *block = known->has_begun ? &known->begun
							     : &known->ended;
	if (!known->has_begun && !known->has_ended)
		return NULL;
	return recording_stack(work, work->trace->requests.items[block->request].node,
			       frames);
}

static enum recording_event_kind kind_of(const struct history_event *known)
{
	static const enum recording_event_kind kinds[] = {
		[HISTORY_ALLOCATED] = RECORDING_ALLOCATED,
		[HISTORY_FREED] = RECORDING_FREED,
		[HISTORY_RESIZED] = RECORDING_RESIZED,
		[HISTORY_EXECUTED] = RECORDING_EXECUTED,
	};
	return kinds[known->kind];
}

static struct error *tell_event(struct recording_work *work,
				const struct history_event *known)
{
	struct recording_event event = {
		.kind = kind_of(known),
		.time_us = known->time_us,
		.thread = work->trace->threads.items[known->thread],
		.execution = known->execution,
		.has_ended = known->has_ended,
		.has_begun = known->has_begun,
	};
	if (known->has_ended)
		event.ended = block_of(work, &known->ended);
	if (known->has_begun)
		event.begun = block_of(work, &known->begun);
	struct error *error = stack_of(work, known, &event.frames);
	if (!error && !recording_event_vec_push(&work->report->history.events, event))
		error = error_no_memory();
	if (error)
		recording_number_vec_deinit(&event.frames);
	return error;
}

struct error *recording_tell_history(struct recording_work *work)
{
	const struct history *known = &work->replay.history;
	struct recording_history *history = &work->report->history;
	struct error *error = NULL;
	history->is_asked = true;
	history->address = known->address;
	history->nr_blocks = known->nr_blocks;
	/* Which programs there were says nothing of an address that no block had. */
	if (!known->nr_blocks)
		return NULL;
	size_t nr_kept = history_nr_kept(known);
	history->nr_events = known->nr_events;
	history->events_left_out = known->nr_events - nr_kept;
	history->is_live = known->live.nr;
	if (history->is_live)
		history->live = block_of(work, &known->live.items[known->live.nr - 1]);
	for (size_t i = 0; !error && i < nr_kept; i++)
		error = tell_event(work, history_kept(known, i));
	return error;
}
