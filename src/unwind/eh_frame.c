/* eh_frame: see eh_frame.h. */
#include "unwind/eh_frame.h"

#include "unwind/bytes.h"

/* Encodings of pointers: LSB 5.0, "DWARF Exception Header Encoding". */
enum {
	ENCODING_ABSOLUTE = 0x00,
	ENCODING_ULEB = 0x01,
	ENCODING_U16 = 0x02,
	ENCODING_U32 = 0x03,
	ENCODING_U64 = 0x04,
	ENCODING_SLEB = 0x09,
	ENCODING_S16 = 0x0a,
	ENCODING_S32 = 0x0b,
	ENCODING_S64 = 0x0c,
	ENCODING_FORM = 0x0f,
	ENCODING_PC_RELATIVE = 0x10,
	ENCODING_DATA_RELATIVE = 0x30,
	ENCODING_RELATION = 0x70,
	ENCODING_INDIRECT = 0x80,
	ENCODING_OMITTED = 0xff,
};

/* Nested DW_CFA_remember_state: compilers need one or two. */
#define MAX_REMEMBERED 4u

struct common { /* CIE */
	struct bytes program;
	uint64_t code_factor;
	int64_t data_factor;
	unsigned return_register;
	uint8_t encoding;
	bool has_augmentation, is_signal;
};

struct entry { /* FDE */
	struct common common;
	struct bytes program;
	uint64_t start, size;
};

static uint64_t take_form(struct bytes *bytes, uint8_t form)
{
	switch (form) {
	case ENCODING_ABSOLUTE:
	case ENCODING_U64:
	case ENCODING_S64:
		return bytes_u64(bytes);
	case ENCODING_ULEB:
		return bytes_uleb(bytes);
	case ENCODING_SLEB:
		return (uint64_t)bytes_sleb(bytes);
	case ENCODING_U16:
		return bytes_u16(bytes);
	case ENCODING_S16:
		return (uint64_t)(int64_t)(int16_t)bytes_u16(bytes);
	case ENCODING_U32:
		return bytes_u32(bytes);
	case ENCODING_S32:
		return (uint64_t)(int64_t)(int32_t)bytes_u32(bytes);
	default:
		bytes->bad = true;
		return 0;
	}
}

/* A pointer; `data` is what data-relative ones count from. None that is indirect is needed. */
static uint64_t take_pointer(struct bytes *bytes, uint8_t encoding, uint64_t data)
{
	uint64_t place = (uint64_t)(uintptr_t)bytes->at;
	uint64_t value = take_form(bytes, encoding & ENCODING_FORM);
	switch (encoding & (ENCODING_RELATION | ENCODING_INDIRECT)) {
	case 0:
		return value;
	case ENCODING_PC_RELATIVE:
		return place + value;
	case ENCODING_DATA_RELATIVE:
		return data + value;
	default:
		bytes->bad = true;
		return 0;
	}
}

/* A CIE or FDE from its length on: a cursor over the rest of it. */
static struct bytes take_record(const struct eh_frame_bounds *bounds,
				const unsigned char *at)
{
	struct bytes bytes = { .at = at, .end = bounds->end };
	if (at < bounds->start || at >= bounds->end) {
		bytes.bad = true;
		return bytes;
	}
	uint64_t size = bytes_u32(&bytes);
	if (size == UINT32_MAX)
		size = bytes_u64(&bytes);
	if (bytes.bad || !size || size > (uint64_t)(bytes.end - bytes.at))
		bytes.bad = true;
	else
		bytes.end = bytes.at + size;
	return bytes;
}

static void take_augmentation(struct bytes *bytes, const unsigned char *letters,
			      struct common *common)
{
	for (const unsigned char *letter = letters; *letter && !bytes->bad; letter++) {
		uint8_t encoding;
		switch (*letter) {
		case 'z':
			break;
		case 'R':
			common->encoding = bytes_u8(bytes);
			break;
		case 'P':
			/* Of the personality only the size counts; it may be indirect. */
			encoding = bytes_u8(bytes);
			take_form(bytes, encoding & ENCODING_FORM);
			break;
		case 'L':
			bytes_u8(bytes);
			break;
		case 'S':
			common->is_signal = true;
			break;
		case 'B': /* aarch64: signed with the B key */
			break;
		default:
			bytes->bad = true;
		}
	}
}

static bool parse_common(const struct eh_frame_bounds *bounds, const unsigned char *at,
			 struct common *common)
{
	struct bytes bytes = take_record(bounds, at);
	if (bytes_u32(&bytes) != 0 || bytes.bad)
		return false;
	uint8_t version = bytes_u8(&bytes);
	const unsigned char *letters = bytes.at;
	while (bytes_u8(&bytes) != 0)
		;
	if (bytes.bad || (version != 1 && version != 3))
		return false;
	*common = (struct common){ .encoding = ENCODING_ABSOLUTE };
	common->code_factor = bytes_uleb(&bytes);
	common->data_factor = bytes_sleb(&bytes);
	common->return_register = version == 1 ? bytes_u8(&bytes)
					       : (unsigned)bytes_uleb(&bytes);
	common->has_augmentation = *letters == 'z';
	if (common->has_augmentation) {
		uint64_t size = bytes_uleb(&bytes);
		struct bytes rest = bytes;
		bytes_skip(&rest, size);
		take_augmentation(&bytes, letters, common);
		bytes.at = rest.at;
		bytes.bad = bytes.bad || rest.bad;
	} else if (*letters) {
		return false;
	}
	common->program = bytes;
	return !bytes.bad && common->return_register < FRAME_NR_REGISTERS;
}

static bool parse_entry(const struct eh_frame_bounds *bounds, const unsigned char *at,
			struct entry *entry)
{
	struct bytes bytes = take_record(bounds, at);
	const unsigned char *place = bytes.at;
	uint32_t back = bytes_u32(&bytes);
	if (bytes.bad || !back || back > (size_t)(place - bounds->start) ||
	    !parse_common(bounds, place - back, &entry->common))
		return false;
	entry->start = take_pointer(&bytes, entry->common.encoding, 0);
	entry->size = take_form(&bytes, entry->common.encoding & ENCODING_FORM);
	if (entry->common.has_augmentation)
		bytes_skip(&bytes, bytes_uleb(&bytes));
	entry->program = bytes;
	return !bytes.bad;
}

/* The FDE that the table says covers pc: the last one that starts at or before it. */
static const unsigned char *look_up(const struct eh_frame_bounds *bounds,
				    const unsigned char *header, uint64_t pc)
{
	struct bytes bytes = { .at = header, .end = bounds->end };
	if (header < bounds->start || header >= bounds->end || bytes_u8(&bytes) != 1)
		return NULL;
	uint64_t data = (uint64_t)(uintptr_t)header;
	uint8_t frame = bytes_u8(&bytes), count = bytes_u8(&bytes),
		table = bytes_u8(&bytes);
	if (count == ENCODING_OMITTED ||
	    table != (ENCODING_DATA_RELATIVE |
		      ENCODING_S32)) /* the one that linkers make */
		return NULL;
	take_pointer(&bytes, frame, data);
	uint64_t nr = take_pointer(&bytes, count, data);
	if (bytes.bad || nr > (uint64_t)(bytes.end - bytes.at) / 8)
		return NULL;
	uint64_t low = 0, high = nr;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		int32_t start;
		memcpy(&start, bytes.at + middle * 8, sizeof(start));
		if (data + (uint64_t)(int64_t)start <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	int32_t place;
	memcpy(&place, bytes.at + (low - 1) * 8 + 4, sizeof(place));
	return (const unsigned char *)(uintptr_t)(data + (uint64_t)(int64_t)place);
}

/* --- the program of an entry ----------------------------------------------------------- */

enum { /* DWARF 5, table 7.29; GNU's from LSB 5.0 */
       CFA_ADVANCE = 0x40,
       CFA_OFFSET = 0x80,
       CFA_RESTORE = 0xc0,
       CFA_NOP = 0x00,
       CFA_SET_LOC = 0x01,
       CFA_ADVANCE1 = 0x02,
       CFA_ADVANCE2 = 0x03,
       CFA_ADVANCE4 = 0x04,
       CFA_OFFSET_EXTENDED = 0x05,
       CFA_RESTORE_EXTENDED = 0x06,
       CFA_UNDEFINED = 0x07,
       CFA_SAME_VALUE = 0x08,
       CFA_REGISTER = 0x09,
       CFA_REMEMBER = 0x0a,
       CFA_RESTORE_STATE = 0x0b,
       CFA_DEF_CFA = 0x0c,
       CFA_DEF_CFA_REGISTER = 0x0d,
       CFA_DEF_CFA_OFFSET = 0x0e,
       CFA_DEF_CFA_EXPRESSION = 0x0f,
       CFA_EXPRESSION = 0x10,
       CFA_OFFSET_EXTENDED_SF = 0x11,
       CFA_DEF_CFA_SF = 0x12,
       CFA_DEF_CFA_OFFSET_SF = 0x13,
       CFA_VAL_OFFSET = 0x14,
       CFA_VAL_OFFSET_SF = 0x15,
       CFA_VAL_EXPRESSION = 0x16,
       CFA_GNU_ARGS_SIZE = 0x2e,
       CFA_GNU_NEGATIVE_OFFSET = 0x2f,
};

struct machine {
	const struct common *common;
	struct bytes bytes;
	uint64_t location, pc;
	struct frame_rules *rules;
	const struct frame_rules *initial; /* NULL while they are being made */
	struct frame_rules remembered[MAX_REMEMBERED];
	unsigned nr_remembered;
};

static void set_rule(struct machine *machine, uint64_t number, struct frame_rule rule)
{
	/* Vector registers and others that are not kept may have rules, too. */
	if (number < FRAME_NR_REGISTERS)
		machine->rules->registers[number] = rule;
}

static void restore(struct machine *machine, uint64_t number)
{
	if (number < FRAME_NR_REGISTERS)
		machine->rules->registers[number] =
			machine->initial ? machine->initial->registers[number]
					 : (struct frame_rule){ .kind = FRAME_SAME };
}

static void saved_at(struct machine *machine, uint64_t number, int64_t factored,
		     enum frame_rule_kind kind)
{
	int64_t offset = factored * machine->common->data_factor;
	set_rule(machine, number,
		 (struct frame_rule){ .kind = kind, .offset = (int32_t)offset });
}

static void take_expression(struct machine *machine, const unsigned char **expression)
{
	*expression = machine->bytes.at;
	bytes_skip(&machine->bytes, bytes_uleb(&machine->bytes));
}

static void define_cfa(struct machine *machine, uint64_t number, int64_t offset)
{
	machine->rules->cfa_register = (unsigned)number;
	machine->rules->cfa_offset = (int32_t)offset;
	machine->rules->cfa_expression = NULL;
}

static void remember(struct machine *machine)
{
	if (machine->nr_remembered < MAX_REMEMBERED)
		machine->remembered[machine->nr_remembered++] = *machine->rules;
	else
		machine->bytes.bad = true;
}

static void recall(struct machine *machine)
{
	if (machine->nr_remembered)
		*machine->rules = machine->remembered[--machine->nr_remembered];
	else
		machine->bytes.bad = true;
}

static void advance(struct machine *machine, uint64_t by)
{
	machine->location += by * machine->common->code_factor;
}

/* Operations on the CFA and on the location. */
static bool run_on_cfa(struct machine *machine, uint8_t operation)
{
	struct bytes *bytes = &machine->bytes;
	struct frame_rules *rules = machine->rules;
	int64_t factor = machine->common->data_factor;
	uint64_t number;
	switch (operation) {
	case CFA_SET_LOC:
		machine->location = take_pointer(bytes, machine->common->encoding, 0);
		return true;
	case CFA_ADVANCE1:
		advance(machine, bytes_u8(bytes));
		return true;
	case CFA_ADVANCE2:
		advance(machine, bytes_u16(bytes));
		return true;
	case CFA_ADVANCE4:
		advance(machine, bytes_u32(bytes));
		return true;
	case CFA_DEF_CFA:
		number = bytes_uleb(bytes);
		define_cfa(machine, number, (int64_t)bytes_uleb(bytes));
		return true;
	case CFA_DEF_CFA_SF:
		number = bytes_uleb(bytes);
		define_cfa(machine, number, bytes_sleb(bytes) * factor);
		return true;
	case CFA_DEF_CFA_REGISTER:
		define_cfa(machine, bytes_uleb(bytes), rules->cfa_offset);
		return true;
	case CFA_DEF_CFA_OFFSET:
		define_cfa(machine, rules->cfa_register, (int64_t)bytes_uleb(bytes));
		return true;
	case CFA_DEF_CFA_OFFSET_SF:
		define_cfa(machine, rules->cfa_register, bytes_sleb(bytes) * factor);
		return true;
	case CFA_DEF_CFA_EXPRESSION:
		take_expression(machine, &rules->cfa_expression);
		return true;
	default:
		return false;
	}
}

/* Operations on one register. */
static bool run_on_register(struct machine *machine, uint8_t operation)
{
	struct bytes *bytes = &machine->bytes;
	struct frame_rule rule = { .kind = FRAME_SAME };
	uint64_t number = bytes_uleb(bytes);
	switch (operation) {
	case CFA_OFFSET_EXTENDED:
		saved_at(machine, number, (int64_t)bytes_uleb(bytes), FRAME_AT_OFFSET);
		return true;
	case CFA_OFFSET_EXTENDED_SF:
		saved_at(machine, number, bytes_sleb(bytes), FRAME_AT_OFFSET);
		return true;
	case CFA_GNU_NEGATIVE_OFFSET:
		saved_at(machine, number, -(int64_t)bytes_uleb(bytes), FRAME_AT_OFFSET);
		return true;
	case CFA_VAL_OFFSET:
		saved_at(machine, number, (int64_t)bytes_uleb(bytes), FRAME_IS_OFFSET);
		return true;
	case CFA_VAL_OFFSET_SF:
		saved_at(machine, number, bytes_sleb(bytes), FRAME_IS_OFFSET);
		return true;
	case CFA_RESTORE_EXTENDED:
		restore(machine, number);
		return true;
	case CFA_UNDEFINED:
		rule.kind = FRAME_UNDEFINED;
		break;
	case CFA_SAME_VALUE:
		break;
	case CFA_REGISTER:
		rule.kind = FRAME_IN_REGISTER;
		rule.offset = (int32_t)bytes_uleb(bytes);
		break;
	case CFA_EXPRESSION:
		rule.kind = FRAME_AT_EXPRESSION;
		take_expression(machine, &rule.expression);
		break;
	case CFA_VAL_EXPRESSION:
		rule.kind = FRAME_IS_EXPRESSION;
		take_expression(machine, &rule.expression);
		break;
	default:
		return false;
	}
	set_rule(machine, number, rule);
	return true;
}

static bool run_other(struct machine *machine, uint8_t operation)
{
	switch (operation) {
	case CFA_NOP:
		return true;
	case CFA_REMEMBER:
		remember(machine);
		return true;
	case CFA_RESTORE_STATE:
		recall(machine);
		return true;
	case CFA_GNU_ARGS_SIZE:
		bytes_uleb(&machine->bytes);
		return true;
	default:
		return run_on_cfa(machine, operation) ||
		       run_on_register(machine, operation);
	}
}

static void run_one(struct machine *machine, uint8_t operation)
{
	uint8_t low = operation & 0x3f;
	switch (operation & 0xc0) {
	case CFA_ADVANCE:
		advance(machine, low);
		break;
	case CFA_OFFSET:
		saved_at(machine, low, (int64_t)bytes_uleb(&machine->bytes),
			 FRAME_AT_OFFSET);
		break;
	case CFA_RESTORE:
		restore(machine, low);
		break;
	default:
		if (!run_other(machine, operation))
			machine->bytes.bad = true;
	}
}

/* Up to the first row that begins past pc. */
static bool run(struct machine *machine, struct bytes program)
{
	machine->bytes = program;
	while (!machine->bytes.bad && machine->bytes.at < machine->bytes.end) {
		struct frame_rules before = *machine->rules;
		run_one(machine, bytes_u8(&machine->bytes));
		if (machine->location > machine->pc) {
			*machine->rules = before;
			return true;
		}
	}
	return !machine->bytes.bad;
}

bool eh_frame_rules(const struct eh_frame_bounds *bounds, const unsigned char *header,
		    uint64_t pc, struct frame_rules *rules)
{
	struct entry entry;
	const unsigned char *at = look_up(bounds, header, pc);
	if (!at || !parse_entry(bounds, at, &entry) || pc - entry.start >= entry.size)
		return false;
	*rules = (struct frame_rules){
		.cfa_register = FRAME_NR_REGISTERS,
		.return_register = entry.common.return_register,
		.is_signal = entry.common.is_signal,
	};
	struct machine machine = {
		.common = &entry.common,
		.location = entry.start,
		.pc = pc,
		.rules = rules,
	};
	if (!run(&machine, entry.common.program))
		return false;
	struct frame_rules initial = *rules;
	machine.initial = &initial;
	return run(&machine, entry.program) &&
	       (rules->cfa_expression || rules->cfa_register < FRAME_NR_REGISTERS);
}
