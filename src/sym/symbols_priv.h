/*
 * symbols_priv: what symbols.c (modules, names) and vtable.c (classes) share.
 */
#ifndef SEEP_SYM_SYMBOLS_PRIV_H
#define SEEP_SYM_SYMBOLS_PRIV_H

#include "base/vec.h"
#include "sym/name_table_priv.h"
#include "sym/symbols.h"

/* What is known of one module's file, for good: the target's list may come and go. */
struct module_names {
	char *path;
	uint64_t start;
	uint64_t bias;
	struct elf_file *file;  /* NULL: could not be read, see `why_not` */
	struct elf_file *debug; /* separate debug file; NULL: none, or not sought yet */
	bool debug_was_sought;
	char *why_not;
};
DEFINE_VEC(module_names_vec, struct module_names *);

struct symbols {
	struct target *target;
	struct module_names_vec modules;
	struct module_names *latest; /* the last one asked for */
	struct name_table functions; /* demangled, by the address of the mangled name */
	struct name_table classes;   /* by address point */
};

/* The module whose mappings or .bss hold the address, or NULL. */
const struct module *symbols_module_of(const struct symbols *symbols, uint64_t address);

/* NULL only when memory ran out. */
struct module_names *symbols_module_names(struct symbols *symbols,
					  const struct module *module);

/* The symbol that covers a target address, from the file or its debug file; else NULL. */
const struct elf_symbol *symbols_cover(struct symbols *symbols,
				       struct module_names *names, uint64_t address);

/*
 * Demangles a symbol's name without its version ("@@GLIBC_2.36"), with '?' in place of
 * control characters. The caller frees it; NULL when memory ran out.
 */
char *symbols_readable(const char *symbol_name);

/*
 * The separate debug file for a build-id, or NULL: sought below the target's own root (a
 * process's, or the sysroot that was given), then below ours.
 */
struct elf_file *debug_file_open(const struct target *target, const char *build_id);

/* The same for a file of that path, by its build-id or by its .gnu_debuglink. */
struct elf_file *debug_file_find(const struct target *target, const struct elf_file *of,
				 const char *path);

/* The file of that path and build-id below one of these roots, or NULL; without a build-id any. */
struct elf_file *debug_file_at(const struct target *target, const char *path,
			       const char *build_id);

#endif
