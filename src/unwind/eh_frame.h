/*
 * eh_frame: finds the entry of a pc in a module's .eh_frame, by its .eh_frame_hdr.
 *
 * Layout: LSB core 5.0, sections 10.6.1 and 10.6.2. All is bounded by the memory that is given,
 * which is taken for no more than bytes.
 */
#ifndef SEEP_UNWIND_EH_FRAME_H
#define SEEP_UNWIND_EH_FRAME_H

#include "unwind/bytes.h"

/* Instructions for rows: offsets in the module's memory. */
struct eh_program {
	uint64_t start, size;
};

struct eh_entry {
	uint64_t start, end; /* the code: addresses */
	uint64_t code_align;
	int64_t data_align;
	uint64_t return_column;
	bool is_signal_frame; /* its caller was interrupted, and did not call */
	uint8_t encoding;     /* of addresses in its programs */
	struct eh_program common, own;
};

/* `header` is the address of .eh_frame_hdr. False when no entry is about `pc`. */
bool eh_frame_find(const struct bytes *module, uint64_t header, uint64_t pc,
		   struct eh_entry *entry);

/* The same without a table, which a module may lack: `section` is the address of .eh_frame. */
bool eh_frame_find_in_order(const struct bytes *module, uint64_t section, uint64_t pc,
			    struct eh_entry *entry);

#endif
