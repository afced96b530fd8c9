/*
 * findings_priv: what the parts of findings.c share: a report's findings in the making, and a
 * block on its way into one.
 */
#ifndef SEEP_ANALYSE_FINDINGS_PRIV_H
#define SEEP_ANALYSE_FINDINGS_PRIV_H

#include "analyse/findings.h"
#include "analyse/last_holders.h"
#include "base/map.h"

/* What is known of a finding in the making. */
struct findings_group {
	uint64_t type; /* hash of its first block's */
	bool is_mixed;
};
DEFINE_VEC(findings_group_vec, struct findings_group);

struct findings_maker {
	const struct findings_input *in;
	struct leaks_report *report;
	struct last_holders holders;
	struct map numbers;               /* of findings, + 1, by key */
	struct findings_group_vec groups; /* by number of finding */
	unsigned asked;      /* kinds that are listed, or that rules may match */
	unsigned ruled;      /* those that rules may match */
	struct map verdicts; /* by what rules see of a block */
};

/* --- a block that is to be listed (findings_block.c) --------------------------------- */

struct findings_block {
	enum leak_kind kind;
	uint32_t rank;
	uint16_t code;
	uint64_t address, size;
	uint64_t cause;               /* hash of what the fingerprint is made of */
	const struct call_site *site; /* that allocated it; NULL: not known */
	uint32_t root; /* for GROUP_BY_ROOT: index of what holds it; RANK_NONE */
	uint64_t retained_blocks, retained_bytes;
	bool is_cycle;
	uint32_t holder; /* rank; RANK_NONE: unknown */
};

/* What blocks of one finding have in common. */
uint64_t findings_block_key(const struct findings_maker *maker,
			    const struct findings_block *block);
/* What finding it is in other runs, if blocks are grouped like that. */
uint64_t findings_block_fingerprint(const struct findings_maker *maker,
				    const struct findings_block *block,
				    unsigned group_by);
/* The same for blocks that no rule can tell apart. */
uint64_t findings_block_look(const struct findings_maker *maker,
			     const struct findings_block *block);
/* The root that holds it, if one does and is known. */
const struct graph_root *findings_block_root(const struct findings_maker *maker,
					     const struct findings_block *block);
/* What one call stack allocated has one cause, whatever it is and whatever hangs on it. */
struct error *findings_block_find_site(const struct findings_maker *maker,
				       struct findings_block *block) MUST_CHECK;

/* --- findings (findings_groups.c) ---------------------------------------------------- */

/* Puts a block into its finding, if its kind is to be listed. */
struct error *findings_list(struct findings_maker *maker,
			    const struct findings_block *block) MUST_CHECK;

/* --- suppressed blocks (findings_rules.c) -------------------------------------------- */

static inline void findings_count(struct leaks_report *report, enum leak_kind kind,
				  uint64_t size)
{
	report->kinds[kind].blocks++;
	report->kinds[kind].bytes += size;
}

/* The rule that suppresses a block, or NULL. Blocks that look alike are shown once. */
struct error *findings_find_rule(struct findings_maker *maker,
				 const struct findings_block *block,
				 struct suppression **rule) MUST_CHECK;

/* Counts a block as suppressed; by the rule, if it is of one alone. */
void findings_suppress(struct findings_maker *maker, struct suppression *rule,
		       uint64_t size);

/* Counts a block, and lists it unless a rule suppresses it. */
struct error *findings_tell(struct findings_maker *maker,
			    const struct findings_block *block,
			    struct suppression *rule) MUST_CHECK;

/* --- all blocks (findings_lost.c, findings_held.c) ----------------------------------- */

struct error *findings_list_lost(struct findings_maker *maker) MUST_CHECK;
struct error *findings_list_held(struct findings_maker *maker) MUST_CHECK;

#endif
