/*
 * module_file: the file that a recorded program had loaded, as this machine has it.
 *
 * It counts only if its build-id is the one that was recorded; a separate debug file is found by
 * it where distributions install them.
 */
#ifndef SEEP_SYM_MODULE_FILE_H
#define SEEP_SYM_MODULE_FILE_H

#include "sym/elf_file.h"

struct module_file; /* opaque */

/* `build_id` in lower-case hexadecimal; NULL: not known, any file of that path will do. */
struct error *module_file_open(const char *path, const char *build_id,
			       struct module_file **result) MUST_CHECK;
void module_file_close(struct module_file *file);

/* The symbol that covers one of the file's own addresses; NULL: none. */
const struct elf_symbol *module_file_symbol(struct module_file *file, uint64_t address);

/* Whether functions of different names begin where the one that covers an address does. */
bool module_file_has_twins(struct module_file *file, uint64_t address);

/* What people call it: demangled, without its version. The caller frees it; NULL when memory
   ran out. */
char *module_file_readable(const struct elf_symbol *symbol);

#endif
