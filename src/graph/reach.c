/*
 * reach: see reach.h.
 *
 * Marking is bound by cache misses, so each block passes two short queues: in the first its
 * row is on its way to the cache, in the second its edges (after Cher, Hosking, Vitek,
 * "Software prefetching for mark-sweep garbage collection", ASPLOS 2004).
 *
 * Several threads mark together. The state of a block is a byte of its own, read and written
 * without locks: at worst two threads meet a block at once and both look into it, which is
 * only double work. A thread with much to do gives some to one that has nothing.
 *
 * Lock: `lock` guards shared.pool, nr_pooled, nr_idle, failed; a marker's own stack and
 * queues are touched by its thread alone.
 */
#include "graph/reach.h"

#include <pthread.h>
#include <string.h>

#include "base/bitmap.h"

#define QUEUE        16u /* a power of two */
#define MOST_MARKERS 16u
/* Fewer edges than this are marked before a second thread has started. */
#define WORTH_A_THREAD 500000u
/* So many blocks are handed over at once. */
#define HANDOVER 512u

enum state {
	STATE_EDGED = 1 << 0, /* has edges to follow */
	STATE_MARKED = 1 << 1,
};

struct edge_run {
	const uint32_t *edges;
	uint64_t nr;
};

struct shared {
	const struct graph *graph;
	struct area states;      /* uint8_t by rank: enum state */
	enum edge_class weakest; /* edges of classes past this one are not followed */
	unsigned nr_markers;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct area pool; /* uint32_t[]: marked, for anyone to look into */
	uint64_t nr_pooled;
	unsigned nr_idle;
	bool wanted; /* somebody is idle: read without the lock, as a hint */
	bool failed;
};

struct marker {
	struct shared *shared;
	struct area stack; /* uint32_t[]: marked, to be looked into */
	uint64_t depth;
	uint32_t rows[QUEUE]; /* first queue: blocks whose rows are being fetched */
	unsigned rows_head, rows_tail;
	struct edge_run runs[QUEUE]; /* second queue: their edges are being fetched */
	unsigned runs_head, runs_tail;
};

static bool reserve_words(struct area *area, uint64_t nr)
{
	size_t bytes = nr * sizeof(uint32_t);
	return bytes <= area->bytes || area_reserve(area, bytes);
}

/* Marks a block; one that has edges is remembered to be looked into. Whether it was marked
   before is as good as random, so there is no branch on it: the processor goes on to the
   next edge while this one's cache misses are under way. The stack has room. */
static inline void meet(struct marker *marker, uint32_t rank)
{
	uint8_t *state = (uint8_t *)marker->shared->states.memory + rank;
	uint8_t before = __atomic_load_n(state, __ATOMIC_RELAXED);
	__atomic_store_n(state, before | STATE_MARKED, __ATOMIC_RELAXED);
	((uint32_t *)marker->stack.memory)[marker->depth] = rank;
	marker->depth += before == STATE_EDGED;
}

static bool look_into(struct marker *marker, const struct edge_run *run)
{
	if (!reserve_words(&marker->stack, marker->depth + run->nr + 1))
		return false;
	enum edge_class weakest = marker->shared->weakest;
	for (uint64_t i = 0; i < run->nr; i++) {
		uint32_t edge = run->edges[i];
		if (edge != EDGE_NONE && edge_class(edge) <= weakest)
			meet(marker, edge_rank(edge));
	}
	return true;
}

static void fetch_row(struct marker *marker)
{
	uint32_t rank = ((uint32_t *)marker->stack.memory)[--marker->depth];
	__builtin_prefetch(graph_row(marker->shared->graph, rank));
	marker->rows[marker->rows_tail++ % QUEUE] = rank;
}

static void fetch_edges(struct marker *marker)
{
	uint32_t rank = marker->rows[marker->rows_head++ % QUEUE];
	struct edge_run run;
	run.edges = graph_edges(marker->shared->graph, rank, &run.nr);
	__builtin_prefetch(run.edges);
	marker->runs[marker->runs_tail++ % QUEUE] = run;
}

/* Gives the oldest of much work to the pool: what lies deepest leads farthest. */
static bool hand_over(struct marker *marker)
{
	struct shared *shared = marker->shared;
	uint32_t *stack = marker->stack.memory;
	pthread_mutex_lock(&shared->lock);
	bool good = reserve_words(&shared->pool, shared->nr_pooled + HANDOVER);
	if (good) {
		memcpy((uint32_t *)shared->pool.memory + shared->nr_pooled, stack,
		       HANDOVER * sizeof(*stack));
		shared->nr_pooled += HANDOVER;
		__atomic_store_n(&shared->wanted, false, __ATOMIC_RELAXED);
		pthread_cond_signal(&shared->changed);
	}
	pthread_mutex_unlock(&shared->lock);
	if (!good)
		return false;
	/* The order of a stack does not matter: its top fills the hole. */
	marker->depth -= HANDOVER;
	memcpy(stack, stack + marker->depth, HANDOVER * sizeof(*stack));
	return true;
}

/* Keeps both queues full as long as the stack has blocks, then empties them. */
static bool drain(struct marker *marker)
{
	for (;;) {
		if (marker->depth >= 2 * HANDOVER &&
		    __atomic_load_n(&marker->shared->wanted, __ATOMIC_RELAXED) &&
		    !hand_over(marker))
			return false;
		while (marker->depth > 0 && marker->rows_tail - marker->rows_head < QUEUE)
			fetch_row(marker);
		if (marker->rows_head != marker->rows_tail &&
		    marker->runs_tail - marker->runs_head < QUEUE) {
			fetch_edges(marker);
			continue;
		}
		if (marker->runs_head == marker->runs_tail)
			return true;
		if (!look_into(marker, &marker->runs[marker->runs_head++ % QUEUE]))
			return false;
	}
}

/* Takes work from the pool; false when nobody has any left. */
static bool take_from_pool(struct marker *marker)
{
	struct shared *shared = marker->shared;
	pthread_mutex_lock(&shared->lock);
	shared->nr_idle++;
	while (shared->nr_pooled == 0 && shared->nr_idle < shared->nr_markers &&
	       !shared->failed) {
		__atomic_store_n(&shared->wanted, true, __ATOMIC_RELAXED);
		pthread_cond_wait(&shared->changed, &shared->lock);
	}
	uint64_t nr = shared->nr_pooled < HANDOVER ? shared->nr_pooled : HANDOVER;
	bool more = nr > 0 && !shared->failed && reserve_words(&marker->stack, nr);
	if (more) {
		shared->nr_idle--;
		shared->nr_pooled -= nr;
		memcpy(marker->stack.memory,
		       (uint32_t *)shared->pool.memory + shared->nr_pooled,
		       nr * sizeof(uint32_t));
		marker->depth = nr;
	} else {
		shared->failed = shared->failed || nr > 0;
		pthread_cond_broadcast(&shared->changed);
	}
	pthread_mutex_unlock(&shared->lock);
	return more;
}

static void *run_marker(void *argument)
{
	struct shared *shared = argument;
	struct marker marker = { .shared = shared };
	bool good = true;
	while (good && take_from_pool(&marker))
		good = drain(&marker);
	area_release(&marker.stack);
	if (good)
		return NULL;
	pthread_mutex_lock(&shared->lock);
	shared->failed = true;
	shared->nr_idle = shared->nr_markers;
	pthread_cond_broadcast(&shared->changed);
	pthread_mutex_unlock(&shared->lock);
	return NULL;
}

/* Everything that is in the pool, and what it leads to. */
static bool run_markers(struct shared *shared, unsigned nr_threads)
{
	pthread_t threads[MOST_MARKERS];
	unsigned nr = nr_threads < MOST_MARKERS ? nr_threads : MOST_MARKERS;
	if (shared->graph->nr_edges < WORTH_A_THREAD || nr < 1)
		nr = 1;
	shared->nr_markers = nr;
	unsigned started = 1;
	while (started < nr &&
	       pthread_create(&threads[started], NULL, run_marker, shared) == 0)
		started++;
	pthread_mutex_lock(&shared->lock);
	shared->nr_markers = started;
	pthread_cond_broadcast(&shared->changed);
	pthread_mutex_unlock(&shared->lock);
	run_marker(shared);
	for (unsigned i = 1; i < started; i++)
		pthread_join(threads[i], NULL);
	return !shared->failed;
}

/* Spreads the bits of blocks that have edges, and of marks from before, into bytes. */
static bool load_states(struct shared *shared, const uint64_t *marks)
{
	uint64_t nr = shared->graph->nr_blocks;
	if (!area_reserve(&shared->states, nr + 64))
		return false;
	uint8_t *states = shared->states.memory;
	const uint64_t *edged = shared->graph->edged.memory;
	for (uint64_t i = 0; i < nr; i++)
		states[i] = (uint8_t)((edged && bitmap_test(edged, i)) |
				      bitmap_test(marks, i) << 1);
	return true;
}

static void store_states(const struct shared *shared, uint64_t *marks)
{
	const uint8_t *states = shared->states.memory;
	uint64_t nr = shared->graph->nr_blocks;
	for (uint64_t word = 0; word * 64 < nr; word++) {
		uint64_t bits = 0;
		uint64_t left = nr - word * 64;
		for (unsigned i = 0; i < (left < 64 ? left : 64); i++)
			bits |= (uint64_t)(states[word * 64 + i] >> 1) << i;
		marks[word] = bits;
	}
}

/* Puts a block into the pool, unless it is there or marked already. */
static void begin_with(struct shared *shared, uint32_t rank)
{
	uint8_t *state = (uint8_t *)shared->states.memory + rank;
	if (*state == STATE_EDGED)
		((uint32_t *)shared->pool.memory)[shared->nr_pooled++] = rank;
	*state |= STATE_MARKED;
}

/* Marks what the roots reach, or what one block reaches (`rank`, unless RANK_NONE). */
static struct error *mark_from(const struct graph *graph, enum edge_class weakest,
			       unsigned nr_threads, struct area *marks, uint32_t rank)
{
	struct shared shared = { .graph = graph, .weakest = weakest };
	pthread_mutex_init(&shared.lock, NULL);
	pthread_cond_init(&shared.changed, NULL);
	bool good = area_reserve(marks, bitmap_words(graph->nr_blocks + 1) * 8) &&
		    load_states(&shared, marks->memory) &&
		    reserve_words(&shared.pool, graph->roots.nr + 1);
	if (good && rank != RANK_NONE)
		begin_with(&shared, rank);
	for (size_t i = 0; good && rank == RANK_NONE && i < graph->roots.nr; i++) {
		uint32_t edge = graph->roots.items[i].edge;
		if (edge_class(edge) <= weakest)
			begin_with(&shared, edge_rank(edge));
	}
	good = good && run_markers(&shared, nr_threads);
	if (good)
		store_states(&shared, marks->memory);
	area_release(&shared.pool);
	area_release(&shared.states);
	pthread_mutex_destroy(&shared.lock);
	pthread_cond_destroy(&shared.changed);
	return good ? NULL : error_no_memory();
}

struct error *reach_mark(const struct graph *graph, bool strict, unsigned nr_threads,
			 struct reach *reach)
{
	*reach = (struct reach){ .strict = strict };
	struct error *error =
		mark_from(graph, EDGE_INTERIOR, nr_threads, &reach->any, RANK_NONE);
	if (!error && strict)
		error = mark_from(graph, EDGE_PROMOTED, nr_threads, &reach->sure,
				  RANK_NONE);
	return error;
}

struct error *reach_add(const struct graph *graph, struct reach *reach, uint32_t rank)
{
	struct error *error = mark_from(graph, EDGE_INTERIOR, 1, &reach->any, rank);
	if (!error && reach->strict)
		error = mark_from(graph, EDGE_PROMOTED, 1, &reach->sure, rank);
	return error;
}

const uint64_t *reach_sure(const struct reach *reach)
{
	return reach->strict ? reach->sure.memory : reach->any.memory;
}

void reach_deinit(struct reach *reach)
{
	area_release(&reach->sure);
	area_release(&reach->any);
}

static bool own(uint32_t *owners, uint32_t rank, uint32_t owner, struct area *queue,
		uint64_t *tail)
{
	if (owners[rank] != RANK_NONE)
		return true;
	owners[rank] = owner;
	if (!area_reserve(queue, (*tail + 1) * sizeof(uint32_t)))
		return false;
	((uint32_t *)queue->memory)[(*tail)++] = rank;
	return true;
}

struct error *reach_attribute(const struct graph *graph, struct area *owners_area)
{
	struct area queue = { 0 };
	uint64_t head = 0, tail = 0;
	if (!area_reserve(owners_area, (graph->nr_blocks + 1) * sizeof(uint32_t)))
		return error_no_memory();
	uint32_t *owners = owners_area->memory;
	for (uint64_t i = 0; i < graph->nr_blocks; i++)
		owners[i] = RANK_NONE;
	bool good = true;
	for (size_t i = 0; good && i < graph->roots.nr; i++)
		good = own(owners, edge_rank(graph->roots.items[i].edge), (uint32_t)i,
			   &queue, &tail);
	while (good && head < tail) {
		uint32_t rank = ((uint32_t *)queue.memory)[head++];
		uint64_t nr = 0;
		const uint32_t *edges = graph_edges(graph, rank, &nr);
		for (uint64_t i = 0; good && i < nr; i++)
			if (edges[i] != EDGE_NONE)
				good = own(owners, edge_rank(edges[i]), owners[rank],
					   &queue, &tail);
	}
	area_release(&queue);
	return good ? NULL : error_no_memory();
}
