/*
 * Any bytes as an ELF file with debug information: all types of its variables, and what they lead to; and
 * what stands on the frames of its functions.
 * The seeds are libraries of a few types, by gcc and clang as DWARF 2, 4 and 5, with type units,
 * packed in three ways, split, and by rustc.
 */
#include "sym/types_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define TYPES_LOOKED_AT 2000u

/* Types that are met on the way are looked at in turn. */
static void look_at_types(struct types *types)
{
	static const char *const names[] = { "_M_start", "__begin_", "__l", "next" };
	struct types_variable variable;
	struct type_member member;
	size_t nr = types_nr_variables(types);
	for (size_t i = 0; i < nr && i < TYPES_LOOKED_AT; i++)
		types_variable(types, i, &variable);
	for (uint32_t i = 1;
	     i < TYPES_LOOKED_AT && types_get(types, i) != types_get(types, 0); i++) {
		const struct type *type = types_get(types, i);
		if (!type->name || strlen(type->name) > (1u << 20))
			abort();
		for (uint32_t j = 0; j < type->nr_members; j++)
			if (types_members(types, i)[j].offset > type->size)
				abort();
		types_pointed(types, i);
		types_argument(types, i, 0);
		types_has_heir(types, i, 0, 64);
		types_begins_with(types, i, i / 2);
		for (size_t j = 0; j < ARRAY_SIZE(names); j++)
			types_find(types, i, names[j], &member);
		types_node(types, "node", i, 8, 8);
		types_headed(types, "headed", i, 16);
	}
	types_class(types, "dog");
	types_named(types, "node");
}

static void take_local(void *context, const struct types_local *local)
{
	const struct types *types = context;
	if (local->type >= types->types.nr)
		abort();
}

/* In each function, at its beginning, in the middle, and at its end. */
static void look_at_locals(struct types *types)
{
	for (size_t i = 0; i < types->functions.nr && i < TYPES_LOOKED_AT; i++) {
		const struct types_function *function = &types->functions.items[i];
		const uint64_t length = function->end - function->start;
		for (unsigned part = 0; part < 3; part++) {
			const struct types_frame frame = {
				.code = function->start + (length - 1) / 2 * part,
				.cfa = 0x7fff0000,
				.is_interrupted = part == 0,
				.known = 0xffff,
			};
			types_locals(types, &frame, take_local, types);
		}
	}
}

/* Each sentence is one that a person can read. */
static void look_at_warnings(const struct types *types)
{
	struct sentence_vec warnings = { 0 };
	struct error *error = types_warn(types, &warnings);
	for (size_t i = 0; i < warnings.nr; i++)
		if (!strchr(warnings.items[i], ':'))
			abort();
	error_destroy(error);
	sentences_deinit(&warnings);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char path[64];
	struct types *types = NULL;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd >= 0 && write(fd, bytes, size) == (ssize_t)size) {
		struct error *error = types_open(path, &types);
		if (!error) {
			look_at_types(types);
			look_at_locals(types);
			look_at_warnings(types);
		}
		error_destroy(error);
		types_destroy(types);
	}
	close(fd);
	return 0;
}
