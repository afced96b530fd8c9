/* The writer's side of the tables: one at a time, and nobody waits to be it. */
#include "unwind/rules.h"

#include "raw/pages.h"

enum { FIRST_BITS = 8 };

static size_t table_slots(unsigned bits)
{
	return ((size_t)1 << bits) + RULE_TABLE_PROBES;
}

static struct rule_table *table_create(unsigned bits, uint64_t generation)
{
	struct rule_table *table =
		pages_map(sizeof(*table) + table_slots(bits) * sizeof(struct rule_slot));
	if (table) {
		table->shift = 64 - bits;
		atomic_init(&table->generation, generation);
	}
	return table;
}

/* False if the places where it may be are all in use. */
static bool put(struct rule_table *table, uint64_t pc, uint64_t rule)
{
	struct rule_slot *slot = &table->slots[rule_table_start(table, pc)];
	for (unsigned i = 0; i < RULE_TABLE_PROBES; i++, slot++) {
		uint64_t has = atomic_load_explicit(&slot->pc, memory_order_relaxed);
		if (has == pc)
			return true;
		if (has)
			continue;
		atomic_store_explicit(&slot->rule, rule, memory_order_release);
		atomic_store_explicit(&slot->pc, pc, memory_order_release);
		table->nr_used++;
		return true;
	}
	return false;
}

static bool put_all(struct rule_table *table, struct rule_table *from)
{
	for (size_t i = 0; i < table_slots(64 - from->shift); i++) {
		uint64_t pc =
			atomic_load_explicit(&from->slots[i].pc, memory_order_relaxed);
		uint64_t rule =
			atomic_load_explicit(&from->slots[i].rule, memory_order_relaxed);
		if (pc && !put(table, pc, rule))
			return false;
	}
	return true;
}

static void empty(struct rule_table *table, uint64_t generation)
{
	for (size_t i = 0; i < table_slots(64 - table->shift); i++)
		atomic_store_explicit(&table->slots[i].pc, 0, memory_order_relaxed);
	table->nr_used = 0;
	atomic_store_explicit(&table->generation, generation, memory_order_release);
}

/* A table with room, or NULL. */
static struct rule_table *with_room(struct rules *rules, struct rule_table *table,
				    uint64_t generation)
{
	unsigned bits = table ? 64 - table->shift : FIRST_BITS - 1;
	struct rule_table *larger;
	do {
		larger = table_create(++bits, generation);
		if (!larger)
			return NULL;
	} while (table && !put_all(larger, table)); /* hardly ever: its pages are lost */
	atomic_store_explicit(&rules->table, larger, memory_order_release);
	return larger;
}

static void add(struct rules *rules, uint64_t pc, struct rule rule)
{
	uint64_t generation =
		atomic_load_explicit(&rules->generation, memory_order_relaxed);
	struct rule_table *table =
		atomic_load_explicit(&rules->table, memory_order_relaxed);
	if (table &&
	    atomic_load_explicit(&table->generation, memory_order_relaxed) != generation)
		empty(table, generation);
	if (table && table->nr_used < UINT64_C(1) << (63 - table->shift) &&
	    put(table, pc, rule.word))
		return;
	table = with_room(rules, table, generation);
	if (table)
		put(table, pc, rule.word);
}

struct rule rules_learn(struct rules *rules, uint64_t pc, const void *writer)
{
	bool may_be_kept;
	struct rule rule = rule_find(pc, &may_be_kept);
	const void *other = NULL;
	if (may_be_kept && (atomic_compare_exchange_strong_explicit(
				    &rules->writer, &other, writer, memory_order_acquire,
				    memory_order_relaxed) ||
			    other == writer)) {
		add(rules, pc, rule);
		atomic_store_explicit(&rules->writer, NULL, memory_order_release);
	}
	return rule;
}

void rules_forget(struct rules *rules)
{
	atomic_fetch_add_explicit(&rules->generation, 1, memory_order_acq_rel);
}
