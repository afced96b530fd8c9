/* call_frames: see call_frames.h. */
#include "sym/call_frames.h"

#include <stdlib.h>
#include <string.h>

#include "sym/elf_file_priv.h"

/* Larger segments are not kept in memory. */
#define SEGMENT_MAX ((uint64_t)256 << 20)

static const struct elf_segment *find_header(const struct elf_file *file)
{
	for (size_t i = 0; i < file->nr_segments; i++)
		if (file->segments[i].type == PT_GNU_EH_FRAME)
			return &file->segments[i];
	return NULL;
}

/* The segment that is mapped with what is at that offset of the file. */
static const struct elf_segment *find_segment(const struct elf_file *file,
					      uint64_t offset)
{
	for (size_t i = 0; i < file->nr_segments; i++) {
		const struct elf_segment *segment = &file->segments[i];
		if (segment->type == PT_LOAD && offset >= segment->offset &&
		    offset - segment->offset < segment->file_size)
			return segment;
	}
	return NULL;
}

/* Where .eh_frame begins in the file; UINT64_MAX: nobody says. */
static uint64_t section_offset(const struct elf_file *file)
{
	for (size_t i = 0; i < file->nr_sections; i++)
		if (!strcmp(file->sections[i].name, ".eh_frame") &&
		    file->sections[i].type != SHT_NOBITS)
			return file->sections[i].offset;
	return UINT64_MAX;
}

bool call_frames_read(struct elf_file *file, uint64_t bias, struct call_frames *frames)
{
	*frames = (struct call_frames){ 0 };
	const struct elf_segment *header = find_header(file);
	const uint64_t offset = header ? header->offset : section_offset(file);
	const struct elf_segment *segment = find_segment(file, offset);
	if (!segment || segment->file_size > SEGMENT_MAX)
		return false;
	const struct elf_extent extent = { segment->offset, segment->file_size };
	frames->bytes = elf_file_slice(file, extent);
	frames->address = segment->address + bias;
	frames->size = segment->file_size;
	uint64_t at = frames->address + (offset - segment->offset);
	*(header ? &frames->header : &frames->section) = at;
	return frames->bytes != NULL;
}

void call_frames_deinit(struct call_frames *frames)
{
	free(frames->bytes);
	*frames = (struct call_frames){ 0 };
}
