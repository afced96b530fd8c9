/*
 * glibc_walk: chunk after chunk through the spans, each chunk's size leading to the next.
 *
 * The walk proves itself: every size is possible, every chain ends where the survey says
 * it must, a free chunk's size stands at its end too, flags fit the arena, and each cached
 * block of the lists is met as a chunk.
 */
#include <inttypes.h>

#include "heap/glibc_priv.h"
#include "heap/window_walk.h"

#define FENCE_SIZE 16u

/* So many chunks in a row, each leading to the next, are no accident. */
#define CHAIN_PROOF 16u
/* A program that takes more of the break for itself is not searched through. */
#define FOREIGN_MAX ((uint64_t)256 << 20)

struct walk {
	struct window_walk base; /* first: it calls back with it */
	struct glibc *glibc;
	struct chunk_vec *chunks; /* of the current window */
	const struct heap_span *span;
	const struct glibc_chain *chain;
	uint64_t at;        /* header of the next chunk */
	bool ended;         /* the span's chain is done, well or badly */
	size_t cached, own; /* places in the sorted lists */
	size_t nr_cached_missed;
	uint64_t unknown_bytes;
};

static struct error *add_chunk(struct walk *walk, uint64_t user, uint64_t size,
			       enum chunk_state state)
{
	return chunk_vec_add(walk->chunks, user, size, state);
}

/* What does not parse is handed on as one unknown chunk to the end of the span. Its first
   words stand where any chunk's header does: the block before it reaches into that. */
static struct error *give_up_span(struct walk *walk, const char *what)
{
	uint64_t rest = walk->span->end - walk->at;
	walk->ended = true;
	walk->unknown_bytes += rest;
	struct error *error = heap_inconsistent(&walk->glibc->base, what, walk->at);
	if (error || rest <= CHUNK_HEADER)
		return error;
	return add_chunk(walk, walk->at + CHUNK_HEADER, rest - CHUNK_HEADER,
			 CHUNK_UNKNOWN);
}

/* Two words of the chunk header at `address`, from the window if it has them. */
static struct error *header_at(struct walk *walk, const struct stream_window *window,
			       uint64_t address, uint64_t header[2], bool *readable)
{
	uint64_t index = (address - window->address) / 8;
	if (window->words && index + 2 <= window->nr_words + window->nr_ahead) {
		header[0] = window->words[index];
		header[1] = window->words[index + 1];
		*readable = true;
		return NULL;
	}
	return peek_words(walk->glibc->peek, address, header, 2, readable);
}

/* The lists are sorted as the walk is, so a place in each is enough. */
static bool is_listed(const struct word_vec *list, size_t *place, uint64_t user,
		      size_t *missed)
{
	while (*place < list->nr && list->items[*place] < user) {
		++*place;
		++*missed;
	}
	if (*place == list->nr || list->items[*place] != user)
		return false;
	++*place;
	return true;
}

/* A block that carries the tcache's key is in a tcache, even one that was not found. */
static bool has_key(const struct walk *walk, const struct stream_window *window,
		    uint64_t user)
{
	uint64_t index = (user - window->address) / 8 + 1;
	return walk->glibc->tcache_key != 0 &&
	       index < window->nr_words + window->nr_ahead &&
	       window->words[index] == walk->glibc->tcache_key;
}

static enum chunk_state state_of_used(struct walk *walk,
				      const struct stream_window *window, uint64_t user)
{
	struct glibc *glibc = walk->glibc;
	size_t ignored = 0;
	if (is_listed(&glibc->cached, &walk->cached, user, &walk->nr_cached_missed))
		return CHUNK_FREE;
	if (is_listed(&glibc->own, &walk->own, user, &ignored))
		return CHUNK_ALLOCATOR;
	return has_key(walk, window, user) ? CHUNK_FREE : CHUNK_USED;
}

static void count(struct heap_totals *totals, enum chunk_state state, uint64_t size)
{
	if (state == CHUNK_USED) {
		totals->used_blocks++;
		totals->used_bytes += size;
	} else if (state == CHUNK_FREE) {
		totals->free_chunks++;
		totals->free_bytes += size;
	} else if (state == CHUNK_ALLOCATOR) {
		totals->own_blocks++;
		totals->own_bytes += size;
	}
}

/*
 * The chain stops at its limit, or at the fenceposts that stand before the end of a heap
 * that a later one succeeded: they are too small for chunks. One of 32 bytes, all that is
 * left of a top chunk of 48 (glibc's sysmalloc), is known by its place.
 */
static bool is_chain_end(const struct walk *walk, uint64_t size)
{
	uint64_t left = walk->chain->limit - walk->at;
	if (left == 0)
		return true;
	return !walk->chain->to_top &&
	       ((size == FENCE_SIZE && left <= 3 * FENCE_SIZE) ||
		(size == CHUNK_MIN_SIZE && left == 3 * FENCE_SIZE));
}

/* Whether a chunk of that size leaves room for the top chunk, or for fenceposts. */
static bool is_possible_size(const struct walk *walk, uint64_t size)
{
	uint64_t left = walk->chain->limit - walk->at;
	uint64_t kept = walk->chain->to_top ? 0 : CHUNK_MIN_SIZE;
	return size >= CHUNK_MIN_SIZE && size % 16 == 0 && size <= left &&
	       left - size >= kept;
}

/* The top chunk, or a fencepost: the visitor must know where the last block ends. */
static struct error *end_chain(struct walk *walk)
{
	uint64_t user = walk->at + CHUNK_HEADER;
	walk->ended = true;
	return user < walk->span->end ? add_chunk(walk, user, 0, CHUNK_ALLOCATOR) : NULL;
}

/* Whether a chain of plausible chunks begins at an address: long enough to be no accident,
   or down to the end. */
static struct error *is_chain(struct walk *walk, uint64_t address, bool *yes)
{
	*yes = false;
	for (unsigned i = 0; i < CHAIN_PROOF && address != walk->chain->limit; i++) {
		uint64_t header[2];
		bool readable = false;
		struct error *error =
			peek_words(walk->glibc->peek, address, header, 2, &readable);
		if (error)
			return error;
		uint64_t size = header[1] & ~(uint64_t)CHUNK_FLAGS;
		bool good = readable && size >= CHUNK_MIN_SIZE && size % 16 == 0 &&
			    size <= walk->chain->limit - address &&
			    !(header[1] & (CHUNK_IS_MMAPPED | CHUNK_NON_MAIN_ARENA)) &&
			    (i > 0 || (header[1] & CHUNK_PREV_INUSE));
		if (!good)
			return NULL;
		address += size;
	}
	*yes = true;
	return NULL;
}

/* Two fenceposts in a row. */
static struct error *is_fence(struct walk *walk, const struct stream_window *window,
			      bool *yes)
{
	uint64_t second[2];
	struct error *error = header_at(walk, window, walk->at + FENCE_SIZE, second, yes);
	*yes = !error && *yes && second[1] == (FENCE_SIZE | CHUNK_PREV_INUSE);
	return error;
}

/*
 * When the program itself moves the break, malloc closes what it had with two fenceposts
 * and goes on behind what the program took. How much that was is written nowhere: the heap
 * goes on where the next chain of chunks begins. What lies between is the program's, and
 * its words are roots.
 */
static struct error *skip_foreign_break(struct walk *walk)
{
	uint64_t start = walk->at + 2 * FENCE_SIZE;
	for (uint64_t at = start; at < walk->chain->limit && at - start < FOREIGN_MAX;
	     at += 16) {
		bool yes = false;
		struct error *error = is_chain(walk, at, &yes);
		if (error)
			return error;
		if (!yes)
			continue;
		/* The first fencepost tells where the block before it ends. */
		error = add_chunk(walk, walk->at + CHUNK_HEADER, 0, CHUNK_ALLOCATOR);
		walk->at = at;
		return error || at == start
			       ? error
			       : add_chunk(walk, start, at - start, CHUNK_UNKNOWN);
	}
	return give_up_span(walk, "fenceposts that no chunks follow");
}

static struct error *walk_chunk(struct walk *walk, const struct stream_window *window)
{
	const uint64_t *header = window->words + (walk->at - window->address) / 8;
	uint64_t size = header[1] & ~(uint64_t)CHUNK_FLAGS;
	if (is_chain_end(walk, size))
		return end_chain(walk);
	struct error *error = NULL;
	if (walk->chain->is_main && size == FENCE_SIZE) {
		bool yes = false;
		error = is_fence(walk, window, &yes);
		if (error || yes)
			return error ? error : skip_foreign_break(walk);
	}
	if (!is_possible_size(walk, size))
		return give_up_span(walk, "a chunk of impossible size");
	uint64_t next[2];
	bool readable = false;
	error = header_at(walk, window, walk->at + size, next, &readable);
	if (error)
		return error;
	if (!readable)
		return give_up_span(walk, "a chunk whose end cannot be read");

	uint64_t user = walk->at + CHUNK_HEADER;
	enum chunk_state state = CHUNK_FREE;
	if (next[1] & CHUNK_PREV_INUSE) {
		bool main_flag = !(header[1] & CHUNK_NON_MAIN_ARENA);
		if (main_flag != walk->chain->is_main || (header[1] & CHUNK_IS_MMAPPED))
			return give_up_span(walk, "a chunk with flags of another arena");
		state = state_of_used(walk, window, user);
	} else if (next[0] != size) {
		return give_up_span(walk, "a free chunk whose two sizes differ");
	}
	count(&walk->glibc->base.totals, state, size - 8);
	walk->at += size;
	return add_chunk(walk, user, size - 8, state);
}

/* The next address of either list, which walk_chunk() must see. */
static uint64_t next_listed(const struct walk *walk)
{
	const struct glibc *glibc = walk->glibc;
	uint64_t cached = walk->cached < glibc->cached.nr
				  ? glibc->cached.items[walk->cached]
				  : UINT64_MAX;
	uint64_t own = walk->own < glibc->own.nr ? glibc->own.items[walk->own]
						 : UINT64_MAX;
	return cached < own ? cached : own;
}

/*
 * The chunks that nearly all are: in the window with their ends, far from the end of the
 * chain, in no list. Does what walk_chunk() does, without its questions, and leaves the
 * first chunk that is not like that to it. The vec has room.
 */
static void walk_plain_chunks(struct walk *walk, const struct stream_window *window)
{
	const uint64_t flags = walk->chain->is_main ? 0 : CHUNK_NON_MAIN_ARENA;
	const uint64_t key = walk->glibc->tcache_key;
	const uint64_t listed = next_listed(walk);
	const uint64_t nr_words = window->nr_words + window->nr_ahead;
	const uint64_t end = window->address + window->nr_words * 8;
	struct heap_totals totals = walk->glibc->base.totals;
	struct heap_chunk *chunk = walk->chunks->items + walk->chunks->nr;
	uint64_t at = walk->at;
	while (at < end) {
		const uint64_t *header = window->words + (at - window->address) / 8;
		uint64_t size = header[1] & ~(uint64_t)CHUNK_FLAGS;
		uint64_t left = walk->chain->limit - at;
		if (size < CHUNK_MIN_SIZE || size % 16 || size > left ||
		    left - size < 2 * CHUNK_MIN_SIZE)
			break;
		uint64_t next = (at - window->address + size) / 8;
		if (next + 2 > nr_words)
			break;
		bool used = window->words[next + 1] & CHUNK_PREV_INUSE;
		bool plain = used ? (header[1] & (CHUNK_NON_MAIN_ARENA |
						  CHUNK_IS_MMAPPED)) == flags &&
					     at + CHUNK_HEADER < listed &&
					     (header[3] != key || key == 0)
				  : window->words[next] == size;
		if (!plain)
			break;
		*chunk++ = (struct heap_chunk){
			.address = at + CHUNK_HEADER,
			.size = size - 8,
			.state = used ? CHUNK_USED : CHUNK_FREE,
		};
		totals.used_blocks += used;
		totals.used_bytes += used ? size - 8 : 0;
		totals.free_chunks += !used;
		totals.free_bytes += used ? 0 : size - 8;
		at += size;
	}
	walk->at = at;
	walk->chunks->nr = (size_t)(chunk - walk->chunks->items);
	walk->glibc->base.totals = totals;
}

static struct error *walk_chain(struct walk *walk, const struct stream_window *window)
{
	uint64_t end = window->address + window->nr_words * 8;
	if (!chunk_vec_reserve(walk->chunks, window->nr_words * 8 / CHUNK_MIN_SIZE + 4))
		return error_no_memory();
	while (!walk->ended && walk->at < end) {
		if (!window->words)
			return give_up_span(walk, "chunks that were never written or are "
						  "swapped out");
		walk_plain_chunks(walk, window);
		struct error *error = walk->at < end ? walk_chunk(walk, window) : NULL;
		if (error)
			return error;
	}
	return NULL;
}

static struct error *walk_single(struct walk *walk)
{
	uint64_t size = walk->span->end - walk->span->start;
	walk->ended = true;
	count(&walk->glibc->base.totals, CHUNK_USED, size);
	return add_chunk(walk, walk->span->start, size, CHUNK_USED);
}

static void enter_span(struct walk *walk, size_t index)
{
	walk->span = &walk->glibc->base.spans.items[index];
	walk->chain = &walk->glibc->chains.items[index];
	walk->at = walk->span->start;
	walk->ended = false;
}

/* On the reading thread, which alone touches the walk's state. */
static struct error *parse_window(struct stream_parser *parser,
				  const struct stream_window *window)
{
	struct walk *walk = (struct walk *)parser;
	if (walk->span != &walk->glibc->base.spans.items[window->span])
		enter_span(walk, window->span);
	walk->chunks = window_walk_chunks(&walk->base, window);
	walk->glibc->base.totals.unread_bytes += window->unread_bytes;
	if (walk->ended)
		return NULL;
	return walk->span->single ? walk_single(walk) : walk_chain(walk, window);
}

/* What malloc says it has mapped, less what was never found, not read, or no chunks. */
static void settle_totals(const struct walk *walk)
{
	struct glibc *glibc = walk->glibc;
	struct heap_totals *totals = &glibc->base.totals;
	uint64_t missing = walk->unknown_bytes + totals->unread_bytes;
	if (glibc->surveyed_bytes < totals->mapped_bytes)
		missing += totals->mapped_bytes - glibc->surveyed_bytes;
	totals->parsed_bytes =
		totals->mapped_bytes > missing ? totals->mapped_bytes - missing : 0;
}

struct error *glibc_walk(struct heap *heap, struct heap_visitor *visitor)
{
	struct walk walk = {
		.base = { .parser.parse = parse_window,
			  .heap = heap,
			  .visitor = visitor },
		.glibc = (struct glibc *)heap,
	};
	struct error *error = window_walk_run(&walk.base);
	walk.nr_cached_missed += walk.glibc->cached.nr - walk.cached;
	if (!error && walk.nr_cached_missed > 0 && heap->nr_threads_inside == 0)
		error = heap_note_damage(
			heap, "%zu blocks in lists of free blocks are no chunks",
			walk.nr_cached_missed);
	if (!error)
		settle_totals(&walk);
	return error;
}
