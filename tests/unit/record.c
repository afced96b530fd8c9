/* Tests of src/record: rounds over rings that are filled by hand, and the trace they give. */
#include "record/consumer.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "producer.h"
#include "snap/reader.h"

enum { NODES = 8, A = 0x10000, B = 0x20000, C = 0x30000 };

static char folder[] = "/tmp/seep-record-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/trace", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void assert_fine(struct error *error)
{
	if (error)
		fail_msg("%s", error->sentence);
}

/* --- a recording -------------------------------------------------------------------- */

struct fixture {
	struct record_session *session;
	struct trace_writer *trace;
	struct consumer *consumer;
	uint64_t now; /* of the next record */
};

static struct fixture begin(void)
{
	static char word[] = "program";
	static char *command[] = { word, NULL };
	const struct record_session_options options = { .max_frames = 256 };
	const struct trace_writer_run run = { .pid = 42,
					      .flags = TRACE_WRITER_ADDRESSES,
					      .name = "program",
					      .arguments = command };
	struct fixture fixture = { 0 };
	assert_fine(record_session_create(&options, &fixture.session));
	producer_join(fixture.session, NODES);
	assert_fine(trace_writer_create(path, &run, &fixture.trace));
	assert_fine(consumer_create(fixture.session, fixture.trace, &fixture.consumer));
	fixture.now = event_now();
	return fixture;
}

/* Later than all that went before, and not later than now. */
static uint64_t tick(struct fixture *fixture)
{
	uint64_t now = event_now();
	while (now <= fixture->now)
		now = event_now();
	fixture->now = now;
	return now;
}

static const struct ledger_totals *totals_of(const struct fixture *fixture)
{
	return &consumer_ledger(fixture->consumer)->totals;
}

static void step(struct fixture *fixture)
{
	assert_fine(consumer_round(fixture->consumer));
}

/* --- an independent reader ---------------------------------------------------------- */

struct replay {
	uint64_t sizes[4096]; /* of requests */
	uint64_t nr_requests, nr_nodes, nr_threads, nr_events;
	uint64_t deaths[4096]; /* requests of them */
	bool temporary[4096];
	unsigned life[4096], marks[4096];
	uint64_t who[4096], nr_deaths;
	uint64_t live[4096]; /* blocks, by request */
	uint64_t us, thread;
	struct ledger_totals totals;
	uint64_t nr_addresses, nr_resizes, last_address;
	char mark[16];
};

static void replay_requests(struct replay *replay, struct unpack *payload)
{
	assert_int_equal(unpack_number(payload), replay->nr_requests);
	uint64_t nr = unpack_number(payload), node = 0;
	for (uint64_t i = 0; i < nr; i++) {
		replay->sizes[replay->nr_requests++] = unpack_number(payload);
		node = unpack_difference(payload, node);
		assert_true(node < 1 + replay->nr_nodes);
	}
}

static void replay_nodes(struct replay *replay, struct unpack *payload)
{
	assert_int_equal(unpack_number(payload), 1 + replay->nr_nodes);
	uint64_t nr = unpack_number(payload), address = 0;
	for (uint64_t i = 0; i < nr; i++) {
		uint64_t number = ++replay->nr_nodes;
		assert_int_equal(unpack_difference(payload, number - 1), number - 1);
		address = unpack_difference(payload, address);
		assert_int_equal(address, 0x400000 + 16 * number);
	}
}

static void replay_deaths(struct replay *replay, struct unpack *payload)
{
	assert_int_equal(unpack_number(payload), replay->nr_deaths);
	uint64_t nr = unpack_number(payload), request = 0;
	for (uint64_t i = 0; i < nr; i++) {
		uint64_t number = replay->nr_deaths++;
		request = unpack_difference(payload, request);
		assert_true(request < replay->nr_requests);
		uint64_t what = unpack_number(payload);
		replay->deaths[number] = request;
		replay->temporary[number] = what & 1;
		replay->life[number] = what >> 1 & 7;
		replay->marks[number] = (unsigned)(what >> 4);
		replay->who[number] = unpack_number(payload);
		assert_true(replay->who[number] <= replay->nr_threads);
	}
}

static void replay_in(struct replay *replay, uint64_t request)
{
	assert_true(request < replay->nr_requests);
	uint64_t size = replay->sizes[request];
	replay->live[request]++;
	replay->totals.allocations++;
	replay->totals.bytes += size;
	replay->totals.live_blocks++;
	replay->totals.live_bytes += size;
	if (replay->totals.live_bytes > replay->totals.peak_bytes)
		replay->totals.peak_bytes = replay->totals.live_bytes;
}

static void replay_out(struct replay *replay, uint64_t death)
{
	assert_true(death < replay->nr_deaths);
	uint64_t request = replay->deaths[death];
	assert_true(replay->live[request]);
	replay->live[request]--;
	replay->totals.temporary += replay->temporary[death];
	replay->totals.live_blocks--;
	replay->totals.live_bytes -= replay->sizes[request];
}

static void replay_other(struct replay *replay, struct unpack *payload, uint64_t what)
{
	char *text;
	switch (what) {
	case TRACE_TIME:
		replay->us += unpack_number(payload);
		break;
	case TRACE_THREAD:
		replay->thread = unpack_number(payload);
		assert_true(replay->thread < replay->nr_threads);
		break;
	case TRACE_GAP:
		replay->totals.lost += unpack_number(payload);
		break;
	case TRACE_STRAY:
		replay->totals.strays++;
		break;
	case TRACE_MARK:
		text = unpack_text(payload);
		snprintf(replay->mark, sizeof(replay->mark), "%s", text);
		free(text);
		break;
	default:
		fail_msg("other event %d", (int)what);
	}
}

static void replay_events(struct replay *replay, struct unpack *payload)
{
	assert_true(unpack_number(payload) >= replay->us);
	assert_int_equal(unpack_number(payload), replay->nr_events);
	replay->thread = unpack_number(payload);
	assert_true(replay->thread < replay->nr_threads);
	while (unpack_left(payload)) {
		uint64_t number = unpack_number(payload), rest = number >> 2;
		replay->nr_events++;
		if ((number & 3) == TRACE_OTHER) {
			replay_other(replay, payload, rest);
			continue;
		}
		if ((number & 3) == TRACE_ALLOCATE) {
			replay_in(replay, rest);
			continue;
		}
		replay_out(replay, rest);
		if ((number & 3) == TRACE_RESIZE) {
			replay_in(replay, unpack_number(payload));
			replay->nr_resizes++;
		} else {
			replay->totals.frees++;
		}
	}
}

static void replay_addresses(struct replay *replay, struct unpack *payload)
{
	uint64_t address = 0;
	while (unpack_left(payload)) {
		uint64_t number = unpack_number(payload);
		address += 16 * unpack_fold(number >> 1);
		if (number & 1)
			address += unpack_number(payload);
		replay->nr_addresses++;
	}
	replay->last_address = address;
}

static void replay_chunk(struct replay *replay, uint32_t type, struct unpack *payload)
{
	if (type == TRACE_NODES)
		replay_nodes(replay, payload);
	else if (type == TRACE_REQUESTS)
		replay_requests(replay, payload);
	else if (type == TRACE_DEATHS)
		replay_deaths(replay, payload);
	else if (type == TRACE_EVENTS)
		replay_events(replay, payload);
	else if (type == TRACE_ADDRESSES)
		replay_addresses(replay, payload);
	while (type == TRACE_THREADS && unpack_left(payload)) {
		assert_int_equal(unpack_number(payload), replay->nr_threads++);
		unpack_number(payload);
	}
	assert_false(payload->bad);
}

static struct replay *replay_file(bool *is_cut)
{
	struct replay *replay = calloc(1, sizeof(*replay));
	struct snap_reader *reader = NULL;
	struct snap_chunk chunk;
	struct unpack payload;
	bool more = true;
	assert_fine(snap_reader_open(open(path, O_RDONLY | O_CLOEXEC), path,
				     SNAP_KIND_TRACE, &reader));
	for (;;) {
		assert_fine(snap_reader_next(reader, &chunk, &more));
		if (!more)
			break;
		assert_fine(snap_reader_load(reader, &chunk, &payload));
		replay_chunk(replay, chunk.header.type, &payload);
	}
	*is_cut = snap_reader_is_cut(reader);
	snap_reader_close(reader);
	return replay;
}

/* The trace says what the ledger says. */
static void assert_replays(const struct ledger_totals *totals)
{
	bool is_cut;
	struct replay *replay = replay_file(&is_cut);
	assert_false(is_cut);
	assert_int_equal(replay->totals.allocations, totals->allocations);
	assert_int_equal(replay->totals.frees, totals->frees);
	assert_int_equal(replay->totals.strays, totals->strays);
	assert_int_equal(replay->totals.bytes, totals->bytes);
	assert_int_equal(replay->totals.live_blocks, totals->live_blocks);
	assert_int_equal(replay->totals.live_bytes, totals->live_bytes);
	assert_int_equal(replay->totals.peak_bytes, totals->peak_bytes);
	assert_int_equal(replay->totals.lost, totals->lost);
	assert_int_equal(replay->totals.temporary, totals->temporary);
	/* A resize has two, and is among the allocations. */
	assert_int_equal(replay->nr_addresses,
			 totals->allocations + totals->frees + replay->nr_resizes);
	free(replay);
}

/* Ends it and checks the trace; the totals are returned. */
static struct ledger_totals end(struct fixture *fixture)
{
	const struct trace_writer_summary summary = { 0 };
	assert_fine(consumer_finish(fixture->consumer));
	struct ledger_totals totals = *totals_of(fixture);
	struct recorded_block_vec blocks = { 0 };
	uint64_t live_bytes = 0;
	assert_true(ledger_live(consumer_ledger(fixture->consumer), &blocks));
	assert_int_equal(blocks.nr, totals.live_blocks);
	for (size_t i = 0; i < blocks.nr; i++)
		live_bytes += blocks.items[i].size;
	assert_int_equal(live_bytes, totals.live_bytes);
	recorded_block_vec_deinit(&blocks);
	assert_fine(trace_writer_finish(fixture->trace, &summary));
	assert_replays(&totals);
	consumer_destroy(fixture->consumer);
	trace_writer_destroy(fixture->trace);
	record_session_destroy(fixture->session);
	return totals;
}

/* --- one thread --------------------------------------------------------------------- */

static void frees_are_of_their_allocations(void **state)
{
	struct fixture fixture = begin();
	(void)state;
	struct producer one = producer_begin(fixture.session, 0, 42, tick(&fixture));
	producer_allocate(&one, tick(&fixture), A, 100, 3);
	producer_allocate(&one, tick(&fixture), B, 50, 4);
	producer_free(&one, tick(&fixture), A);
	producer_reallocate(&one, tick(&fixture), B, C, 70, 5);
	producer_allocate(&one, tick(&fixture), A, 1, 3);
	producer_free(&one, tick(&fixture), A);
	producer_publish(&one);
	step(&fixture);
	struct ledger_totals totals = end(&fixture);
	assert_int_equal(totals.allocations, 4);
	assert_int_equal(totals.frees, 2);
	assert_int_equal(totals.temporary, 1);
	assert_int_equal(totals.bytes, 221);
	assert_int_equal(totals.peak_bytes, 150);
	assert_int_equal(totals.live_bytes, 70);
	assert_int_equal(totals.strays, 0);
}

static void frees_of_unknown_blocks_are_strays(void **state)
{
	struct fixture fixture = begin();
	(void)state;
	struct producer one = producer_begin(fixture.session, 0, 42, tick(&fixture));
	producer_free(&one, tick(&fixture), A);
	producer_free(&one, tick(&fixture), A);
	producer_allocate(&one, tick(&fixture), A, 10, 1);
	producer_reallocate(&one, tick(&fixture), B, C, 20, 1);
	producer_publish(&one);
	struct ledger_totals totals = end(&fixture);
	assert_int_equal(totals.strays, 2);
	assert_int_equal(totals.live_bytes, 30);
	assert_int_equal(totals.frees, 0);
}

/* Strays that never stop need no more memory, and are told of in time. */
static void strays_do_not_pile_up(void **state)
{
	enum { ROUNDS = 2000, EACH = 20 };
	struct fixture fixture = begin();
	(void)state;
	struct producer one = producer_begin(fixture.session, 0, 42, tick(&fixture));
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < EACH; i++)
			producer_free(&one, tick(&fixture), A + 16 * i);
		producer_publish(&one);
		step(&fixture);
	}
	const struct ledger *ledger = consumer_ledger(fixture.consumer);
	assert_true(ledger->early.nr <= 4 * EACH);
	assert_true(ledger->blocks.nr <= EACH);
	assert_int_equal(end(&fixture).strays, ROUNDS * EACH);
}

/* --- several threads ---------------------------------------------------------------- */

static void rings_are_merged_by_time(void **state)
{
	struct fixture fixture = begin();
	(void)state;
	struct producer one = producer_begin(fixture.session, 0, 42, tick(&fixture));
	struct producer two = producer_begin(fixture.session, 1, 43, tick(&fixture));
	for (unsigned i = 0; i < 500; i++) {
		producer_allocate(&one, tick(&fixture), A, 10, 1);
		producer_free(&two, tick(&fixture), A);
	}
	producer_publish(&two);
	producer_publish(&one);
	struct ledger_totals totals = end(&fixture);
	assert_int_equal(totals.frees, 500);
	assert_int_equal(totals.strays + totals.implied, 0);
	assert_int_equal(totals.peak_bytes, 10);
	assert_int_equal(totals.temporary, 0);
}

static void a_free_may_come_a_round_early(void **state)
{
	struct fixture fixture = begin();
	(void)state;
	struct producer one = producer_begin(fixture.session, 0, 42, tick(&fixture));
	struct producer two = producer_begin(fixture.session, 1, 43, tick(&fixture));
	uint64_t allocated = tick(&fixture);
	producer_free(&two, tick(&fixture), A);
	producer_publish(&two);
	step(&fixture);
	producer_allocate(&one, allocated, A, 10, 1);
	producer_publish(&one);
	step(&fixture);
	struct ledger_totals totals = end(&fixture);
	assert_int_equal(totals.frees, 1);
	assert_int_equal(totals.live_blocks + totals.strays, 0);
}

/* The clocks of two processors are off by a little, but the order within a thread counts. */
static void stamps_may_be_off(void **state)
{
	struct fixture fixture = begin();
	(void)state;
	struct producer one = producer_begin(fixture.session, 0, 42, tick(&fixture));
	struct producer two = producer_begin(fixture.session, 1, 43, tick(&fixture));
	uint64_t freed = tick(&fixture);
	producer_free(&two, freed, A);
	producer_allocate(&one, freed + 100, A, 10, 1);
	producer_free(&one, freed + 200, B);
	producer_allocate(&one, freed + 300, B, 20, 1);
	producer_publish(&one);
	producer_publish(&two);
	while (tick(&fixture) < freed + 300)
		;
	struct ledger_totals totals = end(&fixture);
	assert_int_equal(totals.live_bytes, 20);
	assert_int_equal(totals.frees, 1);
	assert_int_equal(totals.strays, 1);
}

/* The address is given out again before the free of the block before is told of. */
static void an_allocation_may_come_before_the_free(void **state)
{
	struct fixture fixture = begin();
	(void)state;
	struct producer one = producer_begin(fixture.session, 0, 42, tick(&fixture));
	struct producer two = producer_begin(fixture.session, 1, 43, tick(&fixture));
	producer_allocate(&one, tick(&fixture), A, 10, 1);
	producer_publish(&one);
	uint64_t freed = tick(&fixture);
	producer_allocate(&two, tick(&fixture), A, 20, 2);
	producer_publish(&two);
	step(&fixture);
	assert_int_equal(totals_of(&fixture)->live_blocks, 2);
	producer_free(&one, freed, A);
	producer_publish(&one);
	step(&fixture);
	assert_int_equal(totals_of(&fixture)->live_bytes, 20);
	producer_free(&two, tick(&fixture), A);
	producer_publish(&two);
	struct ledger_totals totals = end(&fixture);
	assert_int_equal(totals.frees, 2);
	assert_int_equal(totals.live_blocks + totals.strays + totals.implied, 0);
}

/* realloc() is stamped when it is done: what it left may be another's by then. */
static void the_old_place_of_a_resize_may_be_taken(void **state)
{
	struct fixture fixture = begin();
	(void)state;
	struct producer one = producer_begin(fixture.session, 0, 42, tick(&fixture));
	struct producer two = producer_begin(fixture.session, 1, 43, tick(&fixture));
	producer_allocate(&one, tick(&fixture), A, 10, 1);
	producer_allocate(&two, tick(&fixture), A, 20, 2);
	producer_reallocate(&one, tick(&fixture), A, B, 30, 1);
	producer_publish(&one);
	producer_publish(&two);
	step(&fixture);
	assert_int_equal(totals_of(&fixture)->live_bytes, 50);
	producer_free(&two, tick(&fixture), A);
	producer_free(&one, tick(&fixture), B);
	producer_publish(&one);
	producer_publish(&two);
	struct ledger_totals totals = end(&fixture);
	assert_int_equal(totals.allocations, 3);
	assert_int_equal(totals.frees, 2);
	assert_int_equal(totals.live_blocks + totals.strays + totals.implied, 0);
}

/* And that other's was freed, and taken a third time. */
static void the_old_place_of_a_resize_may_be_taken_twice(void **state)
{
	struct fixture fixture = begin();
	(void)state;
	struct producer one = producer_begin(fixture.session, 0, 42, tick(&fixture));
	struct producer two = producer_begin(fixture.session, 1, 43, tick(&fixture));
	struct producer three = producer_begin(fixture.session, 2, 44, tick(&fixture));
	producer_allocate(&one, tick(&fixture), A, 10, 1);
	producer_allocate(&two, tick(&fixture), A, 20, 2);
	producer_free(&two, tick(&fixture), A);
	producer_allocate(&three, tick(&fixture), A, 40, 3);
	producer_reallocate(&one, tick(&fixture), A, B, 30, 1);
	producer_free(&three, tick(&fixture), A);
	producer_free(&one, tick(&fixture), B);
	producer_publish(&three);
	producer_publish(&two);
	producer_publish(&one);
	struct ledger_totals totals = end(&fixture);
	assert_int_equal(totals.allocations, 4);
	assert_int_equal(totals.frees, 3);
	assert_int_equal(totals.live_blocks + totals.strays + totals.implied, 0);
}

/* A block that was given back behind the runtime's back. */
static void a_free_that_never_comes_is_implied(void **state)
{
	struct fixture fixture = begin();
	(void)state;
	struct producer one = producer_begin(fixture.session, 0, 42, tick(&fixture));
	for (unsigned i = 0; i < 1000; i++)
		producer_allocate(&one, tick(&fixture), A, 10, 1);
	producer_publish(&one);
	struct ledger_totals totals = end(&fixture);
	assert_int_equal(totals.live_bytes, 10);
	assert_int_equal(totals.implied, 999);
	assert_int_equal(totals.frees, 999);
}

/* --- rings -------------------------------------------------------------------------- */

static void a_ring_goes_round_and_changes_hands(void **state)
{
	enum { TURNS = 30, EACH = 1000 };
	struct fixture fixture = begin();
	(void)state;
	for (int turn = 0; turn < TURNS; turn++) {
		struct producer one =
			producer_begin(fixture.session, 0, 42 + turn, tick(&fixture));
		for (unsigned i = 0; i < EACH; i++)
			producer_allocate(&one, tick(&fixture),
					  A + 16 * ((uint64_t)turn * EACH + i), 1, 1);
		producer_end(&one, tick(&fixture));
		step(&fixture);
		assert_int_equal(atomic_load(&one.ring->state), RING_FREE);
		assert_int_equal(atomic_load(&one.ring->tail), one.head);
	}
	assert_int_equal(end(&fixture).allocations, TURNS * EACH);
}

static void what_is_lost_is_counted(void **state)
{
	struct fixture fixture = begin();
	(void)state;
	struct producer one = producer_begin(fixture.session, 0, 42, tick(&fixture));
	atomic_store(&one.ring->lost, 7);
	producer_word(&one, event_first(EVENT_GAP, 5));
	producer_word(&one, tick(&fixture));
	producer_publish(&one);
	atomic_store(&record_session_shared(fixture.session)->lost_events, 100);
	assert_int_equal(end(&fixture).lost, 107);
}

/* Words that are no record. */
static const struct nonsense {
	uint64_t words[6];
	unsigned nr;
} nonsense[] = {
	{ { (uint64_t)EVENT_NR_TYPES << EVENT_VALUE_BITS, 0, 0 }, 3 },
	{ { 0, 0, 0 }, 3 },
	{ { (uint64_t)EVENT_FREE << EVENT_VALUE_BITS, 1 }, 2 },
	{ { (uint64_t)EVENT_FREE << EVENT_VALUE_BITS | A }, 1 },
	{ { (uint64_t)EVENT_ALLOCATION << EVENT_VALUE_BITS | EVENT_AGAIN | A }, 1 },
	{ { (uint64_t)EVENT_FREE << EVENT_VALUE_BITS | EVENT_AGAIN }, 1 },
	{ { (uint64_t)EVENT_REALLOCATION << EVENT_VALUE_BITS | EVENT_AGAIN | A, 0, 1, A },
	  4 },
	{ { (uint64_t)EVENT_ALLOCATION << EVENT_VALUE_BITS | A, 1 }, 2 },
	{ { (uint64_t)EVENT_ALLOCATION << EVENT_VALUE_BITS | A, 1,
	    (uint64_t)(NODES + 1) << 32 },
	  3 },
	{ { (uint64_t)EVENT_FREE << EVENT_VALUE_BITS | A, UINT64_MAX }, 2 },
	{ { (uint64_t)EVENT_REALLOCATION << EVENT_VALUE_BITS | A, 1, 0, 1, 0 }, 5 },
	{ { (uint64_t)EVENT_REALLOCATION << EVENT_VALUE_BITS | A, 1, 0, UINT64_MAX, A },
	  5 },
	{ { (uint64_t)EVENT_LOAD << EVENT_VALUE_BITS | 7, 1, 0, 0, 0, 0 }, 6 },
	{ { (uint64_t)EVENT_LOAD << EVENT_VALUE_BITS | 6, 1, 0, 0, 0, 0 }, 6 },
};

static void nonsense_costs_only_its_ring(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		struct fixture fixture = begin();
		struct producer one =
			producer_begin(fixture.session, 0, 42, tick(&fixture));
		struct producer two =
			producer_begin(fixture.session, 1, 43, tick(&fixture));
		producer_allocate(&one, tick(&fixture), A, 10, 1);
		for (unsigned word = 0; word < nonsense[i].nr; word++)
			producer_word(&one, nonsense[i].words[word]);
		producer_publish(&one);
		step(&fixture);
		producer_allocate(&one, tick(&fixture), B, 10, 1);
		producer_allocate(&two, tick(&fixture), C, 20, 1);
		producer_publish(&one);
		producer_publish(&two);
		step(&fixture);
		assert_int_equal(consumer_nr_abandoned(fixture.consumer), 1);
		assert_int_equal(atomic_load(&one.ring->tail), one.head);
		/* Its next thread is heard. */
		producer_end(&one, tick(&fixture));
		step(&fixture);
		one = producer_begin(fixture.session, 0, 44, tick(&fixture));
		producer_allocate(&one, tick(&fixture), B, 40, 1);
		producer_publish(&one);
		assert_int_equal(end(&fixture).live_bytes, 70);
	}
}

static void impossible_counters_are_survived(void **state)
{
	struct fixture fixture = begin();
	(void)state;
	struct session *shared = record_session_shared(fixture.session);
	struct producer one = producer_begin(fixture.session, 0, 42, tick(&fixture));
	atomic_store(&one.ring->head, UINT64_MAX / 3);
	atomic_store(&shared->nr_rings, UINT32_MAX);
	step(&fixture);
	atomic_store(&one.ring->head, 5);
	step(&fixture);
	atomic_store(&one.ring->state, 77);
	step(&fixture);
	assert_int_equal(consumer_nr_abandoned(fixture.consumer), 1);
	assert_int_equal(end(&fixture).allocations, 0);
}

/* --- the file ----------------------------------------------------------------------- */

static void what_was_flushed_is_there(void **state)
{
	bool is_cut;
	struct fixture fixture = begin();
	(void)state;
	assert_int_equal(access(path, R_OK), 0);
	struct producer one = producer_begin(fixture.session, 0, 42, tick(&fixture));
	producer_allocate(&one, tick(&fixture), A + 3, 10, 1);
	producer_publish(&one);
	step(&fixture);
	const struct trace_writer_moment moment = { .us = 2000000 };
	trace_writer_mark(fixture.trace, &moment, "here");
	assert_fine(trace_writer_flush(fixture.trace));
	struct replay *replay = replay_file(&is_cut);
	assert_true(is_cut);
	assert_int_equal(replay->totals.allocations, 1);
	assert_int_equal(replay->last_address, A + 3);
	assert_int_equal(replay->us, 2000000);
	assert_string_equal(replay->mark, "here");
	free(replay);
	end(&fixture);
}

/* How long a block lived, how many marks it saw, and who allocated it. */
static void deaths_say_how_blocks_lived(void **state)
{
	static const unsigned lives[] = { 0, 1, 1, 6, 7 };
	static const uint64_t us[] = { 999, 1000, 9999, 999999999, 1000000000 };
	bool is_cut;
	struct fixture fixture = begin();
	struct ledger ledger = { .trace = fixture.trace };
	struct record_clock clock = { .scale = 1000ull << CLOCK_SCALE_BITS,
				      .to_ticks = UINT64_MAX };
	struct record record = { .type = EVENT_THREAD, .address = 42 };
	(void)state;
	ledger.clock = &clock;
	ledger_enter(&ledger, &record, NULL);
	record = (struct record){ .type = EVENT_THREAD, .address = 43, .thread = 1 };
	ledger_enter(&ledger, &record, NULL);
	uint64_t now = 0;
	for (size_t i = 0; i < sizeof(us) / sizeof(us[0]); i++) {
		record = (struct record){
			.type = EVENT_ALLOCATION, .address = A, .time = now, .size = i
		};
		ledger_enter(&ledger, &record, NULL);
		for (size_t mark = 0; mark < i; mark++)
			assert_true(ledger_mark(&ledger, now, "mark"));
		record = (struct record){ .type = EVENT_FREE,
					  .address = A,
					  .time = now += us[i],
					  .thread = i % 2 };
		ledger_enter(&ledger, &record, NULL);
	}
	assert_fine(trace_writer_flush(fixture.trace));
	struct replay *replay = replay_file(&is_cut);
	assert_int_equal(replay->nr_deaths, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(replay->life[i], lives[i]);
		assert_int_equal(replay->marks[i], i);
		assert_int_equal(replay->who[i], i % 2);
		assert_int_equal(replay->temporary[i], !(i % 2));
	}
	free(replay);
	ledger_deinit(&ledger);
	consumer_destroy(fixture.consumer);
	trace_writer_destroy(fixture.trace);
	record_session_destroy(fixture.session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frees_are_of_their_allocations),
		cmocka_unit_test(frees_of_unknown_blocks_are_strays),
		cmocka_unit_test(strays_do_not_pile_up),
		cmocka_unit_test(rings_are_merged_by_time),
		cmocka_unit_test(a_free_may_come_a_round_early),
		cmocka_unit_test(stamps_may_be_off),
		cmocka_unit_test(an_allocation_may_come_before_the_free),
		cmocka_unit_test(the_old_place_of_a_resize_may_be_taken),
		cmocka_unit_test(the_old_place_of_a_resize_may_be_taken_twice),
		cmocka_unit_test(a_free_that_never_comes_is_implied),
		cmocka_unit_test(a_ring_goes_round_and_changes_hands),
		cmocka_unit_test(what_is_lost_is_counted),
		cmocka_unit_test(nonsense_costs_only_its_ring),
		cmocka_unit_test(impossible_counters_are_survived),
		cmocka_unit_test(what_was_flushed_is_there),
		cmocka_unit_test(deaths_say_how_blocks_lived),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
