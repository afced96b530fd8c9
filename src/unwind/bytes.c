/* Integers, LEB128 and encoded pointers from bounded memory. */
#include "unwind/bytes.h"

#include <string.h>

struct cursor cursor_at(const struct bytes *bytes, uint64_t position, uint64_t size)
{
	struct cursor cursor = { .bytes = bytes };
	cursor.bad = position > bytes->size || size > bytes->size - position;
	if (!cursor.bad) {
		cursor.position = position;
		cursor.end = position + size;
	}
	return cursor;
}

/* The next bytes, or NULL. */
static const uint8_t *take(struct cursor *cursor, uint64_t size)
{
	if (cursor->bad || size > cursor->end - cursor->position) {
		cursor->bad = true;
		return NULL;
	}
	const uint8_t *taken = cursor->bytes->at + cursor->position;
	cursor->position += size;
	return taken;
}

void cursor_skip(struct cursor *cursor, uint64_t size)
{
	take(cursor, size);
}

uint8_t cursor_u8(struct cursor *cursor)
{
	const uint8_t *byte = take(cursor, 1);
	return byte ? *byte : 0;
}

uint64_t cursor_unsigned(struct cursor *cursor, unsigned size)
{
	uint64_t value = 0;
	const uint8_t *from = take(cursor, size);
	if (from)
		memcpy(&value, from, size); /* both processors are little-endian */
	return value;
}

int64_t cursor_signed(struct cursor *cursor, unsigned size)
{
	unsigned unused_bits = 64 - 8 * size;
	return (int64_t)(cursor_unsigned(cursor, size) << unused_bits) >> unused_bits;
}

uint64_t cursor_uleb(struct cursor *cursor)
{
	uint64_t value = 0;
	uint8_t byte = 0x80;
	for (unsigned shift = 0; byte & 0x80; shift += 7) {
		byte = cursor_u8(cursor);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
	}
	return value;
}

int64_t cursor_sleb(struct cursor *cursor)
{
	uint64_t value = 0;
	uint8_t byte = 0x80;
	unsigned shift = 0;
	for (; byte & 0x80; shift += 7) {
		byte = cursor_u8(cursor);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
	}
	if (shift < 64 && byte & 0x40)
		value |= UINT64_MAX << shift;
	return (int64_t)value;
}

static uint64_t encoded_value(struct cursor *cursor, uint8_t format)
{
	switch (format) {
	case 0x00: /* absptr */
	case 0x04: /* udata8 */
	case 0x0c: /* sdata8 */
		return cursor_unsigned(cursor, 8);
	case 0x01:
		return cursor_uleb(cursor);
	case 0x02:
		return cursor_unsigned(cursor, 2);
	case 0x03:
		return cursor_unsigned(cursor, 4);
	case 0x09:
		return (uint64_t)cursor_sleb(cursor);
	case 0x0a:
		return (uint64_t)cursor_signed(cursor, 2);
	case 0x0b:
		return (uint64_t)cursor_signed(cursor, 4);
	}
	cursor->bad = true;
	return 0;
}

uint64_t cursor_pointer(struct cursor *cursor, uint8_t encoding, uint64_t data)
{
	uint64_t here = cursor->bytes->address + cursor->position;
	if (encoding == CURSOR_OMITTED)
		return 0;
	uint64_t value = encoded_value(cursor, encoding & 0x0f);
	switch (encoding & 0xf0) {
	case 0x00: /* as it is */
		return value;
	case 0x10: /* pcrel */
		return here + value;
	case 0x30: /* datarel */
		return data + value;
	}
	cursor->bad = true; /* textrel, funcrel, aligned, indirect */
	return 0;
}
