/* block_types: see block_types.h. */
#include "analyse/block_types.h"

#include <inttypes.h>
#include <string.h>

#include "analyse/leaks.h"
#include "base/hash.h"
#include "base/str.h"

uint64_t block_size_class(uint64_t size)
{
	if (size <= 1032)
		return size;
	return (uint64_t)1 << (64 - __builtin_clzll(size - 1));
}

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

static void print_size_class(struct str *str, uint64_t size)
{
	uint64_t class = block_size_class(size);
	if (class != size || size > 1032)
		str_puts(str, "up to ");
	print_size(str, class);
}

char *block_type_name(const struct natures *natures, uint16_t code, uint64_t size,
		      unsigned group_by)
{
	struct str str = { 0 };
	const char *class = natures_class(natures, code);
	if (group_by == GROUP_BY_SIZE) {
		print_size_class(&str, size);
		str_puts(&str, " block");
	} else if (class) {
		str_printf(&str, "class %s", class);
	} else {
		print_size_class(&str, size);
		str_printf(&str, " block of %s", natures_word(natures, code));
	}
	return str_take(&str);
}

uint64_t block_type_hash(const struct natures *natures, uint16_t code, uint64_t size)
{
	const char *class = natures_class(natures, code);
	if (class)
		return hash_bytes(HASH_SEED, class, strlen(class));
	const char *word = natures_word(natures, code);
	uint64_t class_of_size = block_size_class(size);
	uint64_t hash = hash_bytes(HASH_SEED, word, strlen(word));
	return hash_bytes(hash, &class_of_size, sizeof(class_of_size));
}
