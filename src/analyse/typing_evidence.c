/*
 * typing_evidence: what a block is said to be, and what becomes of it when it is said to be something
 * else. See typing_priv.h.
 */
#include "analyse/typing_priv.h"

/* glibc's blocks are 16 bytes apart, and may be left 16 bytes too large. */
#define SLACK_BYTES 31u
#define SMALLEST    24u
/* Those that are mapped end with a page. */
#define SLACK_MAPPED (4096u + SLACK_BYTES)

bool run_meets(const struct run *run, uint64_t word, struct met *met)
{
	const struct space *space = run->task->space;
	uint64_t offset = space_offset(space, word);
	if (offset == SPACE_NONE)
		return false;
	struct space_hit hit = space_find(space, offset);
	if (hit.rank == RANK_NONE)
		return false;
	met->rank = hit.rank;
	space_block_found(space, offset, &hit, &met->address, &met->size);
	met->distance = word - met->address;
	met->slack = offset >= space->grouped_size ? SLACK_MAPPED : SLACK_BYTES;
	return true;
}

bool met_fits(const struct met *met, uint64_t bytes)
{
	return bytes <= met->size &&
	       (met->size - bytes <= met->slack || met->size <= SMALLEST);
}

/* --- codes -------------------------------------------------------------------------- */

static struct typing_answer decode(uint32_t code)
{
	return (struct typing_answer){
		.type = code & TYPING_TYPE_MASK,
		.is_array = code & CODE_ARRAY,
		.evidence = (enum typing_evidence)(code >> CODE_EVIDENCE_SHIFT & 7),
	};
}

static uint32_t encode(const struct claim *claim)
{
	return (claim->type & TYPING_TYPE_MASK) |
	       (uint32_t)claim->evidence << CODE_EVIDENCE_SHIFT |
	       (claim->is_array ? CODE_ARRAY : 0) | (claim->has_cookie ? CODE_COOKIE : 0);
}

struct typing_answer run_known(const struct run *run, uint32_t rank)
{
	return decode(run->codes[rank]);
}

/* --- claims ------------------------------------------------------------------------- */

/* What is not believed from now on, when evidence of this kind was contradicted. */
static uint32_t bar_of(enum typing_evidence evidence)
{
	static const uint32_t bars[TYPING_NR] = {
		[TYPING_PREFIX] = CODE_NO_POINTER,
		[TYPING_POINTER] = CODE_NO_POINTER,
		[TYPING_CONTAINER] = CODE_BARS,
	};
	return bars[evidence];
}

static bool is_barred(uint32_t code, enum typing_evidence evidence)
{
	if (evidence == TYPING_CONTAINER)
		return code & CODE_NO_CONTAINER;
	return evidence < TYPING_CONTAINER && (code & CODE_NO_POINTER);
}

static void go_on_from(struct run *run, const struct met *met, const struct claim *claim)
{
	const struct typing_item item = {
		.address = met->address,
		.rank = met->rank,
		.code = encode(claim),
		.first = claim->first,
		.nr = claim->nr,
	};
	if (claim->evidence == TYPING_PREFIX && claim->is_array)
		return;
	if (types_get(run->types, claim->type)->flags & TYPE_LEADS)
		run_push(run, &item);
}

static void take(struct run *run, const struct met *met, const struct claim *claim)
{
	uint32_t *code = &run->codes[met->rank];
	*code = (*code & CODE_BARS) | encode(claim);
	go_on_from(run, met, claim);
}

/* Neither is believed any more; all that followed from it is found anew. */
static void contradict(struct run *run, uint32_t rank, enum typing_evidence evidence)
{
	run->codes[rank] = (run->codes[rank] & CODE_BARS) | bar_of(evidence);
	run->again = true;
}

static bool is_by_pointer(enum typing_evidence evidence)
{
	return evidence == TYPING_PREFIX || evidence == TYPING_POINTER;
}

/* The same type once more: with better evidence, or of more than one. */
static void confirm(struct run *run, const struct met *met,
		    const struct typing_answer *known, const struct claim *claim)
{
	if (claim->evidence > known->evidence ||
	    (claim->evidence == known->evidence && claim->is_array && !known->is_array))
		take(run, met, claim);
}

/* Two pointers say different things. What begins with the other says more. */
static void compare(struct run *run, const struct met *met,
		    const struct typing_answer *known, const struct claim *claim)
{
	bool is_more = types_begins_with(run->types, claim->type, known->type);
	bool is_less = types_begins_with(run->types, known->type, claim->type);
	if (is_more && claim->evidence >= known->evidence && !known->is_array)
		take(run, met, claim);
	else if (!is_less && !(is_more && claim->evidence == TYPING_PREFIX))
		contradict(run, met->rank, TYPING_POINTER);
}

/* Something better is known than before, or something that makes no difference. */
static void outrank(struct run *run, const struct met *met,
		    const struct typing_answer *known, const struct claim *claim)
{
	if (claim->evidence < known->evidence)
		return;
	if (!types_begins_with(run->types, claim->type, known->type))
		contradict(run, met->rank, known->evidence);
	take(run, met, claim);
}

void run_claim(struct run *run, const struct met *met, const struct claim *claim)
{
	uint32_t rank = met->rank, code = run->codes[rank];
	struct typing_answer known = decode(code);
	if (is_barred(code, claim->evidence))
		return;
	if (known.evidence == TYPING_NOTHING)
		take(run, met, claim);
	else if (known.type == claim->type)
		confirm(run, met, &known, claim);
	else if (is_by_pointer(known.evidence) && is_by_pointer(claim->evidence))
		compare(run, met, &known, claim);
	else if (known.evidence == claim->evidence)
		contradict(run, rank, claim->evidence);
	else
		outrank(run, met, &known, claim);
}
