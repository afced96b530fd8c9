/* Rows of .eh_frame, put into a word where they fit. */
#include "unwind/rule.h"

#include "unwind/module.h"

enum {
	OP_DEREF = 0x06, /* DWARF 5, table 7.9 */
	OP_BREG0 = 0x70,
};

/* What a rule says, before it is put into a word. */
struct offsets {
	enum rule_kind kind;
	int64_t cfa, ra, bp;
};

static bool fits(int64_t offset, unsigned bits)
{
	int64_t limit = (int64_t)RULE_WORD_BYTES << (bits - 1);
	return offset % RULE_WORD_BYTES == 0 && offset >= -limit && offset < limit;
}

static uint64_t field(int64_t offset, unsigned bits, unsigned position)
{
	uint64_t words = (uint64_t)(offset / RULE_WORD_BYTES);
	return (words & ((UINT64_C(1) << bits) - 1)) << position;
}

static struct rule pack(const struct offsets *offsets)
{
	if (!fits(offsets->cfa, 28) || !fits(offsets->ra, 16) || !fits(offsets->bp, 16))
		return (struct rule){ RULE_SLOW };
	return (struct rule){ (uint64_t)offsets->kind | field(offsets->cfa, 28, 4) |
			      field(offsets->ra, 16, 32) | field(offsets->bp, 16, 48) };
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

static bool find_cfa(const struct bytes *module, const struct row *row,
		     struct offsets *offsets)
{
	offsets->cfa = row->cfa;
	if (row->cfa_kind == ROW_IS_EXPRESSION) {
		offsets->kind = RULE_AT_BP;
		return is_about_bp(module, row->cfa, true, &offsets->cfa);
	}
	offsets->kind = row->cfa_register == CPU_SP ? RULE_SP : RULE_BP;
	return row->cfa_register == CPU_SP || row->cfa_register == CPU_BP;
}

static bool find_bp(const struct bytes *module, const struct row *row,
		    struct offsets *offsets)
{
	enum row_kind kind = row->kinds[CPU_BP];
	int32_t value = row->values[CPU_BP];
	if (offsets->kind == RULE_AT_BP)
		return kind == ROW_AT_EXPRESSION &&
		       is_about_bp(module, value, false, &offsets->bp);
	if (kind == ROW_SAME || kind == ROW_UNSPECIFIED)
		return true;
	offsets->bp = value;
	return kind == ROW_AT_CFA && value < 0;
}

static struct rule rule_of(const struct bytes *module, const struct row *row)
{
	struct offsets offsets = { .ra = row->values[CPU_PC] };
	if (row->kinds[CPU_PC] == ROW_UNDEFINED)
		return (struct rule){ RULE_END };
	if (row->kinds[CPU_PC] == ROW_AT_CFA && offsets.ra < 0 &&
	    find_cfa(module, row, &offsets) && find_bp(module, row, &offsets))
		return pack(&offsets);
	return (struct rule){ RULE_SLOW };
}

struct rule rule_find(uint64_t pc, bool *may_be_kept)
{
	struct module module;
	struct row row;
	bool is_signal_frame;
	bool is_known = module_find_row(pc, &module, &row, &is_signal_frame);
	*may_be_kept = module.bytes.size != 0;
	if (!is_known)
		return (struct rule){ RULE_NONE };
	if (is_signal_frame)
		return (struct rule){ RULE_SLOW };
	return rule_of(&module.bytes, &row);
}
