/* Fuzzes unwind/epilogue and instruction: code, which is read on from its start. */
#include <stdlib.h>

#include "unwind/epilogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	enum { ADDRESS = 0x10000000 };
	const struct epilogue_code code = { { bytes, ADDRESS, size }, NULL, 0 };
	struct row row;
	for (int is_exact = 0; is_exact < 2; is_exact++)
		if (epilogue_find(&code, ADDRESS, is_exact, &row) &&
		    (row.cfa_kind != ROW_REGISTER_AND_MORE || row.cfa <= 0 ||
		     row.kinds[CPU_PC] != ROW_AT_CFA))
			abort();
	return 0;
}
