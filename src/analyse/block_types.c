/* block_types: see block_types.h. */
#include "analyse/block_types.h"

#include <string.h>

#include "analyse/leaks.h"
#include "base/hash.h"
#include "base/str.h"
#include "model/size_class.h"

char *block_type_name(const struct natures *natures, uint16_t code, uint64_t size,
		      unsigned group_by)
{
	struct str str = { 0 };
	const char *class = natures_class(natures, code);
	if (group_by == GROUP_BY_SIZE) {
		size_class_put(&str, size);
		str_puts(&str, " block");
	} else if (natures_is_type(natures, code)) {
		str_puts(&str, class);
	} else if (class) {
		str_printf(&str, "class %s", class);
	} else {
		size_class_put(&str, size);
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
	uint64_t class_of_size = size_class_of(size);
	uint64_t hash = hash_bytes(HASH_SEED, word, strlen(word));
	return hash_bytes(hash, &class_of_size, sizeof(class_of_size));
}
