/*
 * elf_file: the headers of an ELF file: segments, sections, notes. See elf_file.h.
 *
 * Nothing here uses libelf; ARCHITECTURE.md says why. The layouts are those of the System V
 * gABI, in <elf.h>.
 */
#include "sym/elf_file_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sym/elf_file.h"

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE_DATA ELFDATA2LSB
#else
#define NATIVE_DATA ELFDATA2MSB
#endif

/* Notes are a few hundred bytes; a core's, which can be huge, hold no build-id. */
#define NOTES_CEILING    ((uint64_t)1 << 20)
#define BUILD_ID_CEILING 64
#define SEARCH_WINDOW    ((size_t)256 << 10)

/* A table of headers, as the file header tells it. */
struct header_table {
	const char *place;
	uint64_t offset, nr;
	size_t entry_size;
	size_t native_size; /* that an entry has in this class of file */
};

/* What both classes' file headers say, with the counts that overflow them put right. */
struct header {
	struct header_table segments, sections;
	uint32_t names_section;
};

/* True when all was read; errno is 0 when the file merely ended. */
static bool read_all(int fd, void *buffer, size_t size, uint64_t offset)
{
	char *bytes = buffer;
	while (size) {
		ssize_t nr = pread(fd, bytes, size, (off_t)offset);
		if (nr < 0 && errno == EINTR)
			continue;
		if (nr <= 0) {
			if (nr == 0)
				errno = 0;
			return false;
		}
		bytes += nr;
		offset += (uint64_t)nr;
		size -= (size_t)nr;
	}
	return true;
}

static bool extent_fits(const struct elf_file *file, struct elf_extent extent)
{
	return extent.offset <= file->size && extent.size <= file->size - extent.offset;
}

void *elf_file_slice(const struct elf_file *file, struct elf_extent extent)
{
	if (!extent_fits(file, extent) || extent.size > ELF_TABLE_CEILING)
		return NULL;
	char *bytes = malloc(extent.size + 1);
	if (!bytes)
		return NULL;
	if (!read_all(file->fd, bytes, extent.size, extent.offset)) {
		free(bytes);
		return NULL;
	}
	bytes[extent.size] = '\0';
	return bytes;
}

static struct error *damaged(const struct elf_file *file, const char *place,
			     uint64_t offset, const char *how)
{
	return error_create(ERROR_FORMAT, "%s is damaged: %s at offset %#" PRIx64 " %s",
			    file->name, place, offset, how);
}

static struct error *why_not(const struct elf_file *file, const char *place,
			     struct elf_extent extent)
{
	if (!extent_fits(file, extent))
		return damaged(file, place, extent.offset, "ends beyond the file's end");
	if (extent.size > ELF_TABLE_CEILING)
		return damaged(file, place, extent.offset, "is larger than 1 GiB");
	if (errno == ENOMEM)
		return error_no_memory();
	if (errno == 0)
		return damaged(file, place, extent.offset,
			       "was cut off while it was read");
	return error_create(ERROR_SYSTEM, "cannot read %s: %s at offset %#" PRIx64 ": %s",
			    file->name, place, extent.offset, strerror(errno));
}

/* Like elf_file_slice(), but NULL comes with an error that names the place and says why. */
static void *read_part(const struct elf_file *file, const char *place,
		       struct elf_extent extent, struct error **error)
{
	errno = 0;
	void *bytes = elf_file_slice(file, extent);
	*error = bytes ? NULL : why_not(file, place, extent);
	return bytes;
}

/* --- the file header ---------------------------------------------------------------- */

static struct error *check_ident(struct elf_file *file)
{
	unsigned char ident[EI_NIDENT];
	errno = 0;
	if (!read_all(file->fd, ident, sizeof(ident), 0)) {
		if (errno)
			return error_create(ERROR_SYSTEM, "cannot read %s: %s",
					    file->name, strerror(errno));
		return error_create(ERROR_FORMAT,
				    "%s is not an ELF file: it ends at %" PRIu64 " bytes",
				    file->name, file->size);
	}
	if (memcmp(ident, ELFMAG, SELFMAG) != 0)
		return error_create(ERROR_FORMAT,
				    "%s is not an ELF file: no ELF magic at offset 0",
				    file->name);
	if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
		return damaged(file, "the class", EI_CLASS, "is neither 32 nor 64 bits");
	if (ident[EI_DATA] != NATIVE_DATA)
		return error_create(
			ERROR_FORMAT,
			"%s has another byte order than this machine (offset %d)",
			file->name, EI_DATA);
	file->is_64 = ident[EI_CLASS] == ELFCLASS64;
	return NULL;
}

#define HEADER(ehdr, phdr_type, shdr_type)                                               \
	(struct header)                                                                  \
	{                                                                                \
		.segments = { .place = "the program header table",                       \
			      .offset = (ehdr)->e_phoff,                                 \
			      .nr = (ehdr)->e_phnum,                                     \
			      .entry_size = (ehdr)->e_phentsize,                         \
			      .native_size = sizeof(phdr_type) },                        \
		.sections = { .place = "the section header table",                       \
			      .offset = (ehdr)->e_shoff,                                 \
			      .nr = (ehdr)->e_shnum,                                     \
			      .entry_size = (ehdr)->e_shentsize,                         \
			      .native_size = sizeof(shdr_type) },                        \
		.names_section = (ehdr)->e_shstrndx,                                     \
	}

/* Counts that do not fit the file header stand in the first section header (gABI). */
static struct error *read_large_counts(const struct elf_file *file, struct header *header)
{
	bool is_large = header->sections.nr == 0 || header->segments.nr == PN_XNUM ||
			header->names_section == SHN_XINDEX;
	if (!header->sections.offset || !is_large)
		return NULL;
	struct error *error;
	struct elf_extent first = { header->sections.offset,
				    header->sections.native_size };
	CLEANUP_FREE void *bytes =
		read_part(file, "the first section header", first, &error);
	if (!bytes)
		return error;
	const Elf32_Shdr *narrow = bytes;
	const Elf64_Shdr *wide = bytes;
	if (header->sections.nr == 0)
		header->sections.nr = file->is_64 ? wide->sh_size : narrow->sh_size;
	if (header->segments.nr == PN_XNUM)
		header->segments.nr = file->is_64 ? wide->sh_info : narrow->sh_info;
	if (header->names_section == SHN_XINDEX)
		header->names_section = file->is_64 ? wide->sh_link : narrow->sh_link;
	return NULL;
}

static struct error *read_header(struct elf_file *file, struct header *header)
{
	struct error *error;
	struct elf_extent all = { 0,
				  file->is_64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr) };
	CLEANUP_FREE void *bytes = read_part(file, "the file header", all, &error);
	if (!bytes)
		return error;
	const Elf32_Ehdr *narrow = bytes;
	const Elf64_Ehdr *wide = bytes;
	file->machine = file->is_64 ? wide->e_machine : narrow->e_machine;
	*header = file->is_64 ? HEADER(wide, Elf64_Phdr, Elf64_Shdr)
			      : HEADER(narrow, Elf32_Phdr, Elf32_Shdr);
	return read_large_counts(file, header);
}

/* --- segments ----------------------------------------------------------------------- */

#define SEGMENT(phdr)                                                                    \
	(struct elf_segment)                                                             \
	{                                                                                \
		.type = (phdr)->p_type, .flags = (phdr)->p_flags,                        \
		.address = (phdr)->p_vaddr, .memory_size = (phdr)->p_memsz,              \
		.offset = (phdr)->p_offset, .file_size = (phdr)->p_filesz,               \
		.alignment = (phdr)->p_align,                                            \
	}

/* The table's entries, for the caller to free; NULL and an error if they cannot be had. */
static void *read_table(const struct elf_file *file, const struct header_table *table,
			struct error **error)
{
	const char *how;
	if (table->entry_size != table->native_size)
		how = "has entries of a wrong size";
	else if (table->nr > file->size / table->native_size)
		how = "has more entries than the file can hold";
	else
		return read_part(file, table->place,
				 (struct elf_extent){ table->offset,
						      table->nr * table->native_size },
				 error);
	*error = damaged(file, table->place, table->offset, how);
	return NULL;
}

static struct error *read_segments(struct elf_file *file, const struct header *header)
{
	if (!header->segments.offset || !header->segments.nr)
		return NULL;
	struct error *error;
	CLEANUP_FREE void *bytes = read_table(file, &header->segments, &error);
	if (!bytes)
		return error;
	file->segments = calloc(header->segments.nr, sizeof(*file->segments));
	if (!file->segments)
		return error_no_memory();
	file->nr_segments = header->segments.nr;
	const Elf32_Phdr *narrow = bytes;
	const Elf64_Phdr *wide = bytes;
	for (size_t i = 0; i < file->nr_segments; i++)
		file->segments[i] = file->is_64 ? SEGMENT(&wide[i]) : SEGMENT(&narrow[i]);
	return NULL;
}

static const struct elf_segment *find_segment(const struct elf_file *file, uint32_t type)
{
	for (size_t i = 0; i < file->nr_segments; i++) {
		if (file->segments[i].type == type)
			return &file->segments[i];
	}
	return NULL;
}

static struct error *read_interpreter(struct elf_file *file)
{
	const struct elf_segment *segment = find_segment(file, PT_INTERP);
	if (!segment)
		return NULL;
	if (segment->file_size > PATH_MAX)
		return damaged(file, "the interpreter", segment->offset, "is no path");
	struct error *error;
	struct elf_extent extent = { segment->offset, segment->file_size };
	file->interpreter = read_part(file, "the interpreter", extent, &error);
	return error;
}

/* --- sections ----------------------------------------------------------------------- */

#define SECTION(shdr)                                                                    \
	(struct elf_section)                                                             \
	{                                                                                \
		.name = "", .type = (shdr)->sh_type, .link = (shdr)->sh_link,            \
		.offset = (shdr)->sh_offset, .size = (shdr)->sh_size,                    \
	}

/* `bytes` are the section header table's: sh_name is not kept anywhere else. */
static struct error *name_sections(struct elf_file *file, uint32_t names_section,
				   const void *bytes)
{
	if (names_section == SHN_UNDEF)
		return NULL;
	if (names_section >= file->nr_sections)
		return damaged(
			file, "the file header", 0,
			"says that section names are in a section that is not there");
	const struct elf_section *names = &file->sections[names_section];
	if (names->type == SHT_NOBITS)
		return NULL;
	struct error *error;
	struct elf_extent extent = { names->offset, names->size };
	file->section_names = read_part(file, "the section name table", extent, &error);
	if (!file->section_names)
		return error;
	const Elf32_Shdr *narrow = bytes;
	const Elf64_Shdr *wide = bytes;
	for (size_t i = 0; i < file->nr_sections; i++) {
		uint64_t at = file->is_64 ? wide[i].sh_name : narrow[i].sh_name;
		if (at < extent.size)
			file->sections[i].name = file->section_names + at;
	}
	return NULL;
}

static struct error *read_sections(struct elf_file *file, const struct header *header)
{
	if (!header->sections.offset || !header->sections.nr)
		return NULL;
	struct error *error;
	CLEANUP_FREE void *bytes = read_table(file, &header->sections, &error);
	if (!bytes)
		return error;
	file->sections = calloc(header->sections.nr, sizeof(*file->sections));
	if (!file->sections)
		return error_no_memory();
	file->nr_sections = header->sections.nr;
	const Elf32_Shdr *narrow = bytes;
	const Elf64_Shdr *wide = bytes;
	for (size_t i = 0; i < file->nr_sections; i++)
		file->sections[i] = file->is_64 ? SECTION(&wide[i]) : SECTION(&narrow[i]);
	return name_sections(file, header->names_section, bytes);
}

/* --- the build-id ------------------------------------------------------------------- */

static char *hex(const unsigned char *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(2 * size + 1);
	if (!text)
		return NULL;
	for (size_t i = 0; i < size; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * size] = '\0';
	return text;
}

static bool is_build_id(const Elf64_Nhdr *note, const char *name)
{
	return note->n_type == NT_GNU_BUILD_ID &&
	       note->n_namesz == sizeof(ELF_NOTE_GNU) &&
	       memcmp(name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) == 0 && note->n_descsz &&
	       note->n_descsz <= BUILD_ID_CEILING;
}

/* Note headers are the same three words in both classes. `alignment` is 4 or 8. */
static char *build_id_in(const char *notes, uint64_t size, uint64_t alignment)
{
	uint64_t at = 0;
	Elf64_Nhdr note;
	while (size - at >= sizeof(note)) {
		memcpy(&note, notes + at, sizeof(note));
		uint64_t name = at + sizeof(note);
		uint64_t desc = (name + note.n_namesz + alignment - 1) & -alignment;
		uint64_t end = (desc + note.n_descsz + alignment - 1) & -alignment;
		if (desc + note.n_descsz > size)
			return NULL;
		if (is_build_id(&note, notes + name))
			return hex((const unsigned char *)notes + desc, note.n_descsz);
		if (end > size)
			return NULL;
		at = end;
	}
	return NULL;
}

static struct error *read_notes(struct elf_file *file, const char *place,
				struct elf_extent extent, uint64_t alignment)
{
	if (file->build_id || extent.size > NOTES_CEILING)
		return NULL;
	struct error *error;
	CLEANUP_FREE void *bytes = read_part(file, place, extent, &error);
	if (!bytes)
		return error;
	file->build_id = build_id_in(bytes, extent.size, alignment == 8 ? 8 : 4);
	return NULL;
}

static struct error *read_build_id(struct elf_file *file)
{
	struct error *error = NULL;
	for (size_t i = 0; i < file->nr_segments && !error; i++) {
		const struct elf_segment *segment = &file->segments[i];
		struct elf_extent extent = { segment->offset, segment->file_size };
		if (segment->type == PT_NOTE)
			error = read_notes(file, "the note segment", extent,
					   segment->alignment);
	}
	for (size_t i = 0; i < file->nr_sections && !error; i++) {
		const struct elf_section *section = &file->sections[i];
		struct elf_extent extent = { section->offset, section->size };
		if (section->type == SHT_NOTE)
			error = read_notes(file, "the note section", extent, 4);
	}
	return error;
}

/* --- open and destroy --------------------------------------------------------------- */

static struct error *read_everything(struct elf_file *file)
{
	struct stat status;
	if (fstat(file->fd, &status) != 0)
		return error_create(ERROR_SYSTEM, "cannot read %s: %s", file->name,
				    strerror(errno));
	if (!S_ISREG(status.st_mode))
		return error_create(ERROR_FORMAT,
				    "%s is not an ELF file: not a regular file",
				    file->name);
	file->size = (uint64_t)status.st_size;

	struct header header = { 0 };
	struct error *error = check_ident(file);
	if (!error)
		error = read_header(file, &header);
	if (!error && !file->is_debug)
		error = read_segments(file, &header);
	if (!error)
		error = read_interpreter(file);
	if (!error)
		error = read_sections(file, &header);
	if (!error)
		error = read_build_id(file);
	return error;
}

static struct error *open_file(int fd, const char *name, bool is_debug,
			       struct elf_file **file)
{
	*file = NULL;
	struct elf_file *new = calloc(1, sizeof(*new));
	if (!new) {
		close(fd);
		return error_no_memory();
	}
	new->fd = fd;
	new->is_debug = is_debug;
	new->name = strdup(name);
	struct error *error = new->name ? read_everything(new) : error_no_memory();
	if (error)
		elf_file_destroy(new);
	else
		*file = new;
	return error;
}

struct error *elf_file_open(int fd, const char *name, struct elf_file **file)
{
	return open_file(fd, name, false, file);
}

struct error *elf_file_open_debug(int fd, const char *name, struct elf_file **file)
{
	return open_file(fd, name, true, file);
}

void elf_file_destroy(struct elf_file *file)
{
	if (!file)
		return;
	elf_file_forget_symbols(file);
	if (file->fd >= 0)
		close(file->fd);
	free(file->name);
	free(file->segments);
	free(file->sections);
	free(file->section_names);
	free(file->interpreter);
	free(file->build_id);
	free(file);
}

/* --- what the headers say ----------------------------------------------------------- */

unsigned elf_file_class(const struct elf_file *file)
{
	return file->is_64 ? 64 : 32;
}

unsigned elf_file_machine(const struct elf_file *file)
{
	return file->machine;
}

bool elf_file_is_dynamic(const struct elf_file *file)
{
	return find_segment(file, PT_DYNAMIC) != NULL;
}

const char *elf_file_interpreter(const struct elf_file *file)
{
	return file->interpreter;
}

const char *elf_file_build_id(const struct elf_file *file)
{
	return file->build_id;
}

bool elf_file_has_section(const struct elf_file *file, const char *name)
{
	for (size_t i = 0; i < file->nr_sections; i++) {
		const struct elf_section *section = &file->sections[i];
		if (section->type != SHT_NOBITS && section->type != SHT_NULL &&
		    strcmp(section->name, name) == 0)
			return true;
	}
	return false;
}

const struct elf_segment *elf_file_segments(const struct elf_file *file, size_t *nr)
{
	*nr = file->nr_segments;
	return file->segments;
}

bool elf_file_contains(struct elf_file *file, const void *bytes, size_t size,
		       uint64_t *offset)
{
	if (size == 0 || size > file->size || size > ELF_TABLE_CEILING)
		return false;
	/* Windows overlap by all but one of the bytes sought, so none is cut in two. */
	size_t window = SEARCH_WINDOW + size;
	CLEANUP_FREE char *buffer = malloc(window);
	if (!buffer)
		return false;
	for (uint64_t at = 0; at <= file->size - size; at += window - size + 1) {
		size_t nr = file->size - at < window ? (size_t)(file->size - at) : window;
		if (!read_all(file->fd, buffer, nr, at))
			return false;
		const char *found = memmem(buffer, nr, bytes, size);
		if (found) {
			*offset = at + (uint64_t)(found - buffer);
			return true;
		}
	}
	return false;
}

/*
 * Two segments that meet inside one page of the file both map that page, so a mapping that
 * starts where a segment's first page does belongs to that segment; other mappings, split
 * off by mprotect, to the segment they lie in.
 */
uint64_t elf_file_bias(const struct elf_file *file, uint64_t mapped_address,
		       uint64_t mapped_offset)
{
	uint64_t page_mask = -(uint64_t)sysconf(_SC_PAGESIZE);
	const struct elf_segment *found = NULL;
	for (size_t i = 0; i < file->nr_segments; i++) {
		const struct elf_segment *segment = &file->segments[i];
		uint64_t first_page = segment->offset & page_mask;
		if (segment->type != PT_LOAD || segment->file_size == 0)
			continue;
		if (mapped_offset == first_page) {
			found = segment;
			break;
		}
		if (mapped_offset >= first_page &&
		    mapped_offset - segment->offset < segment->file_size)
			found = segment;
	}
	uint64_t bias = mapped_address - mapped_offset;
	return found ? bias + found->offset - found->address : bias;
}
