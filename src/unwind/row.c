/* Call frame instructions, followed until they have passed the pc. */
#include "unwind/row.h"

enum {
	/* Compilers nest remember_state once or twice. */
	MAX_REMEMBERED = 6,
};

/* DWARF 5, table 7.29; GNU's in the LSB core, 10.5.2. */
enum instruction {
	ADVANCE = 0x40, /* these three hold their operand in the low six bits */
	OFFSET = 0x80,
	RESTORE = 0xc0,
	NOP = 0x00,
	SET_LOC = 0x01,
	ADVANCE_1 = 0x02,
	ADVANCE_2 = 0x03,
	ADVANCE_4 = 0x04,
	OFFSET_EXTENDED = 0x05,
	RESTORE_EXTENDED = 0x06,
	UNDEFINED = 0x07,
	SAME_VALUE = 0x08,
	REGISTER = 0x09,
	REMEMBER_STATE = 0x0a,
	RESTORE_STATE = 0x0b,
	DEF_CFA = 0x0c,
	DEF_CFA_REGISTER = 0x0d,
	DEF_CFA_OFFSET = 0x0e,
	DEF_CFA_EXPRESSION = 0x0f,
	EXPRESSION = 0x10,
	OFFSET_EXTENDED_SF = 0x11,
	DEF_CFA_SF = 0x12,
	DEF_CFA_OFFSET_SF = 0x13,
	VAL_OFFSET = 0x14,
	VAL_OFFSET_SF = 0x15,
	VAL_EXPRESSION = 0x16,
	AARCH64_NEGATE_RA_STATE = 0x2d, /* return addresses are signed: stripped anyway */
	GNU_ARGS_SIZE = 0x2e,
	GNU_NEGATIVE_OFFSET_EXTENDED = 0x2f,
};

struct machine {
	const struct eh_entry *entry;
	struct cursor cursor;
	uint64_t location;
	uint64_t pc;
	struct row *row;
	const struct row *initial; /* what RESTORE goes back to */
	struct row remembered[MAX_REMEMBERED];
	unsigned nr_remembered;
};

static void set(struct machine *machine, uint64_t number, enum row_kind kind,
		int64_t value)
{
	if (number == machine->entry->return_column)
		number = CPU_PC;
	if (number >= CPU_NR_REGISTERS)
		return; /* vectors and the like hold no part of the stack */
	machine->row->kinds[number] = (uint8_t)kind;
	machine->row->values[number] = (int32_t)value;
	if (kind == ROW_AT_CFA || kind == ROW_IS_CFA)
		machine->cursor.bad |= machine->row->values[number] != value;
}

static void restore(struct machine *machine, uint64_t number)
{
	if (number == machine->entry->return_column)
		number = CPU_PC;
	if (number >= CPU_NR_REGISTERS || !machine->initial)
		return;
	machine->row->kinds[number] = machine->initial->kinds[number];
	machine->row->values[number] = machine->initial->values[number];
}

static void set_cfa(struct machine *machine, uint64_t number, int64_t offset)
{
	struct row *row = machine->row;
	row->cfa_kind = ROW_REGISTER_AND_MORE;
	row->cfa_register = (uint8_t)number;
	row->cfa = (int32_t)offset;
	machine->cursor.bad |= number >= CPU_NR_REGISTERS || row->cfa != offset;
}

/* The offset of an expression that lies here, and on past it. */
static int64_t expression(struct machine *machine)
{
	uint64_t position = machine->cursor.position;
	cursor_skip(&machine->cursor, cursor_uleb(&machine->cursor));
	machine->cursor.bad |= position > UINT32_MAX;
	return (int64_t)position;
}

static int64_t factored(const struct machine *machine, int64_t offset)
{
	return (int64_t)((uint64_t)offset * (uint64_t)machine->entry->data_align);
}

static void advance(struct machine *machine, uint64_t delta)
{
	machine->location += delta * machine->entry->code_align;
}

static void remember(struct machine *machine)
{
	if (machine->nr_remembered == MAX_REMEMBERED)
		machine->cursor.bad = true;
	else
		machine->remembered[machine->nr_remembered++] = *machine->row;
}

static void recall(struct machine *machine)
{
	if (machine->nr_remembered == 0)
		machine->cursor.bad = true;
	else
		*machine->row = machine->remembered[--machine->nr_remembered];
}

static void follow_cfa(struct machine *machine, uint8_t instruction)
{
	struct cursor *cursor = &machine->cursor;
	struct row *row = machine->row;
	uint64_t number = row->cfa_register;
	switch (instruction) {
	case DEF_CFA:
		number = cursor_uleb(cursor);
		set_cfa(machine, number, (int64_t)cursor_uleb(cursor));
		break;
	case DEF_CFA_SF:
		number = cursor_uleb(cursor);
		set_cfa(machine, number, factored(machine, cursor_sleb(cursor)));
		break;
	case DEF_CFA_REGISTER:
		set_cfa(machine, cursor_uleb(cursor), row->cfa);
		break;
	case DEF_CFA_OFFSET:
		set_cfa(machine, number, (int64_t)cursor_uleb(cursor));
		break;
	case DEF_CFA_OFFSET_SF:
		set_cfa(machine, number, factored(machine, cursor_sleb(cursor)));
		break;
	case DEF_CFA_EXPRESSION:
		row->cfa_kind = ROW_IS_EXPRESSION;
		row->cfa = (int32_t)expression(machine);
		break;
	default:
		cursor->bad = true;
	}
}

static void follow_register(struct machine *machine, uint8_t instruction)
{
	struct cursor *cursor = &machine->cursor;
	uint64_t number = cursor_uleb(cursor);
	switch (instruction) {
	case OFFSET_EXTENDED:
		set(machine, number, ROW_AT_CFA,
		    factored(machine, (int64_t)cursor_uleb(cursor)));
		break;
	case OFFSET_EXTENDED_SF:
		set(machine, number, ROW_AT_CFA, factored(machine, cursor_sleb(cursor)));
		break;
	case GNU_NEGATIVE_OFFSET_EXTENDED:
		set(machine, number, ROW_AT_CFA,
		    factored(machine, (int64_t)(0 - cursor_uleb(cursor))));
		break;
	case VAL_OFFSET:
		set(machine, number, ROW_IS_CFA,
		    factored(machine, (int64_t)cursor_uleb(cursor)));
		break;
	case VAL_OFFSET_SF:
		set(machine, number, ROW_IS_CFA, factored(machine, cursor_sleb(cursor)));
		break;
	case RESTORE_EXTENDED:
		restore(machine, number);
		break;
	case UNDEFINED:
		set(machine, number, ROW_UNDEFINED, 0);
		break;
	case SAME_VALUE:
		set(machine, number, ROW_SAME, 0);
		break;
	case REGISTER:
		set(machine, number, ROW_REGISTER, (int64_t)cursor_uleb(cursor));
		break;
	case EXPRESSION:
		set(machine, number, ROW_AT_EXPRESSION, expression(machine));
		break;
	case VAL_EXPRESSION:
		set(machine, number, ROW_IS_EXPRESSION, expression(machine));
		break;
	default:
		cursor->bad = true;
	}
}

static void follow_one(struct machine *machine)
{
	struct cursor *cursor = &machine->cursor;
	uint8_t byte = cursor_u8(cursor);
	uint8_t operand = byte & 0x3f;
	uint8_t instruction = byte & 0xc0 ? byte & 0xc0 : byte;
	switch (instruction) {
	case ADVANCE:
		advance(machine, operand);
		break;
	case OFFSET:
		set(machine, operand, ROW_AT_CFA,
		    factored(machine, (int64_t)cursor_uleb(cursor)));
		break;
	case RESTORE:
		restore(machine, operand);
		break;
	case NOP:
	case AARCH64_NEGATE_RA_STATE:
		break;
	case SET_LOC:
		machine->location = cursor_pointer(cursor, machine->entry->encoding, 0);
		break;
	case ADVANCE_1:
		advance(machine, cursor_unsigned(cursor, 1));
		break;
	case ADVANCE_2:
		advance(machine, cursor_unsigned(cursor, 2));
		break;
	case ADVANCE_4:
		advance(machine, cursor_unsigned(cursor, 4));
		break;
	case REMEMBER_STATE:
		remember(machine);
		break;
	case RESTORE_STATE:
		recall(machine);
		break;
	case GNU_ARGS_SIZE:
		cursor_uleb(cursor);
		break;
	case DEF_CFA:
	case DEF_CFA_SF:
	case DEF_CFA_REGISTER:
	case DEF_CFA_OFFSET:
	case DEF_CFA_OFFSET_SF:
	case DEF_CFA_EXPRESSION:
		follow_cfa(machine, instruction);
		break;
	default:
		follow_register(machine, instruction);
	}
}

static bool follow(struct machine *machine, const struct bytes *module,
		   const struct eh_program *program)
{
	machine->cursor = cursor_at(module, program->start, program->size);
	while (cursor_has_more(&machine->cursor) && machine->location <= machine->pc)
		follow_one(machine);
	return !machine->cursor.bad;
}

bool row_find(const struct bytes *module, const struct eh_entry *entry, uint64_t pc,
	      struct row *row)
{
	struct machine machine = {
		.entry = entry,
		.location = entry->start,
		.pc = pc,
		.row = row,
	};
	*row = (struct row){ .cfa_kind = ROW_UNSPECIFIED };
	if (!follow(&machine, module, &entry->common))
		return false;
	struct row initial = *row;
	machine.initial = &initial;
	machine.location = entry->start;
	return follow(&machine, module, &entry->own) && row->cfa_kind != ROW_UNSPECIFIED;
}
