/* consumer: see consumer.h. */
#include "record/consumer.h"

#include <stdlib.h>
#include <time.h>

#include "base/vec.h"

/* So many records are decoded before the first is entered: the memory that they need comes
   meanwhile. */
#define BATCH 64u

#define SHORTEST_NAP_NS 200000u
#define LONGEST_NAP_NS  20000000u
/* The trace is readable up to so long ago. */
#define FLUSH_US 1000000u
/* How long to wait for nodes that are being written, in all. */
#define NODE_WAIT_NS 50000u
#define NODE_WAITS   20000u
/* After the end of the program its rings are empty after one round, or somebody plays tricks. */
#define LAST_ROUNDS 1000u

struct consumer {
	struct record_session *session;
	struct trace_writer *trace;
	struct record_clock clock;
	struct rings rings;
	struct ledger ledger;
	struct record_load load;
	uint32_t nr_nodes_told;
	unsigned node_waits_left;
	bool is_recording; /* as the trace was told */
	uint64_t flushed_us;
	uint64_t nap_ns;
};

struct error *consumer_create(struct record_session *session, struct trace_writer *trace,
			      struct consumer **result)
{
	struct consumer *consumer = calloc(1, sizeof(*consumer));
	if (!consumer)
		return error_no_memory();
	struct error *error = rings_init(&consumer->rings, session);
	if (error) {
		free(consumer);
		return error;
	}
	record_clock_start(&consumer->clock);
	consumer->session = session;
	consumer->trace = trace;
	consumer->ledger.trace = trace;
	consumer->ledger.clock = &consumer->clock;
	consumer->nr_nodes_told = 1;
	consumer->node_waits_left = NODE_WAITS;
	consumer->nap_ns = SHORTEST_NAP_NS;
	consumer->is_recording = true;
	*result = consumer;
	return NULL;
}

void consumer_account(struct consumer *consumer, struct accounts *accounts,
		      struct loaded_vec *loaded)
{
	consumer->ledger.accounts = accounts;
	consumer->ledger.loaded = loaded;
}

void consumer_destroy(struct consumer *consumer)
{
	if (!consumer)
		return;
	rings_deinit(&consumer->rings);
	ledger_deinit(&consumer->ledger);
	free(consumer);
}

/* --- a round ------------------------------------------------------------------------ */

/* A node has a number before it is written, address last; no call returns to 0. */
static bool node_is_written(struct consumer *consumer, uint32_t number)
{
	const struct stack_node *node = record_session_node(consumer->session, number);
	return !node || __atomic_load_n(&node->address, __ATOMIC_ACQUIRE) != 0;
}

/* Tells the next node. One whose caller comes after it has none. */
static void tell_node(struct consumer *consumer)
{
	const uint32_t number = consumer->nr_nodes_told++;
	const struct stack_node *node = record_session_node(consumer->session, number);
	if (!node) {
		consumer->ledger.no_memory = true;
		return;
	}
	uint64_t address = __atomic_load_n(&node->address, __ATOMIC_ACQUIRE);
	uint32_t parent = __atomic_load_n(&node->parent, __ATOMIC_RELAXED);
	if (consumer->trace)
		trace_writer_node(consumer->trace, parent < number ? parent : 0, address);
}

static void tell_written_nodes(struct consumer *consumer)
{
	while (consumer->nr_nodes_told < consumer->rings.nr_nodes &&
	       node_is_written(consumer, consumer->nr_nodes_told))
		tell_node(consumer);
}

/*
 * A record names a node behind one that another thread is about to write, which takes it
 * nanoseconds, or as long as it does not get to run. A program that never writes it is not
 * waited for again and again.
 */
static void tell_nodes_up_to(struct consumer *consumer, uint32_t last)
{
	while (consumer->nr_nodes_told <= last) {
		while (!node_is_written(consumer, consumer->nr_nodes_told) &&
		       consumer->node_waits_left) {
			consumer->node_waits_left--;
			nanosleep(&(struct timespec){ .tv_nsec = NODE_WAIT_NS }, NULL);
		}
		tell_node(consumer);
	}
}

static void enter_records(struct consumer *consumer)
{
	struct record batch[BATCH];
	size_t nr;
	while ((nr = rings_take(&consumer->rings, batch, BATCH, &consumer->load))) {
		for (size_t i = 0; i < nr; i++)
			ledger_prefetch(&consumer->ledger, &batch[i]);
		for (size_t i = 0; i < nr; i++) {
			if (batch[i].node >= consumer->nr_nodes_told &&
			    batch[i].type != EVENT_UNLOAD)
				tell_nodes_up_to(consumer, batch[i].node);
			ledger_enter(&consumer->ledger, &batch[i], &consumer->load);
		}
	}
}

static void choose_nap(struct consumer *consumer)
{
	static const struct step {
		uint64_t words;
		unsigned times, of;
	} steps[] = {
		{ RING_WORDS / 2, 1, 4 },
		{ RING_WORDS / 4, 1, 2 },
		{ RING_WORDS / 8, 1, 1 },
		{ 0, 3, 2 },
	};
	size_t i = 0;
	while (consumer->rings.fullest_words < steps[i].words)
		i++;
	uint64_t nap_ns = consumer->nap_ns * steps[i].times / steps[i].of;
	if (nap_ns < SHORTEST_NAP_NS)
		nap_ns = SHORTEST_NAP_NS;
	consumer->nap_ns = nap_ns < LONGEST_NAP_NS ? nap_ns : LONGEST_NAP_NS;
}

/* The trace hears of a pause when the program has begun: it may have been paused before. */
static void tell_recording(struct consumer *consumer)
{
	const struct session *shared = record_session_shared(consumer->session);
	bool is_recording = atomic_load(&shared->recording);
	if (is_recording == consumer->is_recording)
		return;
	uint64_t us = record_clock_us(&consumer->clock, consumer->clock.to_ticks);
	if (ledger_note(&consumer->ledger, us, is_recording ? TRACE_RESUME : TRACE_PAUSE))
		consumer->is_recording = is_recording;
}

static struct error *flush_if_due(struct consumer *consumer)
{
	uint64_t now_us = record_clock_us(&consumer->clock, consumer->clock.to_ticks);
	if (!consumer->trace || now_us - consumer->flushed_us < FLUSH_US)
		return NULL;
	consumer->flushed_us = now_us;
	return trace_writer_flush(consumer->trace);
}

struct error *consumer_round(struct consumer *consumer)
{
	record_clock_read(&consumer->clock);
	atomic_store_explicit(&record_session_shared(consumer->session)->ticks,
			      consumer->clock.to_ticks, memory_order_relaxed);
	rings_begin_round(&consumer->rings, consumer->clock.to_ticks);
	tell_written_nodes(consumer);
	enter_records(consumer);
	rings_end_round(&consumer->rings);
	ledger_end_round(&consumer->ledger, consumer->clock.to_ticks);
	if (consumer->rings.untold_lost)
		ledger_lose(&consumer->ledger, consumer->rings.untold_lost);
	consumer->rings.untold_lost = 0;
	tell_recording(consumer);
	choose_nap(consumer);
	if (consumer->ledger.no_memory || consumer->rings.no_memory)
		return error_no_memory();
	return flush_if_due(consumer);
}

struct error *consumer_finish(struct consumer *consumer)
{
	struct session *shared = record_session_shared(consumer->session);
	consumer->node_waits_left = 0;
	struct error *error = consumer_round(consumer);
	for (unsigned i = 0; !error && i < LAST_ROUNDS; i++) {
		if (rings_are_empty(&consumer->rings))
			break;
		error = consumer_round(consumer);
	}
	if (error)
		return error;
	rings_count_lost(&consumer->rings);
	uint64_t lost = consumer->rings.untold_lost + atomic_load(&shared->lost_events);
	if (lost)
		ledger_lose(&consumer->ledger, lost);
	ledger_finish(&consumer->ledger);
	return consumer->ledger.no_memory ? error_no_memory() : NULL;
}

/* --- control ----------------------------------------------------------------------- */

void consumer_set_recording(struct consumer *consumer, bool is_recording)
{
	atomic_store(&record_session_shared(consumer->session)->recording, is_recording);
}

bool consumer_mark(struct consumer *consumer, const char *name)
{
	return ledger_mark(&consumer->ledger, consumer_now_us(consumer), name);
}

/* --- questions ---------------------------------------------------------------------- */

uint64_t consumer_nap_ns(const struct consumer *consumer)
{
	return consumer->nap_ns;
}

const struct ledger *consumer_ledger(const struct consumer *consumer)
{
	return &consumer->ledger;
}

uint64_t consumer_now_us(struct consumer *consumer)
{
	record_clock_read(&consumer->clock);
	return record_clock_us(&consumer->clock, consumer->clock.to_ticks);
}

uint64_t consumer_nr_abandoned(const struct consumer *consumer)
{
	return consumer->rings.nr_abandoned;
}
