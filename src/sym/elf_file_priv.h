/*
 * elf_file_priv: what the parts of elf_file share: elf_file.c (headers), elf_dynamic.c
 * (where the tables are), elf_symbols.c (the symbols themselves).
 */
#ifndef SEEP_SYM_ELF_FILE_PRIV_H
#define SEEP_SYM_ELF_FILE_PRIV_H

#include <elf.h>

#include "base/vec.h"
#include "sym/elf_file.h"

/* No table that we read is larger; a sparse file can claim any size for nothing. */
#define ELF_TABLE_CEILING ((uint64_t)1 << 30)

struct elf_section {
	const char *name; /* "" when unknown */
	uint32_t type, link;
	uint64_t offset, size;
};

DEFINE_VEC(elf_symbol_vec, struct elf_symbol);

struct elf_file {
	int fd;
	char *name;
	uint64_t size;
	bool is_64;
	bool is_debug; /* opened by elf_file_open_debug() */
	unsigned machine;
	struct elf_segment *segments;
	size_t nr_segments;
	struct elf_section *sections;
	size_t nr_sections;
	char *section_names;
	char *interpreter;
	char *build_id;

	/* Owned by elf_symbols.c. */
	bool symbols_were_read;
	struct elf_symbol_vec symbols;
	char *symbol_strings[2]; /* what the names point into */
	uint32_t *outer;         /* see elf_symbols.c */
};

/* A part of the file, by offset and size. */
struct elf_extent {
	uint64_t offset, size;
};

/* A symbol table, or the version definitions, with its strings. */
struct elf_table {
	struct elf_extent entries, strings;
};

/*
 * Opens a separate debug file. Its program headers describe the file that it was split
 * from, not itself, so it has no segments; the build-id comes from its note section.
 */
struct error *elf_file_open_debug(int fd, const char *name,
				  struct elf_file **file) MUST_CHECK;

/*
 * The bytes of an extent and a NUL behind them, for the caller to free; NULL when the file
 * does not hold it all, it is above the ceiling, memory ran out, or reading failed.
 */
void *elf_file_slice(const struct elf_file *file, struct elf_extent extent);

/* Where .symtab, .dynsym and .gnu.version_d are; false if there is none. */
bool elf_file_find_symtab(const struct elf_file *file, struct elf_table *table);
bool elf_file_find_dynsym(const struct elf_file *file, struct elf_table *table);
bool elf_file_find_versions(const struct elf_file *file, struct elf_table *table);

/* Where the relocations (Elf64_Rela) are that the dynamic loader applies at once. */
bool elf_file_find_relocations(const struct elf_file *file, struct elf_extent *extent);

/* Frees what the lazy reading of symbols made. */
void elf_file_forget_symbols(struct elf_file *file);

#endif
