/*
 * types_containers: which records are the C++ library's containers, and what their nodes are. See
 * types.h. The names are libstdc++'s, of GCC 5 and later (its headers stl_list.h, stl_tree.h, …), and
 * libc++'s, whose namespace tells its ABI, and which others call as they like.
 */
#include "sym/types_priv.h"

#include <dwarf.h>
#include <string.h>

#include "base/str.h"

static const struct {
	const char *begin, *end; /* of the record's whole name */
	enum type_container container;
} containers[] = {
	{ "std::_Vector_base<", "::_Vector_impl_data", CONTAINER_VECTOR },
	{ "std::_Deque_base<", "::_Deque_impl_data", CONTAINER_DEQUE },
	{ "std::__cxx11::basic_string<", ">", CONTAINER_STRING },
	{ "std::__cxx11::_List_base<", ">", CONTAINER_LIST },
	{ "std::_Fwd_list_base<", ">", CONTAINER_FORWARD_LIST },
	{ "std::_Rb_tree<", ">", CONTAINER_TREE },
	{ "std::_Hashtable<", ">", CONTAINER_HASH },
	{ "std::_Sp_counted_ptr_inplace<", ">", CONTAINER_SHARED },
	{ "std::_Optional_payload_base<", ">", CONTAINER_OPTIONAL },
	{ "std::__detail::__variant::_Variadic_union<", ">", CONTAINER_VARIANT },
};

static const char *const libcxx_namespaces[] = {
	"std::__1::", "std::__2::", "std::__ndk1::", /* Android's */
	"std::__Cr::",                               /* Chromium's */
};

static const struct {
	const char *begin;
	enum type_container container;
} libcxx_containers[] = {
	{ "vector<", CONTAINER_LIBCXX_VECTOR },
	{ "basic_string<", CONTAINER_LIBCXX_STRING },
	{ "list<", CONTAINER_LIBCXX_LIST },
	{ "forward_list<", CONTAINER_LIBCXX_FORWARD_LIST },
	{ "__tree<", CONTAINER_LIBCXX_TREE },
	{ "__hash_table<", CONTAINER_LIBCXX_HASH },
	{ "deque<", CONTAINER_LIBCXX_DEQUE },
	{ "__shared_ptr_emplace<", CONTAINER_SHARED },
	{ "__shared_ptr_pointer<", CONTAINER_SHARED },
	{ "__optional_destruct_base<", CONTAINER_OPTIONAL },
	{ "__variant_detail::__union<", CONTAINER_VARIANT },
};

static const char *const buffers[] = {
	"__gnu_cxx::__aligned_buffer<",
	"__gnu_cxx::__aligned_membuf<",
};

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static bool ends(const char *text, const char *with)
{
	size_t length = strlen(text), end = strlen(with);
	return length >= end && !strcmp(text + length - end, with);
}

/* Whether what begins with "NAME<" is that template alone, and nothing in it. */
static bool is_alone(const char *name)
{
	unsigned depth = 0;
	for (const char *at = name; *at; at++) {
		depth += *at == '<';
		if (*at == '>' && at[-1] != '-' && depth && --depth == 0)
			return !at[1];
	}
	return false;
}

/* What comes behind libc++'s namespace; NULL: it is in another. */
static const char *in_libcxx(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(libcxx_namespaces); i++)
		if (begins(name, libcxx_namespaces[i]))
			return name + strlen(libcxx_namespaces[i]);
	return NULL;
}

static enum type_container libcxx_container_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(libcxx_containers); i++)
		if (begins(name, libcxx_containers[i].begin) && is_alone(name))
			return libcxx_containers[i].container;
	return CONTAINER_NONE;
}

const char *types_buffer_in(const char *name)
{
	const char *own = in_libcxx(name);
	return own && begins(own, "__shared_ptr_emplace<") && is_alone(own) ? "__storage_"
									    : NULL;
}

enum type_container types_container_of(const char *name)
{
	const char *own = in_libcxx(name);
	if (own)
		return libcxx_container_of(own);
	for (size_t i = 0; i < ARRAY_SIZE(containers); i++)
		if (begins(name, containers[i].begin) && ends(name, containers[i].end) &&
		    (containers[i].end[0] != '>' || is_alone(name)))
			return containers[i].container;
	return CONTAINER_NONE;
}

/* libc++'s way to store what may be empty. */
bool types_is_part(const char *name)
{
	return begins(name, "__compressed_pair<") ||
	       begins(name, "__compressed_pair_elem<");
}

bool types_is_buffer(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(buffers); i++)
		if (begins(name, buffers[i]))
			return true;
	return false;
}

/* --- arguments ---------------------------------------------------------------------- */

bool types_argument_of(struct types *types, Dwarf_Die *die, unsigned number,
		       Dwarf_Die *type)
{
	Dwarf_Die child;
	bool more = types_child(types, die, &child);
	for (; more; more = types_next(types, &child))
		if (dwarf_tag(&child) == DW_TAG_template_type_parameter && number-- == 0)
			return types_type_of(types, &child, type);
	return false;
}

struct wanted {
	struct types *types;
	Dwarf_Die die;
	unsigned number;
	uint32_t type;
};

static void build_argument(void *context)
{
	struct wanted *wanted = context;
	Dwarf_Die type;
	if (types_argument_of(wanted->types, &wanted->die, wanted->number, &type))
		wanted->type = types_build(wanted->types, &type, 0);
}

uint32_t types_argument(struct types *types, uint32_t type, unsigned number)
{
	struct wanted wanted = { .types = types, .number = number };
	wanted.die = types->entries.items[type].die;
	if (!wanted.die.addr || types->is_broken)
		return TYPE_NONE;
	types_enter(types, types->entries.items[type].file);
	types->is_broken |= !dwarf_file_guard(build_argument, &wanted);
	return types->is_broken ? TYPE_NONE : wanted.type;
}

/* --- members ------------------------------------------------------------------------ */

struct search {
	const struct types *types;
	const char *name;
	unsigned nr_left; /* members to look at */
};

static bool find(struct search *search, uint32_t number, uint64_t offset, unsigned depth,
		 struct type_member *member)
{
	const struct type *type = types_get(search->types, number);
	if ((type->kind != TYPE_RECORD && type->kind != TYPE_UNION) ||
	    depth > TYPES_DEPTH_MAX)
		return false;
	for (uint32_t i = 0; i < type->nr_members && search->nr_left; i++) {
		struct type_member one = types_members(search->types, number)[i];
		search->nr_left--;
		one.offset += offset;
		if (one.name && !strcmp(one.name, search->name)) {
			*member = one;
			return true;
		}
		if (find(search, one.type, one.offset, depth + 1, member))
			return true;
	}
	return false;
}

bool types_find(const struct types *types, uint32_t type, const char *name,
		struct type_member *member)
{
	struct search search = { types, name, TYPES_VISITS_MAX };
	return find(&search, type, 0, 0, member);
}

/* --- nodes -------------------------------------------------------------------------- */

static uint64_t alignment_of(const struct types *types, uint32_t number, unsigned depth,
			     unsigned *nr_left)
{
	const struct type *type = types_get(types, number);
	uint64_t alignment = 1;
	if (depth > TYPES_DEPTH_MAX)
		return 1;
	if (type->kind == TYPE_SCALAR || type->kind == TYPE_POINTER)
		return type->size < 16 ? type->size : 16;
	if (type->kind == TYPE_ARRAY)
		return alignment_of(types, type->target, depth + 1, nr_left);
	for (uint32_t i = 0; i < type->nr_members && *nr_left; i++) {
		const struct type_member *member = types_members(types, number) + i;
		(*nr_left)--;
		uint64_t one = alignment_of(types, member->type, depth + 1, nr_left);
		alignment = one > alignment ? one : alignment;
	}
	return alignment;
}

static uint64_t aligned(uint64_t bytes, uint64_t alignment)
{
	return alignment ? (bytes + alignment - 1) / alignment * alignment : bytes;
}

static uint32_t make_node(struct types *types, const char *name, uint32_t value,
			  uint64_t before, uint64_t behind, uint64_t identity)
{
	struct str text = { 0 };
	const struct type of = *types_get(types, value);
	unsigned nr_left = TYPES_VISITS_MAX;
	uint64_t offset = aligned(before, alignment_of(types, value, 0, &nr_left));
	struct type_member member = { .offset = offset, .type = value };
	struct type node = { .kind = TYPE_RECORD, .flags = of.flags & TYPE_LEADS };
	str_printf(&text, "%s<%s>", name, of.name);
	node.name = types_keep(types, str_take(&text));
	node.size = aligned(aligned(offset + of.size, 8) + behind, 8);
	node.first_member = (uint32_t)types->members.nr;
	node.nr_members = 1;
	if (!node.name || !of.size || !type_member_vec_push(&types->members, member))
		return TYPE_NONE;
	return types_add(types, &node, NULL, identity);
}

uint32_t types_node(struct types *types, const char *name, uint32_t value,
		    uint64_t before, uint64_t behind)
{
	uint64_t facts[] = { value, before, behind };
	uint64_t identity = hash_bytes(HASH_SEED, name, strlen(name));
	identity = hash_bytes(identity, facts, sizeof(facts)) | 1;
	const uint64_t *known = map_find(&types->by_identity, identity);
	if (known && *known)
		return (uint32_t)*known - 1;
	return value ? make_node(types, name, value, before, behind, identity)
		     : TYPE_NONE;
}

uint32_t types_headed(struct types *types, const char *name, uint32_t value,
		      uint64_t before)
{
	const struct type of = *types_get(types, value);
	struct type_member member = { .offset = before, .type = value };
	struct type node = { .kind = TYPE_NAMED };
	uint64_t facts[] = { value, before };
	uint64_t identity = hash_bytes(HASH_SEED, name, strlen(name));
	identity = hash_bytes(identity, facts, sizeof(facts)) | 1;
	const uint64_t *known = map_find(&types->by_identity, identity);
	if (known && *known)
		return (uint32_t)*known - 1;
	if (value) {
		node.kind = TYPE_RECORD;
		node.flags = of.flags & TYPE_LEADS;
		node.size = before + of.size;
		node.first_member = (uint32_t)types->members.nr;
		node.nr_members = 1;
	}
	node.name = types_keep(types, strdup(name));
	if (!node.name || (value && !type_member_vec_push(&types->members, member)))
		return TYPE_NONE;
	return types_add(types, &node, NULL, identity);
}
