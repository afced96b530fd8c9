/*
 * call_frames: what a module's file says of its stack frames, .eh_frame and its table, as it is mapped:
 * for unwind/eh_frame.h, which trusts nothing of it.
 */
#ifndef SEEP_SYM_CALL_FRAMES_H
#define SEEP_SYM_CALL_FRAMES_H

#include "sym/elf_file.h"

struct call_frames {
	unsigned char *bytes; /* the segment that has them; owned; NULL: there are none */
	uint64_t address, size;
	uint64_t header;  /* address of .eh_frame_hdr; 0: there is none */
	uint64_t section; /* address of .eh_frame, where there is no header; else 0 */
};

/* False: the file has none, or they cannot be read. */
bool call_frames_read(struct elf_file *file, uint64_t bias, struct call_frames *frames);
void call_frames_deinit(struct call_frames *frames);

#endif
