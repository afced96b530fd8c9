/* root_names: see root_names.h. */
#include "analyse/root_names.h"

#include <inttypes.h>

#include "analyse/look.h"
#include "base/str.h"

/* A module's .bss beyond its file pages is an anonymous mapping; a symbol tells it from
   other mappings. */
static bool is_global(const struct graph_root *root, const struct symbol_name *name)
{
	return root->source == ROOT_GLOBAL ||
	       (root->source == ROOT_MAPPING && name->function);
}

static void print_global(struct str *str, const struct symbol_name *name)
{
	str_printf(str, "global %s", name->module ? name->module : "");
	if (name->function)
		str_printf(str, ":%s", name->function);
	if (name->offset)
		str_printf(str, "+%" PRIu64, name->offset);
}

struct symbol_name root_variable(struct places *places, const struct graph_root *root)
{
	struct symbol_name name = places_name(places, root->where);
	return is_global(root, &name) ? name : (struct symbol_name){ 0 };
}

char *root_name(struct places *places, const struct graph_root *root)
{
	static const char *const sources[] = {
		[ROOT_STACK] = "stack",
		[ROOT_REGISTER] = "register",
		[ROOT_MAPPING] = "mapping",
		[ROOT_KERNEL] = "kernel (epoll or timer)",
		[ROOT_ALLOCATOR] = "allocator",
		[ROOT_UNREADABLE] = "unreadable part of the heap",
	};
	struct str str = { 0 };
	struct symbol_name name = places_name(places, root->where);
	if (is_global(root, &name))
		print_global(&str, &name);
	else if (root->where)
		str_printf(&str, "%s at 0x%" PRIx64, sources[root->source], root->where);
	else
		str_puts(&str, sources[root->source]);
	return str_take(&str);
}
