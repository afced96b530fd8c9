/*
 * rings: see rings.h.
 *
 * The program and seep share heads (the program stores with release, seep loads with acquire),
 * tails (the other way round) and `waits`: a thread sets it, looks at the tail once more, and
 * sleeps; seep stores the tail, and only then looks at `waits`. Both are sequentially
 * consistent, so that one of the two sees what the other did.
 */
#include "record/rings.h"

#include <stdlib.h>
#include <string.h>

/* Room is given back when so much has been read, and at the end of a round. */
#define PUBLISH_WORDS (RING_WORDS / 2)
/* Another processor wrote them last: they are asked for so many words before they are read. */
#define WORDS_AHEAD 64u
/* What is stamped this far in the future is no time: some ten seconds of the fastest clock, an hour
   of the slowest. */
#define FAR_TICKS (UINT64_C(1) << 36)

struct error *rings_init(struct rings *rings, struct record_session *session)
{
	*rings = (struct rings){ .session = session, .nr_nodes = 1 };
	rings->states = calloc(SESSION_RINGS, sizeof(*rings->states));
	rings->heap = calloc(SESSION_RINGS, sizeof(*rings->heap));
	if (rings->states && rings->heap)
		return NULL;
	rings_deinit(rings);
	return error_no_memory();
}

void rings_deinit(struct rings *rings)
{
	free(rings->states);
	free(rings->heap);
	*rings = (struct rings){ 0 };
}

void rings_change(struct rings *rings, struct record_session *session)
{
	memset(rings->states, 0, SESSION_RINGS * sizeof(*rings->states));
	rings->session = session;
	rings->nr_heap = rings->nr_rings = 0;
	rings->nr_nodes = 1;
}

/* --- one ring ----------------------------------------------------------------------- */

static void abandon(struct rings *rings, struct ring_progress *state)
{
	state->is_abandoned = true;
	state->tail = state->head;
	rings->nr_abandoned++;
}

/* Sets the time of the next record; false if none is to be taken in this round. */
static bool peek(struct rings *rings, uint32_t i, uint64_t *time)
{
	struct ring_progress *state = &rings->states[i];
	uint64_t nr = state->head - state->tail;
	if (!nr)
		return false;
	if (record_word(state->ring, state->tail) & EVENT_AGAIN) {
		*time = state->last_time;
		return true;
	}
	uint64_t stamp = record_word(state->ring, state->tail + 1);
	if (nr < 2 || (stamp > rings->horizon && stamp - rings->horizon > FAR_TICKS)) {
		abandon(rings, state);
		return false;
	}
	*time = stamp > state->last_time ? stamp : state->last_time;
	return stamp <= rings->horizon;
}

/* The next record; false if there is none. */
static bool take(struct rings *rings, uint32_t i, uint64_t time, struct record *record,
		 struct record_load *load)
{
	struct ring_progress *state = &rings->states[i];
	__builtin_prefetch(ring_word(state->ring, state->tail + WORDS_AHEAD));
	unsigned nr = record_decode(state->ring, state->tail, state->head - state->tail,
				    rings->nr_nodes, record, load);
	if (nr && record->type == EVENT_THREAD)
		state->thread = ++rings->nr_threads;
	if (!nr || !state->thread) {
		abandon(rings, state);
		return false;
	}
	if (record->type == EVENT_GAP)
		state->lost += record->address;
	record->thread = state->thread - 1;
	record->time = state->last_time = time;
	state->tail += nr;
	return true;
}

static void publish(struct rings *rings, uint32_t i)
{
	struct ring *ring = rings->states[i].ring;
	atomic_store(&ring->tail, rings->states[i].tail);
	rings->states[i].published = rings->states[i].tail;
	if (atomic_load(&ring->waits))
		record_session_wake(ring);
}

/* --- the order of rings ------------------------------------------------------------- */

static void sift_down(struct rings *rings, uint32_t at)
{
	struct ring_cursor moved = rings->heap[at];
	for (;;) {
		uint32_t child = 2 * at + 1;
		if (child >= rings->nr_heap)
			break;
		if (child + 1 < rings->nr_heap &&
		    rings->heap[child + 1].time < rings->heap[child].time)
			child++;
		if (rings->heap[child].time >= moved.time)
			break;
		rings->heap[at] = rings->heap[child];
		at = child;
	}
	rings->heap[at] = moved;
}

/* When the first ring must stand back. */
static uint64_t next_ring_time(const struct rings *rings)
{
	uint64_t time = UINT64_MAX;
	for (uint32_t child = 1; child <= 2 && child < rings->nr_heap; child++)
		if (rings->heap[child].time < time)
			time = rings->heap[child].time;
	return time;
}

/* Records of the first ring for as long as no other has an earlier one. */
static size_t take_run(struct rings *rings, struct record *records, size_t nr,
		       struct record_load *load)
{
	struct ring_cursor *first = &rings->heap[0];
	const uint64_t until = next_ring_time(rings);
	size_t taken = 0;
	bool more = true;
	while (more && taken < nr && first->time <= until) {
		more = take(rings, first->ring, first->time, &records[taken], load);
		taken += more;
		bool is_load = more && records[taken - 1].type == EVENT_LOAD;
		more = more && peek(rings, first->ring, &first->time);
		if (is_load)
			break;
	}
	const struct ring_progress *state = &rings->states[first->ring];
	if (state->tail - state->published >= PUBLISH_WORDS)
		publish(rings, first->ring);
	if (!more)
		*first = rings->heap[--rings->nr_heap];
	if (rings->nr_heap)
		sift_down(rings, 0);
	return taken;
}

size_t rings_take(struct rings *rings, struct record *records, size_t nr,
		  struct record_load *load)
{
	size_t taken = 0;
	while (taken < nr && rings->nr_heap) {
		taken += take_run(rings, records + taken, nr - taken, load);
		if (taken && records[taken - 1].type == EVENT_LOAD)
			break;
	}
	return taken;
}

/* --- rounds ------------------------------------------------------------------------- */

/* How far the ring is written. */
static void look_at(struct rings *rings, uint32_t i)
{
	struct ring_progress *state = &rings->states[i];
	struct ring *ring = state->ring;
	if (!ring)
		ring = state->ring = record_session_ring(rings->session, i);
	rings->no_memory |= !ring;
	state->is_active = false;
	if (!ring)
		return;
	uint32_t ring_state = atomic_load(&ring->state);
	state->has_ended = ring_state == RING_ENDED;
	state->head = atomic_load_explicit(&ring->head, memory_order_acquire);
	state->is_active = state->head != state->tail || state->has_ended;
	if (!state->is_active)
		return;
	uint64_t words = state->head - state->tail;
	if (words > RING_WORDS && !state->is_abandoned)
		abandon(rings, state);
	if (state->is_abandoned)
		state->tail = state->head;
	else if (words > rings->fullest_words)
		rings->fullest_words = words;
}

/* After the heads, so that all nodes that records may name are known. */
static void look_at_nodes(struct rings *rings)
{
	uint32_t nr = atomic_load_explicit(
		&record_session_shared(rings->session)->nr_nodes, memory_order_acquire);
	if (nr > SESSION_NODES)
		nr = SESSION_NODES;
	if (nr > rings->nr_nodes)
		rings->nr_nodes = nr;
}

void rings_begin_round(struct rings *rings, uint64_t horizon)
{
	uint32_t nr = atomic_load_explicit(
		&record_session_shared(rings->session)->nr_rings, memory_order_acquire);
	rings->nr_rings = nr < SESSION_RINGS ? nr : SESSION_RINGS;
	rings->horizon = horizon;
	rings->nr_heap = 0;
	rings->fullest_words = 0;
	for (uint32_t i = 0; i < rings->nr_rings; i++)
		look_at(rings, i);
	look_at_nodes(rings);
	for (uint32_t i = 0; i < rings->nr_rings; i++) {
		struct ring_cursor cursor = { .ring = i };
		if (rings->states[i].is_active && peek(rings, i, &cursor.time))
			rings->heap[rings->nr_heap++] = cursor;
	}
	for (uint32_t i = rings->nr_heap / 2; i-- > 0;)
		sift_down(rings, i);
}

static void count_lost(struct rings *rings, uint32_t i)
{
	uint64_t lost = atomic_load(&rings->states[i].ring->lost);
	if (lost > rings->states[i].lost)
		rings->untold_lost += lost - rings->states[i].lost;
	rings->states[i].lost = lost;
}

/* All of it was read: another thread may have it, which counts its words from there on. */
static void give_back(struct rings *rings, uint32_t i)
{
	struct ring *ring = rings->states[i].ring;
	count_lost(rings, i);
	rings->states[i] = (struct ring_progress){
		.ring = ring,
		.tail = rings->states[i].tail,
		.published = rings->states[i].tail,
	};
	atomic_store(&ring->state, RING_FREE);
}

void rings_end_round(struct rings *rings)
{
	for (uint32_t i = 0; i < rings->nr_rings; i++) {
		const struct ring_progress *state = &rings->states[i];
		if (!state->is_active)
			continue;
		if (state->tail != state->published)
			publish(rings, i);
		if (state->has_ended && state->tail == state->head)
			give_back(rings, i);
	}
}

bool rings_are_empty(const struct rings *rings)
{
	for (uint32_t i = 0; i < rings->nr_rings; i++)
		if (rings->states[i].tail != atomic_load(&rings->states[i].ring->head))
			return false;
	return true;
}

void rings_count_lost(struct rings *rings)
{
	for (uint32_t i = 0; i < rings->nr_rings; i++)
		if (rings->states[i].ring)
			count_lost(rings, i);
}
