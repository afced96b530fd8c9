/*
 * typing_python: objects of CPython, which say themselves of what type they are. See typing_priv.h.
 *
 * Where the members of its headers stand is told by its debug information. An object is believed
 * only if all agrees: its type is an object whose type, or whose type's type, … is `type`, which
 * is its own; it has references; what goes before it is what its type's flags want (PyGC_Head, and
 * since 3.11 a pre-header); and its block has the size that its type, and its number of items,
 * make. Objects in arenas of CPython's own allocator are no blocks.
 */
#include "analyse/typing_priv.h"

#include <string.h>

#include "base/str.h"

/* Metaclasses of metaclasses. */
#define CHAIN_MAX      4u
#define NAME_MAX_BYTES 128u
/* Include/object.h: tp_flags. */
enum {
	FLAG_INLINE_VALUES = 1 << 2,
	FLAG_PREHEADER = 1 << 3 | 1 << 4,
	FLAG_GC = 1 << 14,
};
/* Of what inline values come to, at most: 30 of them. */
#define INLINE_BYTES   512u
#define REFERENCES_MAX ((uint64_t)1 << 40)

/* What a PyTypeObject says. */
struct python_type {
	uint64_t basic_size, item_size, flags;
	bool is_text, is_int;
	uint32_t types[3]; /* with 0, 16 and 32 bytes before; TYPE_NONE: not made yet */
	uint32_t layout;   /* the record of its objects, where one is known */
	char name[NAME_MAX_BYTES];
};
DEFINE_VEC(python_type_vec, struct python_type);

struct python {
	struct run *run;
	uint64_t root; /* the address of `type` */
	uint64_t ob_type, ob_size, tp_name, tp_basicsize, tp_itemsize, tp_flags;
	struct python_type_vec types;
	struct map
		known; /* numbers of types plus one by address; UINT64_MAX: it is none */
};

/* The records of objects that lead to blocks. */
static const char *const layouts[][2] = {
	{ "dict", "PyDictObject" },
	{ "list", "PyListObject" },
	{ "set", "PySetObject" },
	{ "frozenset", "PySetObject" },
};

/* --- types ---------------------------------------------------------------------------- */

static bool word_at(const struct python *python, uint64_t address, uint64_t *word)
{
	return reader_word(&python->run->reader, address, word);
}

/* A name that can be one; it is as long as it is, and ends in what can be read. */
static bool read_name(const struct python *python, uint64_t address, char *name)
{
	for (size_t i = 0; i < NAME_MAX_BYTES; i++) {
		if (!reader_bytes(&python->run->reader, address + i, &name[i], 1))
			return false;
		if (!name[i])
			return i > 0;
		unsigned char byte = (unsigned char)name[i];
		if (byte <= ' ' || byte == 0x7f)
			return false;
	}
	return false;
}

static bool leads_to_root(const struct python *python, uint64_t type)
{
	for (unsigned i = 0; i < CHAIN_MAX; i++) {
		if (!word_at(python, type + python->ob_type, &type))
			return false;
		if (type == python->root)
			return true;
	}
	return false;
}

static bool read_type(const struct python *python, uint64_t address,
		      struct python_type *type)
{
	uint64_t name;
	*type = (struct python_type){ 0 };
	if (address % 8 || !leads_to_root(python, address) ||
	    !word_at(python, address + python->tp_name, &name) ||
	    !word_at(python, address + python->tp_basicsize, &type->basic_size) ||
	    !word_at(python, address + python->tp_itemsize, &type->item_size) ||
	    !word_at(python, address + python->tp_flags, &type->flags) ||
	    type->basic_size < 16 || type->basic_size > 1u << 20 ||
	    type->item_size > 1u << 16 || !read_name(python, name, type->name))
		return false;
	type->is_text = !strcmp(type->name, "str");
	type->is_int = !strcmp(type->name, "int");
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		if (!strcmp(type->name, layouts[i][0]))
			type->layout = types_named(python->run->types, layouts[i][1]);
	return true;
}

/* NULL: there is no type. */
static struct python_type *type_at(struct python *python, uint64_t address)
{
	struct python_type type;
	if (address < 4096)
		return NULL;
	const uint64_t *seen = map_find(&python->known, address);
	if (seen && *seen)
		return *seen == UINT64_MAX ? NULL : &python->types.items[*seen - 1];
	/* Any word may come by here: where it does not lead to memory nothing is kept of it. */
	if (!target_region(python->run->task->target, address))
		return NULL;
	bool is_type = read_type(python, address, &type) &&
		       python_type_vec_push(&python->types, type);
	uint64_t *known = map_at(&python->known, address);
	if (!known || !is_type) {
		if (known)
			*known = UINT64_MAX;
		return NULL;
	}
	*known = python->types.nr;
	return &python->types.items[python->types.nr - 1];
}

/* --- objects -------------------------------------------------------------------------- */

static bool fits_before(const struct python_type *type, uint64_t before)
{
	/* PyGC_Head has 16 bytes since 3.8, and had 32; a pre-header has 16. */
	if (!(type->flags & FLAG_GC))
		return before == 0;
	return before == 32 || (before == 16 && !(type->flags & FLAG_PREHEADER));
}

/* Strings that carry their letters: PyASCIIObject and PyCompactUnicodeObject, by the size of
   PyUnicodeObject, which is 80 up to 3.11 and 64 from 3.12 on. */
static uint64_t text_bytes(const struct python *python, const struct python_type *type,
			   uint64_t address)
{
	uint64_t length, ascii = type->basic_size == 80 ? 48 : 40;
	uint32_t state;
	if ((type->basic_size != 80 && type->basic_size != 64) ||
	    !word_at(python, address + 16, &length) || length > UINT32_MAX ||
	    !reader_bytes(&python->run->reader, address + 32, &state, sizeof(state)))
		return 0;
	uint64_t width = state >> 2 & 7;
	bool is_compact = state >> 5 & 1, is_ascii = state >> 6 & 1;
	if (!is_compact)
		return type->basic_size;
	if (width != 1 && width != 2 && width != 4)
		return 0;
	return (is_ascii ? ascii : type->basic_size - 8) + (length + 1) * width;
}

/* As many items as an object says that it has; of an int since 3.12 in the upper bits. */
static bool fits_items(const struct python *python, const struct python_type *type,
		       uint64_t address, const struct met *met, uint64_t before)
{
	uint64_t word;
	if (!word_at(python, address + python->ob_size, &word))
		return false;
	uint64_t nr = (int64_t)word < 0 ? -word : word;
	const uint64_t numbers[] = { nr, nr + 1, type->is_int ? word >> 3 : nr };
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (numbers[i] <= UINT32_MAX &&
		    met_fits(met,
			     before + type->basic_size + numbers[i] * type->item_size))
			return true;
	return false;
}

static bool fits(const struct python *python, const struct python_type *type,
		 const struct met *met, uint64_t before)
{
	uint64_t address = met->address + before;
	if (type->is_text) {
		uint64_t bytes = text_bytes(python, type, address);
		return bytes && met_fits(met, before + bytes);
	}
	if (type->item_size)
		return fits_items(python, type, address, met, before);
	uint64_t most = before + type->basic_size;
	if (type->flags & FLAG_INLINE_VALUES)
		return most <= met->size && met->size <= most + INLINE_BYTES;
	return met_fits(met, most);
}

static void claim(struct python *python, struct python_type *type, const struct met *met,
		  uint64_t before)
{
	uint32_t *number = &type->types[before / 16];
	struct str name = { 0 };
	str_printf(&name, "Python %s", type->name);
	if (!*number && !name.failed)
		*number = types_headed(python->run->types, str_text(&name), type->layout,
				       before);
	str_deinit(&name);
	const struct claim said = {
		.type = *number,
		.evidence = TYPING_OBJECT,
		.nr = UINT32_MAX,
	};
	if (*number)
		run_claim(python->run, met, &said);
}

static void look_at_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	struct python *python = context;
	struct met met;
	(void)rank;
	if (!run_meets(python->run, address, &met))
		return;
	for (uint64_t before = 0; before <= 32 && before + 16 <= size; before += 16) {
		uint64_t references, type_address;
		if (!word_at(python, address + before, &references) ||
		    !word_at(python, address + before + python->ob_type, &type_address) ||
		    !references || references > REFERENCES_MAX)
			continue;
		struct python_type *type = type_at(python, type_address);
		if (!type || !fits_before(type, before) ||
		    !fits(python, type, &met, before))
			continue;
		claim(python, type, &met, before);
		return;
	}
}

/* --- the root --------------------------------------------------------------------------- */

static bool find_offset(struct python *python, uint32_t type, const char *name,
			uint64_t *offset)
{
	struct type_member member;
	bool found = types_find(python->run->types, type, name, &member);
	*offset = found ? member.offset : 0;
	return found;
}

/* Whether a variable is `type`: PyType_Type is of its own type, and called so. */
static bool is_root(struct python *python, uint32_t type, uint64_t address)
{
	uint64_t own, name;
	char text[NAME_MAX_BYTES];
	if (!find_offset(python, type, "ob_type", &python->ob_type) ||
	    !find_offset(python, type, "ob_size", &python->ob_size) ||
	    !find_offset(python, type, "tp_name", &python->tp_name) ||
	    !find_offset(python, type, "tp_basicsize", &python->tp_basicsize) ||
	    !find_offset(python, type, "tp_itemsize", &python->tp_itemsize) ||
	    !find_offset(python, type, "tp_flags", &python->tp_flags) ||
	    python->ob_type != 8 || python->ob_size != 16)
		return false;
	return word_at(python, address + python->ob_type, &own) && own == address &&
	       word_at(python, address + python->tp_name, &name) &&
	       read_name(python, name, text) && !strcmp(text, "type");
}

static bool find_root(struct python *python)
{
	struct types *types = python->run->types;
	for (size_t i = 0; i < types_nr_variables(types); i++) {
		struct types_variable variable;
		uint32_t type = types_variable(types, i, &variable);
		const char *name = types_get(types, type)->name;
		if (!name || strcmp(name, "_typeobject") != 0 ||
		    variable.is_thread_local || !is_root(python, type, variable.address))
			continue;
		python->root = variable.address;
		return true;
	}
	return false;
}

void run_begin_with_python(struct run *run)
{
	struct python python = { .run = run };
	if (find_root(&python))
		space_each(run->task->space, look_at_block, &python);
	python_type_vec_deinit(&python.types);
	map_deinit(&python.known);
}
