/* Tests of raw/solo.h and record/solo.h: who is solo, and that no event comes before what led to it. */
#include "record/solo.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "producer.h"
#include "raw/solo.h"

static void assert_fine(struct error *error)
{
	if (error)
		fail_msg("%s", error->sentence);
}

/* --- a session and seep's side of it ------------------------------------------------ */

struct side {
	struct record_session *session;
	struct session *shared;
	struct rings rings;
	struct solo solo;
};

static void open_side(struct side *side)
{
	const struct record_session_options options = { .max_frames = 16 };
	*side = (struct side){ 0 };
	assert_fine(record_session_create(&options, &side->session));
	side->shared = record_session_shared(side->session);
	atomic_store(&side->shared->has_barrier, 1);
	assert_fine(rings_init(&side->rings, side->session));
	producer_join(side->session, 1);
}

static void close_side(struct side *side)
{
	rings_deinit(&side->rings);
	record_session_destroy(side->session);
}

typedef void see_record(void *context, const struct record *record);

static void take_round(struct side *side, see_record *see, void *context)
{
	struct record records[64];
	struct record_load load = { 0 };
	size_t nr;
	uint64_t now = event_now_in_order();
	atomic_store_explicit(&side->shared->ticks, now, memory_order_relaxed);
	rings_begin_round(&side->rings, now);
	while ((nr = rings_take(&side->rings, records, 64, &load)) != 0)
		for (size_t i = 0; see && i < nr; i++)
			see(context, &records[i]);
	rings_end_round(&side->rings);
	solo_end_round(&side->solo, &side->rings, side->shared);
}

static void allocate_much(struct producer *producer)
{
	for (int i = 0; i < 400; i++)
		producer_allocate(producer, event_now(), 0x10000 + 16 * (uint64_t)i, 8,
				  1);
	producer_publish(producer);
}

static uint32_t solo_now(const struct side *side)
{
	return atomic_load(&side->shared->solo);
}

/* --- who is solo --------------------------------------------------------------------- */

static void who_records_alone_is_solo(void **state)
{
	(void)state;
	struct side side;
	open_side(&side);
	struct producer busy = producer_begin(side.session, 0, 1, event_now());
	struct producer idle = producer_begin(side.session, 1, 2, event_now());
	(void)idle;
	take_round(&side, NULL, NULL);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(solo_now(&side), SOLO_NOBODY);
		allocate_much(&busy);
		take_round(&side, NULL, NULL);
	}
	assert_int_equal(solo_now(&side), solo_of(0));
	assert_true(solo_enter(side.shared, busy.ring, 0));
	close_side(&side);
}

static void others_end_it_before_they_have_a_time(void **state)
{
	(void)state;
	struct side side;
	open_side(&side);
	struct producer busy = producer_begin(side.session, 0, 1, event_now());
	struct producer other = producer_begin(side.session, 1, 2, event_now());
	for (int i = 0; i < 4; i++) {
		allocate_much(&busy);
		take_round(&side, NULL, NULL);
	}
	assert_int_equal(solo_now(&side), solo_of(0));
	assert_false(solo_enter(side.shared, other.ring, 1));
	assert_int_equal(solo_now(&side), SOLO_NOBODY);
	assert_false(solo_enter(side.shared, busy.ring, 0));
	close_side(&side);
}

static void nobody_is_solo_while_another_is_inside(void **state)
{
	(void)state;
	struct side side;
	open_side(&side);
	struct producer busy = producer_begin(side.session, 0, 1, event_now());
	struct producer other = producer_begin(side.session, 1, 2, event_now());
	take_round(&side, NULL, NULL);
	assert_false(solo_enter(side.shared, other.ring, 1));
	for (int i = 0; i < 64; i++) {
		allocate_much(&busy);
		take_round(&side, NULL, NULL);
		assert_int_equal(solo_now(&side), SOLO_NOBODY);
	}
	solo_leave(other.ring);
	for (int i = 0; i < 1024 && solo_now(&side) == SOLO_NOBODY; i++) {
		allocate_much(&busy);
		take_round(&side, NULL, NULL);
	}
	assert_int_equal(solo_now(&side), solo_of(0));
	close_side(&side);
}

static void two_that_record_are_never_solo(void **state)
{
	(void)state;
	struct side side;
	open_side(&side);
	struct producer one = producer_begin(side.session, 0, 1, event_now());
	struct producer two = producer_begin(side.session, 1, 2, event_now());
	for (int i = 0; i < 64; i++) {
		allocate_much(&one);
		allocate_much(&two);
		take_round(&side, NULL, NULL);
		assert_int_equal(solo_now(&side), SOLO_NOBODY);
	}
	close_side(&side);
}

static void without_a_barrier_nobody_is(void **state)
{
	(void)state;
	struct side side;
	open_side(&side);
	atomic_store(&side.shared->has_barrier, 0);
	struct producer one = producer_begin(side.session, 0, 1, event_now());
	struct producer two = producer_begin(side.session, 1, 2, event_now());
	(void)two;
	for (int i = 0; i < 64; i++) {
		allocate_much(&one);
		take_round(&side, NULL, NULL);
		assert_int_equal(solo_now(&side), SOLO_NOBODY);
	}
	close_side(&side);
}

/* --- order ---------------------------------------------------------------------------- */

enum {
	HANDOFFS = 100,
	ALONE = 500,
	MOST_ALONE = 20000,
	HANDED = 0x800000,
	OWN = 0x10000
};

/* A thread of a program that records as the runtime does. */
struct worker {
	pthread_t thread;
	struct side *side;
	struct producer producer;
	uint32_t number;
};

/* The block is HANDED's owner's: it goes to and fro. */
static _Atomic uint32_t turn, nr_handed;
static _Atomic uint64_t nr_solo_times;

static uint64_t time_of_event(struct worker *worker)
{
	struct session *shared = worker->side->shared;
	if (!solo_enter(shared, worker->producer.ring, worker->number))
		return event_now_in_order();
	atomic_fetch_add_explicit(&nr_solo_times, 1, memory_order_relaxed);
	return atomic_load_explicit(&shared->ticks, memory_order_relaxed);
}

static void publish(struct worker *worker)
{
	producer_publish(&worker->producer);
	solo_leave(worker->producer.ring);
}

static void wait_for_room(const struct worker *worker)
{
	while (worker->producer.head + 8 -
		       atomic_load_explicit(&worker->producer.ring->tail,
					    memory_order_acquire) >
	       RING_WORDS)
		sched_yield();
}

static void record_allocation(struct worker *worker, uint64_t address)
{
	wait_for_room(worker);
	producer_allocate(&worker->producer, time_of_event(worker), address, 8, 1);
	publish(worker);
}

static void record_free(struct worker *worker, uint64_t address)
{
	wait_for_room(worker);
	producer_free(&worker->producer, time_of_event(worker), address);
	publish(worker);
}

static bool is_solo(const struct worker *worker)
{
	return solo_now(worker->side) == solo_of(worker->number);
}

/* Who has the turn frees what it was handed, and goes on alone until it is solo before it hands a
   block over. */
static void *work(void *argument)
{
	struct worker *worker = argument;
	while (atomic_load(&nr_handed) < HANDOFFS) {
		if (atomic_load(&turn) != worker->number) {
			sched_yield();
			continue;
		}
		if (atomic_load(&nr_handed) > 0)
			record_free(worker, HANDED);
		for (int i = 0; i < ALONE || (i < MOST_ALONE && !is_solo(worker)); i++) {
			record_allocation(worker, OWN + 16 * worker->number);
			record_free(worker, OWN + 16 * worker->number);
		}
		record_allocation(worker, HANDED);
		atomic_fetch_add(&nr_handed, 1);
		atomic_store(&turn, 1 - worker->number);
	}
	return NULL;
}

/* What seep sees of HANDED. */
struct order {
	bool is_live;
	uint64_t nr_seen, nr_wrong;
};

static void see_handed(void *context, const struct record *record)
{
	struct order *order = context;
	if (record->address != HANDED ||
	    (record->type != EVENT_ALLOCATION && record->type != EVENT_FREE))
		return;
	bool begins = record->type == EVENT_ALLOCATION;
	order->nr_wrong += begins == order->is_live;
	order->nr_seen++;
	order->is_live = begins;
}

static void handed_blocks_are_in_order(void **state)
{
	(void)state;
	struct side side;
	struct worker workers[2];
	struct order order = { 0 };
	open_side(&side);
	assert_int_equal(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED,
				 0, 0),
			 0);
	for (uint32_t i = 0; i < 2; i++) {
		workers[i] = (struct worker){ .side = &side, .number = i };
		workers[i].producer =
			producer_begin(side.session, i, 1 + (int32_t)i, event_now());
	}
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(
			pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	while (atomic_load(&nr_handed) < HANDOFFS) {
		take_round(&side, see_handed, &order);
		/* As eager as can be. */
		side.solo.patience = 2;
	}
	for (uint32_t i = 0; i < 2; i++)
		pthread_join(workers[i].thread, NULL);
	take_round(&side, see_handed, &order);
	assert_int_equal(order.nr_wrong, 0);
	assert_true(order.nr_seen >= 2 * HANDOFFS - 1);
	assert_true(atomic_load(&nr_solo_times) > 0);
	close_side(&side);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_records_alone_is_solo),
		cmocka_unit_test(others_end_it_before_they_have_a_time),
		cmocka_unit_test(nobody_is_solo_while_another_is_inside),
		cmocka_unit_test(two_that_record_are_never_solo),
		cmocka_unit_test(without_a_barrier_nobody_is),
		cmocka_unit_test(handed_blocks_are_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
