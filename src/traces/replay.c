/* replay: see replay.h. */
#include "traces/replay.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What one run needs beside its results. */
struct pass {
	const struct trace *trace;
	const struct replay_options *options;
	struct replay *replay;
	struct tally *tallies;
	struct tally_more *more;
	uint64_t epoch;
	size_t nr_known; /* how many of all there were when room was made */
	/* Blocks of generations before this one do not count; 0 unless the window begins
	   at a mark. */
	size_t first_generation;
	/* Keys and large blocks before these are of programs that are gone: none lives. */
	uint32_t first_key;
	size_t first_large;
	bool is_open; /* in the window */
	bool is_over; /* behind it */
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

/* How many marks there had been when a block that ends now was allocated. */
static size_t generation_of(const struct pass *pass, const struct trace_happening *event)
{
	return pass->replay->marks.nr - event->death->marks;
}

static uint32_t key_of_end(const struct pass *pass, const struct trace_happening *event)
{
	switch (pass->options->key) {
	case REPLAY_BY_REQUEST:
		return event->death->request;
	case REPLAY_BY_THREAD:
		return trace_owner(event);
	default:
		return (uint32_t)generation_of(pass, event);
	}
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
	pass->replay->timeline.now.allocations++;
	timeline_peak(&pass->replay->timeline, totals->live_bytes);
	if ((int64_t)totals->live_bytes > (int64_t)totals->peak_bytes) {
		totals->peak_bytes = totals->live_bytes;
		totals->peak = totals->live;
		totals->peak_us = time_us;
		pass->epoch++;
	}
}

static void count_out(struct pass *pass, const struct trace_death *death, uint32_t key)
{
	struct replay_totals *totals = &pass->replay->totals;
	assert(pass->tallies && pass->more);
	struct tally *tally = &pass->tallies[key];
	uint64_t size = pass->trace->requests.items[death->request].size;
	remember_peak(pass, tally);
	tally->live--;
	tally->live_bytes -= size;
	totals->live--;
	totals->live_bytes -= size;
	pass->more[key].lifetimes[death->life]++;
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
		.generation = (uint32_t)replay->marks.nr,
	};
	return replay_large_vec_push(&replay->large, large);
}

static unsigned life_class(uint64_t life_us)
{
	static const uint64_t limits[] = TRACE_LIFE_LIMITS_US;
	unsigned class = 0;
	while (class < ARRAY_SIZE(limits) && life_us >= limits[class])
		class ++;
	return class;
}

/* Traces tell times less exactly than lives: seep's own go on by a millisecond. */
static bool may_have_lived(uint64_t life_us, unsigned class)
{
	const uint64_t step_us = 1000;
	return class >= life_class(life_us > step_us ? life_us - step_us : 0) &&
	       class <= life_class(life_us + step_us);
}

static bool may_be(const struct pass *pass, const struct replay_large *large,
		   const struct trace_happening *event)
{
	return large->freed_us == UINT64_MAX && large->request == event->death->request &&
	       large->thread == trace_owner(event) &&
	       large->generation == generation_of(pass, event);
}

/*
 * Which one it was a trace does not tell: the last that may be it and is as old as it was. If such
 * a guess was wrong before there is none of its age left, but one of another.
 */
static void end_large(struct pass *pass, const struct trace_happening *event)
{
	struct replay_large_vec *all = &pass->replay->large;
	struct replay_large *chosen = NULL;
	for (size_t i = all->nr; i-- > 0;) {
		struct replay_large *large = &all->items[i];
		if (!may_be(pass, large, event))
			continue;
		if (!chosen)
			chosen = large;
		if (!may_have_lived(event->time_us - large->born_us, event->death->life))
			continue;
		chosen = large;
		break;
	}
	if (chosen)
		chosen->freed_us = event->time_us;
}

/* --- events ------------------------------------------------------------------------- */

static bool is_of_thread(const struct pass *pass, uint32_t thread)
{
	return !pass->options->one_thread ||
	       pass->trace->threads.items[thread] == pass->options->thread;
}

static bool counts(const struct pass *pass, const struct trace_happening *event)
{
	return pass->is_open && is_of_thread(pass, event->thread);
}

static bool end_counts(const struct pass *pass, const struct trace_happening *event)
{
	return pass->is_open &&
	       (!pass->first_generation ||
		generation_of(pass, event) >= pass->first_generation) &&
	       (!pass->options->one_thread || is_of_thread(pass, trace_owner(event)));
}

/* False when memory ran out, as in all that see an event. */
static bool see_new_block(struct pass *pass, const struct trace_happening *event)
{
	uint32_t key = key_of(pass, event);
	uint64_t size = pass->trace->requests.items[event->request].size;
	if (!counts(pass, event))
		return true;
	count_in(pass, key, size, event->time_us);
	if (pass->options->key != REPLAY_BY_REQUEST &&
	    size > pass->more[key].largest_bytes)
		pass->more[key].largest_bytes = size;
	return !is_large(pass, size) || list_large(pass, event, size);
}

static void see_end_of_block(struct pass *pass, const struct trace_happening *event,
			     uint32_t key)
{
	const struct trace_death *death = event->death;
	count_out(pass, death, key);
	if (is_large(pass, pass->trace->requests.items[death->request].size))
		end_large(pass, event);
}

static bool see_free(struct pass *pass, const struct trace_happening *event)
{
	if (!end_counts(pass, event))
		return true;
	uint32_t key = key_of_end(pass, event);
	bool is_temporary = event->death->is_temporary;
	see_end_of_block(pass, event, key);
	pass->replay->totals.frees++;
	pass->replay->totals.temporary += is_temporary;
	pass->tallies[key].temporary += is_temporary;
	return true;
}

static bool see_resize(struct pass *pass, const struct trace_happening *event)
{
	const struct trace_request *requests = pass->trace->requests.items;
	uint64_t old_size = requests[event->death->request].size;
	uint64_t new_size = requests[event->request].size;
	if (end_counts(pass, event))
		see_end_of_block(pass, event, key_of_end(pass, event));
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
	history_open(&pass->replay->history);
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
	else if (!replay->begun && is_at_mark(&pass->options->from, event->mark)) {
		open_window(pass, event->time_us);
		pass->first_generation = replay->marks.nr;
	}
	return true;
}

static bool see_loss(struct pass *pass, const struct trace_happening *event)
{
	pass->replay->totals.lost += event->number;
	return true;
}

static bool see_stray(struct pass *pass, const struct trace_happening *event)
{
	pass->replay->totals.strays += counts(pass, event);
	return true;
}

static bool see_map(struct pass *pass, const struct trace_happening *event)
{
	if (!counts(pass, event))
		return true;
	pass->replay->totals.maps++;
	pass->replay->totals.mapped_bytes +=
		pass->trace->requests.items[event->request].size;
	return true;
}

static bool see_unmap(struct pass *pass, const struct trace_happening *event)
{
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

/* Of one key: all that lives is gone. */
static void end_all(struct pass *pass, struct tally *tally)
{
	if (!tally->live && !tally->live_bytes)
		return;
	remember_peak(pass, tally);
	tally->live = tally->live_bytes = 0;
}

static bool note_execution(struct pass *pass, const struct trace_happening *event)
{
	const struct replay_totals *totals = &pass->replay->totals;
	struct replay_execution execution = {
		.program = strdup(event->program),
		.time_us = event->time_us,
		.blocks = totals->live,
		.bytes = totals->live_bytes,
	};
	if (execution.program &&
	    replay_execution_vec_push(&pass->replay->executions, execution))
		return true;
	free(execution.program);
	return false;
}

/* A generation goes on, in which the other program allocates; requests and threads do not. */
static bool see_execution(struct pass *pass, const struct trace_happening *event)
{
	struct replay *replay = pass->replay;
	if (pass->is_open && !note_execution(pass, event))
		return false;
	for (uint32_t key = pass->first_key; key < replay->nr_keys; key++)
		end_all(pass, &pass->tallies[key]);
	pass->first_key = pass->options->key == REPLAY_BY_MARK
				  ? (uint32_t)replay->marks.nr
				  : replay->nr_keys;
	for (; pass->first_large < replay->large.nr; pass->first_large++) {
		struct replay_large *large = &replay->large.items[pass->first_large];
		if (large->freed_us == UINT64_MAX)
			large->freed_us = event->time_us;
	}
	replay->totals.live = replay->totals.live_bytes = 0;
	return true;
}

static bool (*const seers[])(struct pass *pass, const struct trace_happening *event) = {
	[TRACE_ALLOCATED] = see_new_block, [TRACE_FREED] = see_free,
	[TRACE_RESIZED] = see_resize,      [TRACE_TIME_PASSED] = see_time,
	[TRACE_MARKED] = see_mark,         [TRACE_LOST] = see_loss,
	[TRACE_STRAYED] = see_stray,       [TRACE_MAPPED] = see_map,
	[TRACE_UNMAPPED] = see_unmap,      [TRACE_PAUSED] = see_pause,
	[TRACE_RESUMED] = see_time,        [TRACE_EXECUTED] = see_execution,
};

/* Threads, requests and marks appear between events. */
static bool keep_up(struct pass *pass)
{
	size_t nr_keys = nr_keys_known(pass);
	if (nr_keys > pass->replay->nr_keys && !make_room(pass, (uint32_t)nr_keys))
		return false;
	pass->nr_known = nr_known(pass);
	return true;
}

static bool see_address(struct pass *pass, const struct trace_happening *event)
{
	const struct history_scope scope = {
		.generation = (uint32_t)pass->replay->marks.nr,
		.is_open = pass->is_open,
		.new_counts = is_of_thread(pass, event->thread),
	};
	return history_see(&pass->replay->history, pass->trace, event, scope);
}

/* Nearly all are of two kinds, which are not sought in the table. */
static bool see(struct pass *pass, const struct trace_happening *event)
{
	if (event->kind == TRACE_ALLOCATED)
		return see_new_block(pass, event);
	if (event->kind == TRACE_FREED)
		return see_free(pass, event);
	return seers[event->kind](pass, event);
}

static struct error *run_pass(struct pass *pass, struct trace_reader *reader)
{
	const struct replay_moment *to = &pass->options->to;
	uint64_t last_us = to->is_set && !to->mark ? to->time_us : UINT64_MAX;
	struct trace_happening event = { 0 };
	uint64_t time_us = UINT64_MAX;
	for (;;) {
		struct error *error = trace_reader_next(reader, &event);
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
		if (pass->options->has_address && !see_address(pass, &event))
			return error_no_memory();
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
		for (unsigned life = 0; life < TRACE_NR_LIVES; life++)
			pass->replay->totals.lifetimes[life] +=
				pass->more[key].lifetimes[life];
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
		.trace = trace_reader_trace(reader),
		.options = options,
		.replay = replay,
		.epoch = 1,
	};
	replay->history = (struct history){ options->address, options->most_events,
					    .nr_events = 0 };
	if (!options->from.is_set)
		open_window(&pass, 0);
	struct error *error = run_pass(&pass, reader);
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
	for (size_t i = 0; i < replay->executions.nr; i++)
		free(replay->executions.items[i].program);
	replay_execution_vec_deinit(&replay->executions);
	replay_large_vec_deinit(&replay->large);
	history_deinit(&replay->history);
	area_release(&replay->tallies);
	area_release(&replay->more);
}
