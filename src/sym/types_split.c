/*
 * types_split: units of which only a skeleton is in the program (-gsplit-dwarf), and all else in the
 * object's .dwo file. See types_priv.h.
 *
 * libdw would open by itself whatever path the skeleton names. So the file is opened here, and what
 * ties both together is done here, too: the part has the skeleton's id, and takes addresses from the
 * program's .debug_addr, where the skeleton says its own begin (DWARF 5, 3.1.2 and 7.27; of DWARF 4
 * GCC's and clang's extension of the same form, whose attributes have GNU in their names).
 */
#include "sym/types_priv.h"

#include <dwarf.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"

/* More files than any program has objects. */
#define PARTS_MAX 65536u

static const char *text_of(Dwarf_Die *die, unsigned name, unsigned gnu_name)
{
	Dwarf_Attribute attribute;
	const char *text = dwarf_formstring(dwarf_attr(die, name, &attribute));
	if (!text && gnu_name)
		text = dwarf_formstring(dwarf_attr(die, gnu_name, &attribute));
	return text && strnlen(text, 4096) < 4096 ? text : NULL;
}

/* The path of the part; the caller frees it. NULL: the skeleton says none. */
static char *path_of(Dwarf_Die *skeleton)
{
	const char *name = text_of(skeleton, DW_AT_dwo_name, DW_AT_GNU_dwo_name);
	const char *folder = text_of(skeleton, DW_AT_comp_dir, 0);
	char *path = NULL;
	if (!name)
		return NULL;
	if (name[0] == '/' || !folder)
		return strdup(name);
	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* --- addresses ------------------------------------------------------------------------- */

static void find_addresses(struct types_walk *part, Dwarf_Die *skeleton)
{
	Dwarf_Attribute attribute;
	Dwarf_Word base = 0;
	size_t size;
	const char *bytes = dwarf_file_section(part->dwarf, ".debug_addr", &size);
	part->addresses = "";
	part->nr_addresses = 0;
	if (!bytes ||
	    (dwarf_formudata(dwarf_attr(skeleton, DW_AT_addr_base, &attribute), &base) &&
	     dwarf_formudata(dwarf_attr(skeleton, DW_AT_GNU_addr_base, &attribute),
			     &base)) ||
	    base > size)
		return;
	part->addresses = bytes + base;
	part->nr_addresses = (size - base) / sizeof(uint64_t);
}

/* --- parts ------------------------------------------------------------------------------ */

static bool has_id(Dwarf_CU *unit, uint64_t id)
{
	uint64_t its = 0;
	uint8_t type = 0;
	return dwarf_cu_info(unit, NULL, &type, NULL, NULL, &its, NULL, NULL) == 0 &&
	       type == DW_UT_split_compile && its == id;
}

/* False: it is of another build. */
static bool index_units(const struct types_walk *walk, uint64_t id)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;
	bool found = false;
	while (!found && types_step(walk->types) &&
	       dwarf_get_units(walk->dwarf->dwarf, unit, &unit, NULL, NULL, NULL, NULL) ==
		       0)
		found = has_id(unit, id);
	if (!found)
		return false;
	unit = NULL;
	while (types_step(walk->types) && dwarf_get_units(walk->dwarf->dwarf, unit, &unit,
							  NULL, NULL, &die, NULL) == 0)
		types_index_unit(walk, &die);
	return true;
}

static void note_missing(struct types *types, const char *of, const char *path)
{
	if (types->nr_parts_missing++)
		return;
	types->first_part_missing = strdup(path);
	types->parts_missing_of = strdup(of);
}

/* False: it cannot be used. */
static bool index_part(const struct types_walk *walk, const char *path, uint64_t id,
		       Dwarf_Die *skeleton)
{
	struct types *types = walk->types;
	struct types_walk part = *walk;
	struct dwarf_file *opened = NULL;
	/* What many name would be read as often. */
	uint64_t *known =
		map_at(&types->parts, hash_bytes(HASH_SEED, path, strlen(path)));
	if (!known || *known || types->files.nr > PARTS_MAX || !types_have_room(types))
		return false;
	*known = 1;
	find_addresses(&part, skeleton);
	struct error *error = dwarf_file_open_part(walk->target, path, &opened);
	error_destroy(error);
	if (error || !types_add_file(types, path, opened))
		return false;
	uint32_t file = types->current->number;
	part.dwarf = opened;
	types_go_on_in(types, (uint32_t)types->files.nr - 1);
	bool is_right = index_units(&part, id);
	types_go_on_in(types, file);
	return is_right;
}

void types_index_part(const struct types_walk *walk, Dwarf_CU *unit, Dwarf_Die *skeleton)
{
	struct types *types = walk->types;
	uint64_t id = 0;
	CLEANUP_FREE char *path = path_of(skeleton);
	if (!path || dwarf_cu_info(unit, NULL, NULL, NULL, NULL, &id, NULL, NULL) != 0 ||
	    !index_part(walk, path, id, skeleton))
		note_missing(types, types->current->path,
			     path ? path : "one without a name");
}
