/*
 * block_sites: which call stacks allocated the blocks of a look, how much they asked for, and how long
 * before the look. Known of processes that are being recorded (traced_sites.h), and of snapshots of them.
 */
#ifndef SEEP_ANALYSE_BLOCK_SITES_H
#define SEEP_ANALYSE_BLOCK_SITES_H

#include <stdbool.h>
#include <stdint.h>

#include "analyse/nature.h"
#include "base/area.h"
#include "base/error.h"
#include "base/sentences.h"
#include "graph/space.h"

/* Texts are owned. */
struct block_site {
	char *stack;    /* "make (a.c:12) < main (a.c:30)" */
	char *function; /* that allocated for its own purposes; NULL: not known */
	uint64_t hash;  /* of the stack, the same in other looks */
};
DEFINE_VEC(block_site_vec, struct block_site);

struct block_request {
	uint32_t site; /* number; 0: not known */
	uint64_t size; /* bytes that were asked for */
};
DEFINE_VEC(block_request_vec, struct block_request);

/* Both numbers count from 1; what is 0 is in the lists too, and is not known. */
struct block_sites {
	struct block_site_vec sites;
	struct block_request_vec requests;
	struct area
		numbers; /* uint32_t by rank: of its request; empty: nothing is known */
	struct area
		ages; /* uint32_t by rank: milliseconds; BLOCK_AGE_MAX: that or more */
};
#define BLOCK_AGE_UNKNOWN UINT32_MAX
#define BLOCK_AGE_MAX     (BLOCK_AGE_UNKNOWN - 1)

/* Room for so many blocks, and the site and request 0. */
struct error *block_sites_init(struct block_sites *sites, uint64_t nr_blocks) MUST_CHECK;
/* Room for more of them. */
struct error *block_sites_reserve(struct block_sites *sites,
				  uint64_t nr_blocks) MUST_CHECK;
void block_sites_deinit(struct block_sites *sites);

/* Takes both texts over, also when it fails. */
struct error *block_sites_add(struct block_sites *sites, char *stack,
			      char *function) MUST_CHECK;
/* Of a block that is not known yet. */
static inline void block_sites_set(struct block_sites *sites, uint32_t rank,
				   uint32_t request, uint32_t age_ms)
{
	((uint32_t *)sites->numbers.memory)[rank] = request;
	((uint32_t *)sites->ages.memory)[rank] = age_ms;
}

static inline bool block_sites_are_known(const struct block_sites *sites)
{
	return sites->numbers.memory;
}

/* NULL: it is not known. */
static inline const struct block_request *block_request(const struct block_sites *sites,
							uint32_t rank)
{
	uint32_t number = block_sites_are_known(sites)
				  ? ((const uint32_t *)sites->numbers.memory)[rank]
				  : 0;
	return number ? &sites->requests.items[number] : NULL;
}

/* The number of its site; 0: it is not known. */
static inline uint32_t block_site(const struct block_sites *sites, uint32_t rank)
{
	const struct block_request *request = block_request(sites, rank);
	return request ? request->site : 0;
}

static inline uint32_t block_age_ms(const struct block_sites *sites, uint32_t rank)
{
	return block_request(sites, rank) ? ((const uint32_t *)sites->ages.memory)[rank]
					  : BLOCK_AGE_UNKNOWN;
}

/* Whoever allocated a block of no type gives it one: "malloc in f". */
struct error *block_sites_name(const struct block_sites *sites, const struct space *space,
			       struct natures *natures) MUST_CHECK;

/* Says how much is known, if that is not all. */
struct error *block_sites_warn(const struct block_sites *sites, const struct space *space,
			       struct sentence_vec *warnings) MUST_CHECK;

#endif
