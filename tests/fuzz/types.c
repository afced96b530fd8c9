/* Any bytes as an ELF file with debug information: all types of its variables, and what they lead
   to. */
#include "sym/types.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define TYPES_LOOKED_AT 2000u

/* Types that are met on the way are looked at in turn. */
static void look_at_types(struct types *types)
{
	struct types_variable variable;
	struct type_member member;
	size_t nr = types_nr_variables(types);
	for (size_t i = 0; i < nr && i < TYPES_LOOKED_AT; i++)
		types_variable(types, i, &variable);
	for (uint32_t i = 1;
	     i < TYPES_LOOKED_AT && types_get(types, i) != types_get(types, 0); i++) {
		types_pointed(types, i);
		types_argument(types, i, 0);
		types_has_heir(types, i, 0, 64);
		types_begins_with(types, i, i / 2);
		types_find(types, i, "_M_start", &member);
		types_node(types, "node", i, 8, 8);
	}
	types_class(types, "dog");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char path[64];
	struct types *types = NULL;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd >= 0 && write(fd, bytes, size) == (ssize_t)size) {
		struct error *error = types_open(path, &types);
		if (!error)
			look_at_types(types);
		error_destroy(error);
		types_destroy(types);
	}
	close(fd);
	return 0;
}
