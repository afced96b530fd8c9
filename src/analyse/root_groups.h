/*
 * root_groups: roots that are one thing to whoever reads of them: a variable, the calls of one
 * function on a thread's stack, a thread's registers, a mapping.
 */
#ifndef SEEP_ANALYSE_ROOT_GROUPS_H
#define SEEP_ANALYSE_ROOT_GROUPS_H

#include "analyse/look.h"
#include "analyse/places.h"
#include "base/map.h"

struct root_group {
	uint32_t first; /* index of its first root */
	uint32_t words; /* how many roots it has */
	uint32_t frame; /* of which code the calls are, plus one; 0: none that are told */
};
DEFINE_VEC(root_group_vec, struct root_group);

struct root_groups {
	const struct look *look;
	struct places *places;
	const struct graph_root_vec *roots; /* every one, if the look has them */
	struct root_group_vec groups;
	struct area numbers; /* uint32_t by root: its group */
	struct map ids;      /* + 1, by key */
	/* While they are made: of a thread and a block, the outermost part of its stack that holds it,
	   by number, plus one. */
	struct map longest;
};

struct error *root_groups_make(const struct look *look, struct places *places,
			       struct root_groups *groups) MUST_CHECK;
void root_groups_deinit(struct root_groups *groups);

static inline const uint32_t *root_groups_numbers(const struct root_groups *groups)
{
	return groups->numbers.memory;
}

/* "global", "stack", "register", "mapping", "kernel", "allocator", "unreadable" */
const char *root_groups_kind(const struct root_groups *groups, uint32_t group);

/* "redis-server:server", "thread 412, parse() in libfoo.so.1", "stack of
   thread 412" where calls are not known, "mapping [anon:jemalloc] at 0x7f…"; owned by the
   caller; NULL: no memory. */
char *root_groups_name(const struct root_groups *groups, uint32_t group);

/* Of one root: as above, with the offset into the variable. */
char *root_groups_place(const struct root_groups *groups, const struct graph_root *root);

/* The variable that a group is, if it is one. */
struct symbol_name root_groups_variable(const struct root_groups *groups, uint32_t group);

/* The same, or the function whose calls it is. */
struct symbol_name root_groups_symbol(const struct root_groups *groups, uint32_t group);

#endif
