/*
 * typing: see typing.h.
 *
 * In rounds: each starts from the vtables and from the variables, and follows pointers until nothing
 * new is said. When something was contradicted, what is not to be believed is noted with the block,
 * and another round begins from nothing else.
 */
#include "analyse/typing_priv.h"

#include <string.h>

#include "base/str.h"

/* Contradictions lead to fewer types, and those to fewer contradictions: a few rounds do. */
#define ROUNDS_MAX       24u
#define ELEMENTS_AT_ONCE 256u
/* Steps of a round, per byte of the heap, and more: no honest heap needs as many. */
#define STEPS_PER_BYTE 2u
#define STEPS_MORE     ((uint64_t)1 << 26)

/* --- where it begins ------------------------------------------------------------------ */

struct by_vtable {
	struct run *run;
	struct map types; /* by code of nature, plus one */
};

static uint32_t class_of(struct by_vtable *by, uint16_t code)
{
	const struct typing_task *task = by->run->task;
	uint64_t *known = map_at(&by->types, code);
	if (known && *known)
		return (uint32_t)*known - 1;
	const char *name = symbols_vtable_class(
		task->symbols, task->natures->addresses.items[code - NATURE_OBJECT]);
	uint32_t type = name ? types_class(task->types, name) : TYPE_NONE;
	if (known)
		*known = (uint64_t)type + 1;
	return type;
}

/* An object at the beginning of a block that is too large for it may be one of many things. */
static void claim_object(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	struct by_vtable *by = context;
	struct met met;
	uint16_t code = natures_get(by->run->task->natures, rank);
	(void)size;
	if (code < NATURE_OBJECT || !run_meets(by->run, address, &met))
		return;
	uint32_t type = class_of(by, code);
	const struct type *of = types_get(by->run->types, type);
	if (!type || (of->size && !met_fits(&met, of->size)))
		return;
	const struct claim said = { .type = type,
				    .evidence = TYPING_VTABLE,
				    .nr = UINT32_MAX };
	run_claim(by->run, &met, &said);
}

static void begin_with_vtables(struct run *run)
{
	struct by_vtable by = { .run = run };
	if (run->task->natures)
		space_each(run->task->space, claim_object, &by);
	map_deinit(&by.types);
}

static void begin_with_variables(struct run *run)
{
	size_t nr = types_nr_variables(run->types);
	for (size_t i = 0; i < nr; i++) {
		struct types_variable variable;
		uint32_t type = types_variable(run->types, i, &variable);
		if (!variable.is_thread_local)
			run_follow(run, type, variable.address, 0);
		else
			run_follow_in_threads(run, type, &variable);
	}
}

/* --- rounds ------------------------------------------------------------------------- */

void run_push(struct run *run, const struct typing_item *item)
{
	if (!typing_item_vec_push(&run->items, *item))
		run->out_of_memory = true;
}

/* A few elements at a time: there may be as many as blocks, and more blocks behind each. */
static void follow_elements(struct run *run, struct typing_item item, uint32_t type)
{
	struct met met;
	const uint64_t bytes = types_get(run->types, type)->size;
	const uint64_t lead = run->codes[item.rank] & CODE_COOKIE ? 8 : 0;
	if (!run_meets(run, item.address, &met))
		return;
	uint64_t end = (met.size - lead) / bytes, first = item.first;
	if (item.nr != UINT32_MAX && end > first && end - first > item.nr)
		end = first + item.nr;
	if (end > first && end - first > ELEMENTS_AT_ONCE) {
		item.first += ELEMENTS_AT_ONCE;
		item.nr -= item.nr == UINT32_MAX ? 0 : ELEMENTS_AT_ONCE;
		end = first + ELEMENTS_AT_ONCE;
		run_push(run, &item);
	}
	for (; first < end; first++)
		run_follow(run, type, item.address + lead + first * bytes, 0);
}

/* If something else is known of it by now, there is another item, or nothing to follow. */
static void follow_block(struct run *run, const struct typing_item *item)
{
	struct typing_answer known = run_known(run, item->rank);
	const struct type *type = types_get(run->types, known.type);
	if (item->code != (run->codes[item->rank] & ~(uint32_t)CODE_BARS) || !type->size)
		return;
	if (known.is_array)
		follow_elements(run, *item, known.type);
	else if (item->first == 0 && item->nr)
		run_follow(run, known.type, item->address, 0);
}

static void follow_items(struct run *run)
{
	struct typing_item_vec *items = &run->items;
	do {
		while (items->nr && !run->reader.error) {
			const struct typing_item item = items->items[--items->nr];
			follow_block(run, &item);
		}
	} while (run_follow_pointer(run));
}

/* What is known of blocks, but for what is not to be believed. */
static void forget(struct run *run, uint64_t nr)
{
	for (uint64_t i = 0; i < nr; i++)
		run->codes[i] &= CODE_BARS;
	memset(run->spare, 0, nr * sizeof(*run->spare));
}

/* It does not settle: only vtables can be relied on. */
static void give_up(struct run *run, uint64_t nr)
{
	for (uint64_t i = 0; i < nr; i++)
		run->codes[i] = CODE_BARS;
	begin_with_vtables(run);
	run->items.nr = 0;
	run->nr_followed = run->nr_met;
}

static unsigned go_round(struct run *run, uint64_t nr_blocks)
{
	unsigned round = 0;
	do {
		forget(run, nr_blocks);
		run->again = false;
		run->steps = 0;
		begin_with_vtables(run);
		run_begin_with_python(run);
		follow_items(run);
		begin_with_variables(run);
		run_begin_with_locals(run);
		follow_items(run);
	} while (run->again && !run->reader.error && ++round < ROUNDS_MAX);
	if (run->again)
		give_up(run, nr_blocks);
	return round + 1;
}

/* --- the result ----------------------------------------------------------------------- */

static void sum_up(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	struct typing *typing = context;
	struct typing_answer answer = typing_answer(typing, rank);
	(void)address;
	typing->blocks_bytes += size;
	typing->blocks_by[answer.evidence]++;
	typing->bytes_by[answer.evidence] += size;
	typing->typed_blocks += answer.type != TYPE_NONE;
	typing->typed_bytes += answer.type ? size : 0;
}

/* Beginning with something is no type. */
static void settle(struct typing *typing)
{
	uint32_t *codes = typing->codes.memory, *spare = typing->spare.memory;
	for (uint64_t i = 0; i < typing->nr_blocks; i++) {
		enum typing_evidence evidence =
			(enum typing_evidence)(codes[i] >> CODE_EVIDENCE_SHIFT & 7);
		codes[i] = evidence < TYPING_POINTER ? 0
						     : codes[i] & ~(uint32_t)CODE_BARS;
		if (evidence != TYPING_CONTAINER)
			spare[i] = 0;
	}
}

struct error *typing_run(const struct typing_task *task, struct typing *typing)
{
	struct run run = { .task = task, .types = task->types };
	struct error *error = NULL;
	run.steps_max = task->space->size * STEPS_PER_BYTE + STEPS_MORE;
	*typing = (struct typing){ .nr_blocks = task->space->nr_blocks };
	if (!area_reserve(&typing->codes, (typing->nr_blocks + 1) * sizeof(uint32_t)) ||
	    !area_reserve(&typing->spare, (typing->nr_blocks + 1) * sizeof(uint32_t)) ||
	    !reader_init(&run.reader, task->target, task->space)) {
		reader_deinit(&run.reader);
		typing_deinit(typing);
		return error_no_memory();
	}
	run.codes = typing->codes.memory;
	run.spare = typing->spare.memory;
	error = run_find_locals(&run);
	if (!error)
		typing->nr_rounds = go_round(&run, typing->nr_blocks);
	typing_item_vec_deinit(&run.items);
	types_local_vec_deinit(&run.locals);
	map_deinit(&run.tls_modules);
	if (!error && run.out_of_memory) {
		error = error_no_memory();
	} else if (!error) {
		error = run.reader.error;
		run.reader.error = NULL;
	}
	reader_deinit(&run.reader);
	if (error) {
		typing_deinit(typing);
		return error;
	}
	settle(typing);
	space_each(task->space, sum_up, typing);
	return NULL;
}

void typing_deinit(struct typing *typing)
{
	area_release(&typing->codes);
	area_release(&typing->spare);
	*typing = (struct typing){ 0 };
}

struct typing_answer typing_answer(const struct typing *typing, uint32_t rank)
{
	uint32_t code = ((const uint32_t *)typing->codes.memory)[rank];
	return (struct typing_answer){
		.type = code & TYPING_TYPE_MASK,
		.is_array = code & CODE_ARRAY,
		.has_cookie = code & CODE_COOKIE,
		.evidence = (enum typing_evidence)(code >> CODE_EVIDENCE_SHIFT & 7),
	};
}

/* --- names ---------------------------------------------------------------------------- */

static uint16_t code_of(struct types *types, const struct typing_answer *answer,
			struct natures *natures)
{
	struct str name = { 0 };
	str_printf(&name, "%s%s", types_get(types, answer->type)->name,
		   answer->is_array ? "[]" : "");
	uint16_t code = name.failed ? 0 : natures_add_type(natures, str_text(&name));
	str_deinit(&name);
	return code;
}

struct error *typing_name(const struct typing *typing, struct types *types,
			  struct natures *natures)
{
	struct map codes = { 0 };
	bool failed = false;
	for (uint64_t rank = 0; rank < typing->nr_blocks && !failed; rank++) {
		struct typing_answer answer = typing_answer(typing, (uint32_t)rank);
		if (!answer.type || answer.evidence == TYPING_VTABLE)
			continue;
		uint64_t *code =
			map_at(&codes, (uint64_t)answer.type << 1 | answer.is_array);
		failed = !code;
		if (code && !*code)
			*code = 1u + code_of(types, &answer, natures);
		/* Where there are too many, a block stays what it looks like. */
		if (code && *code > 1)
			natures_set(natures, (uint32_t)rank, (uint16_t)(*code - 1));
	}
	map_deinit(&codes);
	return failed ? error_no_memory() : NULL;
}

const char *typing_evidence_word(enum typing_evidence evidence)
{
	static const char *const words[TYPING_NR] = {
		[TYPING_NOTHING] = "unknown", [TYPING_PREFIX] = "unknown",
		[TYPING_POINTER] = "pointer", [TYPING_CONTAINER] = "container",
		[TYPING_OBJECT] = "object",   [TYPING_VTABLE] = "vtable",
	};
	return words[evidence];
}
