/*
 * debug_file: finds separate debug files by build-id, where distributions install them.
 */
#include "sym/symbols_priv.h"

#include <stdio.h>
#include <string.h>

#include "sym/elf_file_priv.h"
#include "sym/elf_path_priv.h"
#include "target/root.h"

static struct elf_file *open_matching(const char *root, const char *path,
				      const char *build_id)
{
	int fd = root_open(root, path);
	if (fd < 0)
		return NULL;
	struct elf_file *file;
	struct error *error = elf_file_open_debug(fd, path, &file);
	if (error) {
		error_destroy(error);
		return NULL;
	}
	if (elf_path_is_build(file, build_id))
		return file;
	elf_file_destroy(file);
	return NULL;
}

/* The roots to look below, in this order. */
static size_t find_roots(const struct target *target, char *own, size_t own_size,
			 const char *roots[2])
{
	size_t nr = 0;
	snprintf(own, own_size, "/proc/%ld/root", (long)target->pid);
	if (target->sysroot)
		roots[nr++] = target->sysroot;
	else if (!target->path && target->pid > 0)
		roots[nr++] = own;
	roots[nr++] = "/";
	return nr;
}

struct elf_file *debug_file_open(const struct target *target, const char *build_id)
{
	static const char *const folders[] = { "usr/lib/debug/", "" };
	char own[64];
	const char *roots[2];
	size_t nr_roots = find_roots(target, own, sizeof(own), roots);
	struct elf_file *file = NULL;
	if (strlen(build_id) < 3)
		return NULL;
	for (size_t i = 0; !file && i < nr_roots; i++)
		for (size_t j = 0; !file && j < ARRAY_SIZE(folders); j++) {
			char path[256];
			int length = snprintf(path, sizeof(path),
					      "%s.build-id/%.2s/%s.debug", folders[j],
					      build_id, build_id + 2);
			if (length > 0 && (size_t)length < sizeof(path))
				file = open_matching(roots[i], path, build_id);
		}
	return file;
}
