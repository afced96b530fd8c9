/* types: life, and what can be asked. See types.h. */
#include "sym/types_priv.h"

#include <ctype.h>
#include <dwarf.h>
#include <string.h>

#include "base/str.h"

/* --- classes ------------------------------------------------------------------------ */

/* What is written in one of several ways, by compilers and the demangler; spaces are left out. */
static const char *const spellings[][2] = {
	{ "(__gnu_cxx::_Lock_policy)2", "__gnu_cxx::_S_atomic" },
	{ "longlongunsignedint", "unsignedlonglong" },
	{ "longunsignedint", "unsignedlong" },
	{ "shortunsignedint", "unsignedshort" },
	{ "longlongint", "longlong" },
	{ "longint", "long" },
	{ "shortint", "short" },
};

static bool is_word(char byte)
{
	return isalnum((unsigned char)byte) || byte == '_';
}

/* The length of a number's suffix: "ul" of "4ul". */
static size_t suffix_at(const struct str *so_far, const char *text)
{
	size_t digits = 0, length = so_far->length;
	while (digits < length &&
	       isdigit((unsigned char)so_far->text[length - digits - 1]))
		digits++;
	if (!digits || (digits < length && is_word(so_far->text[length - digits - 1])))
		return 0;
	return strspn(text, "uUlL");
}

static void put_plain(struct str *out, const char *name)
{
	struct str squeezed = { 0 };
	for (; *name; name++)
		if (*name != ' ')
			str_append(&squeezed, name, 1);
	for (const char *at = str_text(&squeezed); *at;) {
		size_t i = 0, skip = suffix_at(out, at);
		while (i < ARRAY_SIZE(spellings) &&
		       strncmp(at, spellings[i][0], strlen(spellings[i][0])) != 0)
			i++;
		if (skip) {
			at += skip;
		} else if (i < ARRAY_SIZE(spellings)) {
			str_puts(out, spellings[i][1]);
			at += strlen(spellings[i][0]);
		} else {
			str_append(out, at++, 1);
		}
	}
	str_deinit(&squeezed);
}

static uint64_t plain_hash(const char *name)
{
	struct str plain = { 0 };
	put_plain(&plain, name);
	uint64_t hash = hash_bytes(HASH_SEED, str_text(&plain), plain.length);
	str_deinit(&plain);
	return hash;
}

static void add_class(struct types *types, size_t number)
{
	struct types_record *record = &types->records.items[number];
	const char *name = types_record_name(types, record);
	uint64_t *known = name ? map_at(&types->classes_by_name, plain_hash(name)) : NULL;
	if (!known)
		return;
	if (!*known) {
		*known = number + 1;
	} else if (*known != UINT64_MAX) {
		struct types_record *other = &types->records.items[*known - 1];
		/* Two of one name: nobody can tell which is meant. */
		if (types_identity(types, &other->die, 0) !=
		    types_identity(types, &record->die, 0))
			*known = UINT64_MAX;
	}
}

/* Classes that have a vtable say in which class its pointer stands. */
static void find_classes(void *context)
{
	struct types *types = context;
	for (size_t i = 0; i < types->records.nr; i++) {
		struct types_record *record = &types->records.items[i];
		types_go_on_in(types, record->file);
		if (types_step(types) && !record->is_declaration && record->name &&
		    dwarf_hasattr(&record->die, DW_AT_containing_type))
			add_class(types, i);
	}
}

/* --- life --------------------------------------------------------------------------- */

struct opened {
	struct types_walk walk;
	const char *path;
};

static void index_file(void *context)
{
	const struct opened *opened = context;
	types_index(&opened->walk);
	if (opened->walk.dwarf->shared) {
		struct types_walk shared = opened->walk;
		shared.dwarf = shared.dwarf->shared;
		types_index(&shared);
	}
}

/* Takes the file over. */
static struct error *add_file(struct opened *opened)
{
	struct types *types = opened->walk.types;
	if (!types_add_file(types, opened->path, opened->walk.dwarf))
		return error_no_memory();
	types->nr_modules++;
	types_go_on_in(types, (uint32_t)types->files.nr - 1);
	types->is_broken |= !dwarf_file_guard(index_file, opened);
	return NULL;
}

/* A module that cannot be read has no types; one that was built without debug information, too, and
   that is said of the program alone. */
static struct error *warn_of_module(struct types *types, struct error *error,
				    bool is_program)
{
	struct error *failure = NULL;
	if (error->code != ERROR_REFUSED || is_program)
		failure = sentences_add(&types->warnings,
					"%s: its types are not told%s%s", error->sentence,
					error->remedy ? "; " : "",
					error->remedy ? error->remedy : "");
	error_destroy(error);
	return failure;
}

static struct error *add_module(struct types *types, struct target *target,
				struct symbols *symbols, const struct module *module)
{
	struct opened opened = { .walk = { .types = types,
					   .module_start = module->start,
					   .target = target },
				 .path = module->path };
	struct elf_file *elf = symbols_elf_file(symbols, module, &opened.walk.bias);
	if (!elf || elf_file_class(elf) != 64)
		return NULL;
	if (!types_have_room(types))
		return sentences_add(&types->warnings,
				     "%s: its types are not told, for debug information "
				     "fills half of the memory that may be used: look "
				     "from a snapshot on a larger machine",
				     module->path);
	opened.walk.segments = elf_file_segments(elf, &opened.walk.nr_segments);
	struct error *error = dwarf_file_open_module(target, module, &opened.walk.dwarf);
	if (error && error->code == ERROR_MEMORY)
		return error;
	if (error)
		return warn_of_module(types, error, module == target->modules.items);
	return add_file(&opened);
}

/* With type number 0. */
static struct types *begin(void)
{
	const struct type none = { .kind = TYPE_NAMED };
	struct types *types = calloc(1, sizeof(*types));
	if (!types)
		return NULL;
	if (types_add_file(types, "", NULL)) {
		types_enter(types, 0);
		types_add(types, &none, NULL, 0);
	}
	if (types->types.nr)
		return types;
	types_destroy(types);
	return NULL;
}

/* What is asked of all records is found out now, while nobody waits for it. */
static void finish(struct types *types)
{
	types_find_heirs(types);
	types_sort_functions(types);
	if (!types->is_broken)
		types->is_broken = !dwarf_file_guard(find_classes, types);
	types->is_complete = true;
	types->memory = 0;
}

struct error *types_open(const char *path, struct types **result)
{
	struct types *types = begin();
	struct opened opened = { .walk = { .types = types }, .path = path };
	if (!types)
		return error_no_memory();
	struct error *error = dwarf_file_open(path, NULL, &opened.walk.dwarf);
	if (!error)
		error = add_file(&opened);
	if (error) {
		types_destroy(types);
		return error;
	}
	finish(types);
	*result = types;
	return NULL;
}

struct error *types_create(struct target *target, struct symbols *symbols,
			   struct types **result)
{
	struct types *types = begin();
	if (!types)
		return error_no_memory();
	struct error *error = NULL;
	for (size_t i = 0; !error && i < target->modules.nr; i++)
		error = add_module(types, target, symbols, &target->modules.items[i]);
	if (error) {
		types_destroy(types);
		return error;
	}
	finish(types);
	*result = types;
	return NULL;
}

void types_destroy(struct types *types)
{
	if (!types)
		return;
	for (size_t i = 0; i < types->files.nr; i++) {
		dwarf_file_close(types->files.items[i]->dwarf);
		free(types->files.items[i]->path);
		free(types->files.items[i]);
	}
	for (size_t i = 0; i < types->texts.nr; i++)
		free(types->texts.items[i]);
	types_file_vec_deinit(&types->files);
	sentences_deinit(&types->warnings);
	free(types->first_part_missing);
	free(types->parts_missing_of);
	text_ptr_vec_deinit(&types->texts);
	types_scope_vec_deinit(&types->scopes);
	types_record_vec_deinit(&types->records);
	types_place_vec_deinit(&types->places);
	types_function_vec_deinit(&types->functions);
	type_vec_deinit(&types->types);
	types_entry_vec_deinit(&types->entries);
	type_member_vec_deinit(&types->members);
	types_heir_vec_deinit(&types->heirs);
	struct map *const maps[] = {
		&types->records_by_die, &types->records_by_name, &types->nicknames,
		&types->by_die,         &types->by_identity,     &types->by_class,
		&types->heirs_seen,     &types->heirs_told,      &types->classes_by_name,
		&types->definitions,    &types->parts,
	};
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		map_deinit(maps[i]);
	free(types);
}

/* --- types -------------------------------------------------------------------------- */

size_t types_nr_modules(const struct types *types)
{
	return types->nr_modules;
}

const struct type *types_get(const struct types *types, uint32_t type)
{
	return &types->types.items[type < types->types.nr ? type : TYPE_NONE];
}

const struct type_member *types_members(const struct types *types, uint32_t type)
{
	const struct type *of = types_get(types, type);
	return of->nr_members ? &types->members.items[of->first_member] : NULL;
}

/* What is asked of libdw: the type of an entry, made one. */
struct wanted {
	struct types *types;
	Dwarf_Die die;
	uint32_t type;
};

static void build_type_of(void *context)
{
	struct wanted *wanted = context;
	Dwarf_Die type;
	if (types_type_of(wanted->types, &wanted->die, &type))
		wanted->type = types_build(wanted->types, &type, 0);
}

static uint32_t type_of(struct types *types, const Dwarf_Die *die, uint32_t file)
{
	struct wanted wanted = { .types = types, .die = *die };
	if (types->is_broken)
		return TYPE_NONE;
	types_enter(types, file);
	types->is_broken |= !dwarf_file_guard(build_type_of, &wanted);
	return types->is_broken ? TYPE_NONE : wanted.type;
}

uint32_t types_pointed(struct types *types, uint32_t type)
{
	if (types_get(types, type)->kind != TYPE_POINTER)
		return TYPE_NONE;
	struct types_entry entry = types->entries.items[type];
	if (!entry.pointee_is_known && entry.die.addr) {
		uint32_t target = type_of(types, &entry.die, entry.file);
		types->types.items[type].target = target;
		types->entries.items[type].pointee_is_known = true;
	}
	return types->types.items[type].target;
}

/* A byte says nothing of what it is for. */
uint32_t types_pointee(struct types *types, uint32_t type)
{
	uint32_t target = types_pointed(types, type);
	return types_get(types, target)->size > 1 ? target : TYPE_NONE;
}

size_t types_nr_variables(const struct types *types)
{
	return types->places.nr;
}

uint32_t types_variable(struct types *types, size_t number,
			struct types_variable *variable)
{
	const struct types_place *place = &types->places.items[number];
	*variable = place->variable;
	return type_of(types, &place->die, place->file);
}

static void build_class(void *context)
{
	struct wanted *wanted = context;
	wanted->type = types_build(wanted->types, &wanted->die, 0);
}

static uint32_t described_class(struct types *types, const char *name)
{
	struct wanted wanted = { .types = types };
	const uint64_t *known = map_find(&types->classes_by_name, plain_hash(name));
	if (!known || !*known || *known == UINT64_MAX || types->is_broken)
		return TYPE_NONE;
	wanted.die = types->records.items[*known - 1].die;
	types_enter(types, types->records.items[*known - 1].file);
	types->is_broken |= !dwarf_file_guard(build_class, &wanted);
	if (types->is_broken || !wanted.type)
		return TYPE_NONE;
	/* Classes are called the same wherever their vtables alone are known. */
	const char *spelled = types_keep(types, strdup(name));
	if (spelled)
		types->types.items[wanted.type].name = spelled;
	return wanted.type;
}

uint32_t types_class(struct types *types, const char *name)
{
	uint64_t *known =
		map_at(&types->by_class, hash_bytes(HASH_SEED, name, strlen(name)));
	if (known && *known)
		return (uint32_t)*known - 1;
	uint32_t type = described_class(types, name);
	if (!type) {
		struct type named = { .kind = TYPE_NAMED };
		named.name = types_keep(types, strdup(name));
		type = named.name ? types_add(types, &named, NULL, 0) : TYPE_NONE;
	}
	if (known)
		*known = (uint64_t)type + 1;
	return type;
}

/* --- by name -------------------------------------------------------------------------- */

struct called {
	struct types *types;
	const char *name;
	uint32_t type;
};

static bool is_called(struct types *types, struct types_record *record, const char *name)
{
	const uint64_t *nickname =
		map_find(&types->nicknames, (uintptr_t)record->die.addr);
	const char *own = types_die_name(types, &record->die);
	if (!own && nickname)
		own = (const char *)(uintptr_t)*nickname;
	return own && !strcmp(own, name);
}

static void find_called(void *context)
{
	struct called *called = context;
	struct types *types = called->types;
	bool is_unsure = false;
	types_enter(types, 0);
	for (size_t i = 0; i < types->records.nr; i++) {
		struct types_record *record = &types->records.items[i];
		types_go_on_in(types, record->file);
		if (!types_step(types) || record->is_declaration || record->scope ||
		    !is_called(types, record, called->name))
			continue;
		Dwarf_Die die = record->die;
		uint32_t type = types_build(types, &die, 0);
		is_unsure |= called->type && type != called->type;
		called->type = type;
	}
	if (is_unsure)
		called->type = TYPE_NONE;
}

uint32_t types_named(struct types *types, const char *name)
{
	struct called called = { types, name, TYPE_NONE };
	if (types->is_broken)
		return TYPE_NONE;
	types->is_broken |= !dwarf_file_guard(find_called, &called);
	return types->is_broken ? TYPE_NONE : called.type;
}
