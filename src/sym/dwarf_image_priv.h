/*
 * dwarf_image: the copy of an ELF file that libelf gets, with its debug sections unpacked.
 *
 * A copy, never a mapping, so that a file that is cut short meanwhile is no SIGBUS; and zeros behind
 * it and behind each section that was unpacked, since libdw 0.188 looks for the ends of strings past
 * the ends of their sections. Sections are unpacked here and not by libelf: its Debian 12 build knows
 * no zstd, and it takes the memory that a section says it needs before it looks at what there is.
 *
 * Packed are SHF_COMPRESSED sections (gABI, zlib and zstd), and .zdebug_* ("ZLIB", the size in 8
 * bytes, big end first, and zlib's stream), as binutils wrote them before.
 */
#ifndef SEEP_SYM_DWARF_IMAGE_PRIV_H
#define SEEP_SYM_DWARF_IMAGE_PRIV_H

#include "base/area.h"
#include "base/error.h"
#include "sym/elf_file.h"

struct dwarf_image {
	struct area bytes;
	size_t size; /* of what libelf is to see */
};

/* `path` is for messages. */
struct error *dwarf_image_read(struct dwarf_image *image, const struct elf_file *file,
			       const char *path) MUST_CHECK;
void dwarf_image_release(struct dwarf_image *image);

#endif
