/* epilogue: see epilogue.h. All memory is on the stack, which is a stranger's: little of it. */
#include "unwind/epilogue.h"

#include <stddef.h>

#if defined(__x86_64__)

#include "unwind/instruction.h"

enum {
	MAX_INSTRUCTIONS =
		1500,  /* in all; musl's longest function has more, few of its ways */
	MAX_WAYS = 8,  /* that wait to be followed */
	MAX_SEEN = 32, /* branches */
	ENOUGH_RETURNS = 4,
	NR_SAVED = 6,
	STACK_ALIGNMENT = 16, /* of a caller's frame (System V ABI, 3.2.2) */
	WORD = 8,
	HW_BP = 5,
	MAX_FRAME = 1 << 24,
};

/* What a function must give back, as processors number it and as DWARF does. */
static const struct {
	uint8_t reg, number;
} saved[NR_SAVED] = { { 3, 3 },   { HW_BP, CPU_BP }, { 12, 12 },
		      { 13, 13 }, { 14, 14 },        { 15, 15 } };

#define NOT_POPPED INT32_MIN

/* A way through the function, as far as it was followed. */
struct way {
	uint64_t at; /* offset in the code */
	int32_t sp;  /* from where it was at pc; or from bp */
	bool is_by_bp;
	int32_t own;             /* from sp on, so many bytes were made after pc */
	int32_t slots[NR_SAVED]; /* that registers were popped from, like sp */
};

struct search {
	const struct epilogue_code *code;
	bool is_exact;
	struct way ways[MAX_WAYS];
	unsigned nr_ways;
	uint32_t seen[MAX_SEEN];
	unsigned nr_seen;
	unsigned nr_instructions;
	struct way found; /* where it returned to */
	unsigned nr_returns;
	bool is_bad;
};

static bool is_seen(struct search *search, uint64_t at)
{
	for (unsigned i = 0; i < search->nr_seen; i++)
		if (search->seen[i] == at)
			return true;
	if (search->nr_seen < MAX_SEEN)
		search->seen[search->nr_seen++] = (uint32_t)at;
	return false;
}

static bool is_ending(const struct epilogue_code *code, uint64_t at)
{
	for (size_t i = 0; i < code->nr_endings; i++)
		if ((uintptr_t)code->endings[i] == code->bytes.address + at)
			return true;
	return false;
}

static bool go_to(struct search *search, struct way *way, uint64_t at)
{
	way->at = at;
	return at < search->code->bytes.size && !is_seen(search, at);
}

static void branch(struct search *search, const struct way *way, uint64_t to)
{
	if (search->nr_ways < MAX_WAYS && to < search->code->bytes.size &&
	    !is_seen(search, to)) {
		search->ways[search->nr_ways] = *way;
		search->ways[search->nr_ways++].at = to;
	}
}

/* False if no frame is that large. */
static bool add_to_sp(struct way *way, int32_t bytes)
{
	if (bytes > MAX_FRAME || bytes < -MAX_FRAME || way->sp > MAX_FRAME ||
	    way->sp < -MAX_FRAME)
		return false;
	way->sp += bytes;
	way->own -= bytes;
	way->own = way->own < 0 ? 0 : way->own;
	return true;
}

/* What was pushed after pc, and is popped again, is what it was. */
static bool pop(struct way *way, uint8_t reg)
{
	for (unsigned i = 0; i < NR_SAVED && way->own == 0; i++)
		if (saved[i].reg == reg)
			way->slots[i] = way->sp;
	return add_to_sp(way, WORD);
}

/* bp must be the function's own by then, and nothing popped by sp. */
static bool take_bp(const struct search *search, struct way *way, int32_t sp)
{
	for (unsigned i = 0; i < NR_SAVED && !way->is_by_bp; i++)
		if (way->slots[i] != NOT_POPPED)
			return false;
	way->is_by_bp = true;
	way->sp = sp;
	way->own = 0;
	return !search->is_exact;
}

static bool is_same(const struct way *a, const struct way *b)
{
	bool same = a->sp == b->sp && a->is_by_bp == b->is_by_bp;
	for (unsigned i = 0; i < NR_SAVED; i++)
		same = same && a->slots[i] == b->slots[i];
	return same;
}

/* It is at its return address now. */
static void note_return(struct search *search, struct way *way)
{
	if (!add_to_sp(way, WORD))
		search->is_bad = true;
	bool is_whole = way->is_by_bp || search->is_exact ||
			way->sp % STACK_ALIGNMENT == 0;
	if (way->sp <= 0 || !is_whole ||
	    (search->nr_returns && !is_same(way, &search->found)))
		search->is_bad = true;
	search->found = *way;
	search->nr_returns++;
}

/* False where the way ends. */
static bool follow(struct search *search, struct way *way,
		   const struct instruction *instruction)
{
	way->at += instruction->size;
	uint64_t to = way->at + (uint64_t)(int64_t)instruction->value;
	switch (instruction->kind) {
	case INSTRUCTION_OTHER:
		return true;
	case INSTRUCTION_PUSH:
		return add_to_sp(way, -WORD);
	case INSTRUCTION_POP:
		return pop(way, instruction->reg);
	case INSTRUCTION_ADD_SP:
		return add_to_sp(way, instruction->value);
	case INSTRUCTION_SP_FROM_BP:
		return take_bp(search, way, instruction->value);
	case INSTRUCTION_LEAVE:
		return take_bp(search, way, 0) && pop(way, HW_BP);
	case INSTRUCTION_CALL:
		return !is_ending(search->code, to) && instruction->value != 0;
	case INSTRUCTION_BRANCH:
		branch(search, way, to);
		return true;
	case INSTRUCTION_JUMP:
		return !is_ending(search->code, to) && go_to(search, way, to);
	case INSTRUCTION_RETURN:
		note_return(search, way);
		return false;
	default:
		return false;
	}
}

static void follow_to_end(struct search *search, struct way way)
{
	const struct bytes *bytes = &search->code->bytes;
	struct instruction instruction;
	do {
		if (search->nr_instructions++ >= MAX_INSTRUCTIONS ||
		    way.at >= bytes->size ||
		    !instruction_read(bytes->at + way.at, bytes->size - way.at,
				      &instruction))
			return;
	} while (follow(search, &way, &instruction));
}

static void fill(const struct way *way, struct row *row)
{
	*row = (struct row){
		.cfa_kind = ROW_REGISTER_AND_MORE,
		.cfa_register = way->is_by_bp ? CPU_BP : CPU_SP,
		.cfa = way->sp,
	};
	row->kinds[CPU_PC] = ROW_AT_CFA;
	row->values[CPU_PC] = -WORD;
	/* With a frame pointer registers may come back by other ways than a pop. */
	uint8_t others = way->is_by_bp ? ROW_UNDEFINED : ROW_SAME;
	for (unsigned i = 0; i < NR_SAVED; i++) {
		uint8_t number = saved[i].number;
		row->kinds[number] = way->slots[i] == NOT_POPPED ? others : ROW_AT_CFA;
		row->values[number] =
			way->slots[i] == NOT_POPPED ? 0 : way->slots[i] - way->sp;
	}
}

bool epilogue_find(const struct epilogue_code *code, uint64_t pc, bool is_exact,
		   struct row *row)
{
	struct search search;
	search.code = code;
	search.is_exact = is_exact;
	search.nr_seen = search.nr_instructions = search.nr_returns = 0;
	search.is_bad = false;
	search.nr_ways = 1;
	struct way *first = &search.ways[0];
	*first = (struct way){ .at = pc - code->bytes.address };
	for (unsigned i = 0; i < NR_SAVED; i++)
		first->slots[i] = NOT_POPPED;
	while (search.nr_ways && search.nr_returns < ENOUGH_RETURNS && !search.is_bad)
		follow_to_end(&search, search.ways[--search.nr_ways]);
	if (!search.nr_returns || search.is_bad)
		return false;
	fill(&search.found, row);
	return true;
}

#else

bool epilogue_find(const struct epilogue_code *code, uint64_t pc, bool is_exact,
		   struct row *row)
{
	(void)code;
	(void)pc;
	(void)is_exact;
	(void)row;
	return false;
}

#endif
