/*
 * reach: see reach.h.
 *
 * Marking is bound by cache misses. So edges are followed by the batch, and each batch passes
 * three steps, between which other batches have their turn: its targets' rows are on their
 * way to the cache, then those of its targets that were not marked before have their edges
 * on their way (after Cher, Hosking, Vitek, "Software prefetching for mark-sweep garbage
 * collection", ASPLOS 2004). No step branches on what is as good as random.
 *
 * The mark of a block is the top bit of its degree, in a copy of the graph's rows: one cache
 * line tells whether a block was marked and where its edges are.
 *
 * Several threads mark together. Marks are bytes, read and written without locks: at worst
 * two threads meet a block at once and both look into it, which is only double work. A
 * thread with much to do gives some to one that has nothing.
 *
 * Lock: `lock` guards shared.pool, nr_pooled, nr_idle, failed; a marker's own stack and
 * batches are touched by its thread alone.
 */
#include "graph/reach.h"

#include <pthread.h>
#include <string.h>

#include "base/beside.h"
#include "base/bitmap.h"

#define BATCH        32u
#define MOST_MARKERS 16u
/* Fewer edges than this are marked before a second thread has started. */
#define WORTH_A_THREAD 500000u
/* So many edges are handed over at once. */
#define HANDOVER 512u

#define MARKED ((uint8_t)~DEGREE_MASK)

struct shared {
	const struct graph *graph;
	struct area rows;        /* struct graph_row[]: the graph's, with marks */
	enum edge_class weakest; /* edges of classes past this one are not followed */
	unsigned nr_markers;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct area pool; /* uint32_t[]: edges for anyone to follow */
	uint64_t nr_pooled;
	unsigned nr_idle;
	bool wanted; /* somebody is idle: read without the lock, as a hint */
	bool failed;
};

struct marker {
	struct shared *shared;
	struct area stack; /* uint32_t[]: edges to follow */
	uint64_t depth;
	uint32_t met[BATCH]; /* blocks whose rows are being fetched */
	unsigned nr_met;
	struct edge_run runs[BATCH]; /* of blocks newly marked; being fetched */
	unsigned nr_runs;
};

static bool reserve_words(struct area *area, uint64_t nr)
{
	size_t bytes = nr * sizeof(uint32_t);
	return bytes <= area->bytes || area_reserve(area, bytes);
}

static inline struct graph_row *row_of(const struct shared *shared, uint32_t rank)
{
	return (struct graph_row *)shared->rows.memory + rank / ROW_BLOCKS;
}

/* Takes the next edges from the stack, and has their targets' rows fetched. */
static void fetch_rows(struct marker *marker)
{
	const uint32_t *stack = marker->stack.memory;
	enum edge_class weakest = marker->shared->weakest;
	unsigned nr = 0;
	for (unsigned i = 0; i < BATCH && marker->depth > 0; i++) {
		uint32_t edge = stack[--marker->depth];
		/* Nothing lies behind EDGE_NONE: its row is not there to be read. */
		__builtin_prefetch(row_of(marker->shared, edge_rank(edge)));
		marker->met[nr] = edge_rank(edge);
		nr += edge_class(edge) <= weakest;
	}
	marker->nr_met = nr;
}

/* Marks the blocks met, and has the edges of the new ones fetched. */
static void fetch_runs(struct marker *marker)
{
	uint32_t fresh[BATCH];
	unsigned nr = 0;
	for (unsigned i = 0; i < marker->nr_met; i++) {
		uint32_t rank = marker->met[i];
		uint8_t *degree =
			&row_of(marker->shared, rank)->degrees[rank % ROW_BLOCKS];
		uint8_t before = __atomic_load_n(degree, __ATOMIC_RELAXED);
		__atomic_store_n(degree, before | MARKED, __ATOMIC_RELAXED);
		fresh[nr] = rank;
		/* Not marked, and not without edges. */
		nr += (uint8_t)(before - 1) < DEGREE_MASK;
	}
	for (unsigned i = 0; i < nr; i++) {
		marker->runs[i] = graph_run(marker->shared->graph,
					    row_of(marker->shared, fresh[i]), fresh[i]);
		__builtin_prefetch(marker->runs[i].edges);
	}
	marker->nr_met = 0;
	marker->nr_runs = nr;
}

/* Puts the edges of the new blocks on the stack: of most there are few, so four are copied
   at once, whether so many count or not. */
static bool push_runs(struct marker *marker)
{
	for (unsigned i = 0; i < marker->nr_runs; i++) {
		const struct edge_run *run = &marker->runs[i];
		if (!reserve_words(&marker->stack, marker->depth + run->nr + EDGES_PAD))
			return false;
		uint32_t *top = (uint32_t *)marker->stack.memory + marker->depth;
		memcpy(top, run->edges, EDGES_PAD * sizeof(*top));
		if (run->nr > EDGES_PAD)
			memcpy(top, run->edges, run->nr * sizeof(*top));
		marker->depth += run->nr;
	}
	marker->nr_runs = 0;
	return true;
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

/* Follows what is on the stack until nothing is left. */
static bool drain(struct marker *marker)
{
	while (marker->depth > 0 || marker->nr_met > 0 || marker->nr_runs > 0) {
		if (marker->depth >= 2 * HANDOVER &&
		    __atomic_load_n(&marker->shared->wanted, __ATOMIC_RELAXED) &&
		    !hand_over(marker))
			return false;
		if (!push_runs(marker))
			return false;
		fetch_runs(marker);
		fetch_rows(marker);
	}
	return true;
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

/* Copies the rows, with the marks from before. */
static bool load_marks(struct shared *shared, const uint64_t *marks)
{
	const struct graph *graph = shared->graph;
	size_t bytes = (graph->nr_blocks / ROW_BLOCKS + 1) * sizeof(struct graph_row);
	if (!area_reserve(&shared->rows, bytes))
		return false;
	if (graph->rows.memory)
		memcpy(shared->rows.memory, graph->rows.memory, bytes);
	for (uint64_t word = 0; word < bitmap_words(graph->nr_blocks); word++)
		for (uint64_t bits = marks[word]; bits; bits &= bits - 1) {
			uint32_t rank =
				(uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(bits);
			row_of(shared, rank)->degrees[rank % ROW_BLOCKS] |= MARKED;
		}
	return true;
}

/* The top bits of eight bytes, the first byte's lowest. */
static uint64_t top_bits(const uint8_t *bytes)
{
	uint64_t word = 0;
	memcpy(&word, bytes, sizeof(word));
	return ((word & 0x8080808080808080u) >> 7) * 0x0102040810204080u >> 56;
}

static void store_marks(const struct shared *shared, uint64_t *marks)
{
	uint64_t nr_blocks = shared->graph->nr_blocks;
	memset(marks, 0, bitmap_words(nr_blocks) * 8);
	for (uint64_t first = 0; first < nr_blocks; first += ROW_BLOCKS) {
		const struct graph_row *row = row_of(shared, (uint32_t)first);
		uint64_t bits = 0;
		for (unsigned i = 0; i < ROW_BLOCKS; i += 8)
			bits |= top_bits(row->degrees + i) << i;
		marks[first / 64] |= bits << (first % 64);
		/* The bitmap has room for as many bits past its end. */
		if (first % 64 > 64 - ROW_BLOCKS)
			marks[first / 64 + 1] |= bits >> (64 - first % 64);
	}
}

/* Where marking begins: at the roots, or at some blocks. */
struct beginning {
	const uint32_t *ranks; /* NULL: the roots */
	uint64_t nr;
};

static bool fill_pool(struct shared *shared, struct beginning from)
{
	const struct graph_root_vec *roots = &shared->graph->roots;
	uint64_t nr = from.ranks ? from.nr : roots->nr;
	if (!reserve_words(&shared->pool, nr + 1))
		return false;
	uint32_t *pool = shared->pool.memory;
	for (uint64_t i = 0; i < nr; i++)
		pool[i] = from.ranks ? edge_make(from.ranks[i], EDGE_START)
				     : roots->items[i].edge;
	shared->nr_pooled = nr;
	return true;
}

/* Adds what can be reached to `marks`. */
static struct error *mark_from(const struct graph *graph, enum edge_class weakest,
			       unsigned nr_threads, struct area *marks,
			       struct beginning from)
{
	struct shared shared = { .graph = graph, .weakest = weakest };
	pthread_mutex_init(&shared.lock, NULL);
	pthread_cond_init(&shared.changed, NULL);
	bool good = area_reserve(marks, (bitmap_words(graph->nr_blocks) + 1) * 8) &&
		    load_marks(&shared, marks->memory) && fill_pool(&shared, from) &&
		    run_markers(&shared, nr_threads);
	if (good)
		store_marks(&shared, marks->memory);
	area_release(&shared.pool);
	area_release(&shared.rows);
	pthread_mutex_destroy(&shared.lock);
	pthread_cond_destroy(&shared.changed);
	return good ? NULL : error_no_memory();
}

struct error *reach_mark(const struct graph *graph, bool strict, unsigned nr_threads,
			 struct reach *reach)
{
	const struct beginning roots = { 0 };
	*reach = (struct reach){ .strict = strict };
	struct error *error =
		mark_from(graph, EDGE_INTERIOR, nr_threads, &reach->any, roots);
	if (!error && strict)
		error = mark_from(graph, EDGE_PROMOTED, nr_threads, &reach->sure, roots);
	return error;
}

struct error *reach_add(const struct graph *graph, struct reach *reach,
			const uint32_t *ranks, uint64_t nr)
{
	const struct beginning blocks = { .ranks = ranks, .nr = nr };
	struct error *error = mark_from(graph, EDGE_INTERIOR, 1, &reach->any, blocks);
	if (!error && reach->strict)
		error = mark_from(graph, EDGE_PROMOTED, 1, &reach->sure, blocks);
	return error;
}

/* Blocks whose edges are looked at by one thread. */
struct closing {
	const struct graph *graph;
	const uint64_t *marks;
	uint32_t first, end; /* ranks */
	bool is_closed;
};

static bool leads_to_marked(const struct closing *closing, const struct edge_run *run)
{
	bool good = true;
	for (uint64_t i = 0; i < run->nr; i++)
		good &= run->edges[i] == EDGE_NONE ||
			bitmap_test(closing->marks, edge_rank(run->edges[i]));
	return good;
}

/* Whether all blocks of a whole row are marked. */
static bool row_is_marked(const uint64_t *marks, uint32_t rank)
{
	const unsigned shift = rank % 64;
	const uint64_t row = ((uint64_t)1 << ROW_BLOCKS) - 1;
	uint64_t bits = marks[rank / 64] >> shift;
	if (shift > 64 - ROW_BLOCKS)
		bits |= marks[rank / 64 + 1] << (64 - shift);
	return (bits & row) == row;
}

static bool blocks_lead_to_marked(const struct closing *closing, uint32_t first,
				  uint32_t end)
{
	bool good = true;
	struct edge_run run =
		graph_run(closing->graph, graph_row(closing->graph, first), first);
	for (uint32_t rank = first; rank < end; rank++) {
		run.nr = graph_degree(closing->graph, rank);
		if (run.nr && bitmap_test(closing->marks, rank))
			good &= leads_to_marked(closing, &run);
		run.edges += run.nr;
	}
	return good;
}

/* Row by row: most blocks are marked, and then it is one whose edge it is. */
static void look_at_edges(void *context)
{
	struct closing *closing = context;
	const struct graph *graph = closing->graph;
	bool good = true;
	for (uint32_t first = closing->first; good && first < closing->end;
	     first += ROW_BLOCKS) {
		const struct graph_row *row = graph_row(graph, first);
		const uint32_t *edges = graph->edges.memory;
		const bool is_whole = closing->end - first > ROW_BLOCKS;
		struct edge_run run = { .edges = edges + row->base };
		if (is_whole && row_is_marked(closing->marks, first)) {
			run.nr = row[1].base - row->base;
			good = leads_to_marked(closing, &run);
		} else {
			const uint32_t end = is_whole ? first + ROW_BLOCKS : closing->end;
			good = blocks_lead_to_marked(closing, first, end);
		}
	}
	closing->is_closed = good;
}

bool reach_is_closed(const struct graph *graph, const uint64_t *marks)
{
	const uint32_t nr = (uint32_t)graph->nr_blocks;
	const uint32_t half = nr / 2 - nr / 2 % ROW_BLOCKS;
	struct closing halves[] = {
		{ .graph = graph, .marks = marks, .end = half },
		{ .graph = graph, .marks = marks, .first = half, .end = nr },
	};
	for (size_t i = 0; i < graph->roots.nr; i++)
		if (!bitmap_test(marks, edge_rank(graph->roots.items[i].edge)))
			return false;
	struct beside beside;
	beside_start(&beside, look_at_edges, &halves[1]);
	look_at_edges(&halves[0]);
	beside_finish(&beside);
	return halves[0].is_closed && halves[1].is_closed;
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
