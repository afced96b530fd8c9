/*
 * elf_tls: the words of a module that tell where its thread-local variables stand. See elf_file.h.
 *
 * Nobody outside the C library knows the number that it has given to a module, or where it has put its
 * block; but code that uses its variables has to, and so relocations write it into the module (ELF
 * Handling For Thread-Local Storage; System V ABI, AMD64 supplement, table 4.9).
 */
#include "sym/elf_file_priv.h"

#include <stdlib.h>

#include "base/cleanup.h"

struct search {
	const Elf64_Rela *relocations;
	uint64_t nr;
	const Elf64_Sym *symbols;
	uint64_t nr_symbols;
	struct elf_tls_word *words;
	size_t nr_words, max;
};

/* Whether it is about a variable of the file's own; one that others may define before it does, is
   so only perhaps. */
static bool is_about_own(const struct search *search, const Elf64_Rela *relocation,
			 struct elf_tls_word *word)
{
	uint64_t number = ELF64_R_SYM(relocation->r_info);
	word->variable = (uint64_t)relocation->r_addend;
	word->is_own = number == 0;
	if (!number)
		return true;
	if (number >= search->nr_symbols)
		return false;
	const Elf64_Sym *symbol = &search->symbols[number];
	word->variable += symbol->st_value;
	return symbol->st_shndx != SHN_UNDEF && ELF64_ST_TYPE(symbol->st_info) == STT_TLS;
}

static void take(struct search *search, const Elf64_Rela *relocation)
{
	struct elf_tls_word word = { .address = relocation->r_offset };
	uint64_t type = ELF64_R_TYPE(relocation->r_info);
	if (type != R_X86_64_DTPMOD64 && type != R_X86_64_TPOFF64)
		return;
	word.kind = type == R_X86_64_DTPMOD64 ? ELF_TLS_MODULE : ELF_TLS_OFFSET;
	if (search->nr_words < search->max && is_about_own(search, relocation, &word))
		search->words[search->nr_words++] = word;
}

size_t elf_file_tls_words(const struct elf_file *file, struct elf_tls_word *words,
			  size_t max)
{
	struct elf_table table = { 0 };
	struct elf_extent extent;
	struct search search = { .words = words, .max = max };
	if (file->machine != EM_X86_64 || !elf_file_find_relocations(file, &extent))
		return 0;
	CLEANUP_FREE void *relocations = elf_file_slice(file, extent);
	CLEANUP_FREE void *symbols = elf_file_find_dynsym(file, &table)
					     ? elf_file_slice(file, table.entries)
					     : NULL;
	search.relocations = relocations;
	search.nr = relocations ? extent.size / sizeof(Elf64_Rela) : 0;
	search.symbols = symbols;
	search.nr_symbols = symbols ? table.entries.size / sizeof(Elf64_Sym) : 0;
	for (uint64_t i = 0; i < search.nr; i++)
		take(&search, &search.relocations[i]);
	return search.nr_words;
}
