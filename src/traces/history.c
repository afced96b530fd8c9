/* history: see history.h. */
#include "traces/history.h"

#include <string.h>

/* More than ever wait for their frees: of what a made-up trace has more, the oldest are left. */
#define MOST_LIVE 512u

/* --- blocks ------------------------------------------------------------------------- */

static bool has_address(const struct history *history, uint64_t start, uint64_t size)
{
	uint64_t offset = history->address - start;
	return offset < size || !offset;
}

static void drop_live(struct history *history, size_t i)
{
	struct history_block_vec *live = &history->live;
	live->nr--;
	memmove(&live->items[i], &live->items[i + 1],
		(live->nr - i) * sizeof(*live->items));
}

static bool begin_block(struct history *history, const struct trace_happening *event,
			struct history_scope scope, struct history_event *told)
{
	told->has_begun = true;
	told->begun = (struct history_block){
		.address = event->address,
		.born_us = event->time_us,
		.request = event->request,
		.thread = event->thread,
		.generation = scope.generation,
	};
	if (history->live.nr == MOST_LIVE)
		drop_live(history, 0);
	history->nr_blocks += scope.is_open;
	return history_block_vec_push(&history->live, told->begun);
}

static bool may_be(const struct history_block *block, const struct trace_happening *event)
{
	return block->address == event->old_address &&
	       block->request == event->death->request &&
	       block->thread == trace_owner(event);
}

/* The oldest that it may be, since its free is due first. */
static void end_block(struct history *history, const struct trace_happening *event,
		      struct history_event *told)
{
	for (size_t i = 0; i < history->live.nr; i++) {
		if (!may_be(&history->live.items[i], event))
			continue;
		told->has_ended = true;
		told->ended = history->live.items[i];
		drop_live(history, i);
		return;
	}
}

/* --- events ------------------------------------------------------------------------- */

static bool keep(struct history *history, const struct history_event *told)
{
	uint64_t number = history->nr_events++;
	if (!history->most || number < history->most)
		return history_event_vec_push(&history->events, *told);
	history->events.items[number % history->most] = *told;
	return true;
}

static const struct {
	bool ends, begins;
	enum history_kind kind;
} kinds[] = {
	[TRACE_ALLOCATED] = { false, true, HISTORY_ALLOCATED },
	[TRACE_FREED] = { true, false, HISTORY_FREED },
	[TRACE_RESIZED] = { true, true, HISTORY_RESIZED },
};

/* All that lived is gone. */
static bool see_execution(struct history *history, const struct trace_happening *event,
			  struct history_scope scope)
{
	struct history_block_vec *live = &history->live;
	struct history_event told = {
		.kind = HISTORY_EXECUTED,
		.time_us = event->time_us,
		.thread = event->thread,
		.has_ended = live->nr,
	};
	if (told.has_ended)
		told.ended = live->items[live->nr - 1];
	live->nr = 0;
	if (!scope.is_open)
		return true;
	told.execution = history->nr_executions++;
	return keep(history, &told);
}

bool history_see(struct history *history, const struct trace *trace,
		 const struct trace_happening *event, struct history_scope scope)
{
	if (event->kind == TRACE_EXECUTED)
		return see_execution(history, event, scope);
	if (event->kind > TRACE_RESIZED)
		return true;
	struct history_event told = {
		.kind = kinds[event->kind].kind,
		.time_us = event->time_us,
		.thread = event->thread,
	};
	if (kinds[event->kind].ends && history->live.nr)
		end_block(history, event, &told);
	if (kinds[event->kind].begins && scope.new_counts &&
	    has_address(history, event->address,
			trace->requests.items[event->request].size) &&
	    !begin_block(history, event, scope, &told))
		return false;
	bool is_told = scope.is_open && (told.has_ended || told.has_begun);
	return !is_told || keep(history, &told);
}

void history_open(struct history *history)
{
	history->nr_blocks = history->live.nr;
}

size_t history_nr_kept(const struct history *history)
{
	return history->events.nr;
}

const struct history_event *history_kept(const struct history *history, size_t i)
{
	size_t nr = history->events.nr;
	bool is_full = history->nr_events > nr;
	return &history->events.items[is_full ? (history->nr_events + i) % nr : i];
}

void history_deinit(struct history *history)
{
	history_event_vec_deinit(&history->events);
	history_block_vec_deinit(&history->live);
}
