/*
 * hash: 64-bit hashes for tables (hash_mix) and for fingerprints (hash_bytes: FNV-1a, which
 * must never change, since fingerprints are compared across builds and machines).
 */
#ifndef SEEP_BASE_HASH_H
#define SEEP_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_SEED 0xcbf29ce484222325u

static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
	const unsigned char *byte = bytes;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3u;
	return hash;
}

/* The finaliser of Stafford's variant 13 of MurmurHash3's mixer (as in SplitMix64). */
static inline uint64_t hash_mix(uint64_t value)
{
	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
	return value ^ (value >> 31);
}

#endif
