/*
 * why_heap: what the allocator's pages hold: a walk over all chunks that claims them in the
 * ledger, counts arenas as the allocator does, and asks what trimming would give back and
 * which blocks pin pages.
 */
#ifndef SEEP_ANALYSE_WHY_HEAP_H
#define SEEP_ANALYSE_WHY_HEAP_H

#include "analyse/live_sites.h"
#include "analyse/nature.h"
#include "analyse/why_ledger.h"
#include "analyse/why_pins.h"
#include "base/map.h"

/* Blocks that count as alike. */
struct live_row {
	uint64_t size; /* of one of them */
	uint64_t blocks, resident_bytes;
	uint16_t code; /* their nature */
	uint32_t node; /* of the stack that allocated them; 0: it is not known */
};
DEFINE_VEC(live_row_vec, struct live_row);

struct why_heap {
	struct live_sites *sites; /* the caller's; NULL: nobody records them */
	struct natures *natures;
	struct live_row_vec rows;
	struct map
		numbers; /* 1 + the number of a row, by what its blocks have in common */
	/* Objects of one vtable are alike to the pins whatever their sizes: they are numbered apart. */
	struct why_pins pins;
	struct live_row_vec pin_rows;
	struct map pin_numbers;
};

/* Fills a heap with nothing but sites, and the report, while the process stands still. Blocks whose
   stacks are known go by these, others by what they look like. */
struct error *why_heap_walk(struct why_heap *heap, struct why_ledger *ledger,
			    struct why_report *report) MUST_CHECK;

/* Names the rows, when it runs on: parts and pins. */
struct error *why_heap_name(struct why_heap *heap, struct symbols *symbols,
			    struct why_ledger *ledger,
			    struct why_report *report) MUST_CHECK;
void why_heap_deinit(struct why_heap *heap);

#endif
