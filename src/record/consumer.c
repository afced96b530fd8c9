/* consumer: see consumer.h. */
#include "record/consumer.h"

#include <stdlib.h>

#include "base/vec.h"

/* So many records are decoded before the first is entered: the memory that they need comes
   meanwhile. */
#define BATCH 64u

#define SHORTEST_NAP_NS 50000u
#define LONGEST_NAP_NS  20000000u
/* The trace is readable up to so long ago. */
#define FLUSH_US 1000000u
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
	consumer->nap_ns = SHORTEST_NAP_NS;
	*result = consumer;
	return NULL;
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

/* Nodes that came since the last round. One whose caller comes after it has none. */
static void tell_nodes(struct consumer *consumer)
{
	const struct stack_node *nodes = record_session_nodes(consumer->session);
	uint32_t number = consumer->nr_nodes_told;
	for (; number < consumer->rings.nr_nodes && consumer->trace; number++) {
		uint32_t parent =
			__atomic_load_n(&nodes[number].parent, __ATOMIC_RELAXED);
		uint64_t address =
			__atomic_load_n(&nodes[number].address, __ATOMIC_RELAXED);
		trace_writer_node(consumer->trace, parent < number ? parent : 0, address);
	}
	consumer->nr_nodes_told = number;
}

static void enter_records(struct consumer *consumer)
{
	struct record batch[BATCH];
	size_t nr;
	while ((nr = rings_take(&consumer->rings, batch, BATCH, &consumer->load))) {
		for (size_t i = 0; i < nr; i++)
			ledger_prefetch(&consumer->ledger, &batch[i]);
		for (size_t i = 0; i < nr; i++)
			ledger_enter(&consumer->ledger, &batch[i], &consumer->load);
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
	tell_nodes(consumer);
	enter_records(consumer);
	rings_end_round(&consumer->rings);
	ledger_end_round(&consumer->ledger, consumer->clock.to_ticks);
	if (consumer->rings.untold_lost)
		ledger_lose(&consumer->ledger, consumer->rings.untold_lost);
	consumer->rings.untold_lost = 0;
	choose_nap(consumer);
	if (consumer->ledger.no_memory)
		return error_no_memory();
	return flush_if_due(consumer);
}

struct error *consumer_finish(struct consumer *consumer)
{
	struct session *shared = record_session_shared(consumer->session);
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
