/* A stack machine; every program of it ends, for its steps are counted. */
#include "unwind/expression.h"

enum {
	STACK_WORDS = 32,
	MAX_STEPS = 512,
};

/* DWARF 5, table 7.9. */
enum operation {
	OP_ADDR = 0x03,
	OP_DEREF = 0x06,
	OP_CONST1U = 0x08,
	OP_CONST1S,
	OP_CONST2U,
	OP_CONST2S,
	OP_CONST4U,
	OP_CONST4S,
	OP_CONST8U,
	OP_CONST8S,
	OP_CONSTU,
	OP_CONSTS,
	OP_DUP,
	OP_DROP,
	OP_OVER,
	OP_PICK,
	OP_SWAP,
	OP_ROT,
	OP_ABS = 0x19,
	OP_AND,
	OP_DIV,
	OP_MINUS,
	OP_MOD,
	OP_MUL,
	OP_NEG,
	OP_NOT,
	OP_OR,
	OP_PLUS,
	OP_PLUS_UCONST,
	OP_SHL,
	OP_SHR,
	OP_SHRA,
	OP_XOR,
	OP_BRA,
	OP_EQ,
	OP_GE,
	OP_GT,
	OP_LE,
	OP_LT,
	OP_NE,
	OP_SKIP,
	OP_LIT0 = 0x30,
	OP_LIT31 = 0x4f,
	OP_BREG0 = 0x70,
	OP_BREG31 = 0x8f,
	OP_BREGX = 0x92,
	OP_DEREF_SIZE = 0x94,
	OP_NOP = 0x96,
};

struct machine {
	struct cursor cursor;
	uint64_t start; /* branches stay behind it */
	const struct cpu_registers *registers;
	struct words *words;
	uint64_t stack[STACK_WORDS];
	unsigned nr;
	enum expression_end end;
};

static void fail(struct machine *machine, enum expression_end end)
{
	if (machine->end == EXPRESSION_DONE)
		machine->end = end;
}

static void push(struct machine *machine, uint64_t value)
{
	if (machine->nr == STACK_WORDS)
		fail(machine, EXPRESSION_BAD);
	else
		machine->stack[machine->nr++] = value;
}

static uint64_t pop(struct machine *machine)
{
	if (machine->nr == 0) {
		fail(machine, EXPRESSION_BAD);
		return 0;
	}
	return machine->stack[--machine->nr];
}

/* The word that is `depth` below the top. */
static void pick(struct machine *machine, unsigned depth)
{
	if (depth >= machine->nr)
		fail(machine, EXPRESSION_BAD);
	else
		push(machine, machine->stack[machine->nr - 1 - depth]);
}

static void push_register(struct machine *machine, uint64_t number, int64_t offset)
{
	if (number >= CPU_NR_REGISTERS)
		fail(machine, EXPRESSION_BAD);
	else if (!(machine->registers->known & CPU_BIT(number)))
		fail(machine, EXPRESSION_UNKNOWN);
	else
		push(machine, machine->registers->values[number] + (uint64_t)offset);
}

static void dereference(struct machine *machine, unsigned size)
{
	uint64_t word = 0;
	uint64_t address = pop(machine);
	if (size == 0 || size > sizeof(word))
		fail(machine, EXPRESSION_BAD);
	else if (machine->end == EXPRESSION_DONE &&
		 !words_read(machine->words, address, &word))
		fail(machine, EXPRESSION_NO_MEMORY);
	else
		push(machine,
		     size < sizeof(word) ? word & ((UINT64_C(1) << 8 * size) - 1) : word);
}

static void jump(struct machine *machine, int64_t distance)
{
	struct cursor *cursor = &machine->cursor;
	uint64_t target = cursor->position + (uint64_t)distance;
	if (target < machine->start || target > cursor->end)
		cursor->bad = true;
	else
		cursor->position = target;
}

static void swap(struct machine *machine)
{
	uint64_t top = pop(machine);
	uint64_t second = pop(machine);
	push(machine, top);
	push(machine, second);
}

static void rotate(struct machine *machine)
{
	uint64_t top = pop(machine);
	uint64_t second = pop(machine);
	uint64_t third = pop(machine);
	push(machine, top);
	push(machine, third);
	push(machine, second);
}

static uint64_t divide(struct machine *machine, uint64_t a, uint64_t b)
{
	if (b == 0 || (a == (uint64_t)INT64_MIN && b == UINT64_MAX)) {
		fail(machine, EXPRESSION_BAD);
		return 0;
	}
	return (uint64_t)((int64_t)a / (int64_t)b);
}

static uint64_t modulo(struct machine *machine, uint64_t a, uint64_t b)
{
	if (b == 0) {
		fail(machine, EXPRESSION_BAD);
		return 0;
	}
	return a % b;
}

/* `a` was pushed before `b`. */
static uint64_t combine(struct machine *machine, uint8_t operation, uint64_t a,
			uint64_t b)
{
	switch (operation) {
	case OP_AND:
		return a & b;
	case OP_DIV:
		return divide(machine, a, b);
	case OP_MINUS:
		return a - b;
	case OP_MOD:
		return modulo(machine, a, b);
	case OP_MUL:
		return a * b;
	case OP_OR:
		return a | b;
	case OP_PLUS:
		return a + b;
	case OP_SHL:
		return b < 64 ? a << b : 0;
	case OP_SHR:
		return b < 64 ? a >> b : 0;
	case OP_SHRA:
		return (uint64_t)((int64_t)a >> (b < 64 ? b : 63));
	case OP_XOR:
		return a ^ b;
	case OP_EQ:
		return a == b;
	case OP_GE:
		return (int64_t)a >= (int64_t)b;
	case OP_GT:
		return (int64_t)a > (int64_t)b;
	case OP_LE:
		return (int64_t)a <= (int64_t)b;
	case OP_LT:
		return (int64_t)a < (int64_t)b;
	case OP_NE:
		return a != b;
	}
	fail(machine, EXPRESSION_BAD);
	return 0;
}

static void combine_two(struct machine *machine, uint8_t operation)
{
	uint64_t b = pop(machine);
	uint64_t a = pop(machine);
	push(machine, combine(machine, operation, a, b));
}

static void change_one(struct machine *machine, uint8_t operation)
{
	uint64_t word = pop(machine);
	switch (operation) {
	case OP_ABS:
		push(machine, (int64_t)word < 0 ? 0 - word : word);
		break;
	case OP_NEG:
		push(machine, 0 - word);
		break;
	case OP_NOT:
		push(machine, ~word);
		break;
	default:
		push(machine, word + cursor_uleb(&machine->cursor)); /* OP_PLUS_UCONST */
	}
}

static void move(struct machine *machine, uint8_t operation)
{
	switch (operation) {
	case OP_DUP:
		pick(machine, 0);
		break;
	case OP_DROP:
		pop(machine);
		break;
	case OP_OVER:
		pick(machine, 1);
		break;
	case OP_PICK:
		pick(machine, cursor_u8(&machine->cursor));
		break;
	case OP_SWAP:
		swap(machine);
		break;
	default:
		rotate(machine);
	}
}

/* CONST1U to CONST8S come in pairs of growing size. */
static void push_constant(struct machine *machine, uint8_t operation)
{
	struct cursor *cursor = &machine->cursor;
	unsigned size = 1u << (operation - OP_CONST1U) / 2;
	if (operation == OP_CONSTU)
		push(machine, cursor_uleb(cursor));
	else if (operation == OP_CONSTS)
		push(machine, (uint64_t)cursor_sleb(cursor));
	else if ((operation - OP_CONST1U) % 2)
		push(machine, (uint64_t)cursor_signed(cursor, size));
	else
		push(machine, cursor_unsigned(cursor, size));
}

static void branch(struct machine *machine, uint8_t operation)
{
	int64_t distance = cursor_signed(&machine->cursor, 2);
	if (operation == OP_SKIP || pop(machine) != 0)
		jump(machine, distance);
}

static void follow_one(struct machine *machine)
{
	struct cursor *cursor = &machine->cursor;
	uint8_t operation = cursor_u8(cursor);
	if (operation >= OP_LIT0 && operation <= OP_LIT31) {
		push(machine, operation - OP_LIT0);
	} else if (operation >= OP_BREG0 && operation <= OP_BREG31) {
		push_register(machine, operation - OP_BREG0, cursor_sleb(cursor));
	} else if (operation >= OP_CONST1U && operation <= OP_CONSTS) {
		push_constant(machine, operation);
	} else if (operation >= OP_DUP && operation <= OP_ROT) {
		move(machine, operation);
	} else if (operation == OP_BRA || operation == OP_SKIP) {
		branch(machine, operation);
	} else if (operation == OP_ABS || operation == OP_NEG || operation == OP_NOT ||
		   operation == OP_PLUS_UCONST) {
		change_one(machine, operation);
	} else if (operation >= OP_AND && operation <= OP_NE) {
		combine_two(machine, operation);
	} else if (operation == OP_ADDR) {
		push(machine, cursor_unsigned(cursor, 8));
	} else if (operation == OP_DEREF) {
		dereference(machine, 8);
	} else if (operation == OP_DEREF_SIZE) {
		dereference(machine, cursor_u8(cursor));
	} else if (operation == OP_BREGX) {
		uint64_t number = cursor_uleb(cursor);
		push_register(machine, number, cursor_sleb(cursor));
	} else if (operation != OP_NOP) {
		fail(machine, EXPRESSION_BAD);
	}
}

enum expression_end expression_evaluate(const struct bytes *module, uint64_t position,
					const struct cpu_registers *registers,
					const uint64_t *cfa, struct words *words,
					uint64_t *result)
{
	struct machine machine = { .registers = registers, .words = words };
	if (position > module->size)
		return EXPRESSION_BAD;
	struct cursor length = cursor_at(module, position, module->size - position);
	uint64_t size = cursor_uleb(&length);
	machine.cursor = cursor_at(module, length.position, size);
	machine.start = machine.cursor.position;
	machine.cursor.bad |= length.bad;
	if (cfa)
		push(&machine, *cfa);
	for (unsigned steps = 0; cursor_has_more(&machine.cursor); steps++) {
		if (machine.end != EXPRESSION_DONE)
			return machine.end;
		if (steps == MAX_STEPS)
			return EXPRESSION_BAD;
		follow_one(&machine);
	}
	*result = pop(&machine);
	return machine.cursor.bad ? EXPRESSION_BAD : machine.end;
}
