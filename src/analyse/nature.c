/* nature: see nature.h. */
#include "analyse/nature.h"

#include <string.h>

#include "base/hash.h"

/* Private mappings of files without the right to write: .rodata, and .data.rel.ro after
   relocation. In programs without RELRO vtables stand in writable data, and classes then
   have no names. */
static struct error *find_read_only(struct natures *natures, const struct target *target)
{
	for (size_t i = 0; i < target->regions.nr; i++) {
		const struct region *region = &target->regions.items[i];
		unsigned unwanted = REGION_WRITE | REGION_EXEC | REGION_SHARED;
		if (!region->inode || (region->flags & unwanted) ||
		    !(region->flags & REGION_READ) ||
		    !target_module(target, region->start))
			continue;
		struct nature_range range = { region->start, region->end };
		if (!nature_range_vec_push(&natures->read_only, range))
			return error_no_memory();
	}
	if (natures->read_only.nr) {
		natures->modules_start = natures->read_only.items[0].start;
		natures->modules_end =
			natures->read_only.items[natures->read_only.nr - 1].end;
	}
	return NULL;
}

struct error *natures_create(const struct target *target, struct natures **result)
{
	struct natures *natures = calloc(1, sizeof(*natures));
	if (!natures)
		return error_no_memory();
	struct error *error = find_read_only(natures, target);
	if (error) {
		natures_destroy(natures);
		return error;
	}
	*result = natures;
	return NULL;
}

struct error *natures_create_listed(struct natures **result)
{
	struct natures *natures = calloc(1, sizeof(*natures));
	if (natures)
		natures->names = calloc(NATURES_MOST_OBJECTS, sizeof(*natures->names));
	if (!natures || !natures->names) {
		natures_destroy(natures);
		return error_no_memory();
	}
	*result = natures;
	return NULL;
}

struct error *natures_list(struct natures *natures, uint64_t vtable, char *name)
{
	if (natures->addresses.nr == NATURES_MOST_OBJECTS ||
	    !nature_address_vec_push(&natures->addresses, vtable)) {
		free(name);
		return error_no_memory();
	}
	natures->names[natures->addresses.nr - 1] = name;
	return NULL;
}

bool natures_knows(const struct natures *natures, uint64_t code)
{
	return code <= NATURE_POINTERS ||
	       (code >= NATURE_OBJECT && code - NATURE_OBJECT < natures->addresses.nr);
}

void natures_destroy(struct natures *natures)
{
	if (!natures)
		return;
	for (size_t i = 0; natures->names && i < natures->addresses.nr; i++)
		free(natures->names[i]);
	free(natures->names);
	for (size_t i = 0; i < natures->type_names.nr; i++)
		free(natures->type_names.items[i]);
	nature_name_vec_deinit(&natures->type_names);
	area_release(&natures->codes);
	nature_range_vec_deinit(&natures->read_only);
	nature_address_vec_deinit(&natures->addresses);
	free(natures);
}

struct error *natures_reserve(struct natures *natures, uint64_t nr)
{
	return area_reserve(&natures->codes, nr * sizeof(uint16_t)) ? NULL
								    : error_no_memory();
}

static bool is_read_only(const struct natures *natures, uint64_t address)
{
	size_t low = 0, high = natures->read_only.nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (natures->read_only.items[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < natures->read_only.nr &&
	       natures->read_only.items[low].start <= address;
}

/* The slot of an address in the table, or the empty one where it belongs. */
static uint32_t *find_slot(struct natures *natures, uint64_t address)
{
	size_t mask = ARRAY_SIZE(natures->table) - 1;
	for (size_t i = hash_mix(address) & mask;; i = (i + 1) & mask) {
		uint32_t number = natures->table[i];
		if (number == 0 || natures->addresses.items[number - 1] == address)
			return &natures->table[i];
	}
}

bool natures_may_be_vtable(const struct natures *natures, uint64_t word)
{
	return word >= natures->modules_start && word < natures->modules_end &&
	       word % 8 == 0 && is_read_only(natures, word);
}

static uint16_t classify_object(struct natures *natures, uint64_t word)
{
	uint32_t *slot = find_slot(natures, word);
	if (*slot == 0) {
		if (!is_read_only(natures, word))
			return NATURE_DATA;
		if (natures->addresses.nr == NATURES_MOST_OBJECTS ||
		    !nature_address_vec_push(&natures->addresses, word))
			return NATURE_POINTERS;
		*slot = (uint32_t)natures->addresses.nr;
	}
	return (uint16_t)(NATURE_OBJECT + *slot - 1);
}

static bool is_printable(unsigned char byte)
{
	return (byte >= 0x20 && byte != 0x7f) || (byte >= '\t' && byte <= '\r');
}

/* At least four printable bytes, up to a NUL or to the end of what is looked at. */
static bool is_text(const uint64_t *words, size_t nr)
{
	const unsigned char *bytes = (const unsigned char *)words;
	size_t length = nr * sizeof(*words);
	size_t i = 0;
	while (i < length && is_printable(bytes[i]))
		i++;
	return i >= 4 && (i == length || bytes[i] == '\0');
}

void natures_set_heap(struct natures *natures, uint64_t start, uint64_t end)
{
	natures->heap_start = start;
	natures->heap_end = end;
}

static bool is_heap_pointer(const struct natures *natures, uint64_t word)
{
	return word >= natures->heap_start && word < natures->heap_end;
}

uint16_t natures_classify(struct natures *natures, const uint64_t *words, size_t nr)
{
	if (nr == 0)
		return NATURE_DATA;
	if (nr > NATURE_BYTES / 8)
		nr = NATURE_BYTES / 8;
	uint64_t first = words[0];
	if (is_heap_pointer(natures, first))
		return NATURE_POINTERS;
	if (first - natures->modules_start <
		    natures->modules_end - natures->modules_start &&
	    first % 8 == 0)
		return classify_object(natures, first);
	bool all_zero = true, any_pointer = false;
	for (size_t i = 0; i < nr; i++) {
		all_zero = all_zero && words[i] == 0;
		any_pointer = any_pointer || is_heap_pointer(natures, words[i]);
	}
	if (all_zero)
		return NATURE_ZERO;
	if (any_pointer)
		return NATURE_POINTERS;
	return is_text(words, nr) ? NATURE_TEXT : NATURE_DATA;
}

/* Room for the name of one more, once they are named. */
static bool name_more(struct natures *natures, const char *name)
{
	size_t nr = natures->addresses.nr;
	char **names = realloc(natures->names, (nr + 2) * sizeof(*names));
	if (!names)
		return false;
	natures->names = names;
	return (names[nr] = strdup(name));
}

uint16_t natures_add_type(struct natures *natures, const char *name)
{
	char *copy = natures->addresses.nr < NATURES_MOST_OBJECTS ? strdup(name) : NULL;
	if (!copy || !nature_name_vec_push(&natures->type_names, copy)) {
		free(copy);
		return 0;
	}
	if ((natures->names && !name_more(natures, name)) ||
	    !nature_address_vec_push(&natures->addresses, 0)) {
		free(copy);
		natures->type_names.nr--;
		return 0;
	}
	natures->first_type = natures->addresses.nr - natures->type_names.nr;
	return (uint16_t)(NATURE_OBJECT + natures->addresses.nr - 1);
}

/* Of a vtable, or of a type that was added. */
static const char *name_of(const struct natures *natures, size_t number,
			   struct symbols *symbols)
{
	if (natures->type_names.nr && number >= natures->first_type)
		return natures->type_names.items[number - natures->first_type];
	return symbols_vtable_class(symbols, natures->addresses.items[number]);
}

struct error *natures_name(struct natures *natures, struct symbols *symbols)
{
	natures->names = calloc(natures->addresses.nr + 1, sizeof(*natures->names));
	if (!natures->names)
		return error_no_memory();
	for (size_t i = 0; i < natures->addresses.nr; i++) {
		const char *name = name_of(natures, i, symbols);
		if (name && !(natures->names[i] = strdup(name)))
			return error_no_memory();
	}
	return NULL;
}

const char *natures_class(const struct natures *natures, uint16_t code)
{
	return code >= NATURE_OBJECT && natures->names
		       ? natures->names[code - NATURE_OBJECT]
		       : NULL;
}

bool natures_is_type(const struct natures *natures, uint16_t code)
{
	return natures_class(natures, code) &&
	       natures->addresses.items[code - NATURE_OBJECT] == 0;
}

uint64_t natures_vtable(const struct natures *natures, uint16_t code)
{
	/* Stored natures have names only. */
	bool known = natures_class(natures, code) &&
		     (size_t)(code - NATURE_OBJECT) < natures->addresses.nr;
	return known ? natures->addresses.items[code - NATURE_OBJECT] : 0;
}

const char *natures_word(const struct natures *natures, uint16_t code)
{
	static const char *const words[] = {
		[NATURE_DATA] = "data",
		[NATURE_ZERO] = "zeros",
		[NATURE_TEXT] = "text",
		[NATURE_POINTERS] = "pointers",
	};
	(void)natures;
	return code < ARRAY_SIZE(words) ? words[code] : "pointers";
}
