/* expression: see expression.h. */
#include "unwind/expression.h"

#include "unwind/bytes.h"

#define MAX_DEPTH 16u
#define MAX_STEPS 64u

enum { /* DWARF 5, table 7.9 */
       OP_ADDR = 0x03,
       OP_DEREF = 0x06,
       OP_CONST1U = 0x08,
       OP_CONST1S = 0x09,
       OP_CONST2U = 0x0a,
       OP_CONST2S = 0x0b,
       OP_CONST4U = 0x0c,
       OP_CONST4S = 0x0d,
       OP_CONST8U = 0x0e,
       OP_CONST8S = 0x0f,
       OP_CONSTU = 0x10,
       OP_CONSTS = 0x11,
       OP_DUP = 0x12,
       OP_DROP = 0x13,
       OP_OVER = 0x14,
       OP_SWAP = 0x16,
       OP_AND = 0x1a,
       OP_MINUS = 0x1c,
       OP_MUL = 0x1e,
       OP_OR = 0x21,
       OP_PLUS = 0x22,
       OP_PLUS_UCONST = 0x23,
       OP_SHL = 0x24,
       OP_SHR = 0x25,
       OP_XOR = 0x27,
       OP_EQ = 0x29,
       OP_GE = 0x2a,
       OP_GT = 0x2b,
       OP_LE = 0x2c,
       OP_LT = 0x2d,
       OP_NE = 0x2e,
       OP_LIT0 = 0x30,
       OP_LIT31 = 0x4f,
       OP_BREG0 = 0x70,
       OP_BREG31 = 0x8f,
};

struct stack {
	uint64_t words[MAX_DEPTH];
	unsigned depth;
	bool bad;
};

static void push(struct stack *stack, uint64_t word)
{
	if (stack->depth < MAX_DEPTH)
		stack->words[stack->depth++] = word;
	else
		stack->bad = true;
}

static uint64_t pop(struct stack *stack)
{
	if (stack->depth)
		return stack->words[--stack->depth];
	stack->bad = true;
	return 0;
}

static bool push_constant(struct stack *stack, struct bytes *bytes, uint8_t operation)
{
	switch (operation) {
	case OP_CONST1U:
		push(stack, bytes_u8(bytes));
		return true;
	case OP_CONST1S:
		push(stack, (uint64_t)(int64_t)(int8_t)bytes_u8(bytes));
		return true;
	case OP_CONST2U:
		push(stack, bytes_u16(bytes));
		return true;
	case OP_CONST2S:
		push(stack, (uint64_t)(int64_t)(int16_t)bytes_u16(bytes));
		return true;
	case OP_CONST4U:
		push(stack, bytes_u32(bytes));
		return true;
	case OP_CONST4S:
		push(stack, (uint64_t)(int64_t)(int32_t)bytes_u32(bytes));
		return true;
	case OP_ADDR:
	case OP_CONST8U:
	case OP_CONST8S:
		push(stack, bytes_u64(bytes));
		return true;
	case OP_CONSTU:
		push(stack, bytes_uleb(bytes));
		return true;
	case OP_CONSTS:
		push(stack, (uint64_t)bytes_sleb(bytes));
		return true;
	default:
		if (operation < OP_LIT0 || operation > OP_LIT31)
			return false;
		push(stack, operation - OP_LIT0);
		return true;
	}
}

/* Of two words, b having been pushed last. */
static bool combine(uint8_t operation, uint64_t a, uint64_t b, uint64_t *result)
{
	switch (operation) {
	case OP_AND:
		*result = a & b;
		return true;
	case OP_MINUS:
		*result = a - b;
		return true;
	case OP_MUL:
		*result = a * b;
		return true;
	case OP_OR:
		*result = a | b;
		return true;
	case OP_PLUS:
		*result = a + b;
		return true;
	case OP_SHL:
		*result = b < 64 ? a << b : 0;
		return true;
	case OP_SHR:
		*result = b < 64 ? a >> b : 0;
		return true;
	case OP_XOR:
		*result = a ^ b;
		return true;
	case OP_EQ:
		*result = a == b;
		return true;
	case OP_GE:
		*result = (int64_t)a >= (int64_t)b;
		return true;
	case OP_GT:
		*result = (int64_t)a > (int64_t)b;
		return true;
	case OP_LE:
		*result = (int64_t)a <= (int64_t)b;
		return true;
	case OP_LT:
		*result = (int64_t)a < (int64_t)b;
		return true;
	case OP_NE:
		*result = a != b;
		return true;
	default:
		return false;
	}
}

static void rearrange(struct stack *stack, uint8_t operation)
{
	uint64_t top = pop(stack), below;
	switch (operation) {
	case OP_DUP:
		push(stack, top);
		push(stack, top);
		break;
	case OP_SWAP:
		below = pop(stack);
		push(stack, top);
		push(stack, below);
		break;
	case OP_OVER:
		below = pop(stack);
		push(stack, below);
		push(stack, top);
		push(stack, below);
		break;
	default: /* OP_DROP */
		break;
	}
}

struct scene {
	const uint64_t *registers;
	unsigned nr_registers;
	const struct expression_memory *memory;
};

static void run_one(const struct scene *scene, struct stack *stack, struct bytes *bytes,
		    uint8_t operation)
{
	uint64_t word = 0, number;
	if (push_constant(stack, bytes, operation))
		return;
	if (operation >= OP_BREG0 && operation <= OP_BREG31) {
		number = operation - OP_BREG0;
		word = (uint64_t)bytes_sleb(bytes);
		stack->bad = stack->bad || number >= scene->nr_registers;
		push(stack, stack->bad ? 0 : scene->registers[number] + word);
	} else if (operation == OP_DEREF) {
		stack->bad = !scene->memory->read(scene->memory, pop(stack), &word) ||
			     stack->bad;
		push(stack, word);
	} else if (operation == OP_PLUS_UCONST) {
		word = pop(stack);
		push(stack, word + bytes_uleb(bytes));
	} else if (operation >= OP_DUP && operation <= OP_SWAP && operation != 0x15) {
		rearrange(stack, operation);
	} else {
		uint64_t b = pop(stack), a = pop(stack);
		stack->bad = !combine(operation, a, b, &word) || stack->bad;
		push(stack, word);
	}
}

bool expression_value(const unsigned char *expression, const uint64_t *registers,
		      unsigned nr_registers, const uint64_t *first,
		      const struct expression_memory *memory, uint64_t *value)
{
	/* Its length was checked when the rule was read: eh_frame.c. */
	struct bytes bytes = { .at = expression, .end = expression + 10 };
	uint64_t size = bytes_uleb(&bytes);
	bytes.end = bytes.at + size;
	struct scene scene = { registers, nr_registers, memory };
	struct stack stack = { .depth = 0 };
	if (first)
		push(&stack, *first);
	for (unsigned i = 0; bytes.at < bytes.end; i++) {
		if (i == MAX_STEPS || stack.bad || bytes.bad)
			return false;
		run_one(&scene, &stack, &bytes, bytes_u8(&bytes));
	}
	*value = pop(&stack);
	return !stack.bad && !bytes.bad;
}
