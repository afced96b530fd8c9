/*
 * records: what the words in a ring say (wire/event.h), checked.
 *
 * The program may write anything at any time. Each word is read once, and a record that could
 * not be one is none.
 */
#ifndef SEEP_RECORD_RECORDS_H
#define SEEP_RECORD_RECORDS_H

#include "raw/ring.h"
#include "wire/event.h"

struct record {
	uint64_t time;    /* in ticks; not set here */
	uint64_t address; /* the value of a record that has no address */
	uint64_t size;
	uint64_t new_address; /* of a REALLOCATION */
	uint32_t node;
	uint32_t thread; /* its number; not set here */
	enum event_type type;
};

/* What is only in a LOAD. */
struct record_load {
	uint64_t start, end, bias;
	uint32_t first_node;
	char path[4096 + 1];
	char build_id[2 * 64 + 1]; /* in hexadecimal; "": none */
};

/* The first `nr` words of a ring from `position` on; NODES below `nr_nodes` are known. Returns
   how many words the record has, 0 if it is none. `load` is filled for a LOAD alone. */
unsigned record_decode(const struct ring *ring, uint64_t position, uint64_t nr,
		       uint32_t nr_nodes, struct record *record,
		       struct record_load *load);

/* One word, read once. */
static inline uint64_t record_word(const struct ring *ring, uint64_t position)
{
	return __atomic_load_n(&ring->words[position & (RING_WORDS - 1)],
			       __ATOMIC_RELAXED);
}

#endif
