/*
 * section: where a module's .eh_frame is that has no .eh_frame_hdr, by the section headers of its
 * file. They are no part of what is mapped, so the file is opened, once per module.
 *
 * Only for modules that stay: what was found is kept for ever.
 */
#ifndef SEEP_UNWIND_SECTION_H
#define SEEP_UNWIND_SECTION_H

#include <link.h>
#include <stdint.h>

/* The address; 0 where it cannot be known. `start` is where the module is mapped. */
uint64_t section_eh_frame(const struct dl_phdr_info *info, uint64_t start);

#endif
