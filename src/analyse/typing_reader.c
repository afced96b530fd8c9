/*
 * typing_reader: a target's contents, a few KiB at a time, kept as long as nothing else needs the
 * place. See typing_priv.h.
 */
#include "analyse/typing_priv.h"

#include <string.h>

#define PAGE_BYTES 4096u
#define LINE_PAGES 4u
#define LINE_BYTES (PAGE_BYTES * LINE_PAGES)
#define NR_LINES   2048u /* 32 MiB */

/* What a line holds. */
struct tag {
	uint64_t address; /* plus one; 0: nothing */
	uint32_t pages;   /* bits: which of them could be read */
};

bool reader_init(struct reader *reader, struct target *target)
{
	reader->target = target;
	return area_reserve(&reader->lines, (size_t)NR_LINES * LINE_BYTES) &&
	       area_reserve(&reader->tags, NR_LINES * sizeof(struct tag));
}

void reader_deinit(struct reader *reader)
{
	area_release(&reader->lines);
	area_release(&reader->tags);
}

/* So many bytes of it could be read. */
static size_t read_some(struct reader *reader, uint64_t address, char *bytes, size_t size)
{
	size_t nr_read = 0;
	struct target *target = reader->target;
	struct error *error = target->ops->read(target, address, bytes, size, &nr_read);
	error_destroy(error);
	return error ? 0 : nr_read;
}

static void fill(struct reader *reader, struct tag *tag, uint64_t address, char *line)
{
	*tag = (struct tag){ .address = address + 1 };
	if (read_some(reader, address, line, LINE_BYTES) == LINE_BYTES) {
		tag->pages = (1u << LINE_PAGES) - 1;
		return;
	}
	for (unsigned i = 0; i < LINE_PAGES; i++) {
		char *page = line + (size_t)i * PAGE_BYTES;
		if (read_some(reader, address + (uint64_t)i * PAGE_BYTES, page,
			      PAGE_BYTES) == PAGE_BYTES)
			tag->pages |= 1u << i;
	}
}

/* The byte at an address, with what follows it in its page. */
static const char *find(struct reader *reader, uint64_t address, size_t *size)
{
	uint64_t number = address / LINE_BYTES, offset = address % LINE_BYTES;
	struct tag *tag = (struct tag *)reader->tags.memory + number % NR_LINES;
	char *line = (char *)reader->lines.memory + number % NR_LINES * LINE_BYTES;
	if (tag->address != number * LINE_BYTES + 1)
		fill(reader, tag, number * LINE_BYTES, line);
	*size = PAGE_BYTES - offset % PAGE_BYTES;
	return tag->pages >> (offset / PAGE_BYTES) & 1 ? line + offset : NULL;
}

bool reader_bytes(struct reader *reader, uint64_t address, void *bytes, size_t size)
{
	while (size) {
		size_t there = 0;
		const char *from = find(reader, address, &there);
		if (!from)
			return false;
		if (there > size)
			there = size;
		memcpy(bytes, from, there);
		bytes = (char *)bytes + there;
		address += there;
		size -= there;
	}
	return true;
}
