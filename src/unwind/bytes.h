/*
 * bytes: reads the encodings of unwinding data from bounded memory.
 *
 * Reading past the end gives zeros and sets `bad`, which stays: a parser checks it once, when
 * it has read all that it wants. No byte outside the bounds is ever touched.
 */
#ifndef SEEP_UNWIND_BYTES_H
#define SEEP_UNWIND_BYTES_H

#include <stdbool.h>
#include <stdint.h>

/* Memory that is at `bytes` and says of itself that it is at `address`. */
struct bytes {
	const uint8_t *at;
	uint64_t address;
	uint64_t size;
};

/* Positions are offsets from the start of the memory. */
struct cursor {
	const struct bytes *bytes;
	uint64_t position, end;
	bool bad;
};

/* From `position` for `size` bytes; bad if that is not all inside. */
struct cursor cursor_at(const struct bytes *bytes, uint64_t position, uint64_t size);

static inline bool cursor_has_more(const struct cursor *cursor)
{
	return !cursor->bad && cursor->position < cursor->end;
}

void cursor_skip(struct cursor *cursor, uint64_t size);
uint8_t cursor_u8(struct cursor *cursor);
uint64_t cursor_unsigned(struct cursor *cursor, unsigned size); /* 1, 2, 4 or 8 bytes */
int64_t cursor_signed(struct cursor *cursor, unsigned size);
uint64_t cursor_uleb(struct cursor *cursor);
int64_t cursor_sleb(struct cursor *cursor);

enum { CURSOR_OMITTED = 0xff }; /* an encoding: there is no pointer */

/* A pointer in a DW_EH_PE encoding (LSB core, 10.5.1.1); `data` is what DW_EH_PE_datarel is
   relative to. Encodings that need more than this memory are bad. */
uint64_t cursor_pointer(struct cursor *cursor, uint8_t encoding, uint64_t data);

#endif
