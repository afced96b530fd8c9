/* dwarf_image: see dwarf_image_priv.h. */
#include "sym/dwarf_image_priv.h"

#include <endian.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "sym/elf_file_priv.h"
#include "target/headroom.h"

/* A file of more than this, or with so much debug information when it is unpacked, is not read: it is
   kept in memory. */
#define DEBUG_CEILING ((uint64_t)1 << 30)
/* What is larger is read only where there is memory for it: this part of what may be used. */
#define ASKED_ABOUT   ((uint64_t)64 << 20)
#define HEADROOM_PART 2u
/* Compilers' output packs to a third or a fifth; what unpacks to so much more than its file is made
   to fill memory. */
#define RATIO_MAX 64u
/* Zeros behind the copy, and behind each unpacked section. */
#define PADDING   4096u
#define ALIGNMENT 16u
#define OLD_MAGIC "ZLIB"
#define OLD_HEAD  12u
/* ELFCOMPRESS_ZSTD; the C library's <elf.h> of 2022 does not have it yet. */
#define PACKED_BY_ZSTD 2u

/* --- headers ------------------------------------------------------------------------ */

struct sections {
	char *memory;
	uint64_t size; /* of the file */
	Elf64_Shdr *headers;
	uint64_t nr;
	char *names;
	uint64_t names_size;
};

static bool is_inside(const struct sections *sections, uint64_t offset, uint64_t bytes)
{
	return offset <= sections->size && bytes <= sections->size - offset;
}

/* False: the file has none that make sense. */
static bool find_sections(struct sections *sections)
{
	const Elf64_Ehdr *file = (const void *)sections->memory;
	if (sections->size < sizeof(*file) || file->e_ident[EI_CLASS] != ELFCLASS64 ||
	    file->e_shentsize != sizeof(Elf64_Shdr) || file->e_shoff % 8 ||
	    !is_inside(sections, file->e_shoff, sizeof(Elf64_Shdr)))
		return false;
	sections->headers = (void *)(sections->memory + file->e_shoff);
	sections->nr = file->e_shnum ? file->e_shnum : sections->headers[0].sh_size;
	uint64_t names = file->e_shstrndx == SHN_XINDEX ? sections->headers[0].sh_link
							: file->e_shstrndx;
	if (sections->nr > sections->size / sizeof(Elf64_Shdr) ||
	    !is_inside(sections, file->e_shoff, sections->nr * sizeof(Elf64_Shdr)) ||
	    names >= sections->nr ||
	    !is_inside(sections, sections->headers[names].sh_offset,
		       sections->headers[names].sh_size))
		return false;
	sections->names = sections->memory + sections->headers[names].sh_offset;
	sections->names_size = sections->headers[names].sh_size;
	return true;
}

/* What link-time optimisation has not seen yet is debug information to libdw, too. */
static const char *const debug_names[] = { ".debug_", ".gnu.debuglto_.debug_" };

static bool is_called(const struct sections *sections, const Elf64_Shdr *header,
		      const char *begin)
{
	size_t length = strlen(begin);
	return header->sh_name < sections->names_size &&
	       length < sections->names_size - header->sh_name &&
	       !memcmp(sections->names + header->sh_name, begin, length);
}

static bool is_debug(const struct sections *sections, const Elf64_Shdr *header)
{
	bool found = false;
	for (size_t i = 0; i < ARRAY_SIZE(debug_names); i++)
		found |= is_called(sections, header, debug_names[i]);
	return found;
}

/* --- what is packed ------------------------------------------------------------------- */

enum packing { PACKED_NOT, PACKED_ZLIB, PACKED_ZSTD, PACKED_OLD, PACKED_UNKNOWN };

struct packed {
	enum packing packing;
	const char *bytes;
	uint64_t size, unpacked_size;
	uint64_t alignment;
};

static enum packing packing_of(uint32_t type)
{
	return type == ELFCOMPRESS_ZLIB ? PACKED_ZLIB
	       : type == PACKED_BY_ZSTD ? PACKED_ZSTD
					: PACKED_UNKNOWN;
}

static void look_at_old(const char *bytes, uint64_t size, struct packed *packed)
{
	uint64_t unpacked;
	if (size < OLD_HEAD || memcmp(bytes, OLD_MAGIC, 4) != 0)
		return;
	memcpy(&unpacked, bytes + 4, sizeof(unpacked));
	*packed = (struct packed){ .packing = PACKED_OLD,
				   .bytes = bytes + OLD_HEAD,
				   .size = size - OLD_HEAD,
				   .unpacked_size = be64toh(unpacked),
				   .alignment = 1 };
}

/* Of a debug section; of all others PACKED_NOT, and no bytes. */
static struct packed look_at(const struct sections *sections, const Elf64_Shdr *header)
{
	struct packed packed = { .packing = PACKED_NOT };
	Elf64_Chdr head;
	bool is_old = is_called(sections, header, ".zdebug_");
	if (header->sh_type == SHT_NOBITS || (!is_old && !is_debug(sections, header)) ||
	    !is_inside(sections, header->sh_offset, header->sh_size))
		return packed;
	const char *bytes = sections->memory + header->sh_offset;
	packed.unpacked_size = header->sh_size;
	if (is_old) {
		look_at_old(bytes, header->sh_size, &packed);
	} else if ((header->sh_flags & SHF_COMPRESSED) &&
		   header->sh_size >= sizeof(head)) {
		memcpy(&head, bytes, sizeof(head));
		packed = (struct packed){ .packing = packing_of(head.ch_type),
					  .bytes = bytes + sizeof(head),
					  .size = header->sh_size - sizeof(head),
					  .unpacked_size = head.ch_size,
					  .alignment = head.ch_addralign };
	}
	return packed;
}

/* Whether it is all that was said. */
static bool unpack(const struct packed *packed, char *to)
{
	if (packed->packing == PACKED_ZSTD)
		return ZSTD_decompress(to, packed->unpacked_size, packed->bytes,
				       packed->size) == packed->unpacked_size;
	uLongf size = packed->unpacked_size;
	return uncompress((Bytef *)to, &size, (const Bytef *)packed->bytes,
			  packed->size) == Z_OK &&
	       size == packed->unpacked_size;
}

/* --- the copy ----------------------------------------------------------------------- */

static struct error *too_large(const char *path)
{
	return error_remedy(error_create(ERROR_FORMAT,
					 "%s: its debug information is damaged, or more "
					 "than seep reads (1 GiB)",
					 path),
			    "if the file is as it was built, separate its debug "
			    "information by object (-gsplit-dwarf)");
}

static uint64_t rounded(uint64_t bytes)
{
	return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* How much all packed sections take beside the file. */
static struct error *measure(const struct sections *sections, const char *path,
			     uint64_t *more)
{
	uint64_t all = 0;
	for (uint64_t i = 0; i < sections->nr; i++) {
		struct packed packed = look_at(sections, &sections->headers[i]);
		if (packed.unpacked_size > DEBUG_CEILING)
			return too_large(path);
		if (packed.packing == PACKED_UNKNOWN)
			return error_remedy(
				error_create(ERROR_FORMAT,
					     "%s: its debug information is packed in a "
					     "way that seep does not know",
					     path),
				"unpack it with objcopy --decompress-debug-sections");
		all += packed.unpacked_size;
		if (packed.packing)
			*more += rounded(packed.unpacked_size) + PADDING;
		if (all > DEBUG_CEILING)
			return too_large(path);
	}
	if (*more > ASKED_ABOUT && *more / RATIO_MAX > sections->size)
		return too_large(path);
	return NULL;
}

static struct error *check_headroom(const char *path, uint64_t bytes)
{
	struct headroom headroom = { 0 };
	const char *tightest = NULL;
	if (bytes < ASKED_ABOUT)
		return NULL;
	struct error *error = headroom_init(&headroom, getpid());
	uint64_t room = error ? UINT64_MAX : headroom_bytes(&headroom, &tightest);
	error_destroy(error);
	error = NULL;
	if (bytes > room / HEADROOM_PART)
		error = error_remedy(
			error_create(ERROR_READ,
				     "%s: its debug information takes %" PRIu64
				     " MiB of memory, too much beside what is free",
				     path, bytes >> 20),
			"look at the process from a core or a snapshot on a larger "
			"machine");
	headroom_deinit(&headroom);
	return error;
}

static struct error *read_file(struct dwarf_image *image, const struct elf_file *file,
			       const char *path)
{
	uint64_t at = 0;
	if (file->size > DEBUG_CEILING)
		return too_large(path);
	struct error *error = check_headroom(path, file->size);
	if (error)
		return error;
	if (!area_reserve(&image->bytes, file->size + PADDING))
		return error_no_memory();
	while (at < file->size) {
		ssize_t got = pread(file->fd, (char *)image->bytes.memory + at,
				    file->size - at, (off_t)at);
		if (got <= 0)
			return error_create(ERROR_READ, "%s: cannot be read whole", path);
		at += (uint64_t)got;
	}
	image->size = file->size;
	return NULL;
}

/* The header says from now on that the section was never packed. */
static void repair(struct sections *sections, Elf64_Shdr *header,
		   const struct packed *packed, uint64_t offset)
{
	if (packed->packing == PACKED_OLD) {
		header->sh_name++;
		sections->names[header->sh_name] = '.';
	}
	header->sh_flags &= ~(uint64_t)SHF_COMPRESSED;
	header->sh_offset = offset;
	header->sh_size = packed->unpacked_size;
	header->sh_addralign = packed->alignment;
}

static struct error *unpack_all(struct dwarf_image *image, struct sections *sections,
				const char *path)
{
	uint64_t at = rounded(image->size + PADDING);
	for (uint64_t i = 0; i < sections->nr; i++) {
		Elf64_Shdr *header = &sections->headers[i];
		struct packed packed = look_at(sections, header);
		if (!packed.packing)
			continue;
		/* A header that lies in another's name has changed since it was measured. */
		bool has_room = packed.unpacked_size <= image->bytes.bytes &&
				at + PADDING <= image->bytes.bytes - packed.unpacked_size;
		if (!has_room || !unpack(&packed, sections->memory + at))
			return error_remedy(
				error_create(ERROR_FORMAT,
					     "%s: section %" PRIu64 " at %#" PRIx64
					     " holds debug information that cannot be "
					     "unpacked",
					     path, i, (uint64_t)header->sh_offset),
				"the file is damaged: install or build it again");
		repair(sections, header, &packed, at);
		image->size = at + packed.unpacked_size;
		at = rounded(image->size + PADDING);
	}
	return NULL;
}

struct error *dwarf_image_read(struct dwarf_image *image, const struct elf_file *file,
			       const char *path)
{
	struct error *error = read_file(image, file, path);
	struct sections sections = { .memory = image->bytes.memory, .size = image->size };
	uint64_t more = 0;
	if (error)
		return error;
	/* libelf would understand some, and unpack what they say. */
	if (!find_sections(&sections))
		return error_create(ERROR_FORMAT,
				    "%s: has no section headers that make sense", path);
	error = measure(&sections, path, &more);
	if (!error && more)
		error = check_headroom(path, more);
	if (error || !more)
		return error;
	if (!area_reserve(&image->bytes, file->size + more + 3 * (uint64_t)PADDING))
		return error_no_memory();
	/* It may have moved. */
	sections.memory = image->bytes.memory;
	find_sections(&sections);
	return unpack_all(image, &sections, path);
}

void dwarf_image_release(struct dwarf_image *image)
{
	area_release(&image->bytes);
	image->size = 0;
}
