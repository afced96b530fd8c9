/*
 * pack: numbers and texts as the payloads of chunks have them.
 *
 * A number takes as few bytes as it needs, seven bits in each, the lowest first; the top bit
 * says that more follow (LEB128). A signed one is folded first, so that small ones of either
 * sign stay short: 0, -1, 1, -2, … become 0, 1, 2, 3, …. A text is its length plus one, 0
 * standing for none, and its bytes.
 *
 * Writing remembers that memory ran out (`failed`), reading that bytes were missing or made
 * no sense (`bad`): a long run of either needs one check at its end. What is read from a bad
 * unpack is 0.
 */
#ifndef SEEP_SNAP_PACK_H
#define SEEP_SNAP_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A zeroed struct is empty. */
struct pack {
	unsigned char *bytes;
	size_t size, capacity;
	bool failed;
};

/* Makes room for so many more bytes; false when memory ran out. */
bool pack_reserve(struct pack *pack, size_t more);
void pack_bytes(struct pack *pack, const void *bytes, size_t size);
void pack_text(struct pack *pack, const char *text);
void pack_deinit(struct pack *pack);

/* Most bytes that a number takes. */
#define PACK_NUMBER_MAX 10u

static inline uint64_t pack_fold(uint64_t difference)
{
	return difference << 1 ^ (uint64_t) - (difference >> 63);
}

static inline uint64_t unpack_fold(uint64_t folded)
{
	return folded >> 1 ^ -(folded & 1);
}

static inline void pack_number(struct pack *pack, uint64_t number)
{
	if (pack->capacity - pack->size < PACK_NUMBER_MAX &&
	    !pack_reserve(pack, PACK_NUMBER_MAX))
		return;
	unsigned char *at = pack->bytes + pack->size;
	for (; number >= 0x80; number >>= 7)
		*at++ = (unsigned char)(number | 0x80);
	*at++ = (unsigned char)number;
	pack->size = (size_t)(at - pack->bytes);
}

/* The difference of two numbers, modulo 2^64. */
static inline void pack_difference(struct pack *pack, uint64_t to, uint64_t from)
{
	pack_number(pack, pack_fold(to - from));
}

struct unpack {
	const unsigned char *at, *end;
	bool bad;
};

static inline struct unpack unpack_of(const void *bytes, size_t size)
{
	return (struct unpack){ .at = bytes, .end = (const unsigned char *)bytes + size };
}

static inline size_t unpack_left(const struct unpack *unpack)
{
	return (size_t)(unpack->end - unpack->at);
}

uint64_t unpack_long_number(struct unpack *unpack);

static inline uint64_t unpack_number(struct unpack *unpack)
{
	if (unpack->at < unpack->end && *unpack->at < 0x80)
		return *unpack->at++;
	return unpack_long_number(unpack);
}

static inline uint64_t unpack_difference(struct unpack *unpack, uint64_t from)
{
	return from + unpack_fold(unpack_number(unpack));
}

/* How many things follow, each of which takes at least `least` bytes: a count that the bytes
   left cannot hold is bad, so that nothing is allocated for it. */
uint64_t unpack_count(struct unpack *unpack, size_t least);

/* So many bytes, or NULL. */
const void *unpack_bytes(struct unpack *unpack, size_t size);

/* Owned by the caller; NULL: there is none, or it is bad, or memory ran out (also bad). */
char *unpack_text(struct unpack *unpack);

#endif
