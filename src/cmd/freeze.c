/* freeze: see freeze.h. */
#include "cmd/freeze.h"

#include "seep/leaks.h"

const struct option_word freeze_words[] = {
	{ "auto", SEEP_FREEZE_AUTO,
	  "through a copy where that pays and is safe (the default)" },
	{ "copy", SEEP_FREEZE_COPY, "through a copy, or say why not" },
	{ "stop", SEEP_FREEZE_STOP, "stop the process while it is read" },
	{ 0 },
};
