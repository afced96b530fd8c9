/* instruction: see instruction.h. */
#include "unwind/instruction.h"

enum {
	REG_SP = 4,
	REG_BP = 5,
	REX_W = 8,
	REX_R = 4,
	REX_X = 2,
	REX_B = 1,
	MAX_PREFIXES = 6,
};

/* What follows an opcode: M, B, Z: ModRM alone, with a byte, with a word; b, w, z: a byte, two, a
   word; j, J: where to, in a byte or a word; v: a word or two; o: an address; -: nothing. */
static const char one_byte[] = "MMMMbz!!MMMMbz!!"
			       "MMMMbz!!MMMMbz!!"
			       "MMMMbz!!MMMMbz!!"
			       "MMMMbz!!MMMMbz!!"
			       "!!!!!!!!!!!!!!!!"
			       "----------------"
			       "!!!M!!!!zZbB----"
			       "jjjjjjjjjjjjjjjj"
			       "BZ!BMMMMMMMMMMM!"
			       "----------!-!!--"
			       "oooo----bz------"
			       "bbbbbbbbvvvvvvvv"
			       "BBw-!!BZ!-!!-b!!"
			       "MMMM!!!-MMMMMMMM"
			       "jjjjbbbbJJ!j----"
			       "!-!!--MM------MM";

/* After 0f. */
static const char two_bytes[] = "MMMM!--!--!-!M!!"
				"MMMMMMMMMMMMMMMM"
				"MMMM!!!!MMMMMMMM"
				"------!-!!!!!!!!"
				"MMMMMMMMMMMMMMMM"
				"MMMMMMMMMMMMMMMM"
				"MMMMMMMMMMMMMMMM"
				"BBBBMMM-MM!!MMMM"
				"JJJJJJJJJJJJJJJJ"
				"MMMMMMMMMMMMMMMM"
				"!!-MBM!!!!-MBMMM"
				"MMMMMMMMMMBMMMMM"
				"MMBMBBBM--------"
				"MMMMMMMMMMMMMMMM"
				"MMMMMMMMMMMMMMMM"
				"MMMMMMMMMMMMMMMM";

struct reader {
	const uint8_t *bytes;
	size_t nr, at;
	bool is_short; /* there were not as many bytes */
};

static uint8_t peek(const struct reader *reader, size_t ahead)
{
	return reader->at + ahead < reader->nr ? reader->bytes[reader->at + ahead] : 0;
}

static int32_t take(struct reader *reader, size_t size)
{
	uint32_t value = 0;
	if (size > reader->nr - reader->at) {
		reader->is_short = true;
		return 0;
	}
	for (size_t i = 0; i < size && i < 4; i++)
		value |= (uint32_t)reader->bytes[reader->at + i] << 8 * i;
	reader->at += size;
	return size == 1 ? (int8_t)value : size == 2 ? (int16_t)value : (int32_t)value;
}

/* One that is being read. */
struct decoding {
	uint8_t rex;
	bool is_16_bit;
	bool has_two_bytes;
	uint8_t opcode;
	uint8_t mod, reg, rm; /* registers with their bit of the prefix */
	bool has_base;        /* its memory is at base + displacement */
	uint8_t base;
	int32_t displacement;
};

static void take_memory(struct reader *reader, struct decoding *is)
{
	uint8_t low = is->rm & 7;
	is->has_base = true;
	is->base = is->rm;
	size_t size = is->mod == 1 ? 1 : is->mod == 2 ? 4 : 0;
	if (low == 4) {
		uint8_t sib = (uint8_t)take(reader, 1);
		is->base = (uint8_t)((sib & 7) | (is->rex & REX_B ? 8 : 0));
		is->has_base = (sib >> 3 & 7) == 4 && !(is->rex & REX_X);
		low = sib & 7;
	}
	if (low == 5 && is->mod == 0) {
		is->has_base = false;
		size = 4;
	}
	is->displacement = take(reader, size);
}

static void take_operands(struct reader *reader, struct decoding *is)
{
	uint8_t byte = (uint8_t)take(reader, 1);
	is->mod = byte >> 6;
	is->reg = (uint8_t)((byte >> 3 & 7) | (is->rex & REX_R ? 8 : 0));
	is->rm = (uint8_t)((byte & 7) | (is->rex & REX_B ? 8 : 0));
	if (is->mod != 3)
		take_memory(reader, is);
}

/* Whether an instruction with operands writes the register that `reg` or `rm` names. */
static bool writes_reg(const struct decoding *is)
{
	uint8_t opcode = is->opcode;
	if (is->has_two_bytes)
		return (opcode & 0xf0) == 0x40 || opcode == 0x2c || opcode == 0x2d ||
		       opcode == 0x50 || opcode == 0xaf || opcode == 0xb6 ||
		       opcode == 0xb7 || opcode == 0xb8 || (opcode & 0xfc) == 0xbc ||
		       opcode == 0xc0 || opcode == 0xc1 || opcode == 0xc5 ||
		       opcode == 0xd7;
	if (opcode < 0x40)
		return (opcode & 6) == 2 && opcode < 0x38;
	return opcode == 0x63 || opcode == 0x69 || opcode == 0x6b || opcode == 0x87 ||
	       opcode == 0x8b || opcode == 0x8d;
}

static bool writes_rm(const struct decoding *is)
{
	uint8_t opcode = is->opcode;
	if (is->mod != 3)
		return false;
	if (is->has_two_bytes)
		return opcode == 0x7e || (opcode >= 0xa3 && opcode <= 0xad) ||
		       (opcode >= 0xb0 && opcode <= 0xb3) || opcode == 0xba ||
		       opcode == 0xbb || opcode == 0xc0 || opcode == 0xc1;
	if (opcode < 0x40)
		return (opcode & 6) == 0 && opcode < 0x38;
	return opcode == 0x80 || opcode == 0x81 || opcode == 0x83 || opcode == 0x87 ||
	       opcode == 0x89 || opcode == 0x8c || opcode == 0xc1 || opcode == 0xc7 ||
	       opcode == 0xd1 || opcode == 0xd3 || opcode == 0xf7 || opcode == 0xff;
}

static enum instruction_kind immediate_to_sp(const struct decoding *is, int32_t immediate,
					     struct instruction *instruction)
{
	enum { ADD = 0, SUB = 5, CMP = 7 };
	uint8_t what = is->reg & 7;
	if (what == CMP)
		return INSTRUCTION_OTHER;
	if (!(is->rex & REX_W) || (what != ADD && what != SUB))
		return INSTRUCTION_BAD;
	instruction->value = what == ADD ? immediate
					 : (int32_t)(0u - (uint32_t)immediate);
	return INSTRUCTION_ADD_SP;
}

static enum instruction_kind load_sp(const struct decoding *is,
				     struct instruction *instruction)
{
	instruction->value = is->displacement;
	if (!(is->rex & REX_W) || is->mod == 3 || !is->has_base)
		return INSTRUCTION_BAD;
	if (is->base == REG_SP)
		return INSTRUCTION_ADD_SP;
	return is->base == REG_BP ? INSTRUCTION_SP_FROM_BP : INSTRUCTION_BAD;
}

/* Of one with operands. */
static enum instruction_kind effect_of(const struct decoding *is, int32_t immediate,
				       struct instruction *instruction)
{
	uint8_t what = is->reg & 7;
	if (!is->has_two_bytes && is->opcode == 0xff) {
		static const enum instruction_kind kinds[] = {
			INSTRUCTION_OTHER, INSTRUCTION_OTHER, /* inc, dec */
			INSTRUCTION_OTHER, INSTRUCTION_BAD,   /* call */
			INSTRUCTION_DEAD,  INSTRUCTION_DEAD,  /* jmp */
			INSTRUCTION_PUSH,  INSTRUCTION_BAD,
		};
		bool is_on_sp = is->mod == 3 && is->rm == REG_SP;
		return is_on_sp ? INSTRUCTION_BAD : kinds[what];
	}
	if (!is->has_two_bytes && (is->opcode == 0x81 || is->opcode == 0x83) &&
	    is->mod == 3 && is->rm == REG_SP)
		return immediate_to_sp(is, immediate, instruction);
	if (!is->has_two_bytes && is->opcode == 0x8d && is->reg == REG_SP)
		return load_sp(is, instruction);
	bool is_from_bp =
		!is->has_two_bytes && is->mod == 3 && (is->rex & REX_W) &&
		((is->opcode == 0x89 && is->rm == REG_SP && is->reg == REG_BP) ||
		 (is->opcode == 0x8b && is->reg == REG_SP && is->rm == REG_BP));
	if (is_from_bp)
		return INSTRUCTION_SP_FROM_BP;
	return (writes_reg(is) && is->reg == REG_SP) ||
			       (writes_rm(is) && is->rm == REG_SP)
		       ? INSTRUCTION_BAD
		       : INSTRUCTION_OTHER;
}

/* Of one without. */
static enum instruction_kind plain_effect_of(const struct decoding *is,
					     struct instruction *instruction)
{
	uint8_t opcode = is->opcode;
	bool is_on_sp = (opcode & 7) == REG_SP && !(is->rex & REX_B);
	instruction->reg = (uint8_t)((opcode & 7) | (is->rex & REX_B ? 8 : 0));
	if (is->has_two_bytes)
		return opcode == 0x0b               ? INSTRUCTION_DEAD
		       : opcode == 0xcc && is_on_sp ? INSTRUCTION_BAD
						    : INSTRUCTION_OTHER;
	switch (opcode & 0xf8) {
	case 0x50:
		return is->is_16_bit ? INSTRUCTION_BAD : INSTRUCTION_PUSH;
	case 0x58:
		return is->is_16_bit || is_on_sp ? INSTRUCTION_BAD : INSTRUCTION_POP;
	case 0x90:
	case 0xb8:
		return is_on_sp ? INSTRUCTION_BAD : INSTRUCTION_OTHER;
	default:
		break;
	}
	switch (opcode) {
	case 0x68:
	case 0x6a:
		return INSTRUCTION_PUSH;
	case 0xc3:
		return INSTRUCTION_RETURN;
	case 0xc2:
		return INSTRUCTION_BAD;
	case 0xc9:
		return INSTRUCTION_LEAVE;
	case 0xcc:
	case 0xf4:
		return INSTRUCTION_DEAD;
	default:
		return INSTRUCTION_OTHER;
	}
}

static enum instruction_kind way_on(const struct decoding *is)
{
	if (!is->has_two_bytes && is->opcode == 0xe8)
		return INSTRUCTION_CALL;
	if (!is->has_two_bytes && (is->opcode == 0xe9 || is->opcode == 0xeb))
		return INSTRUCTION_JUMP;
	return INSTRUCTION_BRANCH;
}

static bool is_prefix(uint8_t byte)
{
	static const uint8_t prefixes[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64,
					    0x65, 0x66, 0xf0, 0xf2, 0xf3 };
	for (size_t i = 0; i < sizeof(prefixes); i++)
		if (byte == prefixes[i])
			return true;
	return false;
}

static char take_opcode(struct reader *reader, struct decoding *is)
{
	for (unsigned i = 0; i < MAX_PREFIXES && is_prefix(peek(reader, 0)); i++)
		is->is_16_bit |= (uint8_t)take(reader, 1) == 0x66;
	if ((peek(reader, 0) & 0xf0) == 0x40)
		is->rex = (uint8_t)take(reader, 1);
	is->opcode = (uint8_t)take(reader, 1);
	if (is->opcode != 0x0f)
		return one_byte[is->opcode];
	is->has_two_bytes = true;
	is->opcode = (uint8_t)take(reader, 1);
	bool is_longer = is->opcode == 0x38 || is->opcode == 0x3a;
	char form = is->opcode == 0x38 ? 'M' : is->opcode == 0x3a ? 'B' : '!';
	if (!is_longer)
		return two_bytes[is->opcode];
	take(reader, 1);
	is->opcode = 0; /* of vectors: none that matters */
	return form;
}

static enum instruction_kind take_rest(struct reader *reader, struct decoding *is,
				       char form, struct instruction *instruction)
{
	size_t word = is->is_16_bit ? 2 : 4;
	bool is_test = !is->has_two_bytes && (is->opcode & 0xfe) == 0xf6;
	size_t size = 0;
	switch (form) {
	case 'M':
	case 'B':
	case 'Z':
		take_operands(reader, is);
		size = form == 'B' ? 1 : form == 'Z' ? word : 0;
		if (is_test && (is->reg & 7) < 2)
			size = is->opcode == 0xf6 ? 1 : word;
		return effect_of(is, take(reader, size), instruction);
	case 'j':
	case 'J':
		instruction->value = take(reader, form == 'j' ? 1 : 4);
		return way_on(is);
	case 'b':
		take(reader, 1);
		break;
	case 'w':
		take(reader, 2);
		break;
	case 'z':
		take(reader, word);
		break;
	case 'v':
		take(reader, is->rex & REX_W ? 8 : word);
		break;
	case 'o':
		take(reader, 8);
		break;
	case '-':
		break;
	default:
		return INSTRUCTION_BAD;
	}
	return plain_effect_of(is, instruction);
}

bool instruction_read(const uint8_t *bytes, size_t nr_bytes,
		      struct instruction *instruction)
{
	struct reader reader = { bytes, nr_bytes, 0, false };
	struct decoding is = { 0 };
	*instruction = (struct instruction){ 0 };
	char form = take_opcode(&reader, &is);
	instruction->kind = take_rest(&reader, &is, form, instruction);
	instruction->size = (uint8_t)reader.at;
	return !reader.is_short;
}
