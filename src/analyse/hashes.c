/* hashes: see hashes.h. */
#include "analyse/hashes.h"

#include <stdlib.h>
#include <xxhash.h>

struct hasher {
	struct area hashes;
	/* The block that goes on in the next window. */
	XXH3_state_t *state;
	uint32_t rank;
	uint64_t at, left; /* address and number of its bytes that are to come */
	bool unread;
};

struct error *hasher_create(struct hasher **result)
{
	struct hasher *hasher = calloc(1, sizeof(*hasher));
	if (hasher)
		hasher->state = XXH3_createState();
	if (!hasher || !hasher->state) {
		hasher_destroy(hasher);
		return error_no_memory();
	}
	*result = hasher;
	return NULL;
}

void hasher_destroy(struct hasher *hasher)
{
	if (!hasher)
		return;
	XXH3_freeState(hasher->state);
	area_release(&hasher->hashes);
	free(hasher);
}

static uint32_t half_of(uint64_t hash)
{
	return (uint32_t)hash ? (uint32_t)hash : 1;
}

static void set(struct hasher *hasher, uint32_t rank, uint64_t hash, bool unread)
{
	((uint32_t *)hasher->hashes.memory)[rank] = unread ? 0 : half_of(hash);
}

static void end_block(struct hasher *hasher)
{
	set(hasher, hasher->rank, XXH3_64bits_digest(hasher->state), hasher->unread);
	hasher->left = 0;
}

static void add_zeros(struct hasher *hasher, uint64_t size)
{
	static const unsigned char zeros[4096];
	for (; size > sizeof(zeros); size -= sizeof(zeros))
		XXH3_64bits_update(hasher->state, zeros, sizeof(zeros));
	XXH3_64bits_update(hasher->state, zeros, size);
}

/* Takes in the open block's bytes in the window, if it has any there. */
static void go_on(struct hasher *hasher, const struct heap_window *window)
{
	uint64_t size = window->nr_words * 8, offset = hasher->at - window->address;
	if (offset >= size)
		return;
	size = size - offset < hasher->left ? size - offset : hasher->left;
	if (window->words)
		XXH3_64bits_update(hasher->state, (const char *)window->words + offset,
				   size);
	else
		add_zeros(hasher, size);
	hasher->unread |= window->unread_bytes > 0;
	hasher->at += size;
	hasher->left -= size;
	if (!hasher->left)
		end_block(hasher);
}

static void begin_block(struct hasher *hasher, const struct heap_window *window,
			const struct heap_chunk *chunk, uint32_t rank)
{
	uint64_t offset = chunk->address - window->address;
	uint64_t size = window->nr_words * 8;
	if (window->words && offset <= size && chunk->size <= size - offset) {
		const char *bytes = (const char *)window->words + offset;
		set(hasher, rank, XXH3_64bits(bytes, chunk->size),
		    window->unread_bytes > 0);
		return;
	}
	XXH3_64bits_reset(hasher->state);
	hasher->rank = rank;
	hasher->at = chunk->address;
	hasher->left = chunk->size;
	hasher->unread = false;
	go_on(hasher, window);
}

struct error *hasher_window(struct hasher *hasher, const struct heap_window *window,
			    uint32_t rank)
{
	uint64_t nr = (uint64_t)rank + window->nr_chunks + 1;
	if (!area_reserve(&hasher->hashes, nr * sizeof(uint32_t)))
		return error_no_memory();
	if (hasher->left)
		go_on(hasher, window);
	for (size_t i = 0; i < window->nr_chunks; i++)
		if (window->chunks[i].state == CHUNK_USED)
			begin_block(hasher, window, &window->chunks[i], rank++);
	return NULL;
}

struct area hasher_finish(struct hasher *hasher)
{
	if (hasher->left) {
		hasher->unread = true;
		end_block(hasher);
	}
	struct area hashes = hasher->hashes;
	hasher->hashes = (struct area){ 0 };
	return hashes;
}

uint32_t hash_of_zeros(uint64_t size)
{
	static const unsigned char zeros[4096];
	if (size <= sizeof(zeros))
		return half_of(XXH3_64bits(zeros, size));
	XXH3_state_t *state = XXH3_createState();
	if (!state)
		return 0;
	XXH3_64bits_reset(state);
	for (uint64_t left = size, part; left; left -= part) {
		part = left < sizeof(zeros) ? left : sizeof(zeros);
		XXH3_64bits_update(state, zeros, part);
	}
	uint32_t hash = half_of(XXH3_64bits_digest(state));
	XXH3_freeState(state);
	return hash;
}
