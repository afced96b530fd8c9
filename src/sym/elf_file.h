/*
 * elf_file: facts about one ELF file, which is never trusted.
 *
 * Headers are read at open, symbols and versions when first asked for; with pread, never
 * through a mapping, so that a file that is cut short meanwhile is an error and no SIGBUS.
 * Every offset and count in the file is checked against the file's size before anything is
 * allocated for it. A file that is not ELF, is damaged, or has another byte order than
 * this machine gives an error that names the file, the place and the offset.
 *
 * Files without section headers (sstrip) still have their segments, build-id, dynamic
 * symbols and versions, found as the dynamic loader finds them.
 */
#ifndef SEEP_SYM_ELF_FILE_H
#define SEEP_SYM_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct elf_file; /* opaque */

struct elf_segment {
	/* PT_LOAD, PT_TLS, PT_GNU_RELRO, PT_INTERP, … */
	uint32_t type;
	/* PF_R, PF_W, PF_X */
	uint32_t flags;
	/* Virtual, before the load bias. */
	uint64_t address, memory_size;
	uint64_t offset, file_size;
	uint64_t alignment;
};

struct elf_symbol {
	const char *name; /* mangled; owned by the elf_file */
	uint64_t address; /* before the load bias */
	uint64_t size;
	unsigned char type; /* STT_FUNC, STT_OBJECT, STT_TLS, … */
	bool is_global;     /* STB_GLOBAL, STB_WEAK or STB_GNU_UNIQUE */
};

/* Takes the descriptor over (closes it in the end). `name` is for messages. */
struct error *elf_file_open(int fd, const char *name, struct elf_file **file) MUST_CHECK;
void elf_file_destroy(struct elf_file *file);

/* 32 or 64. */
unsigned elf_file_class(const struct elf_file *file);
/* EM_X86_64, … */
unsigned elf_file_machine(const struct elf_file *file);
/* Has PT_DYNAMIC. */
bool elf_file_is_dynamic(const struct elf_file *file);
/* NULL: none. */
const char *elf_file_interpreter(const struct elf_file *file);
/* Lower-case hex; NULL: none. */
const char *elf_file_build_id(const struct elf_file *file);
/* A section with contents in this file; a debug file's placeholders are none. */
bool elf_file_has_section(const struct elf_file *file, const char *name);

/* All program headers, in file order. */
const struct elf_segment *elf_file_segments(const struct elf_file *file, size_t *nr);

/*
 * Defined symbols (undefined and absolute ones, sections and file names are left out),
 * sorted by address: the union of .symtab and .dynsym, each once unless its name is longer
 * than 255 bytes. An STT_TLS symbol's address is its offset in the TLS block. Read at the
 * first call; NULL and *nr 0 if there are none.
 */
const struct elf_symbol *elf_file_symbols(struct elf_file *file, size_t *nr);

/* The defined symbol of that exact name, a global one if there is one, or NULL. It looks
   through all names: meant for a handful of them, not for thousands. */
const struct elf_symbol *elf_file_symbol(struct elf_file *file, const char *name);

/*
 * The symbol (function, object or untyped) that covers an address, that is, address in
 * [symbol, symbol + max(size, 1)); NULL when none does. Of several the one that starts
 * last; of several that start there a global one, with the fewest leading underscores.
 */
const struct elf_symbol *elf_file_symbol_at(struct elf_file *file, uint64_t address);

/*
 * The highest version "PREFIXx.y" that the file defines (.gnu.version_d), as x * 1000 + y
 * ("GLIBC_" and GLIBC_2.36: 2036); 0 if it defines none. A third number (GLIBC_2.2.5) is
 * ignored, and so are versions without numbers (GLIBC_PRIVATE).
 */
unsigned elf_file_version(struct elf_file *file, const char *prefix);

/* A word that the dynamic loader has written into a module, and that tells where thread-local
   variables stand: those of the module itself, or of the one that defines a symbol. */
enum elf_tls_kind {
	ELF_TLS_MODULE, /* the word is the number of the module, by which a thread's dtv goes */
	ELF_TLS_OFFSET, /* it is where the variable stands, from the thread pointer on */
};
struct elf_tls_word {
	enum elf_tls_kind kind;
	uint64_t address;  /* of the word, before the load bias */
	uint64_t variable; /* its place in the module's block; of ELF_TLS_OFFSET */
	bool is_own;       /* it is about this module, whatever others define */
};

/* Those of an x86-64 file, as far as they may be about its own variables, and no more than
   `max` of them. */
size_t elf_file_tls_words(const struct elf_file *file, struct elf_tls_word *words,
			  size_t max);

/* Where the bytes first stand in the file; false if the file does not hold them, cannot be
   read, or `size` is 0. */
bool elf_file_contains(struct elf_file *file, const void *bytes, size_t size,
		       uint64_t *offset);

/* Address minus this is the file's own virtual address, given the address at which file
   offset `mapped_offset` was mapped. An offset in no PT_LOAD counts as if virtual addresses
   were file offsets. */
uint64_t elf_file_bias(const struct elf_file *file, uint64_t mapped_address,
		       uint64_t mapped_offset);

#endif
