/* findings_rules: asks rules of suppressions about blocks, and lists what none knows. */
#include "analyse/findings_priv.h"

#include "analyse/block_types.h"
#include "analyse/root_names.h"
#include "base/cleanup.h"

/* What a verdict on blocks is in `verdicts`: the number of the rule + this. */
#define VERDICT_LISTED     1u
#define VERDICT_SUPPRESSED 2u

void findings_suppress(struct findings_maker *maker, struct suppression *rule,
		       uint64_t size)
{
	findings_count(maker->report, LEAK_SUPPRESSED, size);
	if (rule)
		suppression_use(rule, size);
}

/* Shows a block to the rules. */
static struct error *ask_rules(struct findings_maker *maker,
			       const struct findings_block *block,
			       struct suppression **rule)
{
	const struct graph_root *root = findings_block_root(maker, block);
	struct symbol_name variable = { 0 }, class = { 0 };
	if (root)
		variable = root_variable(maker->in->places, root);
	uint64_t vtable = natures_vtable(maker->in->look->natures, block->code);
	if (vtable)
		class = places_name(maker->in->places, vtable);
	CLEANUP_FREE char *type = block_type_name(maker->in->look->natures, block->code,
						  block->size, GROUP_BY_CAUSE);
	CLEANUP_FREE char *root_text = root ? root_name(maker->in->places, root) : NULL;
	if (!type || (root && !root_text))
		return error_no_memory();
	const struct suppression_subject subject = {
		.kind = block->kind,
		.type = type,
		.size = block->size,
		.fingerprints = { findings_block_fingerprint(maker, block,
							     GROUP_BY_CAUSE),
				  findings_block_fingerprint(maker, block, GROUP_BY_TYPE),
				  findings_block_fingerprint(maker, block,
							     GROUP_BY_SIZE) },
		.root = root_text,
		.symbol = variable.function,
		.modules = { class.module, variable.module },
		.calls = block->site ? block->site->calls : NULL,
		.nr_calls = block->site ? block->site->nr : 0,
	};
	*rule = suppressions_match(maker->in->suppressions, &subject);
	return NULL;
}

struct error *findings_find_rule(struct findings_maker *maker,
				 const struct findings_block *block,
				 struct suppression **rule)
{
	struct suppressions *set = maker->in->suppressions;
	*rule = NULL;
	if (!(maker->ruled & (1u << block->kind)))
		return NULL;
	uint64_t *verdict = map_at(&maker->verdicts, findings_block_look(maker, block));
	if (!verdict)
		return error_no_memory();
	if (!*verdict) {
		struct error *error = ask_rules(maker, block, rule);
		if (error)
			return error;
		*verdict =
			*rule ? VERDICT_SUPPRESSED + (uint64_t)(*rule - set->rules.items)
			      : VERDICT_LISTED;
	}
	if (*verdict >= VERDICT_SUPPRESSED)
		*rule = &set->rules.items[*verdict - VERDICT_SUPPRESSED];
	return NULL;
}

struct error *findings_tell(struct findings_maker *maker,
			    const struct findings_block *block, struct suppression *rule)
{
	if (rule) {
		findings_suppress(maker, rule, block->size);
		return NULL;
	}
	findings_count(maker->report, block->kind, block->size);
	return findings_list(maker, block);
}
