/*
 * module: whose code a pc is. Asks the loader, without a lock where it can do that (glibc from
 * 2.35 on: _dl_find_object).
 */
#ifndef SEEP_UNWIND_MODULE_H
#define SEEP_UNWIND_MODULE_H

#include "unwind/row.h"

struct module {
	struct bytes bytes; /* the module as it is mapped */
	uint64_t header;    /* the address of .eh_frame_hdr; 0: it has none */
	uint64_t section;   /* that of .eh_frame, where it has no header; 0: not known */
	/* The part with the pc, if it is code that has no rules but can be read (unwind/musl.h). */
	struct bytes code;
};

/* False when the loader knows of no module there. */
bool module_find(uint64_t pc, struct module *module);
/* The row of a pc (unwind/rule.h) and whose it is; false where none can be known. A module without
   bytes is none. */
bool module_find_row(uint64_t pc, struct module *module, struct row *row,
		     bool *is_signal_frame);

#endif
