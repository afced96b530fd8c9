/* replay: see replay.h. */
#include "analyse/replay.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define UNCOUNTED UINT32_MAX /* tag of a block that does not count */

DEFINE_VEC(slot_number_vec, uint32_t);

/* What one run needs beside its results. */
struct pass {
	struct trace_reader *reader;
	const struct trace *trace;
	const struct replay_options *options;
	struct replay *replay;
	struct tally *tallies;
	struct tally_more *more;
	uint64_t epoch;
	/* By thread: the slot that its last event filled, or TRACE_NO_SLOT. */
	struct slot_number_vec last_slots;
	size_t nr_known; /* how many of all there were when room was made */
	bool is_open;    /* in the window */
	bool is_over;    /* behind it */
};

/* --- keys --------------------------------------------------------------------------- */

static bool make_room(struct pass *pass, uint32_t nr)
{
	struct replay *replay = pass->replay;
	if (!area_reserve(&replay->tallies, nr * sizeof(struct tally)) ||
	    !area_reserve(&replay->more, nr * sizeof(struct tally_more)))
		return false;
	pass->tallies = replay->tallies.memory;
	pass->more = replay->more.memory;
	replay->nr_keys = nr;
	return true;
}

static uint32_t key_of(const struct pass *pass, const struct trace_happening *event)
{
	switch (pass->options->key) {
	case REPLAY_BY_REQUEST:
		return event->request;
	case REPLAY_BY_THREAD:
		return event->thread;
	default:
		return (uint32_t)pass->replay->marks.nr;
	}
}

/* As many keys as are known by now. */
static size_t nr_keys_known(const struct pass *pass)
{
	switch (pass->options->key) {
	case REPLAY_BY_REQUEST:
		return pass->trace->requests.nr;
	case REPLAY_BY_THREAD:
		return pass->trace->threads.nr;
	default:
		return pass->replay->marks.nr + 1;
	}
}

static size_t nr_known(const struct pass *pass)
{
	return pass->trace->requests.nr + pass->trace->threads.nr +
	       pass->replay->marks.nr;
}

/* --- counting ----------------------------------------------------------------------- */

/* Before a change: what it holds is what it held at the peak, if it was not changed since. */
static void remember_peak(const struct pass *pass, struct tally *tally)
{
	if (tally->epoch == pass->epoch)
		return;
	tally->epoch = pass->epoch;
	tally->peak = tally->live;
	tally->peak_bytes = tally->live_bytes;
}

static void count_in(struct pass *pass, uint32_t key, uint64_t size, uint64_t time_us)
{
	struct replay_totals *totals = &pass->replay->totals;
	struct timeline_point *now = &pass->replay->timeline.now;
	assert(pass->tallies);
	struct tally *tally = &pass->tallies[key];
	remember_peak(pass, tally);
	tally->allocations++;
	tally->bytes += size;
	tally->live++;
	tally->live_bytes += size;
	totals->allocations++;
	totals->bytes += size;
	totals->live++;
	totals->live_bytes += size;
	now->allocations++;
	if (totals->live_bytes > now->peak_bytes)
		now->peak_bytes = totals->live_bytes;
	if (totals->live_bytes > totals->peak_bytes) {
		totals->peak_bytes = totals->live_bytes;
		totals->peak = totals->live;
		totals->peak_us = time_us;
		pass->epoch++;
	}
}

static unsigned lifetime_class(uint64_t lifetime_us)
{
	unsigned bits = lifetime_us ? 64 - (unsigned)__builtin_clzll(lifetime_us) : 0;
	return bits < REPLAY_LIFETIMES ? bits : REPLAY_LIFETIMES - 1;
}

static void count_out(struct pass *pass, const struct trace_happening *event)
{
	struct replay_totals *totals = &pass->replay->totals;
	assert(pass->tallies && pass->more);
	struct tally *tally = &pass->tallies[event->old_tag];
	uint64_t size = pass->trace->requests.items[event->old_request].size;
	remember_peak(pass, tally);
	tally->live--;
	tally->live_bytes -= size;
	totals->live--;
	totals->live_bytes -= size;
	pass->more[event->old_tag]
		.lifetimes[lifetime_class(event->time_us - event->old_born_us)]++;
}

/* --- large allocations -------------------------------------------------------------- */

static bool is_large(const struct pass *pass, uint64_t size)
{
	return pass->options->large_bytes && size >= pass->options->large_bytes;
}

static bool list_large(struct pass *pass, const struct trace_happening *event,
		       uint64_t size)
{
	struct replay *replay = pass->replay;
	if (replay->large.nr == REPLAY_MAX_LARGE) {
		replay->large_left_out++;
		return true;
	}
	struct replay_large large = {
		.size = size,
		.born_us = event->time_us,
		.freed_us = UINT64_MAX,
		.request = event->request,
		.thread = event->thread,
		.slot = event->slot,
	};
	return replay_large_vec_push(&replay->large, large);
}

static void end_large(struct pass *pass, const struct trace_happening *event)
{
	struct replay_large_vec *all = &pass->replay->large;
	for (size_t i = all->nr; i-- > 0;) {
		struct replay_large *large = &all->items[i];
		if (large->slot != event->slot || large->freed_us != UINT64_MAX)
			continue;
		large->freed_us = event->time_us;
		return;
	}
}

/* --- events ------------------------------------------------------------------------- */

static bool counts(const struct pass *pass, const struct trace_happening *event)
{
	return pass->is_open &&
	       (!pass->options->one_thread ||
		pass->trace->threads.items[event->thread] == pass->options->thread);
}

/* False when memory ran out, as in all that see an event. */
static bool see_new_block(struct pass *pass, const struct trace_happening *event)
{
	uint32_t key = key_of(pass, event);
	uint64_t size = pass->trace->requests.items[event->request].size;
	pass->last_slots.items[event->thread] = event->slot;
	if (!counts(pass, event)) {
		trace_reader_tag(pass->reader, event->slot, UNCOUNTED);
		return true;
	}
	trace_reader_tag(pass->reader, event->slot, key);
	count_in(pass, key, size, event->time_us);
	if (pass->options->key != REPLAY_BY_REQUEST &&
	    size > pass->more[key].largest_bytes)
		pass->more[key].largest_bytes = size;
	return !is_large(pass, size) || list_large(pass, event, size);
}

static void see_end_of_block(struct pass *pass, const struct trace_happening *event)
{
	count_out(pass, event);
	if (is_large(pass, pass->trace->requests.items[event->old_request].size))
		end_large(pass, event);
}

static bool see_free(struct pass *pass, const struct trace_happening *event)
{
	uint32_t *last_slot = &pass->last_slots.items[event->thread];
	/* Another's block may have come into the slot that this thread filled last. */
	bool is_temporary = *last_slot == event->slot &&
			    event->old_thread == event->thread;
	*last_slot = TRACE_NO_SLOT;
	if (event->old_tag == UNCOUNTED)
		return true;
	see_end_of_block(pass, event);
	pass->replay->totals.frees++;
	pass->replay->totals.temporary += is_temporary;
	pass->tallies[event->old_tag].temporary += is_temporary;
	return true;
}

static bool see_resize(struct pass *pass, const struct trace_happening *event)
{
	const struct trace_request *requests = pass->trace->requests.items;
	uint64_t old_size = requests[event->old_request].size;
	uint64_t new_size = requests[event->request].size;
	if (event->old_tag != UNCOUNTED)
		see_end_of_block(pass, event);
	if (counts(pass, event)) {
		struct tally_more *more = &pass->more[key_of(pass, event)];
		more->resizes++;
		more->grown_bytes += new_size > old_size ? new_size - old_size : 0;
		pass->replay->totals.resizes++;
	}
	return see_new_block(pass, event);
}

static void open_window(struct pass *pass, uint64_t time_us)
{
	pass->is_open = true;
	pass->replay->begun = true;
	pass->replay->start_us = time_us;
	timeline_begin(&pass->replay->timeline, time_us);
}

static void close_window(struct pass *pass, uint64_t time_us)
{
	if (pass->is_open)
		timeline_advance(&pass->replay->timeline, time_us,
				 pass->replay->totals.live_bytes);
	pass->replay->end_us = time_us;
	pass->is_open = false;
	pass->is_over = true;
}

static bool see_time(struct pass *pass, const struct trace_happening *event)
{
	const struct replay_moment *from = &pass->options->from;
	if (!pass->replay->begun && (!from->mark && event->time_us >= from->time_us))
		open_window(pass, from->is_set ? from->time_us : 0);
	if (!pass->is_open)
		return true;
	timeline_advance(&pass->replay->timeline, event->time_us,
			 pass->replay->totals.live_bytes);
	pass->replay->end_us = event->time_us;
	return true;
}

static bool is_at_mark(const struct replay_moment *moment, const char *mark)
{
	return moment->is_set && moment->mark && !strcmp(moment->mark, mark);
}

static bool see_mark(struct pass *pass, const struct trace_happening *event)
{
	struct replay *replay = pass->replay;
	struct replay_mark mark = {
		.name = strdup(event->mark),
		.time_us = event->time_us,
		.live_bytes = replay->totals.live_bytes,
	};
	if (!mark.name || !replay_mark_vec_push(&replay->marks, mark)) {
		free(mark.name);
		return false;
	}
	if (is_at_mark(&pass->options->to, event->mark) && replay->begun)
		close_window(pass, event->time_us);
	else if (!replay->begun && is_at_mark(&pass->options->from, event->mark))
		open_window(pass, event->time_us);
	return true;
}

static bool see_loss(struct pass *pass, const struct trace_happening *event)
{
	pass->replay->totals.lost += event->number;
	pass->last_slots.items[event->thread] = TRACE_NO_SLOT;
	return true;
}

static bool see_stray(struct pass *pass, const struct trace_happening *event)
{
	pass->replay->totals.strays += counts(pass, event);
	pass->last_slots.items[event->thread] = TRACE_NO_SLOT;
	return true;
}

static bool see_map(struct pass *pass, const struct trace_happening *event)
{
	pass->last_slots.items[event->thread] = TRACE_NO_SLOT;
	if (!counts(pass, event))
		return true;
	pass->replay->totals.maps++;
	pass->replay->totals.mapped_bytes +=
		pass->trace->requests.items[event->request].size;
	return true;
}

static bool see_unmap(struct pass *pass, const struct trace_happening *event)
{
	pass->last_slots.items[event->thread] = TRACE_NO_SLOT;
	if (counts(pass, event))
		pass->replay->totals.unmapped_bytes += event->number;
	return true;
}

static bool see_pause(struct pass *pass, const struct trace_happening *event)
{
	(void)event;
	pass->replay->totals.pauses++;
	return true;
}

static bool (*const seers[])(struct pass *pass, const struct trace_happening *event) = {
	[TRACE_ALLOCATED] = see_new_block, [TRACE_FREED] = see_free,
	[TRACE_RESIZED] = see_resize,      [TRACE_TIME_PASSED] = see_time,
	[TRACE_MARKED] = see_mark,         [TRACE_LOST] = see_loss,
	[TRACE_STRAYED] = see_stray,       [TRACE_MAPPED] = see_map,
	[TRACE_UNMAPPED] = see_unmap,      [TRACE_PAUSED] = see_pause,
	[TRACE_RESUMED] = see_time,
};

/* Threads, requests and marks appear between events. */
static bool keep_up(struct pass *pass)
{
	size_t nr_keys = nr_keys_known(pass);
	if (nr_keys > pass->replay->nr_keys && !make_room(pass, (uint32_t)nr_keys))
		return false;
	while (pass->last_slots.nr < pass->trace->threads.nr)
		if (!slot_number_vec_push(&pass->last_slots, TRACE_NO_SLOT))
			return false;
	pass->nr_known = nr_known(pass);
	return true;
}

/* Nearly all are of two kinds, which are not sought in the table. */
static bool see(struct pass *pass, const struct trace_happening *event)
{
	assert(pass->last_slots.items); /* the event is of a thread */
	if (event->kind == TRACE_ALLOCATED)
		return see_new_block(pass, event);
	if (event->kind == TRACE_FREED)
		return see_free(pass, event);
	return seers[event->kind](pass, event);
}

static struct error *run_pass(struct pass *pass)
{
	const struct replay_moment *to = &pass->options->to;
	uint64_t last_us = to->is_set && !to->mark ? to->time_us : UINT64_MAX;
	struct trace_happening event = { 0 };
	uint64_t time_us = UINT64_MAX;
	for (;;) {
		struct error *error = trace_reader_next(pass->reader, &event);
		if (error)
			return error;
		if (event.kind == TRACE_ENDED)
			return NULL;
		if (event.time_us > last_us && !pass->is_over)
			close_window(pass, last_us);
		if (pass->is_over)
			continue;
		if (pass->nr_known != nr_known(pass) && !keep_up(pass))
			return error_no_memory();
		if (event.time_us != time_us)
			see_time(pass, &event);
		time_us = event.time_us;
		if (!see(pass, &event))
			return error_no_memory();
	}
}

/* --- the end ------------------------------------------------------------------------ */

static struct error *check_moment(const struct replay *replay,
				  const struct replay_moment *moment)
{
	if (!moment->is_set || !moment->mark)
		return NULL;
	for (size_t i = 0; i < replay->marks.nr; i++)
		if (!strcmp(replay->marks.items[i].name, moment->mark))
			return NULL;
	return error_remedy(error_create(ERROR_USAGE, "the trace has no mark \"%s\"",
					 moment->mark),
			    replay->marks.nr ? "the mark \"%s\"" : "give a time: 12.5s",
			    replay->marks.nr ? replay->marks.items[0].name : "");
}

/* What the pass left for the end: to touch it at every event would cost a cache line each. */
static void settle(struct pass *pass)
{
	for (uint32_t key = 0; key < pass->replay->nr_keys; key++) {
		assert(pass->tallies && pass->more);
		remember_peak(pass, &pass->tallies[key]);
		if (pass->options->key == REPLAY_BY_REQUEST &&
		    pass->tallies[key].allocations)
			pass->more[key].largest_bytes =
				pass->trace->requests.items[key].size;
	}
}

static struct error *check_thread(const struct pass *pass)
{
	const struct trace_thread_vec *threads = &pass->trace->threads;
	if (!pass->options->one_thread)
		return NULL;
	for (size_t i = 0; i < threads->nr; i++)
		if (threads->items[i] == pass->options->thread)
			return NULL;
	return error_create(ERROR_USAGE, "the trace has no thread %llu",
			    (unsigned long long)pass->options->thread);
}

struct error *replay_run(struct trace_reader *reader,
			 const struct replay_options *options, struct replay *replay)
{
	struct pass pass = {
		.reader = reader,
		.trace = trace_reader_trace(reader),
		.options = options,
		.replay = replay,
		.epoch = 1,
	};
	if (!options->from.is_set)
		open_window(&pass, 0);
	struct error *error = run_pass(&pass);
	slot_number_vec_deinit(&pass.last_slots);
	if (!error)
		error = check_moment(replay, &options->from);
	if (!error)
		error = check_moment(replay, &options->to);
	if (!error)
		error = check_thread(&pass);
	if (error)
		return error;
	if (!replay->begun)
		open_window(&pass, options->from.time_us);
	settle(&pass);
	timeline_end(&replay->timeline);
	replay->is_cut = trace_reader_is_cut(reader);
	return NULL;
}

void replay_deinit(struct replay *replay)
{
	for (size_t i = 0; i < replay->marks.nr; i++)
		free(replay->marks.items[i].name);
	replay_mark_vec_deinit(&replay->marks);
	replay_large_vec_deinit(&replay->large);
	area_release(&replay->tallies);
	area_release(&replay->more);
}
