/* size_class: see size_class.h. */
#include "model/size_class.h"

#include <assert.h>
#include <inttypes.h>

#include "base/vec.h"

/* glibc keeps freed blocks up to this size by their exact size. */
#define EXACT_MAX 1032u

uint64_t size_class_of(uint64_t size)
{
	if (size <= EXACT_MAX)
		return size;
	return (uint64_t)1 << (64 - __builtin_clzll(size - 1));
}

unsigned size_class_number(uint64_t size)
{
	return size <= EXACT_MAX
		       ? (unsigned)size
		       : EXACT_MAX + 1 + (unsigned)(64 - __builtin_clzll(size - 1));
}
static_assert(EXACT_MAX + 1 + 64 < SIZE_CLASSES_MAX, "sizes have 64 bits at most");

static void print_size(struct str *str, uint64_t size)
{
	static const char *const units[] = { "byte", "KiB", "MiB", "GiB", "TiB" };
	size_t unit = 0;
	while (unit + 1 < ARRAY_SIZE(units) && size >= 1024 && size % 1024 == 0) {
		size /= 1024;
		unit++;
	}
	str_printf(str, unit ? "%" PRIu64 " %s" : "%" PRIu64 "-%s", size, units[unit]);
}

void size_class_put(struct str *out, uint64_t size)
{
	uint64_t class = size_class_of(size);
	if (class != size || size > EXACT_MAX)
		str_puts(out, "up to ");
	print_size(out, class);
}
