/*
 * steps: see steps.h.
 *
 * Atomics: a slot of a table goes from 0 to a word and stays, until steps_forget() clears all;
 * `table` is replaced by a larger one under `growing`, and the old one is never unmapped, since
 * somebody may be reading it: all old ones together are smaller than the current one. A step
 * in `distinct` is written before nr_distinct counts it, under `adding`. Neither is waited for: who finds
 * it taken goes without keeping what it found.
 */
#include "unwind/steps.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>

#include "raw/pages.h"

#define FIRST_SLOTS 4096u

static struct steps_table *table_create(uint64_t nr_slots)
{
	struct steps_table *table =
		pages_map(sizeof(*table) + nr_slots * sizeof(table->slots[0]));
	if (table)
		table->nr_slots = nr_slots;
	return table;
}

struct steps *steps_create(void)
{
	struct steps *steps = pages_map(sizeof(*steps));
	struct steps_table *table = table_create(FIRST_SLOTS);
	if (!steps || !table)
		return NULL;
	atomic_store_explicit(&steps->table, table, memory_order_release);
	return steps;
}

static void put(struct steps_table *table, uint64_t word)
{
	for (uint64_t i = steps_first_slot(table, word >> STEPS_PC_SHIFT);;
	     i = (i + 1) & (table->nr_slots - 1)) {
		uint64_t found = 0;
		if (atomic_compare_exchange_strong_explicit(&table->slots[i], &found,
							    word, memory_order_release,
							    memory_order_acquire)) {
			atomic_fetch_add_explicit(&table->nr_used, 1,
						  memory_order_relaxed);
			return;
		}
		if (found >> STEPS_PC_SHIFT == word >> STEPS_PC_SHIFT)
			return;
	}
}

static bool is_half_full(const struct steps_table *table)
{
	return atomic_load_explicit(&table->nr_used, memory_order_relaxed) * 2 >=
	       table->nr_slots;
}

static void grow(struct steps *steps, struct steps_table *table)
{
	if (atomic_flag_test_and_set(&steps->growing))
		return;
	struct steps_table *larger = is_half_full(table) && steps->table == table
					     ? table_create(table->nr_slots * 2)
					     : NULL;
	for (uint64_t i = 0; larger && i < table->nr_slots; i++) {
		uint64_t word =
			atomic_load_explicit(&table->slots[i], memory_order_acquire);
		if (word)
			put(larger, word);
	}
	if (larger)
		atomic_store_explicit(&steps->table, larger, memory_order_release);
	atomic_flag_clear(&steps->growing);
}

/* The number that a step is known by, 0 when it cannot get one. */
static uint32_t number_of(struct steps *steps, const struct step *step)
{
	uint32_t nr = atomic_load_explicit(&steps->nr_distinct, memory_order_acquire);
	for (uint32_t i = 1; i <= nr; i++)
		if (!memcmp(&steps->distinct[i], step, sizeof(*step)))
			return i;
	if (nr + 1 >= STEPS_MAX || atomic_flag_test_and_set(&steps->adding))
		return 0;
	nr = atomic_load_explicit(&steps->nr_distinct, memory_order_acquire);
	steps->distinct[nr + 1] = *step;
	atomic_store_explicit(&steps->nr_distinct, nr + 1, memory_order_release);
	atomic_flag_clear(&steps->adding);
	return nr + 1;
}

static void keep(struct steps *steps, uint64_t pc, const struct step *step)
{
	uint32_t number = number_of(steps, step);
	struct steps_table *table =
		atomic_load_explicit(&steps->table, memory_order_acquire);
	if (!number)
		return;
	if (is_half_full(table))
		grow(steps, table);
	table = atomic_load_explicit(&steps->table, memory_order_acquire);
	if (!is_half_full(table))
		put(table, pc << STEPS_PC_SHIFT | number);
}

/* The segment of the object at `base` that holds an address. */
static bool find_segment(const ElfW(Ehdr) * file, uint64_t bias, uint64_t address,
			 struct eh_frame_bounds *bounds)
{
	const ElfW(Phdr) *segments = (const void *)((const char *)file + file->e_phoff);
	for (unsigned i = 0; i < file->e_phnum; i++) {
		uint64_t start = bias + segments[i].p_vaddr;
		if (segments[i].p_type != PT_LOAD ||
		    address - start >= segments[i].p_filesz)
			continue;
		bounds->start = (const unsigned char *)(uintptr_t)start;
		bounds->end = bounds->start + segments[i].p_filesz;
		return true;
	}
	return false;
}

bool steps_rules(uint64_t pc, struct frame_rules *rules)
{
	struct dl_find_object found;
	struct eh_frame_bounds bounds;
	if (_dl_find_object((void *)(uintptr_t)pc, &found) != 0 || !found.dlfo_eh_frame)
		return false;
	const ElfW(Ehdr) *file = found.dlfo_map_start;
	uint64_t bias = found.dlfo_link_map->l_addr;
	if (memcmp(file->e_ident, ELFMAG, SELFMAG) != 0 ||
	    !find_segment(file, bias, (uint64_t)(uintptr_t)found.dlfo_eh_frame, &bounds))
		return false;
	return eh_frame_rules(&bounds, found.dlfo_eh_frame, pc, rules);
}

/* The registers' numbers: System V ABI, AMD64 supplement, figure 3.36. */
#define BP     6u
#define SP     7u
#define RETURN 16u

static bool is_plain(const struct frame_rules *rules)
{
	const struct frame_rule *back = &rules->registers[RETURN];
	const struct frame_rule *bp = &rules->registers[BP];
	return !rules->is_signal && !rules->cfa_expression &&
	       (rules->cfa_register == SP || rules->cfa_register == BP) &&
	       rules->return_register == RETURN && back->kind == FRAME_AT_OFFSET &&
	       back->offset == -8 &&
	       (bp->kind == FRAME_SAME || bp->kind == FRAME_AT_OFFSET) &&
	       rules->registers[SP].kind == FRAME_SAME;
}

static struct step make_step(uint64_t pc)
{
	struct frame_rules rules;
	if (!steps_rules(pc, &rules))
		return (struct step){ .kind = STEP_UNKNOWN };
	if (rules.registers[rules.return_register].kind == FRAME_UNDEFINED)
		return (struct step){ .kind = STEP_OUTERMOST };
	if (!is_plain(&rules))
		return (struct step){ .kind = STEP_BY_RULES };
	return (struct step){
		.kind = STEP_PLAIN,
		.cfa_by_bp = rules.cfa_register == BP,
		.bp_saved = rules.registers[BP].kind == FRAME_AT_OFFSET,
		.cfa_offset = rules.cfa_offset,
		.bp_offset = rules.registers[BP].kind == FRAME_AT_OFFSET
				     ? rules.registers[BP].offset
				     : 0,
	};
}

struct step steps_at(struct steps *steps, uint64_t pc)
{
	const struct step *kept = steps_kept(steps, pc);
	if (kept)
		return *kept;
	struct step step = make_step(pc);
	keep(steps, pc, &step);
	return step;
}

void steps_forget(struct steps *steps)
{
	struct steps_table *table =
		atomic_load_explicit(&steps->table, memory_order_acquire);
	for (uint64_t i = 0; i < table->nr_slots; i++)
		atomic_store_explicit(&table->slots[i], 0, memory_order_release);
	atomic_store_explicit(&table->nr_used, 0, memory_order_relaxed);
}
