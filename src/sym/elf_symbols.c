/*
 * elf_symbols: the symbols and version definitions of an ELF file. See elf_file.h.
 *
 * Which symbol covers an address is a question about intervals that may nest. They are
 * sorted by start. `outer[i]` is the nearest interval before i that ends after i does
 * (the "previous greater element" of the ends, found with a stack in one pass). If i starts
 * at or before an address and does not reach it, every interval between outer[i] and i
 * does not reach it either; so the search goes from the last start along `outer`.
 */
#include "sym/elf_file_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define NO_SYMBOL UINT32_MAX

/* Symbols equal in their first bytes keep any order; it bounds what hostile names cost. */
#define COMPARED_NAME 256

/* --- reading the tables ------------------------------------------------------------- */

struct raw_symbol {
	uint32_t name;
	unsigned char info;
	uint16_t section;
	uint64_t address, size;
};

#define RAW_SYMBOL(sym)                                                                  \
	(struct raw_symbol)                                                              \
	{                                                                                \
		.name = (sym)->st_name, .info = (sym)->st_info,                          \
		.section = (sym)->st_shndx, .address = (sym)->st_value,                  \
		.size = (sym)->st_size,                                                  \
	}

static bool is_wanted(const struct raw_symbol *raw)
{
	unsigned type = ELF64_ST_TYPE(raw->info);
	return raw->section != SHN_UNDEF && raw->section != SHN_ABS &&
	       type != STT_SECTION && type != STT_FILE;
}

/* ARM's and RISC-V's marks of code and data ("$x", "$d") name nothing. */
static bool is_mapping_mark(const char *name)
{
	return name[0] == '$';
}

/* Bytes of the string table up to and with its last NUL: no name can start after it. */
static uint64_t terminated_size(const char *strings, uint64_t size)
{
	const char *last = memrchr(strings, '\0', size);
	return last ? (uint64_t)(last - strings) + 1 : 0;
}

static bool add_symbols(struct elf_file *file, const void *entries, size_t nr,
			const char *strings, uint64_t strings_size)
{
	const Elf32_Sym *narrow = entries;
	const Elf64_Sym *wide = entries;
	for (size_t i = 0; i < nr; i++) {
		struct raw_symbol raw = file->is_64 ? RAW_SYMBOL(&wide[i])
						    : RAW_SYMBOL(&narrow[i]);
		if (!is_wanted(&raw) || raw.name >= strings_size)
			continue;
		const char *name = strings + raw.name;
		if (!*name || is_mapping_mark(name))
			continue;
		struct elf_symbol symbol = {
			.name = name,
			.address = raw.address,
			.size = raw.size,
			.type = ELF64_ST_TYPE(raw.info),
			.is_global = ELF64_ST_BIND(raw.info) != STB_LOCAL,
		};
		if (!elf_symbol_vec_push(&file->symbols, symbol))
			return false;
	}
	return true;
}

/* A table that is damaged, or for which memory runs out, gives what it gave so far. */
static void read_table(struct elf_file *file, const struct elf_table *table,
		       char **strings)
{
	size_t entry_size = file->is_64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	CLEANUP_FREE void *entries = elf_file_slice(file, table->entries);
	if (!entries)
		return;
	*strings = elf_file_slice(file, table->strings);
	if (!*strings)
		return;
	uint64_t strings_size = terminated_size(*strings, table->strings.size);
	(void)!add_symbols(file, entries, table->entries.size / entry_size, *strings,
			   strings_size);
}

/* --- order -------------------------------------------------------------------------- */

static bool covers_addresses(const struct elf_symbol *symbol)
{
	return symbol->type == STT_FUNC || symbol->type == STT_OBJECT ||
	       symbol->type == STT_NOTYPE || symbol->type == STT_GNU_IFUNC;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* By address; at one address the best name last, where the search meets it first. */
static int compare_symbols(const void *left, const void *right)
{
	const struct elf_symbol *a = left, *b = right;
	int order = compare_numbers(a->address, b->address);
	if (!order)
		order = compare_numbers(a->is_global, b->is_global);
	if (!order)
		order = compare_numbers(a->type != STT_NOTYPE, b->type != STT_NOTYPE);
	if (!order)
		order = compare_numbers(a->size, b->size);
	if (!order)
		order = compare_numbers(strspn(b->name, "_"), strspn(a->name, "_"));
	if (!order)
		order = compare_numbers(a->type, b->type);
	return order ? order : strncmp(a->name, b->name, COMPARED_NAME);
}

static bool is_same(const struct elf_symbol *a, const struct elf_symbol *b)
{
	return compare_symbols(a, b) == 0 &&
	       strnlen(a->name, COMPARED_NAME) < COMPARED_NAME;
}

static void sort_symbols(struct elf_symbol_vec *symbols)
{
	if (!symbols->nr)
		return;
	qsort(symbols->items, symbols->nr, sizeof(*symbols->items), compare_symbols);
	size_t nr = 1;
	for (size_t i = 1; i < symbols->nr; i++) {
		if (!is_same(&symbols->items[i], &symbols->items[nr - 1]))
			symbols->items[nr++] = symbols->items[i];
	}
	symbols->nr = nr;
}

/* The first address behind the symbol; 0 if it covers none. */
static uint64_t symbol_end(const struct elf_symbol *symbol)
{
	if (!covers_addresses(symbol))
		return 0;
	uint64_t size = symbol->size ? symbol->size : 1;
	return symbol->address + size < symbol->address ? UINT64_MAX
							: symbol->address + size;
}

/* The chain of `outer` from i - 1 is the stack. */
static uint32_t *find_outer(const struct elf_symbol_vec *symbols)
{
	if (!symbols->nr || symbols->nr >= NO_SYMBOL)
		return NULL;
	uint32_t *outer = calloc(symbols->nr, sizeof(*outer));
	if (!outer)
		return NULL;
	outer[0] = NO_SYMBOL;
	for (size_t i = 1; i < symbols->nr; i++) {
		uint64_t end = symbol_end(&symbols->items[i]);
		uint32_t before = (uint32_t)i - 1;
		while (before != NO_SYMBOL && symbol_end(&symbols->items[before]) <= end)
			before = outer[before];
		outer[i] = before;
	}
	return outer;
}

static void read_symbols(struct elf_file *file)
{
	if (file->symbols_were_read)
		return;
	file->symbols_were_read = true;
	struct elf_table table;
	if (elf_file_find_symtab(file, &table))
		read_table(file, &table, &file->symbol_strings[0]);
	if (elf_file_find_dynsym(file, &table))
		read_table(file, &table, &file->symbol_strings[1]);
	sort_symbols(&file->symbols);
	file->outer = find_outer(&file->symbols);
}

void elf_file_forget_symbols(struct elf_file *file)
{
	elf_symbol_vec_deinit(&file->symbols);
	free(file->symbol_strings[0]);
	free(file->symbol_strings[1]);
	free(file->outer);
}

/* --- questions ---------------------------------------------------------------------- */

const struct elf_symbol *elf_file_symbols(struct elf_file *file, size_t *nr)
{
	read_symbols(file);
	*nr = file->symbols.nr;
	return file->symbols.nr ? file->symbols.items : NULL;
}

const struct elf_symbol *elf_file_symbol(struct elf_file *file, const char *name)
{
	read_symbols(file);
	const struct elf_symbol *found = NULL;
	for (size_t i = 0; i < file->symbols.nr; i++) {
		const struct elf_symbol *symbol = &file->symbols.items[i];
		if (strcmp(symbol->name, name) != 0)
			continue;
		if (symbol->is_global)
			return symbol;
		if (!found)
			found = symbol;
	}
	return found;
}

const struct elf_symbol *elf_file_symbol_at(struct elf_file *file, uint64_t address)
{
	read_symbols(file);
	if (!file->outer)
		return NULL;
	size_t low = 0, high = file->symbols.nr;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (file->symbols.items[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	uint32_t at = low ? (uint32_t)(low - 1) : NO_SYMBOL;
	while (at != NO_SYMBOL && symbol_end(&file->symbols.items[at]) <= address)
		at = file->outer[at];
	return at == NO_SYMBOL ? NULL : &file->symbols.items[at];
}

/* --- versions ----------------------------------------------------------------------- */

/* Up to five digits, so that nothing overflows; NULL if there are none or more. */
static const char *parse_number(const char *text, unsigned *number)
{
	unsigned nr = 0;
	*number = 0;
	for (; text[nr] >= '0' && text[nr] <= '9'; nr++) {
		if (nr == 5)
			return NULL;
		*number = *number * 10 + (unsigned)(text[nr] - '0');
	}
	return nr ? text + nr : NULL;
}

static unsigned parse_version(const char *name, const char *prefix)
{
	size_t length = strlen(prefix);
	if (strncmp(name, prefix, length) != 0)
		return 0;
	unsigned major, minor;
	const char *rest = parse_number(name + length, &major);
	if (!rest || *rest != '.')
		return 0;
	rest = parse_number(rest + 1, &minor);
	return rest && minor < 1000 ? major * 1000 + minor : 0;
}

/* The definitions are a list of Verdef, each with its own name in its first Verdaux; the
   two structs are the same in both classes. Links only lead forward, so it ends. */
static unsigned highest_version(const char *entries, uint64_t size, const char *strings,
				uint64_t strings_size, const char *prefix)
{
	unsigned highest = 0;
	uint64_t at = 0;
	Elf64_Verdef verdef = { .vd_next = 0 };
	Elf64_Verdaux aux;
	do {
		if (size < sizeof(verdef) || at > size - sizeof(verdef))
			break;
		memcpy(&verdef, entries + at, sizeof(verdef));
		uint64_t aux_at = at + verdef.vd_aux;
		if (size < sizeof(aux) || aux_at > size - sizeof(aux))
			break;
		memcpy(&aux, entries + aux_at, sizeof(aux));
		if (aux.vda_name < strings_size) {
			unsigned version = parse_version(strings + aux.vda_name, prefix);
			highest = version > highest ? version : highest;
		}
		at += verdef.vd_next;
	} while (verdef.vd_next);
	return highest;
}

unsigned elf_file_version(struct elf_file *file, const char *prefix)
{
	struct elf_table table;
	if (!elf_file_find_versions(file, &table))
		return 0;
	CLEANUP_FREE char *entries = elf_file_slice(file, table.entries);
	CLEANUP_FREE char *strings = elf_file_slice(file, table.strings);
	if (!entries || !strings)
		return 0;
	return highest_version(entries, table.entries.size, strings, table.strings.size,
			       prefix);
}
