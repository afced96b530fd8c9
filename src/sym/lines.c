/*
 * lines: see lines.h.
 *
 * Units are found by an index of the ranges that they say they have, since not every compiler
 * writes .debug_aranges; functions by one per unit, made when the unit is first met. libdw's own
 * walk through scopes recurses as deep as a file says, so ours has its own stack, and a number
 * of steps after which a file is taken for damaged.
 */
#include "sym/lines.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"
#include "sym/dwarf_file_priv.h"
#include "sym/symbols_priv.h"

/* A Chromium has some 400,000 ranges of units. */
#define RANGES_MAX ((size_t)1 << 22)
/* Entries of the debug information that are looked at before a file counts as damaged. */
#define STEPS_MAX ((uint64_t)1 << 27)
/* Namespaces and classes in each other, blocks and inlined functions in each other. */
#define DEPTH_MAX      128u
#define PATH_DEPTH     128u
#define NAME_MAX_BYTES 4096u

/* A range of addresses, and the offset of the entry that it belongs to. */
struct range {
	uint64_t low, high;
	Dwarf_Off entry;
};
DEFINE_VEC(range_vec, struct range);

struct unit {
	Dwarf_Off entry;
	struct range_vec functions; /* by low */
};
DEFINE_VEC(unit_vec, struct unit);

/* What an address was found to be. */
struct found {
	struct lines_frame *frames;
	size_t nr;
};
DEFINE_VEC(found_vec, struct found);
DEFINE_VEC(frame_vec, struct lines_frame);

struct lines {
	struct dwarf_file *file;
	bool is_indexed;
	bool is_broken; /* libdw ran out of memory: it is not asked again */
	uint64_t steps;
	struct range_vec ranges; /* of units, by low */
	struct unit_vec units;
	struct map unit_numbers; /* by offset of their entries, plus one */
	struct map parents;      /* of entries that are named by them, by offset */
	struct map known;        /* numbers of `found` plus one, by address */
	struct found_vec found;
	struct frame_vec scratch;    /* of the address that is being looked at */
	struct name_table functions; /* by offset of the entry that names them */
	struct name_table files; /* by hash of what libdw calls them and of the unit */
};

static bool step(struct lines *lines)
{
	return ++lines->steps < STEPS_MAX;
}

/* --- ranges ------------------------------------------------------------------------- */

static int by_low(const void *a, const void *b)
{
	const struct range *left = a, *right = b;
	return (left->low > right->low) - (left->low < right->low);
}

static void sort_ranges(struct range_vec *ranges)
{
	if (ranges->nr)
		qsort(ranges->items, ranges->nr, sizeof(*ranges->items), by_low);
}

/* Linkers put what they threw away at 0. */
static void add_ranges(struct lines *lines, Dwarf_Die *die, struct range_vec *ranges)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t at = 0;
	while ((at = dwarf_ranges(die, at, &base, &low, &high)) > 0) {
		struct range range = { low, high, dwarf_dieoffset(die) };
		if (ranges->nr >= RANGES_MAX || !step(lines))
			return;
		if (low && low < high && !range_vec_push(ranges, range))
			return;
	}
}

/* The range that holds an address and begins last. Ranges that overlap are few: one that
   began much earlier is not found. */
static const struct range *range_at(const struct range_vec *ranges, uint64_t address)
{
	size_t low = 0, high = ranges->nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (ranges->items[middle].low <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = 0; i < 8 && low > i; i++)
		if (ranges->items[low - i - 1].high > address)
			return &ranges->items[low - i - 1];
	return NULL;
}

/* --- units -------------------------------------------------------------------------- */

static void index_units(struct lines *lines)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;
	uint8_t type;
	lines->is_indexed = true;
	while (dwarf_get_units(lines->file->dwarf, unit, &unit, NULL, &type, &die,
			       NULL) == 0 &&
	       step(lines))
		if (type == DW_UT_compile)
			add_ranges(lines, &die, &lines->ranges);
	sort_ranges(&lines->ranges);
}

/* Whether functions may be defined in it. */
static bool holds_functions(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_module ||
	       tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
	       tag == DW_TAG_union_type || tag == DW_TAG_enumeration_type;
}

/* The next entry beside one; entries only go forward, or the file is damaged. */
static bool next_sibling(struct lines *lines, Dwarf_Die *die)
{
	Dwarf_Die next;
	if (!step(lines) || dwarf_siblingof(die, &next) != 0 ||
	    dwarf_dieoffset(&next) <= dwarf_dieoffset(die))
		return false;
	*die = next;
	return true;
}

/* Functions without a linkage name are of anonymous namespaces and classes in functions. */
static void note_parent(struct lines *lines, Dwarf_Die *die, Dwarf_Die *parent)
{
	uint64_t *known = map_at(&lines->parents, dwarf_dieoffset(die));
	if (known)
		*known = dwarf_dieoffset(parent);
}

static bool has_linkage_name(Dwarf_Die *die)
{
	return dwarf_hasattr(die, DW_AT_linkage_name) ||
	       dwarf_hasattr(die, DW_AT_MIPS_linkage_name);
}

static void index_functions(struct lines *lines, Dwarf_Die *top,
			    struct range_vec *functions)
{
	Dwarf_Die path[PATH_DEPTH];
	unsigned depth = 0;
	bool more = dwarf_child(top, &path[0]) == 0;
	while (more || depth) {
		if (!more) {
			more = next_sibling(lines, &path[--depth]);
			continue;
		}
		Dwarf_Die *die = &path[depth];
		int tag = dwarf_tag(die);
		if (tag == DW_TAG_subprogram)
			add_ranges(lines, die, functions);
		if (depth && (holds_functions(tag) ||
			      (tag == DW_TAG_subprogram && !has_linkage_name(die))))
			note_parent(lines, die, die - 1);
		if (holds_functions(tag) && depth + 1 < PATH_DEPTH &&
		    dwarf_child(die, die + 1) == 0)
			depth++;
		else
			more = next_sibling(lines, die);
	}
	sort_ranges(functions);
}

static struct unit *unit_of(struct lines *lines, Dwarf_Die *die, Dwarf_Off entry)
{
	uint64_t *number = map_at(&lines->unit_numbers, entry);
	if (!number ||
	    (!*number && !unit_vec_push(&lines->units, (struct unit){ .entry = entry })))
		return NULL;
	if (!*number) {
		*number = lines->units.nr;
		index_functions(lines, die, &lines->units.items[*number - 1].functions);
	}
	return &lines->units.items[*number - 1];
}

/* --- names -------------------------------------------------------------------------- */

static const char *linkage_name(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) ||
	    dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute))
		return dwarf_formstring(&attribute);
	return NULL;
}

/* The entry that was written where the function is declared: that has a class around it. */
static Dwarf_Die declaration_of(Dwarf_Die *die)
{
	static const unsigned ways[] = { DW_AT_abstract_origin, DW_AT_specification };
	Dwarf_Die at = *die, next;
	Dwarf_Attribute attribute;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(ways); i++)
		if (dwarf_formref_die(dwarf_attr(&at, ways[i % 2], &attribute), &next))
			at = next;
	return at;
}

/* Whether offsets of its unit are of the file itself; the unit has been indexed then. */
static bool is_indexed_here(struct lines *lines, Dwarf_Die *die)
{
	Dwarf_Die unit;
	uint8_t type;
	return dwarf_cu_getdwarf(die->cu) == lines->file->dwarf &&
	       dwarf_cu_info(die->cu, NULL, &type, &unit, NULL, NULL, NULL, NULL) == 0 &&
	       type == DW_UT_compile && unit_of(lines, &unit, dwarf_dieoffset(&unit));
}

/* "shop::(anonymous namespace)::cart<int>::": false if there is nothing of the kind to say, or
   something around it has no name. */
static bool put_scopes(struct lines *lines, Dwarf_Off entry, struct str *out,
		       unsigned depth)
{
	Dwarf_Die scope;
	const uint64_t *parent = map_at(&lines->parents, entry);
	if (!parent || !*parent)
		return parent != NULL;
	if (!dwarf_offdie(lines->file->dwarf, *parent, &scope))
		return false;
	const char *name = dwarf_diename(&scope);
	if (!name && dwarf_tag(&scope) == DW_TAG_namespace)
		name = "(anonymous namespace)";
	if (!name || depth == DEPTH_MAX || !step(lines) ||
	    !put_scopes(lines, *parent, out, depth + 1))
		return false;
	str_puts(out, name);
	str_puts(out, "::");
	return !out->failed;
}

/* The name of a function that has no linkage name, with what it is declared in. */
static char *scoped_name(struct lines *lines, Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);
	struct str scoped = { 0 };
	if (!name || !*name)
		return NULL;
	Dwarf_Die declaration = declaration_of(die);
	if (!is_indexed_here(lines, &declaration) ||
	    !put_scopes(lines, dwarf_dieoffset(&declaration), &scoped, 0)) {
		str_deinit(&scoped);
		return symbols_readable(name);
	}
	str_puts(&scoped, name);
	return str_take(&scoped);
}

/* The demangler's text is kept by the entry that it names. */
static const char *function_name(struct lines *lines, Dwarf_Die *die)
{
	const char *known;
	uint64_t key = dwarf_dieoffset(die);
	if (name_table_find(&lines->functions, key, &known))
		return known;
	const char *name = linkage_name(die);
	char *readable = name && *name ? symbols_readable(name) : NULL;
	if (!name)
		readable = scoped_name(lines, die);
	return name_table_add(&lines->functions, key, readable) ? readable : NULL;
}

static const char *folder_of(Dwarf_Die *unit)
{
	Dwarf_Attribute attribute;
	return dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
}

/* An absolute path without "." and without what ".." takes back: compilers are started in folders
   of their own, and their paths look like it. Another path stays as it is. */
static char *tidy(const char *path)
{
	struct str tidied = { 0 };
	if (path[0] != '/')
		return strdup(path);
	while (*path) {
		path += strspn(path, "/");
		size_t length = strcspn(path, "/");
		bool is_dot = length == 1 && path[0] == '.';
		if (length == 2 && !memcmp(path, "..", 2)) {
			char *slash = tidied.length ? strrchr(tidied.text, '/') : NULL;
			tidied.length = slash ? (size_t)(slash - tidied.text) : 0;
			if (slash)
				*slash = '\0';
		} else if (length && !is_dot) {
			str_puts(&tidied, "/");
			str_append(&tidied, path, length);
		}
		path += length;
	}
	return str_take(&tidied);
}

/* A file of a unit as libdw calls it; `name` NULL: none. */
static const char *file_name(struct lines *lines, Dwarf_Die *unit, const char *name)
{
	const char *known, *folder = folder_of(unit);
	if (!name || !*name || strnlen(name, NAME_MAX_BYTES) == NAME_MAX_BYTES)
		return NULL;
	uint64_t key = hash_bytes(HASH_SEED, name, strlen(name)) ^
		       hash_mix(dwarf_dieoffset(unit));
	if (name_table_find(&lines->files, key, &known))
		return known;
	struct str path = { 0 };
	if (name[0] != '/' && folder && strnlen(folder, NAME_MAX_BYTES) < NAME_MAX_BYTES)
		str_printf(&path, "%s/", folder);
	str_puts(&path, name);
	char *tidied = path.failed ? NULL : tidy(path.text);
	str_deinit(&path);
	return name_table_add(&lines->files, key, tidied) ? tidied : NULL;
}

/* --- frames ------------------------------------------------------------------------- */

static void find_line(struct lines *lines, Dwarf_Die *unit, uint64_t address,
		      struct lines_frame *frame)
{
	int line = 0;
	Dwarf_Line *row = dwarf_getsrc_die(unit, address);
	if (!row || dwarf_lineno(row, &line) != 0 || line <= 0)
		return;
	frame->file = file_name(lines, unit, dwarf_linesrc(row, NULL, NULL));
	frame->line = (uint32_t)line;
}

static uint32_t number_of(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value = 0;
	if (dwarf_formudata(dwarf_attr(die, name, &attribute), &value) != 0)
		return 0;
	return value < UINT32_MAX ? (uint32_t)value : 0;
}

/* Where a function was inlined. */
static void find_call(struct lines *lines, Dwarf_Die *unit, Dwarf_Die *inlined,
		      struct lines_frame *frame)
{
	Dwarf_Files *files;
	size_t nr = 0;
	uint32_t number = number_of(inlined, DW_AT_call_file);
	if (dwarf_getsrcfiles(unit, &files, &nr) == 0 && number < nr)
		frame->file =
			file_name(lines, unit, dwarf_filesrc(files, number, NULL, NULL));
	frame->line = number_of(inlined, DW_AT_call_line);
}

static bool is_inside(int tag)
{
	return tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
	       tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

/* Goes to the entry below that holds the address; false if there is none. */
static bool go_inside(struct lines *lines, Dwarf_Die *die, uint64_t address)
{
	Dwarf_Die child;
	bool more = dwarf_child(die, &child) == 0;
	while (more &&
	       !(is_inside(dwarf_tag(&child)) && dwarf_haspc(&child, address) == 1))
		more = next_sibling(lines, &child);
	if (more)
		*die = child;
	return more;
}

/* The function itself, and the calls that were inlined into each other there. */
static size_t find_calls(struct lines *lines, Dwarf_Die *function, uint64_t address,
			 Dwarf_Die *calls)
{
	Dwarf_Die at = *function;
	size_t nr = 0;
	calls[nr++] = at;
	for (unsigned i = 0; i < DEPTH_MAX && go_inside(lines, &at, address); i++)
		if (dwarf_tag(&at) == DW_TAG_inlined_subroutine)
			calls[nr++] = at;
	return nr;
}

/* GCC calls a unit so that it made of others. */
static bool is_of_link_time(Dwarf_Die *unit)
{
	const char *name = dwarf_diename(unit);
	return name && !strcmp(name, "<artificial>");
}

/* Whether a compiler with such options leaves functions whose code is the same apart. -fipa-icf
   is part of -O2 and more. */
static bool leaves_apart(const char *options)
{
	static const char *const apart[] = { " -O ", " -O0 ", " -O1 ", " -Og " };
	const char *last = NULL;
	for (const char *at = options; (at = strstr(at, " -O")); at++)
		last = at;
	bool is_apart = !last;
	for (size_t i = 0; last && i < ARRAY_SIZE(apart); i++)
		is_apart |= !strncmp(last, apart[i], strlen(apart[i])) ||
			    !strncmp(apart[i], last, strlen(last));
	return is_apart && !strstr(options, " -fipa-icf");
}

/* GCC does, clang does not, of others it is not known. Without the options nobody knows. */
static bool folds_locals(Dwarf_Die *unit)
{
	Dwarf_Attribute attribute;
	const char *producer =
		dwarf_formstring(dwarf_attr(unit, DW_AT_producer, &attribute));
	if (!producer || strstr(producer, "rustc"))
		return true;
	if (strstr(producer, "clang version"))
		return false;
	const char *options = strstr(producer, " -");
	return strncmp(producer, "GNU ", 4) || !options || !leaves_apart(options);
}

static void push_frames(struct lines *lines, Dwarf_Die *unit, Dwarf_Die *function,
			uint64_t address)
{
	Dwarf_Die calls[DEPTH_MAX + 1];
	size_t nr = find_calls(lines, function, address, calls);
	const bool may_be_folded = is_of_link_time(unit), local = folds_locals(unit);
	struct lines_frame frame = { 0 };
	find_line(lines, unit, address, &frame);
	while (nr-- > 0) {
		frame.may_be_folded = may_be_folded;
		frame.may_be_folded_if_local = local;
		frame.function = function_name(lines, &calls[nr]);
		frame.is_inlined = nr > 0;
		if (!frame_vec_push(&lines->scratch, frame))
			return;
		frame = (struct lines_frame){ 0 };
		if (nr > 0)
			find_call(lines, unit, &calls[nr], &frame);
	}
}

/* Fills `scratch`. */
static void find(struct lines *lines, uint64_t address)
{
	Dwarf_Die unit_die, function;
	if (!lines->is_indexed)
		index_units(lines);
	const struct range *range = range_at(&lines->ranges, address);
	if (!range || !dwarf_offdie(lines->file->dwarf, range->entry, &unit_die))
		return;
	const struct unit *unit = unit_of(lines, &unit_die, range->entry);
	range = unit ? range_at(&unit->functions, address) : NULL;
	if (range && dwarf_offdie(lines->file->dwarf, range->entry, &function)) {
		push_frames(lines, &unit_die, &function, address);
		return;
	}
	/* Assembler has lines, and no functions. */
	struct lines_frame frame = { 0 };
	find_line(lines, &unit_die, address, &frame);
	if (frame.line)
		frame_vec_push(&lines->scratch, frame);
}

/* --- public ------------------------------------------------------------------------- */

struct search {
	struct lines *lines;
	uint64_t address;
};

static void search(void *context)
{
	struct search *search = context;
	find(search->lines, search->address);
}

static struct found keep_scratch(struct lines *lines)
{
	struct found found = { .nr = lines->scratch.nr };
	if (!found.nr)
		return found;
	found.frames = calloc(found.nr, sizeof(*found.frames));
	if (!found.frames)
		return (struct found){ 0 };
	memcpy(found.frames, lines->scratch.items, found.nr * sizeof(*found.frames));
	return found;
}

static struct found find_new(struct lines *lines, uint64_t address)
{
	struct search wanted = { lines, address };
	lines->scratch.nr = 0;
	if (!lines->is_broken)
		lines->is_broken = !dwarf_file_guard(search, &wanted);
	return lines->is_broken ? (struct found){ 0 } : keep_scratch(lines);
}

size_t lines_at(struct lines *lines, uint64_t address, const struct lines_frame **frames)
{
	uint64_t *known = map_at(&lines->known, address);
	if (!known)
		return 0;
	if (!*known) {
		struct found found = find_new(lines, address);
		if (!found_vec_push(&lines->found, found)) {
			free(found.frames);
			return 0;
		}
		*known = lines->found.nr;
	}
	const struct found *found = &lines->found.items[*known - 1];
	*frames = found->frames;
	return found->nr;
}

struct error *lines_open(const char *path, const char *build_id, struct lines **result)
{
	struct lines *lines = calloc(1, sizeof(*lines));
	if (!lines)
		return error_no_memory();
	struct error *error = dwarf_file_open(path, build_id, &lines->file);
	if (error) {
		free(lines);
		return error;
	}
	*result = lines;
	return NULL;
}

void lines_close(struct lines *lines)
{
	if (!lines)
		return;
	dwarf_file_close(lines->file);
	for (size_t i = 0; i < lines->units.nr; i++)
		range_vec_deinit(&lines->units.items[i].functions);
	unit_vec_deinit(&lines->units);
	range_vec_deinit(&lines->ranges);
	map_deinit(&lines->unit_numbers);
	map_deinit(&lines->parents);
	map_deinit(&lines->known);
	for (size_t i = 0; i < lines->found.nr; i++)
		free(lines->found.items[i].frames);
	found_vec_deinit(&lines->found);
	frame_vec_deinit(&lines->scratch);
	name_table_deinit(&lines->functions);
	name_table_deinit(&lines->files);
	free(lines);
}
