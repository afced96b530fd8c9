/*
 * module: whose code a pc is. Asks the loader, without a lock where it can do that (glibc from
 * 2.35 on: _dl_find_object).
 */
#ifndef SEEP_UNWIND_MODULE_H
#define SEEP_UNWIND_MODULE_H

#include "unwind/eh_frame.h"

struct module {
	struct bytes bytes; /* the module as it is mapped */
	uint64_t header;    /* the address of .eh_frame_hdr; 0: it has none */
	uint64_t section;   /* that of .eh_frame, where it has no header; 0: not known */
};

/* False when the loader knows of no module there. */
bool module_find(uint64_t pc, struct module *module);
/* What the module says of a pc in it. */
bool module_entry(const struct module *module, uint64_t pc, struct eh_entry *entry);

#endif
