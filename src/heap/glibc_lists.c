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

/* Whether a chunk of exactly a tcache's size starts before `address`, with a tcache's
   contents: a list if and only if its count is not 0, counts within bounds. */
static struct error *is_tcache(struct glibc *glibc, uint64_t address, bool *yes)
{
	*yes = false;
	if (!in_heap(glibc, address))
		return NULL;
	const struct glibc_layout *layout = glibc->layout;
	uint64_t words[2 + 256];
	size_t nr = 2 + layout->tcache.size / 8u;
	bool readable = false;
	struct error *error =
		peek_words(glibc->peek, address - CHUNK_HEADER, words, nr, &readable);
	if (error || !readable)
		return error;
	uint64_t size = words[1] & ~(uint64_t)CHUNK_FLAGS;
	if (size != (uint64_t)layout->tcache.size + CHUNK_HEADER)
		return NULL;
	const uint64_t *entries = words + 2 + layout->tcache.entries / 8;
	const unsigned char *counts =
		(const unsigned char *)(words + 2) + layout->tcache.counts;
	for (unsigned i = 0; i < layout->tcache.nr_bins; i++) {
		uint16_t count;
		memcpy(&count, counts + 2 * i, sizeof(count));
		bool odd_one = entries[i] != 0 && !in_heap(glibc, entries[i]);
		if (odd_one || count > glibc->tcache_count)
			return NULL;
		if ((count != 0) != (entries[i] != 0) &&
		    glibc->base.nr_threads_inside == 0)
			return NULL;
	}
	*yes = true;
	return NULL;
}

/* Finds the TLS variable's offset from one thread: the highest place that leads to a
   tcache. Nothing is changed if there is none. */
static struct error *find_tcache_offset(struct glibc *glibc, const struct thread *thread)
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
	if (error)
		return error;
	for (size_t i = nr_read / 8; i-- > 0;) {
		bool yes = false;
		error = is_tcache(glibc, words[i], &yes);
		if (error)
			return error;
		if (yes) {
			glibc->tcache_offset = (int64_t)(start + i * 8) -
					       (int64_t)thread->thread_pointer;
			return NULL;
		}
	}
	return NULL;
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
			return glibc_inconsistent(
				glibc, "a list of free blocks leads out of the heap",
				user);
		if (*nr == most)
			return glibc_inconsistent(
				glibc, "a list of free blocks does not end", user);
		uint64_t words[2];
		bool readable = false;
		struct error *error = peek_words(glibc->peek, user, words, 2, &readable);
		if (error)
			return error;
		if (!readable)
			return glibc_inconsistent(
				glibc, "a list of free blocks cannot be read", user);
		if (!word_vec_push(&glibc->cached, user))
			return error_no_memory();
		++*nr;
		if (to_user == 0)
			glibc->tcache_key = words[1];
		at = reveal(user, words[0]);
	}
	return NULL;
}

static struct error *follow_tcache(struct glibc *glibc, uint64_t address)
{
	const struct glibc_layout *layout = glibc->layout;
	uint64_t words[256];
	bool readable = false;
	struct error *error = peek_words(glibc->peek, address, words,
					 layout->tcache.size / 8u, &readable);
	if (error)
		return error;
	if (!readable)
		return glibc_inconsistent(glibc, "a thread's tcache cannot be read",
					  address);
	if (!word_vec_push(&glibc->own, address))
		return error_no_memory();
	const uint64_t *entries = words + layout->tcache.entries / 8;
	const unsigned char *counts =
		(const unsigned char *)words + layout->tcache.counts;
	for (unsigned i = 0; i < layout->tcache.nr_bins; i++) {
		uint16_t count;
		memcpy(&count, counts + 2 * i, sizeof(count));
		size_t nr = 0;
		error = follow_list(glibc, entries[i], 0, (size_t)UINT16_MAX, &nr);
		/* A thread that is just taking or putting one may be off by one. */
		size_t slack = glibc->base.nr_threads_inside ? 1 : 0;
		if (!error && (nr > count + slack || nr + slack < count))
			error = glibc_inconsistent(
				glibc, "a tcache's count does not agree with its list",
				address);
		if (error)
			return error;
	}
	return NULL;
}

static struct error *follow_tcaches(struct glibc *glibc)
{
	struct target *target = glibc->base.target;
	for (size_t i = 0; i < target->threads.nr && !glibc->tcache_offset; i++) {
		struct error *error =
			find_tcache_offset(glibc, &target->threads.items[i]);
		if (error)
			return error;
	}
	if (!glibc->tcache_offset)
		return NULL;
	for (size_t i = 0; i < target->threads.nr; i++) {
		const struct thread *thread = &target->threads.items[i];
		uint64_t tcache = 0;
		bool readable = false, yes = false;
		struct error *error = peek_words(glibc->peek,
						 thread->thread_pointer +
							 (uint64_t)glibc->tcache_offset,
						 &tcache, 1, &readable);
		if (!error && readable)
			error = is_tcache(glibc, tcache, &yes);
		if (!error && yes)
			error = follow_tcache(glibc, tcache);
		else if (!error && readable && tcache)
			error = glibc_inconsistent(glibc, "a thread's tcache is damaged",
						   tcache);
		if (error)
			return error;
	}
	return NULL;
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

static struct error *follow_fastbins(struct glibc *glibc)
{
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
	return NULL;
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
	if (glibc->cached.nr < listed && glibc->base.nr_threads_inside == 0)
		return heap_note_damage(
			&glibc->base,
			"%zu blocks stand in lists of free blocks twice (freed "
			"twice?)",
			listed - glibc->cached.nr);
	return NULL;
}
