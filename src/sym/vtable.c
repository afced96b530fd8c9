/*
 * vtable: which class a vtable pointer stands for. See symbols_vtable_class().
 *
 * The layout is the Itanium C++ ABI's (2.5.2 and 2.9.5), for 64-bit targets. An address
 * point has two words before it: how far the object's top is away, and the address of the
 * class's type information, which begins with a vtable pointer of its own and the address
 * of the class's mangled name. A type information object is one of three kinds for
 * classes that have a vtable, and the type information of its own vtable says which; that
 * is the proof that holds in stripped programs.
 */
#include "sym/symbols_priv.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define WORD              ((uint64_t)8)
#define OFFSET_TO_TOP_MAX ((int64_t)1 << 24)
#define TYPE_NAME_CEILING ((size_t)64 << 10)
#define TYPE_NAME_PIECE   ((size_t)256)
#define SLOTS_LOOKED_AT   8

/* The mangled names of the kinds of type information that classes have. */
static const char *const class_infos[] = {
	"N10__cxxabiv117__class_type_infoE",
	"N10__cxxabiv120__si_class_type_infoE",
	"N10__cxxabiv121__vmi_class_type_infoE",
};

static bool read_words(struct symbols *symbols, uint64_t address, uint64_t *words,
		       size_t nr)
{
	struct error *error = target_read(symbols->target, address, words, nr * WORD);
	bool was_read = !error;
	error_destroy(error);
	return was_read;
}

static bool is_code(const struct symbols *symbols, uint64_t address)
{
	const struct region *region = target_region(symbols->target, address);
	return region && (region->flags & REGION_EXEC) &&
	       symbols_module_of(symbols, address);
}

static bool is_module_data(const struct symbols *symbols, uint64_t address)
{
	return symbols_module_of(symbols, address) && !is_code(symbols, address);
}

static bool is_in_segment(const struct module_names *names, uint32_t type,
			  uint64_t address)
{
	size_t nr;
	const struct elf_segment *segments = elf_file_segments(names->file, &nr);
	for (size_t i = 0; i < nr; i++) {
		const struct elf_segment *segment = &segments[i];
		if (segment->type == type &&
		    address - names->bias - segment->address < segment->memory_size)
			return true;
	}
	return false;
}

static bool has_segment(const struct module_names *names, uint32_t type)
{
	size_t nr;
	const struct elf_segment *segments = elf_file_segments(names->file, &nr);
	for (size_t i = 0; i < nr; i++) {
		if (segments[i].type == type)
			return true;
	}
	return false;
}

/*
 * What the program cannot write, or could only while it was relocated. Programs linked
 * with -z norelro keep such data writable for good; there any of a module's data counts.
 */
static bool is_constant(struct symbols *symbols, uint64_t address)
{
	const struct region *region = target_region(symbols->target, address);
	const struct module *module = symbols_module_of(symbols, address);
	if (!region || !module || !(region->flags & REGION_READ))
		return false;
	if (!(region->flags & REGION_WRITE))
		return true;
	struct module_names *names = symbols_module_names(symbols, module);
	return names && names->file &&
	       (!has_segment(names, PT_GNU_RELRO) ||
		is_in_segment(names, PT_GNU_RELRO, address));
}

/* --- type information --------------------------------------------------------------- */

static bool is_mangled_byte(unsigned char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= 'a' && byte <= 'z') || byte == '_' || byte == '.' ||
	       byte == '$' || byte == '*' || byte >= 0x80;
}

static bool append_mangled(struct str *name, const char *piece, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!is_mangled_byte((unsigned char)piece[i]))
			return false;
	}
	str_append(name, piece, length);
	return !name->failed;
}

/* The NUL-terminated mangled name at an address, for the caller to free; NULL: none. */
static char *read_type_name(struct symbols *symbols, uint64_t address)
{
	struct str name = { 0 };
	bool is_whole = false, is_good = is_constant(symbols, address);
	while (is_good && !is_whole && name.length < TYPE_NAME_CEILING) {
		const struct region *region = target_region(symbols->target, address);
		if (!region)
			break;
		char piece[TYPE_NAME_PIECE];
		size_t size = sizeof(piece);
		if (region->end - address < size)
			size = (size_t)(region->end - address);
		struct error *error = target_read(symbols->target, address, piece, size);
		is_good = !error;
		error_destroy(error);
		if (!is_good)
			break;
		size_t length = strnlen(piece, size);
		is_whole = length < size;
		is_good = append_mangled(&name, piece, length);
		address += size;
	}
	if (is_whole && is_good && name.length)
		return str_take(&name);
	str_deinit(&name);
	return NULL;
}

/* The name that the type information at an address gives, unchecked otherwise. */
static char *type_info_name(struct symbols *symbols, uint64_t type_info)
{
	uint64_t words[2];
	if (type_info % WORD || !is_constant(symbols, type_info) ||
	    !read_words(symbols, type_info, words, 2))
		return NULL;
	return read_type_name(symbols, words[1]);
}

/* Whether the object there is type information of a kind that classes have. */
static bool is_class_info(struct symbols *symbols, uint64_t type_info)
{
	uint64_t vtable, kind;
	if (type_info % WORD || !is_constant(symbols, type_info) ||
	    !read_words(symbols, type_info, &vtable, 1) || vtable % WORD ||
	    !symbols_module_of(symbols, vtable - WORD) ||
	    !read_words(symbols, vtable - WORD, &kind, 1))
		return false;
	char *name = type_info_name(symbols, kind);
	bool is_known = false;
	for (size_t i = 0; name && i < ARRAY_SIZE(class_infos); i++)
		is_known |= strcmp(name, class_infos[i]) == 0;
	free(name);
	return is_known;
}

/* Takes `prefix` off; NULL if it does not begin with it. `text` is freed either way. */
static char *without_prefix(char *text, const char *prefix)
{
	size_t length = strlen(prefix);
	char *rest = NULL;
	if (text && strncmp(text, prefix, length) == 0)
		rest = strdup(text + length);
	free(text);
	return rest;
}

/* A name that is too long for the demangler is given as it stands. */
static char *class_of_type_name(const char *name)
{
	struct str symbol = { 0 };
	str_puts(&symbol, "_ZTS");
	/* GCC marks names that are compared by address with '*'. */
	str_puts(&symbol, *name == '*' ? name + 1 : name);
	char *readable = symbol.failed ? NULL : symbols_readable(str_text(&symbol));
	bool is_long = symbol.length > SYMBOLS_DEMANGLE_MAX;
	str_deinit(&symbol);
	return without_prefix(readable, is_long ? "_ZTS" : "typeinfo name for ");
}

static char *class_of_type_info(struct symbols *symbols, uint64_t type_info)
{
	if (!is_class_info(symbols, type_info))
		return NULL;
	char *name = type_info_name(symbols, type_info);
	char *class = name ? class_of_type_name(name) : NULL;
	free(name);
	return class;
}

/* --- vtables ------------------------------------------------------------------------ */

/*
 * Whether a virtual function is listed behind the address point. Destructors of abstract
 * classes leave zeros; the first slot that is none must lead to code.
 */
static bool has_functions(struct symbols *symbols, uint64_t address)
{
	for (unsigned i = 0; i < SLOTS_LOOKED_AT; i++) {
		uint64_t slot;
		if (!read_words(symbols, address + i * WORD, &slot, 1))
			return false;
		if (slot)
			return is_code(symbols, slot);
	}
	return false;
}

static bool is_vtable_symbol(const struct elf_symbol *symbol)
{
	return symbol && strncmp(symbol->name, "_ZTV", 4) == 0;
}

static char *class_of_symbol(const struct elf_symbol *symbol)
{
	char *readable = symbols_readable(symbol->name);
	bool is_mangled = readable && strncmp(readable, "_ZTV", 4) == 0;
	return without_prefix(readable, is_mangled ? "_ZTV" : "vtable for ");
}

/* Whether an address in a vtable that has a symbol is an address point. A program built
   with -fno-rtti has a zero in place of the type information. */
static bool fits_symbol(struct symbols *symbols, uint64_t address, uint64_t type_info)
{
	if (type_info == 0)
		return has_functions(symbols, address);
	return is_module_data(symbols, type_info) || is_class_info(symbols, type_info);
}

static char *find_class(struct symbols *symbols, const struct module *module,
			uint64_t address)
{
	struct module_names *names = symbols_module_names(symbols, module);
	uint64_t words[2]; /* offset to top, type information */
	if (!names || !names->file || elf_file_class(names->file) != 64 ||
	    !read_words(symbols, address - 2 * WORD, words, 2))
		return NULL;
	int64_t offset_to_top = (int64_t)words[0];
	uint64_t type_info = words[1];
	if (offset_to_top >= OFFSET_TO_TOP_MAX || offset_to_top <= -OFFSET_TO_TOP_MAX)
		return NULL;

	/* The word before the address point is always inside the vtable; the address point
	   itself may be its end (no virtual functions, only virtual bases). */
	const struct elf_symbol *symbol = symbols_cover(symbols, names, address - WORD);
	if (is_vtable_symbol(symbol))
		return fits_symbol(symbols, address, type_info) ? class_of_symbol(symbol)
								: NULL;
	return has_functions(symbols, address) ? class_of_type_info(symbols, type_info)
					       : NULL;
}

const char *symbols_vtable_class(struct symbols *symbols, uint64_t address)
{
	if (address % WORD)
		return NULL;
	const char *known;
	if (name_table_find(&symbols->classes, address, &known))
		return known;
	const struct module *module = symbols_module_of(symbols, address - WORD);
	if (!module)
		return NULL;
	char *class = find_class(symbols, module, address);
	return name_table_add(&symbols->classes, address, class) ? class : NULL;
}
