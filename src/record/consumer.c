/* consumer: see consumer.h. */
#include "record/consumer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/vec.h"
#include "record/solo.h"

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
/* After the end of the program its rings are empty after one round, and no other program comes, or
   somebody plays tricks. */
#define LAST_ROUNDS 1000u

/* Of programs that are gone. */
DEFINE_VEC(stack_node_vec, struct stack_node);

struct consumer {
	struct succession sessions;
	struct trace_writer *trace;
	struct record_clock clock;
	struct rings rings;
	struct solo solo;
	struct ledger ledger;
	struct record_load load;
	struct loaded_vec loaded; /* unless somebody else wants it */
	uint32_t nr_nodes_told;   /* of the current session */
	uint32_t nr_earlier;      /* nodes of sessions before; node 0 is one of each */
	struct stack_node_vec
		earlier;  /* these, unless there is a trace; from node 1 on */
	uint32_t trouble; /* the first of the sessions before */
	char *program;    /* that was executed last; NULL: none was */
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
	if (!error)
		error = succession_begin(&consumer->sessions, session);
	if (error) {
		consumer_destroy(consumer);
		return error;
	}
	record_clock_start(&consumer->clock);
	consumer->trace = trace;
	consumer->ledger.trace = trace;
	consumer->ledger.clock = &consumer->clock;
	if (record_session_follows(session))
		consumer->ledger.loaded = &consumer->loaded;
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
	loaded_deinit(&consumer->loaded);
	free(consumer->program);
	stack_node_vec_deinit(&consumer->earlier);
	succession_deinit(&consumer->sessions);
	free(consumer);
}

static struct session *shared_of(const struct consumer *consumer)
{
	return record_session_shared(consumer->sessions.current);
}

/* --- a round ------------------------------------------------------------------------ */

/* A node has a number before it is written, address last; no call returns to 0. */
static bool node_is_written(struct consumer *consumer, uint32_t number)
{
	const struct stack_node *node =
		record_session_node(consumer->sessions.current, number);
	return !node || __atomic_load_n(&node->address, __ATOMIC_ACQUIRE) != 0;
}

/* The number of a program's node among those of all. */
static inline uint32_t number_of(const struct consumer *consumer, uint32_t node)
{
	return node ? node + consumer->nr_earlier : 0;
}

/* Of a node that something begins with. */
static uint32_t first_number_of(const struct consumer *consumer, uint32_t node)
{
	return node || !consumer->nr_earlier ? node + consumer->nr_earlier
					     : consumer->nr_earlier + 1;
}

/* A node of the current session as one of all. One whose caller comes after it has none. */
static bool read_node(const struct consumer *consumer, uint32_t number,
		      struct stack_node *node)
{
	const struct stack_node *from =
		record_session_node(consumer->sessions.current, number);
	if (!from)
		return false;
	uint32_t parent = __atomic_load_n(&from->parent, __ATOMIC_RELAXED);
	*node = (struct stack_node){
		.address = __atomic_load_n(&from->address, __ATOMIC_ACQUIRE),
		.parent = number_of(consumer, parent < number ? parent : 0),
	};
	return true;
}

static void tell_node(struct consumer *consumer)
{
	struct stack_node node;
	if (!read_node(consumer, consumer->nr_nodes_told++, &node))
		consumer->ledger.no_memory = true;
	else if (consumer->trace)
		trace_writer_node(consumer->trace, node.parent, node.address);
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

/* The record with its node told, and numbered among those of all programs. */
static void number_node(struct consumer *consumer, struct record *record)
{
	if (record->type == EVENT_UNLOAD) {
		record->node = first_number_of(consumer, record->node);
		return;
	}
	if (record->type == EVENT_LOAD)
		consumer->load.first_node =
			first_number_of(consumer, consumer->load.first_node);
	if (record->node >= consumer->nr_nodes_told)
		tell_nodes_up_to(consumer, record->node);
	record->node = number_of(consumer, record->node);
}

static void enter_records(struct consumer *consumer)
{
	struct record batch[BATCH];
	size_t nr;
	while ((nr = rings_take(&consumer->rings, batch, BATCH, &consumer->load))) {
		for (size_t i = 0; i < nr; i++) {
			number_node(consumer, &batch[i]);
			ledger_prefetch(&consumer->ledger, &batch[i]);
		}
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

/* The trace hears of a pause when the program has begun: it may have been paused before. */
static void tell_recording(struct consumer *consumer)
{
	const struct session *shared = shared_of(consumer);
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

static struct error *take_round(struct consumer *consumer)
{
	record_clock_read(&consumer->clock);
	atomic_store_explicit(&shared_of(consumer)->ticks, consumer->clock.to_ticks,
			      memory_order_relaxed);
	rings_begin_round(&consumer->rings, consumer->clock.to_ticks);
	tell_written_nodes(consumer);
	enter_records(consumer);
	rings_end_round(&consumer->rings);
	solo_end_round(&consumer->solo, &consumer->rings, shared_of(consumer));
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

/* --- the end of a program ----------------------------------------------------------- */

/* Its threads are no more: takes what they have left. */
static struct error *take_rest(struct consumer *consumer)
{
	consumer->node_waits_left = 0;
	struct error *error = take_round(consumer);
	for (unsigned i = 0; !error && i < LAST_ROUNDS; i++) {
		if (rings_are_empty(&consumer->rings))
			break;
		error = take_round(consumer);
	}
	if (error)
		return error;
	rings_count_lost(&consumer->rings);
	uint64_t lost = consumer->rings.untold_lost +
			atomic_load(&shared_of(consumer)->lost_events);
	consumer->rings.untold_lost = 0;
	if (lost)
		ledger_lose(&consumer->ledger, lost);
	return NULL;
}

/* The current session's memory is about to go. */
static void keep_nodes(struct consumer *consumer)
{
	struct stack_node node;
	for (uint32_t i = 1; !consumer->trace && i < consumer->nr_nodes_told; i++)
		consumer->ledger.no_memory |=
			!read_node(consumer, i, &node) ||
			!stack_node_vec_push(&consumer->earlier, node);
	consumer->nr_earlier += consumer->nr_nodes_told - 1;
	consumer->nr_nodes_told = 1;
}

/* The name that the program was executed by, which is the program's to write. */
static void read_program(const struct consumer *consumer, char *program)
{
	const volatile char *from =
		record_session_shared(consumer->sessions.next)->program;
	size_t i = 0;
	for (; i < SESSION_PROGRAM_BYTES - 1 && (program[i] = from[i]); i++)
		;
	program[i] = '\0';
}

/* Goes on with the program that the process has executed. */
static struct error *change_program(struct consumer *consumer)
{
	char program[SESSION_PROGRAM_BYTES];
	struct error *error = take_rest(consumer);
	if (error)
		return error;
	if (!consumer->trouble)
		consumer->trouble = atomic_load(&shared_of(consumer)->trouble);
	read_program(consumer, program);
	free(consumer->program);
	consumer->program = strdup(program);
	keep_nodes(consumer);
	ledger_replace(&consumer->ledger, program, consumer->nr_earlier + 1);
	bool more = consumer->nr_earlier < UINT32_MAX - 2 * SESSION_NODES;
	succession_advance(&consumer->sessions, more);
	rings_change(&consumer->rings, consumer->sessions.current);
	consumer->solo = (struct solo){ 0 };
	consumer->node_waits_left = NODE_WAITS;
	/* It may soon execute another, which would have to wait. */
	consumer->nap_ns = SHORTEST_NAP_NS;
	return NULL;
}

struct error *consumer_round(struct consumer *consumer)
{
	struct error *error = NULL;
	if (succession_is_due(&consumer->sessions))
		error = change_program(consumer);
	return error ? error : take_round(consumer);
}

struct error *consumer_finish(struct consumer *consumer)
{
	struct error *error = NULL;
	for (unsigned i = 0; !error && i < LAST_ROUNDS; i++) {
		if (!succession_is_due(&consumer->sessions))
			break;
		error = change_program(consumer);
	}
	if (!error)
		error = take_rest(consumer);
	if (error)
		return error;
	ledger_finish(&consumer->ledger);
	return consumer->ledger.no_memory ? error_no_memory() : NULL;
}

/* --- control ----------------------------------------------------------------------- */

void consumer_set_recording(struct consumer *consumer, bool is_recording)
{
	succession_set_recording(&consumer->sessions, is_recording);
}

bool consumer_mark(struct consumer *consumer, const char *name)
{
	return ledger_mark(&consumer->ledger, consumer_now_us(consumer), name);
}

void consumer_end(struct consumer *consumer)
{
	succession_end(&consumer->sessions);
}

/* --- questions ---------------------------------------------------------------------- */

bool consumer_has_all(const struct consumer *consumer)
{
	const struct rings *rings = &consumer->rings;
	uint64_t lost = consumer->ledger.totals.lost + rings->untold_lost +
			rings->nr_abandoned +
			atomic_load(&shared_of(consumer)->lost_events);
	for (uint32_t i = 0; !lost && i < rings->nr_rings; i++)
		if (rings->states[i].ring)
			lost = atomic_load(&rings->states[i].ring->lost);
	return !lost && consumer_state(consumer) == SESSION_JOINED;
}

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

enum session_state consumer_state(const struct consumer *consumer)
{
	return (enum session_state)atomic_load(&shared_of(consumer)->state);
}

enum session_trouble consumer_trouble(const struct consumer *consumer)
{
	return (enum session_trouble)(
		consumer->trouble ? consumer->trouble
				  : atomic_load(&shared_of(consumer)->trouble));
}

uint32_t consumer_nr_missed(const struct consumer *consumer)
{
	return succession_nr_missed(&consumer->sessions);
}

/* One that could not be executed has the session joined again. */
bool consumer_is_replaced(const struct consumer *consumer)
{
	return consumer->ledger.executed && consumer_state(consumer) == SESSION_LEFT;
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}

char *consumer_title(const struct consumer *consumer, const char *command)
{
	char *title = NULL;
	if (!consumer->program)
		return strdup(name_of(command));
	return asprintf(&title, "%s, then %s", name_of(command),
			*consumer->program ? name_of(consumer->program)
					   : "another program") < 0
		       ? NULL
		       : title;
}

uint32_t consumer_nr_nodes(const struct consumer *consumer)
{
	uint32_t known = atomic_load(&shared_of(consumer)->nr_nodes);
	known = known ? known : 1;
	return consumer->nr_earlier + (known < SESSION_NODES ? known : SESSION_NODES);
}

bool consumer_node(const struct consumer *consumer, uint32_t number,
		   struct stack_node *node)
{
	if (number && number <= consumer->nr_earlier) {
		*node = consumer->earlier.items[number - 1];
		return true;
	}
	return read_node(consumer, number ? number - consumer->nr_earlier : 0, node);
}
