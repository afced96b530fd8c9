/*
 * dwarf_file: the debug information of an ELF file, opened for libdw.
 *
 * It is in the file itself, or in a separate debug file that is found by build-id. libelf gets a copy
 * of the file, never a mapping, so that a file that is cut short meanwhile is no SIGBUS; and zeros
 * behind it, since libdw 0.188 looks for the ends of strings past the ends of their sections. How
 * much all of it may come to hold is checked first.
 */
#ifndef SEEP_SYM_DWARF_FILE_PRIV_H
#define SEEP_SYM_DWARF_FILE_PRIV_H

#include <elfutils/libdw.h>

#include "base/area.h"
#include "base/error.h"
#include "target/target.h"

struct dwarf_file {
	struct elf_file *file;
	struct area image; /* of the file */
	Elf *elf;
	Dwarf *dwarf;
	struct dwarf_file *shared; /* what dwz took out of several files; NULL: none */
};

/* `build_id` NULL: any file of that path will do. */
struct error *dwarf_file_open(const char *path, const char *build_id,
			      struct dwarf_file **result) MUST_CHECK;
/* A target's module, or its separate debug file, found where the target has it. */
struct error *dwarf_file_open_module(struct target *target, const struct module *module,
				     struct dwarf_file **result) MUST_CHECK;
void dwarf_file_close(struct dwarf_file *file);

/* Calls what uses libdw: when memory runs out there, which would end the process, it is left
   where it stands, and the result is false. */
bool dwarf_file_guard(void (*call)(void *context), void *context);

#endif
