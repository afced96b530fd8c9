/* Rows of .eh_frame, put into a word where they fit. */
#include "unwind/rule.h"

#include "unwind/module.h"

enum {
	WORD = 8,
	OP_DEREF = 0x06, /* DWARF 5, table 7.9 */
	OP_BREG0 = 0x70,
};

static bool in_words(int64_t offset, int64_t limit, int *words)
{
	if (offset % WORD != 0 || offset / WORD >= limit || offset / WORD < -limit)
		return false;
	*words = (int)(offset / WORD);
	return true;
}

/* Whether an expression is "bp + offset", or what lies there. */
static bool is_about_bp(const struct bytes *module, int32_t position, bool dereferenced,
			int64_t *offset)
{
	uint64_t start = (uint32_t)position;
	if (start >= module->size)
		return false;
	struct cursor cursor = cursor_at(module, start, module->size - start);
	uint64_t size = cursor_uleb(&cursor);
	uint64_t end = cursor.position + size;
	bool is_bp = cursor_u8(&cursor) == OP_BREG0 + CPU_BP;
	*offset = cursor_sleb(&cursor);
	bool has_deref = cursor.position < end && cursor_u8(&cursor) == OP_DEREF;
	return is_bp && has_deref == dereferenced && cursor.position == end &&
	       !cursor.bad;
}

static bool find_cfa(const struct bytes *module, const struct row *row, struct rule *rule)
{
	int64_t offset = row->cfa;
	if (row->cfa_kind == ROW_IS_EXPRESSION) {
		rule->kind = RULE_AT_BP;
		if (!is_about_bp(module, row->cfa, true, &offset))
			return false;
	} else if (row->cfa_register == CPU_SP) {
		rule->kind = RULE_SP;
	} else if (row->cfa_register == CPU_BP) {
		rule->kind = RULE_BP;
	} else {
		return false;
	}
	int words;
	bool fits = in_words(offset, 1 << 27, &words);
	if (fits)
		rule->cfa = words;
	return fits;
}

static bool find_bp(const struct bytes *module, const struct row *row, struct rule *rule)
{
	int64_t offset = row->values[CPU_BP];
	enum row_kind kind = row->kinds[CPU_BP];
	int words = 0;
	bool fits = false;
	if (rule->kind == RULE_AT_BP)
		fits = kind == ROW_AT_EXPRESSION &&
		       is_about_bp(module, row->values[CPU_BP], false, &offset) &&
		       in_words(offset, 1 << 15, &words);
	else if (kind == ROW_AT_CFA)
		fits = offset < 0 && in_words(offset, 1 << 15, &words);
	else
		fits = kind == ROW_SAME || kind == ROW_UNSPECIFIED;
	rule->bp = (int16_t)words;
	return fits;
}

static bool find_ra(const struct row *row, struct rule *rule)
{
	int words;
	bool fits = row->kinds[CPU_PC] == ROW_AT_CFA && row->values[CPU_PC] < 0 &&
		    in_words(row->values[CPU_PC], 1 << 15, &words);
	if (fits)
		rule->ra = (int16_t)words;
	return fits;
}

static struct rule rule_of(const struct bytes *module, const struct row *row)
{
	struct rule rule = { .kind = RULE_UNKNOWN };
	if (row->kinds[CPU_PC] == ROW_UNDEFINED)
		return (struct rule){ .kind = RULE_END };
	if (find_cfa(module, row, &rule) && find_bp(module, row, &rule) &&
	    find_ra(row, &rule))
		return rule;
	return (struct rule){ .kind = RULE_SLOW };
}

struct rule rule_find(uint64_t pc, bool *may_be_kept)
{
	struct module module;
	struct eh_entry entry;
	struct row row;
	*may_be_kept = module_find(pc_code(pc), &module);
	if (!*may_be_kept ||
	    !eh_frame_find(&module.bytes, module.header, pc_code(pc), &entry) ||
	    !row_find(&module.bytes, &entry, pc_code(pc), &row))
		return (struct rule){ .kind = RULE_NONE };
	if (entry.is_signal_frame)
		return (struct rule){ .kind = RULE_SLOW };
	return rule_of(&module.bytes, &row);
}
