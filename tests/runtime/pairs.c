/* pairs: see pairs.h. */
#include "pairs.h"

#include <stdbool.h>
#include <stdlib.h>

#include "wire/event.h"

#define TABLE_SLOTS (1u << 20) /* more addresses than a test uses */

struct fact {
	uint64_t time, order, old, new;
};

static struct fact *facts;
static uint64_t nr_facts, capacity;

static struct owner {
	uint64_t address, owners, overlaps;
} owners[TABLE_SLOTS];

static struct pairs_result result;

void pairs_add(const uint64_t *words)
{
	enum event_type type = event_type(words[0]);
	uint64_t address = event_value(words[0]);
	struct fact fact = { .time = words[1], .order = nr_facts };
	if (type == EVENT_ALLOCATION || type == EVENT_BIG_ALLOCATION)
		fact.new = address;
	else if (type == EVENT_FREE)
		fact.old = address;
	else if (type == EVENT_REALLOCATION)
		fact = (struct fact){ words[1], nr_facts, address, words[4] };
	else
		return;
	if (nr_facts == capacity) {
		capacity = capacity ? 2 * capacity : 4096;
		facts = realloc(facts, capacity * sizeof(*facts));
		if (!facts)
			abort();
	}
	facts[nr_facts++] = fact;
}

/* Events of one thread may bear the same time. */
static int compare(const void *one, const void *other)
{
	const struct fact *a = one, *b = other;
	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

static struct owner *owner_of(uint64_t address)
{
	uint64_t slot = address * 0x9e3779b97f4a7c15ull >> 44;
	while (owners[slot].address && owners[slot].address != address)
		slot = (slot + 1) % TABLE_SLOTS;
	owners[slot].address = address;
	return &owners[slot];
}

static void give(uint64_t address)
{
	struct owner *owner = owner_of(address);
	if (owner->owners++ > 0) {
		owner->overlaps++;
		result.overlaps++;
	}
	result.live++;
}

static void take(uint64_t address, bool is_late)
{
	struct owner *owner = owner_of(address);
	if (is_late) {
		result.overlaps -= owner->overlaps;
		owner->overlaps = 0;
	}
	if (owner->owners == 0) {
		result.strays++;
		return;
	}
	owner->owners--;
	result.live--;
}

struct pairs_result pairs_check(void)
{
	if (nr_facts > 0)
		qsort(facts, nr_facts, sizeof(*facts), compare);
	for (uint64_t i = 0; i < nr_facts; i++) {
		const struct fact *fact = &facts[i];
		if (fact->old == fact->new)
			continue;
		if (fact->old)
			take(fact->old, fact->new != 0);
		if (fact->new)
			give(fact->new);
	}
	return result;
}
