/* peek: see peek.h. */
#include "heap/peek.h"

#include <string.h>

#include "base/area.h"

#define LINE_BYTES 4096u
#define NR_LINES   256u
#define NO_PAGE    UINT64_MAX

struct peek {
	struct target *target;
	uint64_t pages[NR_LINES];
	size_t filled[NR_LINES]; /* bytes that could be read */
	struct area bytes;       /* of the lines; only those used take memory */
};

struct error *peek_create(struct target *target, struct peek **result)
{
	struct peek *peek = calloc(1, sizeof(*peek));
	if (!peek || !area_reserve(&peek->bytes, (size_t)NR_LINES * LINE_BYTES)) {
		free(peek);
		return error_no_memory();
	}
	peek->target = target;
	peek_reset(peek);
	*result = peek;
	return NULL;
}

void peek_destroy(struct peek *peek)
{
	if (!peek)
		return;
	area_release(&peek->bytes);
	free(peek);
}

void peek_reset(struct peek *peek)
{
	for (size_t i = 0; i < NR_LINES; i++)
		peek->pages[i] = NO_PAGE;
}

static unsigned char *line_bytes(const struct peek *peek, size_t line)
{
	return (unsigned char *)peek->bytes.memory + line * LINE_BYTES;
}

static struct error *load_line(struct peek *peek, uint64_t page, size_t *line)
{
	*line = page % NR_LINES;
	if (peek->pages[*line] == page)
		return NULL;
	peek->pages[*line] = NO_PAGE;
	struct error *error = peek->target->ops->read(peek->target, page * LINE_BYTES,
						      line_bytes(peek, *line), LINE_BYTES,
						      &peek->filled[*line]);
	if (!error)
		peek->pages[*line] = page;
	return error;
}

struct error *peek_words(struct peek *peek, uint64_t address, uint64_t *words, size_t nr,
			 bool *readable)
{
	size_t size = nr * sizeof(*words);
	*readable = address % sizeof(*words) == 0;
	for (size_t done = 0; done < size && *readable;) {
		uint64_t at = address + done;
		size_t line = 0;
		struct error *error = load_line(peek, at / LINE_BYTES, &line);
		if (error)
			return error;
		size_t offset = at % LINE_BYTES;
		size_t step = size - done < LINE_BYTES - offset ? size - done
								: LINE_BYTES - offset;
		if (offset + step > peek->filled[line])
			*readable = false;
		else
			memcpy((char *)words + done, line_bytes(peek, line) + offset,
			       step);
		done += step;
	}
	return NULL;
}
