/*
 * rules: the rules that were met, by pc, for all threads of the process.
 *
 * Readers take no lock and never wait. A slot is written word after word: its pc is 0 until
 * its rule is there, and a reader looks at the pc again after it has read the rule; so slots may
 * be used anew at any time. Who wants to add a rule and finds another at it does not add it.
 * A table that became too small is left to those who still read it; the next one is twice as
 * large.
 */
#ifndef SEEP_UNWIND_RULES_H
#define SEEP_UNWIND_RULES_H

#include <stdatomic.h>

#include "unwind/rule.h"

struct rule_slot {
	_Atomic uint64_t pc; /* 0: free */
	_Atomic uint64_t rule;
};

struct rule_table {
	unsigned shift; /* of a hash, to the number of a slot */
	_Atomic uint64_t generation;
	uint64_t nr_used; /* of the writer's alone */
	struct rule_slot slots[];
};

enum { RULE_TABLE_PROBES = 16 };

struct rules {
	_Atomic(struct rule_table *) table;
	_Atomic uint64_t generation;
	_Atomic(const void *) writer; /* NULL: nobody adds just now */
};

/* The table to look in; NULL: all that was known was forgotten, or nothing is known yet. */
static inline struct rule_table *rules_table(struct rules *rules)
{
	struct rule_table *table =
		atomic_load_explicit(&rules->table, memory_order_acquire);
	if (table &&
	    atomic_load_explicit(&table->generation, memory_order_acquire) !=
		    atomic_load_explicit(&rules->generation, memory_order_relaxed))
		return NULL;
	return table;
}

static inline uint64_t rule_table_start(const struct rule_table *table, uint64_t pc)
{
	return (pc * UINT64_C(0x9e3779b97f4a7c15)) >> table->shift;
}

/* Slots past the last one are there, so that no search wraps around. */
static inline struct rule rule_table_find(struct rule_table *table, uint64_t pc)
{
	struct rule found = { RULE_UNKNOWN };
	struct rule_slot *slot = &table->slots[rule_table_start(table, pc)];
	for (unsigned i = 0; i < RULE_TABLE_PROBES; i++, slot++) {
		uint64_t has = atomic_load_explicit(&slot->pc, memory_order_acquire);
		if (has != pc) {
			if (has == 0)
				break;
			continue;
		}
		uint64_t word = atomic_load_explicit(&slot->rule, memory_order_acquire);
		if (atomic_load_explicit(&slot->pc, memory_order_relaxed) == pc)
			found.word = word;
		break;
	}
	return found;
}

/* Works out the rule of a pc that is in no table, and adds it. `writer` is the caller's own
   mark: one who was interrupted in the middle of it for ever is so known to be the same. */
struct rule rules_learn(struct rules *rules, uint64_t pc, const void *writer);

/* Whatever was known until now is known no more. */
void rules_forget(struct rules *rules);

#endif
