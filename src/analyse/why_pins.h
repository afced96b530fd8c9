/*
 * why_pins: which blocks keep pages that are free otherwise. A page counts as pinned when it is
 * resident, a block stands on it, and at least half of it is free. What is free there is laid at
 * the door of the types of its blocks, by their bytes on the page.
 */
#ifndef SEEP_ANALYSE_WHY_PINS_H
#define SEEP_ANALYSE_WHY_PINS_H

#include "analyse/resident.h"

/* What is known of a type. */
struct pin_row {
	uint64_t blocks, bytes, pages, pages_alone;
	double free_bytes;
};
DEFINE_VEC(pin_row_vec, struct pin_row);

/* So many chunks fit on a page. */
#define PIN_TYPES_MOST 130u

/* A zeroed struct is one before the first chunk. Chunks pass by in ascending order. */
struct why_pins {
	struct pin_row_vec rows; /* by the number of a type */
	uint64_t pages, free_bytes;
	/* The page that is being filled. */
	uint64_t page;
	uint64_t live, free;
	uint64_t last_pinned; /* the last page that counted */
	struct pin_piece {
		uint32_t type;
		uint32_t bytes, blocks;
	} pieces[PIN_TYPES_MOST];
	size_t nr_pieces;
};

struct error *why_pins_add_block(struct why_pins *pins, struct resident *resident,
				 uint32_t type, uint64_t start, uint64_t end) MUST_CHECK;
struct error *why_pins_add_free(struct why_pins *pins, struct resident *resident,
				uint64_t start, uint64_t end) MUST_CHECK;
/* After the last chunk. */
struct error *why_pins_finish(struct why_pins *pins,
			      struct resident *resident) MUST_CHECK;
void why_pins_deinit(struct why_pins *pins);

#endif
