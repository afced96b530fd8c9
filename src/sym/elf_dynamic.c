/*
 * elf_dynamic: where a file keeps its symbol tables, version definitions and relocations.
 *
 * The section headers say it; where they were removed, PT_DYNAMIC does, which the dynamic
 * loader uses. It counts no symbols: the hash tables do (System V gABI; for DT_GNU_HASH
 * the layout that glibc's elf/dl-lookup.c reads).
 */
#include "sym/elf_file_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* The last chain of a DT_GNU_HASH is searched this far for its end: 16384 symbols. */
#define CHAIN_WINDOW ((uint64_t)64 << 10)

struct dynamic {
	uint64_t symbols, strings, strings_size;
	uint64_t hash, gnu_hash;
	uint64_t versions;
	uint64_t relocations, relocations_size;
};

static bool table_of_section(const struct elf_file *file, uint32_t type,
			     struct elf_table *table)
{
	for (size_t i = 0; i < file->nr_sections; i++) {
		const struct elf_section *section = &file->sections[i];
		if (section->type != type || section->link >= file->nr_sections)
			continue;
		const struct elf_section *strings = &file->sections[section->link];
		if (strings->type != SHT_STRTAB)
			continue;
		table->entries = (struct elf_extent){ section->offset, section->size };
		table->strings = (struct elf_extent){ strings->offset, strings->size };
		return true;
	}
	return false;
}

static bool offset_of_address(const struct elf_file *file, uint64_t address,
			      uint64_t *offset)
{
	for (size_t i = 0; i < file->nr_segments; i++) {
		const struct elf_segment *segment = &file->segments[i];
		if (segment->type != PT_LOAD || address < segment->address ||
		    address - segment->address >= segment->file_size)
			continue;
		*offset = segment->offset + (address - segment->address);
		return true;
	}
	return false;
}

static void note_entry(struct dynamic *dynamic, int64_t tag, uint64_t value)
{
	switch (tag) {
	case DT_SYMTAB:
		dynamic->symbols = value;
		break;
	case DT_STRTAB:
		dynamic->strings = value;
		break;
	case DT_STRSZ:
		dynamic->strings_size = value;
		break;
	case DT_HASH:
		dynamic->hash = value;
		break;
	case DT_GNU_HASH:
		dynamic->gnu_hash = value;
		break;
	case DT_RELA:
		dynamic->relocations = value;
		break;
	case DT_RELASZ:
		dynamic->relocations_size = value;
		break;
	case DT_VERDEF:
		dynamic->versions = value;
		break;
	default:
		break;
	}
}

static bool read_dynamic(const struct elf_file *file, struct dynamic *dynamic)
{
	*dynamic = (struct dynamic){ 0 };
	for (size_t i = 0; i < file->nr_segments; i++) {
		const struct elf_segment *segment = &file->segments[i];
		if (segment->type != PT_DYNAMIC)
			continue;
		struct elf_extent extent = { segment->offset, segment->file_size };
		CLEANUP_FREE void *bytes = elf_file_slice(file, extent);
		if (!bytes)
			return false;
		const Elf32_Dyn *narrow = bytes;
		const Elf64_Dyn *wide = bytes;
		size_t nr = extent.size / (file->is_64 ? sizeof(*wide) : sizeof(*narrow));
		for (size_t j = 0; j < nr; j++) {
			int64_t tag = file->is_64 ? wide[j].d_tag : narrow[j].d_tag;
			if (tag == DT_NULL)
				break;
			note_entry(dynamic, tag,
				   file->is_64 ? wide[j].d_un.d_val
					       : narrow[j].d_un.d_val);
		}
		return true;
	}
	return false;
}

static uint32_t count_by_hash(const struct elf_file *file, uint64_t offset)
{
	struct elf_extent head = { offset, 2 * sizeof(uint32_t) };
	CLEANUP_FREE uint32_t *words = elf_file_slice(file, head);
	return words ? words[1] : 0;
}

static uint32_t chain_end(const struct elf_file *file, uint64_t offset, uint32_t symbol)
{
	if (offset >= file->size)
		return 0;
	uint64_t left = file->size - offset;
	struct elf_extent window = { offset, left < CHAIN_WINDOW ? left : CHAIN_WINDOW };
	CLEANUP_FREE uint32_t *chain = elf_file_slice(file, window);
	for (size_t i = 0; chain && i < window.size / sizeof(*chain); i++) {
		if (chain[i] & 1)
			return symbol + (uint32_t)i + 1;
	}
	return 0;
}

/* Hashed symbols come last, sorted by bucket, so the last chain's end is the count. */
static uint32_t count_by_gnu_hash(const struct elf_file *file, uint64_t offset)
{
	struct elf_extent head = { offset, 4 * sizeof(uint32_t) };
	CLEANUP_FREE uint32_t *words = elf_file_slice(file, head);
	if (!words)
		return 0;
	uint32_t nr_buckets = words[0], first_hashed = words[1], nr_bloom = words[2];
	struct elf_extent extent = {
		.offset = offset + head.size + (uint64_t)nr_bloom * (file->is_64 ? 8 : 4),
		.size = (uint64_t)nr_buckets * sizeof(uint32_t),
	};
	CLEANUP_FREE uint32_t *buckets = elf_file_slice(file, extent);
	if (!buckets)
		return 0;
	uint32_t last = 0;
	for (uint32_t i = 0; i < nr_buckets; i++)
		last = buckets[i] > last ? buckets[i] : last;
	if (last < first_hashed)
		return first_hashed;
	uint64_t chains = extent.offset + extent.size;
	return chain_end(
		file, chains + (uint64_t)(last - first_hashed) * sizeof(uint32_t), last);
}

static bool dynamic_strings(const struct elf_file *file, const struct dynamic *dynamic,
			    struct elf_table *table)
{
	table->strings.size = dynamic->strings_size;
	return offset_of_address(file, dynamic->strings, &table->strings.offset);
}

static bool dynamic_symbols(const struct elf_file *file, struct elf_table *table)
{
	struct dynamic dynamic;
	uint64_t offset;
	if (!read_dynamic(file, &dynamic) || !dynamic_strings(file, &dynamic, table) ||
	    !offset_of_address(file, dynamic.symbols, &table->entries.offset))
		return false;
	uint32_t nr = 0;
	if (dynamic.hash && offset_of_address(file, dynamic.hash, &offset))
		nr = count_by_hash(file, offset);
	else if (dynamic.gnu_hash && offset_of_address(file, dynamic.gnu_hash, &offset))
		nr = count_by_gnu_hash(file, offset);
	table->entries.size =
		(uint64_t)nr * (file->is_64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym));
	return nr > 0;
}

/* Nothing says how long the definitions are; the string table or the file ends them. */
static bool dynamic_versions(const struct elf_file *file, struct elf_table *table)
{
	struct dynamic dynamic;
	if (!read_dynamic(file, &dynamic) || !dynamic_strings(file, &dynamic, table) ||
	    !dynamic.versions ||
	    !offset_of_address(file, dynamic.versions, &table->entries.offset))
		return false;
	uint64_t left = file->size > table->entries.offset
				? file->size - table->entries.offset
				: 0;
	table->entries.size = left < CHAIN_WINDOW ? left : CHAIN_WINDOW;
	return true;
}

bool elf_file_find_symtab(const struct elf_file *file, struct elf_table *table)
{
	return table_of_section(file, SHT_SYMTAB, table);
}

bool elf_file_find_dynsym(const struct elf_file *file, struct elf_table *table)
{
	return table_of_section(file, SHT_DYNSYM, table) ||
	       (!file->nr_sections && dynamic_symbols(file, table));
}

bool elf_file_find_versions(const struct elf_file *file, struct elf_table *table)
{
	return table_of_section(file, SHT_GNU_verdef, table) ||
	       (!file->nr_sections && dynamic_versions(file, table));
}

bool elf_file_find_relocations(const struct elf_file *file, struct elf_extent *extent)
{
	struct dynamic dynamic;
	if (!file->is_64 || !read_dynamic(file, &dynamic) || !dynamic.relocations_size)
		return false;
	extent->size = dynamic.relocations_size;
	return offset_of_address(file, dynamic.relocations, &extent->offset);
}
