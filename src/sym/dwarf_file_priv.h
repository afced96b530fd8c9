/*
 * dwarf_file: the debug information of an ELF file, opened for libdw.
 *
 * It is in the file itself, or in a separate debug file that is found by build-id, or by the name
 * and checksum that .gnu_debuglink has; what dwz took out of several files is found by its build-id,
 * and the parts that stayed with the objects (.dwo) by their ids. None of another build is ever used.
 */
#ifndef SEEP_SYM_DWARF_FILE_PRIV_H
#define SEEP_SYM_DWARF_FILE_PRIV_H

#include <elfutils/libdw.h>

#include "base/error.h"
#include "sym/dwarf_image_priv.h"
#include "target/target.h"

struct dwarf_file {
	struct elf_file *file;
	struct dwarf_image image;
	Elf *elf;
	Dwarf *dwarf;
	struct dwarf_file *shared; /* what dwz took out of several files; NULL: none */
};

/* `build_id` NULL: any file of that path will do. A file that has no debug information at all is
   ERROR_REFUSED, one whose debug information cannot be used anything else. */
struct error *dwarf_file_open(const char *path, const char *build_id,
			      struct dwarf_file **result) MUST_CHECK;
/* A target's module, or its separate debug file, found where the target has it. */
struct error *dwarf_file_open_module(struct target *target, const struct module *module,
				     struct dwarf_file **result) MUST_CHECK;
/* The part of an object that was left beside it (.dwo), found where the target has it. */
struct error *dwarf_file_open_part(const struct target *target, const char *path,
				   struct dwarf_file **result) MUST_CHECK;
void dwarf_file_close(struct dwarf_file *file);

/* The bytes of a section, unpacked; NULL: it has none of that name. */
const char *dwarf_file_section(const struct dwarf_file *file, const char *name,
			       size_t *size);

/* Calls what uses libdw: when memory runs out there, which would end the process, it is left
   where it stands, and the result is false. */
bool dwarf_file_guard(void (*call)(void *context), void *context);

#endif
