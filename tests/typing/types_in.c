/*
 * What a file's debug information says: how many variables have a type, the types that are met from
 * there on, and what is warned of. For tests that make damaged files.
 *
 * Usage: types_in FILE
 */
#include <inttypes.h>
#include <stdio.h>

#include "sym/types.h"

#define TYPES_SHOWN 100u

static void print_types(struct types *types)
{
	size_t nr = 0;
	for (size_t i = 0; i < types_nr_variables(types); i++) {
		struct types_variable variable;
		nr += types_variable(types, i, &variable) != TYPE_NONE;
	}
	printf("%zu variables, %zu with a type\n", types_nr_variables(types), nr);
	for (uint32_t i = 1;
	     i < TYPES_SHOWN && types_get(types, i) != types_get(types, 0); i++) {
		types_pointed(types, i);
		types_has_heir(types, i, 0, 64);
		const struct type *type = types_get(types, i);
		printf("type %.60s of %" PRIu64 " bytes, %" PRIu32 " members\n",
		       type->name, type->size, type->nr_members);
	}
}

static struct error *print_warnings(const struct types *types)
{
	struct sentence_vec warnings = { 0 };
	struct error *error = types_warn(types, &warnings);
	for (size_t i = 0; i < warnings.nr; i++)
		printf("warning: %s\n", warnings.items[i]);
	sentences_deinit(&warnings);
	return error;
}

int main(int argc, char **argv)
{
	struct types *types = NULL;
	struct error *error = argc == 2 ? types_open(argv[1], &types) : NULL;
	if (!types && !error)
		return 2;
	if (!error) {
		print_types(types);
		error = print_warnings(types);
	}
	if (error)
		printf("refused: %s; %s\n", error->sentence,
		       error->remedy ? error->remedy : "-");
	error_destroy(error);
	types_destroy(types);
	return 0;
}
