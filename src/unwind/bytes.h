/*
 * bytes: a bounded cursor over encoded bytes. Reading past the end gives 0 and sets `bad`.
 */
#ifndef SEEP_UNWIND_BYTES_H
#define SEEP_UNWIND_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const unsigned char *at, *end;
	bool bad;
};

static inline bool bytes_take(struct bytes *bytes, void *to, size_t size)
{
	if (bytes->bad || (size_t)(bytes->end - bytes->at) < size) {
		bytes->bad = true;
		memset(to, 0, size);
		return false;
	}
	memcpy(to, bytes->at, size);
	bytes->at += size;
	return true;
}

static inline void bytes_skip(struct bytes *bytes, uint64_t size)
{
	if (bytes->bad || (uint64_t)(bytes->end - bytes->at) < size)
		bytes->bad = true;
	else
		bytes->at += size;
}

static inline uint8_t bytes_u8(struct bytes *bytes)
{
	uint8_t value;
	bytes_take(bytes, &value, sizeof(value));
	return value;
}

static inline uint16_t bytes_u16(struct bytes *bytes)
{
	uint16_t value;
	bytes_take(bytes, &value, sizeof(value));
	return value;
}

static inline uint32_t bytes_u32(struct bytes *bytes)
{
	uint32_t value;
	bytes_take(bytes, &value, sizeof(value));
	return value;
}

static inline uint64_t bytes_u64(struct bytes *bytes)
{
	uint64_t value;
	bytes_take(bytes, &value, sizeof(value));
	return value;
}

static inline uint64_t bytes_uleb(struct bytes *bytes)
{
	uint64_t value = 0;
	for (unsigned shift = 0; !bytes->bad; shift += 7) {
		uint8_t byte = bytes_u8(bytes);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
	}
	return value;
}

static inline int64_t bytes_sleb(struct bytes *bytes)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte = 0x80;
	while ((byte & 0x80) && !bytes->bad) {
		byte = bytes_u8(bytes);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	}
	if (shift < 64 && (byte & 0x40))
		value |= ~UINT64_C(0) << shift;
	return (int64_t)value;
}

#endif
