/* Fuzzes unwind/eh_frame, row and expression: an .eh_frame_hdr with what follows it. The first
   eight bytes say where the header is and which pc is looked for. */
#include <stdlib.h>
#include <string.h>

#include "unwind/expression.h"
#include "unwind/row.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* As if every word but 0 held its own address. */
static bool read_word(struct words *words, uint64_t address, uint64_t *word)
{
	(void)words;
	*word = address;
	return address != 0;
}

static void evaluate(const struct bytes *module, int32_t position)
{
	struct words words = { read_word };
	struct cpu_registers registers = { .known = UINT64_MAX };
	uint64_t cfa = 1;
	uint64_t result;
	expression_evaluate(module, (uint32_t)position, &registers, &cfa, &words,
			    &result);
}

static void evaluate_all(const struct bytes *module, const struct row *row)
{
	if (row->cfa_kind == ROW_IS_EXPRESSION)
		evaluate(module, row->cfa);
	else if (row->cfa_kind != ROW_REGISTER_AND_MORE ||
		 row->cfa_register >= CPU_NR_REGISTERS)
		abort();
	for (unsigned i = 0; i < CPU_NR_REGISTERS; i++)
		if (row->kinds[i] == ROW_AT_EXPRESSION ||
		    row->kinds[i] == ROW_IS_EXPRESSION)
			evaluate(module, row->values[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	enum { MODULE_ADDRESS = 0x10000000 };
	uint32_t places[2];
	if (size < sizeof(places))
		return 0;
	memcpy(places, bytes, sizeof(places));
	struct bytes module = { bytes + sizeof(places), MODULE_ADDRESS,
				size - sizeof(places) };
	uint64_t header = MODULE_ADDRESS + (uint64_t)places[0];
	uint64_t pc = header + (uint64_t)(int64_t)(int32_t)places[1];
	struct eh_entry entry;
	struct row row;
	if (!eh_frame_find(&module, header, pc, &entry))
		return 0;
	if (pc < entry.start || pc >= entry.end)
		abort();
	if (row_find(&module, &entry, pc, &row))
		evaluate_all(&module, &row);
	return 0;
}
