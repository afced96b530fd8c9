/*
 * site_naming: names the call stacks of blocks, each once, and tells block_sites what is known of a
 * block. Stacks that are told alike are one site.
 */
#ifndef SEEP_ANALYSE_SITE_NAMING_H
#define SEEP_ANALYSE_SITE_NAMING_H

#include "analyse/block_sites.h"
#include "analyse/call_sites.h"
#include "base/map.h"

struct site_naming {
	struct block_sites *sites;
	struct call_sites *stacks; /* the caller's */
	struct map by_stack;       /* numbers of sites by the hash of their lines */
	struct map by_label;       /* and by that of how they are told */
	struct map by_request;     /* numbers of requests by node and size */
};

/* What was recorded of a block. */
struct site_fact {
	uint32_t rank, node, age_ms;
	uint64_t requested;
};

/* "make (a.c:12) < main (a.c:30)", from the program's own code on outwards; owned by the caller; NULL: no
   memory. */
char *site_label(const struct call_stack *stack);

struct error *site_naming_tell(struct site_naming *naming,
			       const struct site_fact *fact) MUST_CHECK;
void site_naming_deinit(struct site_naming *naming);

#endif
