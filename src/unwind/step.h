/*
 * step: from a frame to its caller's with all registers, by whatever rule there is.
 */
#ifndef SEEP_UNWIND_STEP_H
#define SEEP_UNWIND_STEP_H

#include "unwind/caller.h"
#include "unwind/memory.h"

/* `registers` become those of the caller; on failure they may be anything. The pc is one of
   rule.h. */
enum step_end step_full(struct cpu_registers *registers, struct memory *memory);

#endif
