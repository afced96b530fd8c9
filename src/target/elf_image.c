/* elf_image: see elf_image.h. */
#include "target/elf_image.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "target/target.h"

#define PAGE_BYTES   ((uint64_t)4096)
#define SEGMENTS_MAX 64u
#define NOTES_MAX    1024u

bool elf_source_read_file(const struct elf_source *source, uint64_t offset, void *buffer,
			  size_t size)
{
	return offset <= INT64_MAX - size &&
	       pread(source->fd, buffer, size, (off_t)offset) == (ssize_t)size;
}

static void take_build_id(const unsigned char *bytes, size_t size,
			  struct elf_image *image)
{
	for (size_t i = 0; i < size && 2 * i + 2 < sizeof(image->build_id); i++)
		snprintf(image->build_id + 2 * i, 3, "%02x", bytes[i]);
}

static size_t padded(size_t size, size_t alignment)
{
	return (size + alignment - 1) / alignment * alignment;
}

static void search_notes(const unsigned char *notes, size_t size, size_t alignment,
			 struct elf_image *image)
{
	for (size_t at = 0; size - at >= sizeof(Elf64_Nhdr);) {
		Elf64_Nhdr header;
		memcpy(&header, notes + at, sizeof(header));
		size_t left = size - at - sizeof(header);
		size_t name = padded(header.n_namesz, 4);
		if (name > left || header.n_descsz > left - name)
			return;
		const unsigned char *owner = notes + at + sizeof(header);
		if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 &&
		    !memcmp(owner, "GNU", 4)) {
			take_build_id(owner + name, header.n_descsz, image);
			return;
		}
		size_t step = sizeof(header) + name + padded(header.n_descsz, alignment);
		at = step < size - at ? at + step : size;
	}
}

static void take_notes(const struct elf_source *source, const Elf64_Phdr *header,
		       struct elf_image *image)
{
	unsigned char notes[NOTES_MAX];
	size_t size = header->p_filesz < sizeof(notes) ? header->p_filesz : sizeof(notes);
	if (!image->build_id[0] && source->read(source, header->p_offset, notes, size))
		search_notes(notes, size, header->p_align == 8 ? 8 : 4, image);
}

static void take_load(const Elf64_Phdr *header, struct elf_image *image)
{
	uint64_t first = header->p_offset & ~(PAGE_BYTES - 1);
	uint64_t last = header->p_offset + header->p_filesz + PAGE_BYTES - 1;
	if (image->nr_loads == ARRAY_SIZE(image->loads) || last < first)
		return;
	image->loads[image->nr_loads++] = (struct elf_image_load){
		.offset = first,
		.size = (last & ~(PAGE_BYTES - 1)) - first,
		.flags = (header->p_flags & PF_R ? REGION_READ : 0u) |
			 (header->p_flags & PF_W ? REGION_WRITE : 0u) |
			 (header->p_flags & PF_X ? REGION_EXEC : 0u),
	};
}

bool elf_image_read(const struct elf_source *source, struct elf_image *image)
{
	*image = (struct elf_image){ 0 };
	Elf64_Ehdr header;
	Elf64_Phdr headers[SEGMENTS_MAX];
	if (!source->read(source, 0, &header, sizeof(header)) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 ||
	    header.e_phentsize != sizeof(headers[0]) || header.e_phnum > SEGMENTS_MAX ||
	    !source->read(source, header.e_phoff, headers,
			  header.e_phnum * sizeof(headers[0])))
		return false;
	for (size_t i = 0; i < header.e_phnum; i++) {
		if (headers[i].p_type == PT_LOAD)
			take_load(&headers[i], image);
		else if (headers[i].p_type == PT_NOTE)
			take_notes(source, &headers[i], image);
	}
	return true;
}

unsigned elf_image_flags(const struct elf_image *image, uint64_t offset)
{
	for (size_t i = 0; i < image->nr_loads; i++)
		if (offset - image->loads[i].offset < image->loads[i].size)
			return image->loads[i].flags;
	return 0;
}
