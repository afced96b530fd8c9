/* pack: see pack.h. */
#include "snap/pack.h"

#include <stdlib.h>
#include <string.h>

bool pack_reserve(struct pack *pack, size_t more)
{
	if (pack->failed)
		return false;
	if (pack->capacity - pack->size >= more)
		return true;
	size_t capacity = pack->capacity ? pack->capacity * 2 : 256;
	if (capacity - pack->size < more)
		capacity = pack->size + more;
	unsigned char *bytes = realloc(pack->bytes, capacity);
	pack->failed = !bytes;
	if (!bytes)
		return false;
	pack->bytes = bytes;
	pack->capacity = capacity;
	return true;
}

void pack_bytes(struct pack *pack, const void *bytes, size_t size)
{
	if (size && pack_reserve(pack, size)) {
		memcpy(pack->bytes + pack->size, bytes, size);
		pack->size += size;
	}
}

void pack_text(struct pack *pack, const char *text)
{
	size_t length = text ? strlen(text) : 0;
	pack_number(pack, text ? length + 1 : 0);
	pack_bytes(pack, text, length);
}

void pack_deinit(struct pack *pack)
{
	free(pack->bytes);
	*pack = (struct pack){ 0 };
}

uint64_t unpack_long_number(struct unpack *unpack)
{
	uint64_t number = 0;
	for (unsigned shift = 0; shift < 64 && unpack->at < unpack->end; shift += 7) {
		uint64_t byte = *unpack->at++;
		if (shift == 63 && byte > 1)
			break;
		number |= (byte & 0x7f) << shift;
		if (byte < 0x80)
			return number;
	}
	unpack->bad = true;
	unpack->at = unpack->end;
	return 0;
}

uint64_t unpack_count(struct unpack *unpack, size_t least)
{
	uint64_t count = unpack_number(unpack);
	if (count <= unpack_left(unpack) / least)
		return count;
	unpack->bad = true;
	unpack->at = unpack->end;
	return 0;
}

const void *unpack_bytes(struct unpack *unpack, size_t size)
{
	const void *bytes = unpack->at;
	if (size > unpack_left(unpack)) {
		unpack->bad = true;
		unpack->at = unpack->end;
		return NULL;
	}
	unpack->at += size;
	return bytes;
}

char *unpack_text(struct unpack *unpack)
{
	uint64_t length = unpack_number(unpack);
	if (!length--)
		return NULL;
	const char *bytes = unpack_bytes(unpack, length);
	char *text = bytes ? strndup(bytes, length) : NULL;
	unpack->bad |= !text;
	return text;
}
