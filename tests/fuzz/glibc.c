/*
 * A small heap with any words overwritten: surveyed and walked, its chunks must ascend and
 * lie in their spans. Twelve bytes of input do one thing (enum deed) to one word (bytes 1 to
 * 3: which) with a value (the rest).
 */
#include "heap/heap.h"

#include <string.h>

#include "unit/glibc_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct walk {
	struct heap_visitor visitor; /* first: the heap calls back with it */
	uint64_t end;                /* of the last chunk */
};

static struct error *check_window(struct heap_visitor *visitor,
				  const struct heap_window *window)
{
	struct walk *walk = (struct walk *)visitor;
	uint64_t end = window->address + window->nr_words * 8;
	if (window->address < window->span->start || end > window->span->end)
		abort();
	for (size_t i = 0; i < window->nr_chunks; i++) {
		const struct heap_chunk *chunk = &window->chunks[i];
		if (chunk->address % 16 || chunk->address < walk->end ||
		    chunk->address < window->address || chunk->address > end + 16 ||
		    chunk->address >= window->span->end ||
		    chunk->size > window->span->end - chunk->address ||
		    (chunk->size == 0 && chunk->state != CHUNK_ALLOCATOR))
			abort();
		walk->end = chunk->address + chunk->size;
	}
	return NULL;
}

/* The address of the nth word of all segments together. */
static uint64_t nth_word(const struct image *image, uint64_t nth)
{
	uint64_t nr_words = 0;
	for (size_t i = 0; i < image->segments.nr; i++)
		nr_words += image->segments.items[i].size / 8;
	nth %= nr_words;
	size_t i = 0;
	for (; nth >= image->segments.items[i].size / 8; i++)
		nth -= image->segments.items[i].size / 8;
	return image->segments.items[i].address + nth * 8;
}

enum deed {
	DEED_VALUE,   /* becomes the value */
	DEED_ADDRESS, /* becomes the address of the nth word, plus some low bits */
	DEED_LINK,    /* becomes a safe link to that */
	DEED_ABSENT,  /* its page was never written */
	DEED_SWAPPED, /* its page is swapped out */
	DEED_NR,
};
enum { DEED_BYTES = 12 };

static enum deed read_deed(const struct image *image, const uint8_t *bytes, uint64_t *at,
			   uint64_t *value)
{
	uint64_t place = 0;
	memcpy(&place, bytes + 1, 3);
	memcpy(value, bytes + 4, sizeof(*value));
	*at = nth_word(image, place);
	return bytes[0] % DEED_NR;
}

static void overwrite(struct image *image, const uint8_t *bytes)
{
	uint64_t at, value;
	enum deed deed = read_deed(image, bytes, &at, &value);
	if (deed == DEED_ADDRESS || deed == DEED_LINK)
		value = nth_word(image, value >> 4) + (value & 15);
	if (deed == DEED_LINK)
		value ^= at >> 12;
	if (deed <= DEED_LINK)
		image_put(image, at, value);
}

static void take_page(const struct image *image, struct target *target,
		      const uint8_t *bytes)
{
	uint64_t at, value;
	enum deed deed = read_deed(image, bytes, &at, &value);
	uint64_t page = at & ~(uint64_t)4095;
	if (deed >= DEED_ABSENT)
		error_destroy(target_fake_mark(target, page, page + 4096,
					       deed == DEED_ABSENT ? FAKE_PAGES_ABSENT
								   : FAKE_PAGES_SWAPPED));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct image image;
	image_init(&image);
	image_fill(&image);
	for (size_t i = 0; i + DEED_BYTES <= size; i += DEED_BYTES)
		overwrite(&image, bytes + i);
	struct target *target = image_target(&image);
	for (size_t i = 0; i + DEED_BYTES <= size; i += DEED_BYTES)
		take_page(&image, target, bytes + i);
	struct heap *heap = image_heap(&image, target);
	struct walk walk = { .visitor = { .window = check_window } };
	struct error *error = heap_survey(heap);
	if (!error)
		error = heap_walk(heap, &walk.visitor);
	if (!error && heap->totals.parsed_bytes > heap->totals.mapped_bytes)
		abort();
	error_destroy(error);
	heap_destroy(heap);
	target_destroy(target);
	image_deinit(&image);
	return 0;
}
