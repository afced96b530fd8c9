/*
 * places: names of addresses outside the heap, whoever knows them: the symbols of a target's
 * modules, or a list that was stored with a snapshot.
 */
#ifndef SEEP_ANALYSE_PLACES_H
#define SEEP_ANALYSE_PLACES_H

#include "base/error.h"
#include "sym/symbols.h"

struct places {
	/* What is returned belongs to the places. */
	struct symbol_name (*name)(struct places *places, uint64_t address);
	void (*destroy)(struct places *places);
};

static inline struct symbol_name places_name(struct places *places, uint64_t address)
{
	return places->name(places, address);
}
void places_destroy(struct places *places);

/* The symbols must outlive the places. */
struct error *places_of_symbols(struct symbols *symbols,
				struct places **result) MUST_CHECK;

/* An empty list, and one more place for it; addresses need not come in order. */
struct error *places_listed(struct places **result) MUST_CHECK;
struct error *places_add(struct places *base, uint64_t address,
			 const struct symbol_name *name) MUST_CHECK;

#endif
