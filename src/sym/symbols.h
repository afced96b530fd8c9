/*
 * symbols: names for a target's addresses.
 *
 * Module files are opened once each, through the target, when first needed. Everything
 * returned belongs to the symbols object. A module that cannot be read has no names; that
 * is no error, and symbols_module_error() tells why.
 */
#ifndef SEEP_SYM_SYMBOLS_H
#define SEEP_SYM_SYMBOLS_H

#include "base/error.h"
#include "sym/elf_file.h"
#include "target/target.h"

struct symbols; /* opaque */

struct error *symbols_create(struct target *target, struct symbols **symbols) MUST_CHECK;
void symbols_destroy(struct symbols *symbols);

/* The module's file and load bias; NULL when it cannot be read. Modules are known by path
   and start, so this stays valid when the target's module list is refreshed. */
struct elf_file *symbols_elf_file(struct symbols *symbols, const struct module *module,
				  uint64_t *bias);
const char *symbols_module_error(struct symbols *symbols, const struct module *module);

/* The module that an address is in: its mappings, or the .bss behind them; NULL: none. */
const struct module *symbols_module_at(const struct symbols *symbols, uint64_t address);

/* So many thread-local variables, in bytes, do the modules say that a thread has from the start. */
uint64_t symbols_tls_bytes(struct symbols *symbols);

/* Where what the module's file says of memory ends, its .bss included; 0: that cannot be read. */
uint64_t symbols_module_end(struct symbols *symbols, const struct module *module);

struct symbol_name {
	const char *module; /* file name without folders; NULL: the address is in none */
	const char *function; /* demangled; NULL: unknown */
	uint64_t offset; /* into the function, or into the module when that is unknown */
};
struct symbol_name symbols_name(struct symbols *symbols, uint64_t address);

/*
 * The C++ class whose vtable has `address` as an address point (what a block's first word
 * says), demangled, or NULL when it is none. Found by the vtable symbol (_ZTV…) that holds
 * the word before it; without one by the type information that this word leads to. The
 * shape is checked in the target's memory either way. Works for libstdc++ and libc++, not
 * for 32-bit targets; Rust's vtables name no type. Cached per address.
 */
const char *symbols_vtable_class(struct symbols *symbols, uint64_t address);

/* Longer C++ names are not demangled: the demangler would need too much stack. */
#define SYMBOLS_DEMANGLE_MAX 1024

/*
 * Demangles one name (_Z…, Rust's _R… and legacy); returns the name itself if it is not
 * mangled, too long, or stands for a text above 256 KiB. The caller frees the result; NULL
 * when memory ran out.
 */
char *symbols_demangle(const char *name);

#endif
