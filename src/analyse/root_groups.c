/* root_groups: see root_groups.h. */
#include "analyse/root_groups.h"

#include <inttypes.h>
#include <string.h>

#include "analyse/root_names.h"
#include "base/hash.h"
#include "base/str.h"

static const struct look_region *region_at(const struct look *look, uint64_t address)
{
	const struct look_region_vec *regions = &look->regions;
	size_t low = 0, high = regions->nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (regions->items[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < regions->nr && regions->items[low].start <= address
		       ? &regions->items[low]
		       : NULL;
}

/* What a variable is for people: one of a module's .bss may be in a mapping without a file. */
static bool is_variable(const struct graph_root *root, const struct symbol_name *name)
{
	uint32_t kind = graph_root_kind(root);
	return kind == ROOT_GLOBAL || (kind == ROOT_MAPPING && name->function);
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return text ? hash_bytes(hash, text, strlen(text) + 1) : hash;
}

/* Words of a variable whose name is not known are one each: what they belong to is not known. */
static uint64_t variable_key(const struct graph_root *root,
			     const struct symbol_name *name)
{
	uint64_t hash = hash_text(hash_text(HASH_SEED, name->module), name->function);
	return name->function ? hash : hash_mix(hash ^ root->where);
}

static const struct frame_part *part_of(const struct root_groups *groups,
					const struct graph_root *root)
{
	if (graph_root_kind(root) != ROOT_STACK)
		return NULL;
	const struct frame_part *part =
		frame_table_at(&groups->look->frames, root->where);
	return part && part->tid == root_thread(root) ? part : NULL;
}

/* --- what several calls of a thread hold ------------------------------------------------ */

static uint64_t held_key(const struct graph_root *root)
{
	return (uint64_t)root_thread(root) << 32 | edge_rank(root->edge);
}

/* Calls get what they were given from their callers, and are over before: of all calls of a thread
   that hold a block the outermost keeps it alive. */
static struct error *note_holder(struct root_groups *groups,
				 const struct graph_root *root)
{
	const struct frame_part *part = part_of(groups, root);
	if (!part)
		return NULL;
	uint64_t *longest = map_at(&groups->longest, held_key(root));
	if (!longest)
		return error_no_memory();
	const uint64_t number = (uint64_t)(part - groups->look->frames.parts.items) + 1;
	if (number > *longest)
		*longest = number;
	return NULL;
}

static struct error *note_holders(struct root_groups *groups)
{
	struct error *error = NULL;
	const bool are_told = groups->look->frames.parts.nr > 0;
	for (size_t i = 0; are_told && !error && i < groups->roots->nr; i++)
		error = note_holder(groups, &groups->roots->items[i]);
	return error;
}

/* The call that keeps alive what a stack or a register holds; NULL: none is known. */
static const struct frame_part *longest_of(const struct root_groups *groups,
					   const struct graph_root *root)
{
	const uint32_t kind = graph_root_kind(root);
	if (!groups->longest.nr || (kind != ROOT_STACK && kind != ROOT_REGISTER))
		return NULL;
	const uint64_t *number = map_find(&groups->longest, held_key(root));
	return number && *number ? &groups->look->frames.parts.items[*number - 1] : NULL;
}

static uint64_t key_of(const struct root_groups *groups, const struct graph_root *root)
{
	struct symbol_name name = { 0 };
	uint32_t kind = graph_root_kind(root);
	if (kind == ROOT_GLOBAL || kind == ROOT_MAPPING)
		name = places_name(groups->places, root->where);
	if (is_variable(root, &name))
		return variable_key(root, &name);
	if (kind == ROOT_MAPPING) {
		const struct look_region *region = region_at(groups->look, root->where);
		return hash_mix(region ? region->start : root->where) ^ kind;
	}
	const struct frame_part *part = longest_of(groups, root);
	const uint32_t stack = root_source_of(ROOT_STACK, root_thread(root));
	return hash_mix(part ? hash_mix(stack) ^ (part->code + 1) : root->source);
}

static struct error *add_root(struct root_groups *groups, size_t i)
{
	const struct graph_root *root = &groups->roots->items[i];
	uint64_t *id = map_at(&groups->ids, key_of(groups, root));
	const struct frame_part *part = longest_of(groups, root);
	struct root_group group = { .first = (uint32_t)i,
				    .frame = part ? part->code + 1 : 0 };
	if (id && !*id && root_group_vec_push(&groups->groups, group))
		*id = groups->groups.nr;
	if (!id || !*id)
		return error_no_memory();
	groups->groups.items[*id - 1].words++;
	((uint32_t *)groups->numbers.memory)[i] = (uint32_t)*id - 1;
	return NULL;
}

struct error *root_groups_make(const struct look *look, struct places *places,
			       struct root_groups *groups)
{
	*groups = (struct root_groups){
		.look = look,
		.places = places,
		.roots = look->graph.places.roots_are_kept ? &look->graph.places.roots
							   : &look->graph.roots,
	};
	if (!area_reserve(&groups->numbers, (groups->roots->nr + 1) * sizeof(uint32_t)))
		return error_no_memory();
	struct error *error = note_holders(groups);
	for (size_t i = 0; !error && i < groups->roots->nr; i++)
		error = add_root(groups, i);
	map_deinit(&groups->longest);
	return error;
}

void root_groups_deinit(struct root_groups *groups)
{
	root_group_vec_deinit(&groups->groups);
	area_release(&groups->numbers);
	map_deinit(&groups->ids);
	*groups = (struct root_groups){ 0 };
}

/* --- names --------------------------------------------------------------------------- */

static const struct {
	const char *kind, *name;
} kinds[] = {
	[ROOT_GLOBAL] = { "global", "global" },
	[ROOT_STACK] = { "stack", "stack" },
	[ROOT_REGISTER] = { "register", "registers" },
	[ROOT_MAPPING] = { "mapping", "mapping" },
	[ROOT_KERNEL] = { "kernel", "the kernel (epoll or timers)" },
	[ROOT_ALLOCATOR] = { "allocator", "the hands of the allocator" },
	[ROOT_UNREADABLE] = { "unreadable", "unreadable parts of the heap" },
};

static const struct graph_root *first_of(const struct root_groups *groups, uint32_t group)
{
	return &groups->roots->items[groups->groups.items[group].first];
}

static const struct frame_code *code_of(const struct root_groups *groups, uint32_t group)
{
	const uint32_t frame = groups->groups.items[group].frame;
	return frame ? &groups->look->frames.codes.items[frame - 1] : NULL;
}

const char *root_groups_kind(const struct root_groups *groups, uint32_t group)
{
	const struct graph_root *root = first_of(groups, group);
	struct symbol_name name = root_groups_variable(groups, group);
	if (code_of(groups, group))
		return kinds[ROOT_STACK].kind;
	return name.module ? kinds[ROOT_GLOBAL].kind : kinds[graph_root_kind(root)].kind;
}

static struct symbol_name variable_of(const struct root_groups *groups,
				      const struct graph_root *root)
{
	uint32_t kind = graph_root_kind(root);
	struct symbol_name name = { 0 };
	if (kind == ROOT_GLOBAL || kind == ROOT_MAPPING)
		name = places_name(groups->places, root->where);
	return is_variable(root, &name) ? name : (struct symbol_name){ 0 };
}

struct symbol_name root_groups_variable(const struct root_groups *groups, uint32_t group)
{
	return variable_of(groups, first_of(groups, group));
}

struct symbol_name root_groups_symbol(const struct root_groups *groups, uint32_t group)
{
	const struct frame_code *code = code_of(groups, group);
	if (!code)
		return root_groups_variable(groups, group);
	return (struct symbol_name){ code->module, code->function, code->offset };
}

static void put_variable(struct str *out, const struct symbol_name *name, bool exactly)
{
	str_puts(out, name->module);
	if (name->function)
		str_printf(out, ":%s", name->function);
	if (name->offset && (exactly || !name->function))
		str_printf(out, "+%" PRIu64, name->offset);
}

static void put_region(struct str *out, const struct root_groups *groups,
		       const struct graph_root *root, bool exactly)
{
	const struct look_region *region = region_at(groups->look, root->where);
	str_puts(out, "mapping");
	if (region && region->name[0])
		str_printf(out, " %s", region->name);
	str_printf(out, " at 0x%" PRIx64,
		   region && !exactly ? region->start : root->where);
}

/* C++ functions have what they are called with in their names. */
static char *name_frame(pid_t tid, const struct frame_code *code, uint64_t where)
{
	struct str out = { 0 };
	str_printf(&out, "thread %d, ", (int)tid);
	if (code->function)
		str_printf(&out, "%s%s in %s", code->function,
			   strchr(code->function, '(') ? "" : "()", code->module);
	else
		str_printf(&out, "%s+%" PRIu64, code->module, code->offset);
	if (where)
		str_printf(&out, " at 0x%" PRIx64, where);
	return str_take(&out);
}

static char *name_root(const struct root_groups *groups, const struct graph_root *root,
		       bool exactly)
{
	struct str out = { 0 };
	uint32_t kind = graph_root_kind(root);
	struct symbol_name name = variable_of(groups, root);
	if (name.module) {
		put_variable(&out, &name, exactly);
	} else if (kind == ROOT_MAPPING || kind == ROOT_GLOBAL) {
		put_region(&out, groups, root, exactly);
	} else {
		str_puts(&out, kinds[kind].name);
		if (root_thread(root))
			str_printf(&out, " of thread %d", (int)root_thread(root));
		if (exactly && root->where)
			str_printf(&out, " at 0x%" PRIx64, root->where);
	}
	return str_take(&out);
}

char *root_groups_name(const struct root_groups *groups, uint32_t group)
{
	const struct graph_root *root = first_of(groups, group);
	const struct frame_code *code = code_of(groups, group);
	return code ? name_frame(root_thread(root), code, 0)
		    : name_root(groups, root, false);
}

char *root_groups_place(const struct root_groups *groups, const struct graph_root *root)
{
	const struct frame_part *part = part_of(groups, root);
	return part ? name_frame(part->tid, &groups->look->frames.codes.items[part->code],
				 root->where)
		    : name_root(groups, root, true);
}
