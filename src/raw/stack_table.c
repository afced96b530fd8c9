/*
 * stack_table: see stack_table.h.
 *
 * An open hash table of nodes, found by (parent, address), in 64-bit slots: the node, and above it
 * some bits of its hash. It is lock-free:
 *
 * - A slot goes from empty to taken or to sealed by one compare-and-swap, and never changes again.
 *   A node is written before its number is put into a slot (release, acquire).
 * - A table that is half full gets a next one, of twice the size (a compare-and-swap of `next`).
 *   From then on nothing is put into it: who would use an empty slot seals it and goes on to the
 *   next table. So a key whose way ends at a sealed slot is in a later table or nowhere.
 * - Who made the next table copies into it. It may be late, and the next one be half full or full
 *   before that: then that one gets its own next. `root` goes on to a table when all before it are
 *   copied. Old ones stay mapped, since others may still be reading them: all of them together are
 *   as large as the last.
 *
 * Two threads may make a node for the same key at once; one gets into the slot, the other's node is
 * never used.
 */
#include "raw/stack_table.h"

#include "raw/pages.h"

#define FIRST_SLOTS 2048u
/* Taken slots have a node, which is not 0, in their low half. */
#define EMPTY  0ull
#define SEALED (1ull << 63)

struct slots {
	uint32_t nr; /* a power of two */
	_Atomic uint32_t nr_taken;
	_Atomic bool is_copied; /* all it held is in later tables */
	_Atomic(struct slots *) next;
	_Atomic uint64_t slots[];
};

struct stack_table {
	struct windows *windows;
	struct slots *first;
	_Atomic(struct slots *) root;
	_Atomic uint32_t first_valid; /* nodes before it are forgotten */
};

struct key {
	uint64_t address, hash;
	uint32_t parent;
	uint32_t node; /* that was made for it; 0: none yet */
};

static size_t slots_bytes(uint32_t nr)
{
	return sizeof(struct slots) + nr * sizeof(uint64_t);
}

static struct slots *slots_create(uint32_t nr)
{
	struct slots *slots = pages_map(slots_bytes(nr));
	if (slots)
		slots->nr = nr;
	return slots;
}

/* The finisher of splitmix64, over both parts. */
static uint64_t hash_of(uint32_t parent, uint64_t address)
{
	uint64_t hash = address + parent * 0x9e3779b97f4a7c15ull;
	hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9ull;
	hash = (hash ^ hash >> 27) * 0x94d049bb133111ebull;
	return hash ^ hash >> 31;
}

static uint64_t slot_value(uint64_t hash, uint32_t node)
{
	return (hash & 0xffffffff00000000ull) | node;
}

static bool slot_is(const struct stack_table *table, uint64_t value,
		    const struct key *key)
{
	uint32_t number = (uint32_t)value;
	if (value != slot_value(key->hash, number) ||
	    number < atomic_load_explicit(&table->first_valid, memory_order_relaxed))
		return false;
	const struct stack_node *node = windows_node(table->windows, number);
	return node && node->parent == key->parent && node->address == key->address;
}

static void tell(struct session *session, enum session_trouble trouble)
{
	uint32_t none = SESSION_NO_TROUBLE;
	atomic_compare_exchange_strong(&session->trouble, &none, trouble);
}

/* 0 when there is no room. */
static uint32_t node_create(const struct stack_table *table, const struct key *key)
{
	struct session *session = table->windows->session;
	uint32_t number = atomic_load_explicit(&session->nr_nodes, memory_order_relaxed);
	do {
		if (number >= SESSION_NODES) {
			tell(session, SESSION_NO_NODES);
			return 0;
		}
		if (!windows_node(table->windows, number)) {
			tell(session, SESSION_NO_MEMORY);
			return 0;
		}
	} while (!atomic_compare_exchange_weak(&session->nr_nodes, &number, number + 1));

	struct stack_node *node = windows_node(table->windows, number);
	node->parent = key->parent;
	/* seep takes a node whose address it sees as written. */
	__atomic_store_n(&node->address, key->address, __ATOMIC_RELEASE);
	return number;
}

enum outcome { TAKEN, FULL, ELSEWHERE };

/* Looks one slot over, and puts the key's node there if it may; the slot's value when done. */
static uint64_t slot_settle(struct stack_table *table, struct slots *slots,
			    _Atomic uint64_t *slot, struct key *key)
{
	uint64_t value = atomic_load_explicit(slot, memory_order_acquire);
	if (value != EMPTY)
		return value;
	uint64_t wanted = SEALED;
	if (!atomic_load_explicit(&slots->next, memory_order_acquire)) {
		if (!key->node)
			key->node = node_create(table, key);
		if (!key->node)
			return EMPTY;
		wanted = slot_value(key->hash, key->node);
	}
	if (!atomic_compare_exchange_strong_explicit(
		    slot, &value, wanted, memory_order_acq_rel, memory_order_acquire))
		return value;
	if (wanted != SEALED)
		atomic_fetch_add_explicit(&slots->nr_taken, 1, memory_order_relaxed);
	return wanted;
}

/* TAKEN: *node is the key's. ELSEWHERE: it would be in the next table. FULL: in none. */
static enum outcome slots_find(struct stack_table *table, struct slots *slots,
			       struct key *key, uint32_t *node)
{
	uint32_t mask = slots->nr - 1;
	for (uint32_t i = 0; i <= mask; i++) {
		_Atomic uint64_t *slot = &slots->slots[((uint32_t)key->hash + i) & mask];
		uint64_t value = slot_settle(table, slots, slot, key);
		if (value == EMPTY)
			return FULL;
		if (value == SEALED)
			return ELSEWHERE;
		if (slot_is(table, value, key)) {
			*node = (uint32_t)value;
			return TAKEN;
		}
	}
	return ELSEWHERE;
}

static void grow(struct stack_table *table, struct slots *slots);

/* The table after one; NULL when there is no memory for it. */
static struct slots *next_of(struct stack_table *table, struct slots *slots)
{
	if (!atomic_load_explicit(&slots->next, memory_order_acquire))
		grow(table, slots);
	return atomic_load_explicit(&slots->next, memory_order_acquire);
}

static bool is_crowded(struct slots *slots)
{
	return atomic_load_explicit(&slots->nr_taken, memory_order_relaxed) >
		       slots->nr / 2 &&
	       !atomic_load_explicit(&slots->next, memory_order_relaxed);
}

/* From the table `slots` on. */
static uint32_t find(struct stack_table *table, struct slots *slots, struct key *key)
{
	uint32_t node = 0;
	for (; slots; slots = next_of(table, slots)) {
		switch (slots_find(table, slots, key, &node)) {
		case TAKEN:
			if (node == key->node && is_crowded(slots))
				grow(table, slots);
			return node;
		case FULL:
			return key->parent;
		case ELSEWHERE:
			break;
		}
	}
	tell(table->windows->session, SESSION_NO_MEMORY);
	return key->parent;
}

/* Puts what a slot holds into the next table, unless it is forgotten. */
static void migrate(struct stack_table *table, struct slots *to, uint64_t value)
{
	const struct stack_node *node = windows_node(table->windows, (uint32_t)value);
	if (!node || (uint32_t)value < atomic_load(&table->first_valid))
		return;
	struct key key = {
		.address = node->address,
		.hash = hash_of(node->parent, node->address),
		.parent = node->parent,
		.node = (uint32_t)value,
	};
	find(table, to, &key);
}

static void copy(struct stack_table *table, struct slots *slots, struct slots *next)
{
	for (uint32_t i = 0; i < slots->nr; i++) {
		uint64_t value = EMPTY;
		if (!atomic_compare_exchange_strong(&slots->slots[i], &value, SEALED) &&
		    value != SEALED)
			migrate(table, next, value);
	}
	atomic_store(&slots->is_copied, true);
}

static void advance_root(struct stack_table *table)
{
	struct slots *root = atomic_load(&table->root);
	while (atomic_load(&root->is_copied)) {
		struct slots *next = atomic_load(&root->next);
		if (atomic_compare_exchange_strong(&table->root, &root, next))
			root = next;
	}
}

/* Recursion, through migrate(), is as deep as there are tables. */
static void grow(struct stack_table *table, struct slots *slots)
{
	struct slots *next = slots_create(slots->nr * 2);
	struct slots *none = NULL;
	if (!next)
		return;
	if (!atomic_compare_exchange_strong(&slots->next, &none, next)) {
		pages_unmap(next, slots_bytes(slots->nr * 2));
		return;
	}
	copy(table, slots, next);
	advance_root(table);
}

uint32_t stack_table_child(struct stack_table *table, uint32_t parent, uint64_t address)
{
	struct key key = {
		.address = address,
		.hash = hash_of(parent, address),
		.parent = parent,
	};
	struct slots *root = atomic_load_explicit(&table->root, memory_order_acquire);
	return find(table, root, &key);
}

uint32_t stack_table_forget(struct stack_table *table)
{
	uint32_t nr_nodes = atomic_load(&table->windows->session->nr_nodes);
	atomic_store(&table->first_valid, nr_nodes);
	return nr_nodes;
}

struct stack_table *stack_table_create(struct windows *windows)
{
	struct stack_table *table = pages_map(sizeof(*table));
	if (!table)
		return NULL;
	table->windows = windows;
	table->first = slots_create(FIRST_SLOTS);
	if (!table->first) {
		pages_unmap(table, sizeof(*table));
		return NULL;
	}
	atomic_store(&table->root, table->first);
	uint32_t none = 0; /* node 0 is given out */
	atomic_compare_exchange_strong(&windows->session->nr_nodes, &none, 1);
	return table;
}

void stack_table_destroy(struct stack_table *table)
{
	if (!table)
		return;
	struct slots *slots = table->first;
	while (slots) {
		struct slots *next = atomic_load(&slots->next);
		pages_unmap(slots, slots_bytes(slots->nr));
		slots = next;
	}
	pages_unmap(table, sizeof(*table));
}
