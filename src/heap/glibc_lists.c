/*
 * glibc_lists: the free chunks that look like used ones.
 *
 * A chunk in a thread's tcache or in an arena's fastbin keeps the "in use" bit of its
 * neighbour set, so it is known only from its list. Links are "safe-linked": stored as
 * (address of the link >> 12) ^ target (glibc 2.32, malloc/malloc.c, PROTECT_PTR).
 *
 * Each thread's tcache is a block of its own, found through the TLS variable that points
 * to it: the word below a thread pointer, at the same offset in all threads, that leads to
 * a chunk of just that size whose counts and lists agree.
 */
#include <inttypes.h>
#include <string.h>

#include "heap/glibc_priv.h"

/* libc's TLS block lies below that of the program and of the libraries before it. */
#define TLS_REACH 65536u
/* So many threads are asked at most where the variable is. */
#define TLS_THREADS 16u
/* A tcache of any version, with the header before it. */
#define TCACHE_WORDS 258u
/* A return address into malloc this far up the stack means that the thread is inside. */
#define INSIDE_WORDS 96u
/* Chunk pointers that its functions hold lie no farther than this. */
#define IN_FLIGHT_WORDS 256u

static uint64_t reveal(uint64_t address, uint64_t link)
{
	return (address >> 12) ^ link;
}

/* --- threads inside the allocator ------------------------------------------------------ */

static bool is_code(const struct glibc *glibc, uint64_t address)
{
	return address >= glibc->code_start && address < glibc->code_end;
}

/* Reads up to `nr` words of the stack; returns how many there were. */
static struct error *read_stack(struct glibc *glibc, const struct thread *thread,
				uint64_t *words, size_t nr, size_t *nr_read)
{
	size_t bytes = 0;
	uint64_t sp = thread->sp & ~(uint64_t)7;
	struct error *error = glibc->base.target->ops->read(glibc->base.target, sp, words,
							    nr * sizeof(*words), &bytes);
	*nr_read = bytes / sizeof(*words);
	return error;
}

static bool is_inside(const struct glibc *glibc, const struct thread *thread,
		      const uint64_t *stack, size_t nr)
{
	if (is_code(glibc, thread->pc))
		return true;
	for (size_t i = 0; i < nr && i < INSIDE_WORDS; i++)
		if (is_code(glibc, stack[i]))
			return true;
	return false;
}

/* Inside its functions malloc holds chunks by the address of their headers. */
static struct error *add_in_flight(struct glibc *glibc, const uint64_t *words, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (words[i] % 16 != 0 || words[i] < 65536)
			continue;
		if (!word_vec_push(&glibc->base.in_flight, words[i] + CHUNK_HEADER))
			return error_no_memory();
	}
	return NULL;
}

struct error *glibc_find_threads_inside(struct glibc *glibc)
{
	struct target *target = glibc->base.target;
	for (size_t i = 0; i < target->threads.nr; i++) {
		const struct thread *thread = &target->threads.items[i];
		uint64_t stack[IN_FLIGHT_WORDS];
		size_t nr = 0;
		struct error *error =
			read_stack(glibc, thread, stack, IN_FLIGHT_WORDS, &nr);
		if (error)
			return error;
		if (!is_inside(glibc, thread, stack, nr))
			continue;
		glibc->base.nr_threads_inside++;
		error = add_in_flight(glibc, thread->words, thread->nr_general);
		if (!error)
			error = add_in_flight(glibc, stack, nr);
		if (error)
			return error;
	}
	return NULL;
}

/* --- tcaches --------------------------------------------------------------------------- */

/* Whether a block can start here at all. */
static bool in_heap(const struct glibc *glibc, uint64_t address)
{
	return address % 16 == 0 && heap_span_of(&glibc->base, address) != NULL;
}

/* Reads what would be a tcache with the two words of header before it; *yes if it is a
   chunk of just that size. `words` has room for TCACHE_WORDS. */
static struct error *read_tcache(struct glibc *glibc, uint64_t address, uint64_t *words,
				 bool *yes)
{
	*yes = false;
	if (!in_heap(glibc, address))
		return NULL;
	uint64_t size = (uint64_t)glibc->layout->tcache.size + CHUNK_HEADER;
	bool readable = false;
	struct error *error = peek_words(glibc->peek, address - CHUNK_HEADER, words,
					 size / sizeof(*words), &readable);
	*yes = !error && readable && (words[1] & ~(uint64_t)CHUNK_FLAGS) == size;
	return error;
}

static uint16_t tcache_count(const struct glibc *glibc, const uint64_t *words,
			     unsigned bin)
{
	uint16_t count;
	const char *counts = (const char *)(words + 2) + glibc->layout->tcache.counts;
	memcpy(&count, counts + sizeof(count) * bin, sizeof(count));
	return count;
}

static uint64_t tcache_entry(const struct glibc *glibc, const uint64_t *words,
			     unsigned bin)
{
	return words[2 + glibc->layout->tcache.entries / 8 + bin];
}

/* Whether these are a tcache's contents: a list if and only if its count is not 0, counts
   within bounds; and how many lists there are. */
static bool looks_like_tcache(const struct glibc *glibc, const uint64_t *words,
			      unsigned *nr_lists)
{
	*nr_lists = 0;
	for (unsigned i = 0; i < glibc->layout->tcache.nr_bins; i++) {
		uint16_t count = tcache_count(glibc, words, i);
		uint64_t entry = tcache_entry(glibc, words, i);
		bool odd_one = entry != 0 && !in_heap(glibc, entry);
		if (odd_one || count > glibc->tcache_count)
			return false;
		if ((count != 0) != (entry != 0) && glibc->base.nr_threads_inside == 0)
			return false;
		*nr_lists += entry != 0;
	}
	return true;
}

/* A place where the TLS variable may be. */
struct tcache_place {
	int64_t offset;   /* from the thread pointer; 0: none */
	size_t nr_owners; /* threads that have a chunk of a tcache's size there */
	size_t nr_good;   /* of those, with a tcache's contents */
	size_t nr_bad;    /* threads that have something else there */
	size_t nr_lists;  /* in all of those */
};

/* The tcache that a thread has at a place; *yes is false if it has none (yet), *fits if what
   stands there is something else. */
static struct error *read_tcache_of(struct glibc *glibc, const struct thread *thread,
				    int64_t offset, uint64_t *tcache, uint64_t *words,
				    bool *yes, bool *fits)
{
	bool readable = false;
	*yes = false;
	struct error *error = peek_words(glibc->peek,
					 thread->thread_pointer + (uint64_t)offset,
					 tcache, 1, &readable);
	if (!error && readable && *tcache)
		error = read_tcache(glibc, *tcache, words, yes);
	*fits = !error && readable && (*yes || *tcache == 0);
	return error;
}

/* A stale pointer on the stack, which lies below the TLS of all threads but the first, may
   lead to a tcache too, but not at the same distance in every thread. One thread's may be
   damaged. */
static struct error *weigh_place(struct glibc *glibc, struct tcache_place *place)
{
	const struct thread_vec *threads = &glibc->base.target->threads;
	for (size_t i = 0; i < threads->nr && i < TLS_THREADS; i++) {
		uint64_t tcache = 0, words[TCACHE_WORDS];
		bool yes = false, fits = false;
		unsigned nr_lists = 0;
		struct error *error = read_tcache_of(glibc, &threads->items[i],
						     place->offset, &tcache, words, &yes,
						     &fits);
		if (error)
			return error;
		place->nr_bad += !fits;
		place->nr_owners += yes;
		if (!yes || !looks_like_tcache(glibc, words, &nr_lists))
			continue;
		place->nr_good++;
		place->nr_lists += nr_lists;
	}
	return NULL;
}

static bool is_better(const struct tcache_place *a, const struct tcache_place *b)
{
	if (a->nr_good + b->nr_bad != b->nr_good + a->nr_bad)
		return a->nr_good + b->nr_bad > b->nr_good + a->nr_bad;
	if (a->nr_owners != b->nr_owners)
		return a->nr_owners > b->nr_owners;
	return a->nr_lists > b->nr_lists;
}

/* Of the words below one thread pointer, the one that leads to a tcache in most threads; of
   those, to the tcaches with the most lists: a block of zeros that happens to have the right
   size looks like an empty one. */
static struct error *find_tcache_place(struct glibc *glibc, const struct thread *thread,
				       struct tcache_place *best)
{
	uint64_t words[TLS_REACH / 8];
	uint64_t end = thread->thread_pointer & ~(uint64_t)7;
	const struct region *region = target_region(glibc->base.target, end - 1);
	if (!region || end % 8 != 0)
		return NULL;
	uint64_t start = end - region->start < TLS_REACH ? region->start
							 : end - TLS_REACH;
	size_t nr_read = 0;
	struct error *error = glibc->base.target->ops->read(glibc->base.target, start,
							    words, end - start, &nr_read);
	for (size_t i = nr_read / 8; !error && i-- > 0;) {
		uint64_t contents[TCACHE_WORDS];
		bool yes = false;
		error = read_tcache(glibc, words[i], contents, &yes);
		if (error || !yes)
			continue;
		struct tcache_place place = {
			.offset = (int64_t)(start + i * 8 - thread->thread_pointer),
		};
		error = weigh_place(glibc, &place);
		if (!error && is_better(&place, best))
			*best = place;
	}
	return error;
}

/* Follows one list of cached blocks from `first`; *nr says how many there were. `link`
   is the offset of the link in what the list's pointers point to. */
static struct error *follow_list(struct glibc *glibc, uint64_t first, uint64_t to_user,
				 size_t most, size_t *nr)
{
	uint64_t at = first;
	*nr = 0;
	while (at != 0) {
		uint64_t user = at + to_user;
		if (!in_heap(glibc, user))
			return heap_inconsistent(
				&glibc->base,
				"a list of free blocks leads out of the heap", user);
		if (*nr == most)
			return heap_inconsistent(
				&glibc->base, "a list of free blocks does not end", user);
		uint64_t words[2];
		bool readable = false;
		struct error *error = peek_words(glibc->peek, user, words, 2, &readable);
		if (error)
			return error;
		if (!readable)
			return heap_inconsistent(&glibc->base,
						 "a list of free blocks cannot be read",
						 user);
		if (!word_vec_push(&glibc->cached, user))
			return error_no_memory();
		++*nr;
		if (to_user == 0 && !glibc->tcache_key)
			glibc->tcache_key = words[1];
		at = reveal(user, words[0]);
	}
	return NULL;
}

static struct error *follow_tcache(struct glibc *glibc, uint64_t address,
				   const uint64_t *words)
{
	if (!word_vec_push(&glibc->own, address))
		return error_no_memory();
	for (unsigned i = 0; i < glibc->layout->tcache.nr_bins; i++) {
		uint16_t count = tcache_count(glibc, words, i);
		size_t nr = 0;
		struct error *error = follow_list(glibc, tcache_entry(glibc, words, i), 0,
						  (size_t)UINT16_MAX, &nr);
		/* A thread that is just taking or putting one may be off by one. */
		size_t slack = glibc->base.nr_threads_inside ? 1 : 0;
		if (!error && (nr > count + slack || nr + slack < count))
			error = heap_inconsistent(
				&glibc->base,
				"a tcache's count does not agree with its list", address);
		if (error)
			return error;
	}
	return NULL;
}

/* The tcache that the TLS variable at `offset` points to. */
static struct error *follow_tcache_of(struct glibc *glibc, const struct thread *thread,
				      int64_t offset)
{
	uint64_t tcache = 0, words[TCACHE_WORDS];
	bool yes = false, fits = false;
	struct error *error =
		read_tcache_of(glibc, thread, offset, &tcache, words, &yes, &fits);
	if (error || !tcache)
		return error;
	return yes ? follow_tcache(glibc, tcache, words)
		   : heap_inconsistent(&glibc->base, "a thread's tcache is damaged",
				       tcache);
}

static struct error *follow_tcaches(struct glibc *glibc)
{
	const struct thread_vec *threads = &glibc->base.target->threads;
	struct tcache_place best = { 0 };
	struct error *error = NULL;
	for (size_t i = 0; !error && i < threads->nr && i < TLS_THREADS; i++)
		if (!glibc->tcache_offset && (best.nr_bad || !best.nr_good))
			error = find_tcache_place(glibc, &threads->items[i], &best);
	int64_t offset = glibc->tcache_offset ? glibc->tcache_offset : best.offset;
	/* Empty ones prove little: the next look may know better. */
	if (best.nr_lists)
		glibc->tcache_offset = offset;
	for (size_t i = 0; !error && offset && i < threads->nr; i++)
		error = follow_tcache_of(glibc, &threads->items[i], offset);
	return error;
}

/* --- fastbins -------------------------------------------------------------------------- */

/* No list can be longer than this. */
static size_t most_chunks(const struct heap *heap)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < heap->spans.nr; i++)
		bytes += heap->spans.items[i].end - heap->spans.items[i].start;
	return bytes / CHUNK_MIN_SIZE;
}

/* Those from `before` on in the list of cached blocks. */
static struct error *note_fast(struct glibc *glibc, size_t before)
{
	for (size_t i = before; i < glibc->cached.nr; i++)
		if (!word_vec_push(&glibc->base.fast, glibc->cached.items[i]))
			return error_no_memory();
	return NULL;
}

static struct error *follow_fastbins(struct glibc *glibc)
{
	size_t before = glibc->cached.nr;
	size_t most = most_chunks(&glibc->base);
	for (size_t a = 0; a < glibc->arenas.nr; a++) {
		const struct glibc_arena *arena = &glibc->arenas.items[a];
		for (unsigned i = 0; i < GLIBC_NR_FASTBINS; i++) {
			size_t nr = 0;
			struct error *error = follow_list(glibc, arena->fastbins[i],
							  CHUNK_HEADER, most, &nr);
			if (error)
				return error;
		}
	}
	return note_fast(glibc, before);
}

/*
 * While malloc_consolidate empties a fastbin, the rest of the list hangs on a register
 * alone. From each chunk that a thread inside the allocator holds, links that decode to
 * chunks of the heap, down to an end of list, are such a rest.
 */
static struct error *follow_in_flight(struct glibc *glibc)
{
	size_t nr_held = glibc->base.in_flight.nr;
	for (size_t i = 0; i < nr_held; i++) {
		uint64_t user = glibc->base.in_flight.items[i];
		size_t before = glibc->cached.nr;
		while (in_heap(glibc, user)) {
			uint64_t words[4];
			bool readable = false;
			struct error *error = peek_words(glibc->peek, user - CHUNK_HEADER,
							 words, 3, &readable);
			if (error)
				return error;
			uint64_t next = readable ? reveal(user, words[2]) : 1;
			bool fits = readable &&
				    (words[1] & ~(uint64_t)CHUNK_FLAGS) <= 256 &&
				    (next == 0 || in_heap(glibc, next));
			if (!fits || glibc->cached.nr - before > 1000000) {
				glibc->cached.nr = before;
				break;
			}
			if (!word_vec_push(&glibc->cached, user))
				return error_no_memory();
			if (next == 0)
				break;
			user = next + CHUNK_HEADER;
		}
	}
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return left < right ? -1 : left > right;
}

static void sort_unique(struct word_vec *words)
{
	if (words->nr == 0)
		return;
	qsort(words->items, words->nr, sizeof(words->items[0]), by_value);
	size_t kept = 1;
	for (size_t i = 1; i < words->nr; i++)
		if (words->items[i] != words->items[kept - 1])
			words->items[kept++] = words->items[i];
	words->nr = kept;
}

struct error *glibc_follow_lists(struct glibc *glibc)
{
	struct error *error = follow_tcaches(glibc);
	if (!error)
		error = follow_fastbins(glibc);
	size_t listed = glibc->cached.nr;
	if (!error && glibc->base.nr_threads_inside)
		error = follow_in_flight(glibc);
	if (error)
		return error;
	sort_unique(&glibc->cached);
	sort_unique(&glibc->own);
	sort_unique(&glibc->base.fast);
	if (glibc->cached.nr < listed && glibc->base.nr_threads_inside == 0)
		return heap_note_damage(
			&glibc->base,
			"%zu blocks stand in lists of free blocks twice (freed "
			"twice?)",
			listed - glibc->cached.nr);
	return NULL;
}
