/* binary: see binary.h. */
#include "target/binary.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/vec.h"
#include "target/elf_image.h"
#include "target/root.h"

/* What is looked for, and the first file that was not it. */
struct search {
	const struct binary_places *places;
	const char *path, *build_id;
	char other_path[2 * PATH_MAX];
	char other_build_id[BUILD_ID_TEXT];
};

/* --- places ------------------------------------------------------------------------- */

static const char *sysroot_of(const struct search *search)
{
	return search->places->sysroot;
}

static const char *folder_of(const struct search *search)
{
	return search->places->folder;
}

/* With nothing but a name to go by, a file of this machine is no stand-in for one of the
   sysroot's. */
static const char *machine_of(const struct search *search)
{
	return search->places->sysroot && !search->build_id[0] ? NULL : "/";
}

static bool name_whole(const struct search *search, char *path, size_t size)
{
	return (size_t)snprintf(path, size, "%s", search->path) < size;
}

static bool name_last(const struct search *search, char *path, size_t size)
{
	const char *slash = strrchr(search->path, '/');
	return (size_t)snprintf(path, size, "%s", slash ? slash + 1 : search->path) <
	       size;
}

static bool name_build_id(const struct search *search, char *path, size_t size)
{
	return strlen(search->build_id) > 2 &&
	       (size_t)snprintf(path, size, ".build-id/%.2s/%s", search->build_id,
				search->build_id + 2) < size;
}

static bool name_debug(const struct search *search, char *path, size_t size)
{
	return strlen(search->build_id) > 2 &&
	       (size_t)snprintf(path, size, "usr/lib/debug/.build-id/%.2s/%s",
				search->build_id, search->build_id + 2) < size;
}

/* In this order. */
static const struct place {
	const char *(*root)(const struct search *search); /* gives NULL: skip it */
	bool (*name)(const struct search *search, char *path, size_t size);
} places[] = {
	{ sysroot_of, name_whole }, { machine_of, name_whole },
	{ folder_of, name_last },   { sysroot_of, name_build_id },
	{ sysroot_of, name_debug }, { machine_of, name_debug },
};

/* --- the search --------------------------------------------------------------------- */

/* Whether it is the file; if not, remembers what it is. */
static bool is_it(struct search *search, int fd, const char *root, const char *path)
{
	const struct elf_source source = { .read = elf_source_read_file, .fd = fd };
	struct elf_image image;
	if (!elf_image_read(&source, &image))
		return false;
	if (!search->build_id[0] || !strcmp(search->build_id, image.build_id))
		return true;
	if (search->other_path[0])
		return false;
	const char *gap = path[0] == '/' || !strcmp(root, "/") ? "" : "/";
	snprintf(search->other_path, sizeof(search->other_path), "%s%s%s",
		 path[0] == '/' && !strcmp(root, "/") ? "" : root, gap, path);
	snprintf(search->other_build_id, sizeof(search->other_build_id), "%s",
		 image.build_id);
	return false;
}

static struct error *not_found(const struct search *search)
{
	if (!search->other_path[0])
		return error_create(ERROR_READ,
				    "%s: the file that was mapped is not here%s%s",
				    search->path,
				    search->build_id[0] ? "; its build-id is " : "",
				    search->build_id);
	return error_create(ERROR_READ,
			    "%s: %s is another file: its build-id is %s, that of the one "
			    "in the core is %s",
			    search->path, search->other_path,
			    search->other_build_id[0] ? search->other_build_id
						      : "missing",
			    search->build_id);
}

struct error *binary_open(const struct binary_places *where, const char *path,
			  const char *build_id, int *fd)
{
	struct search search = { .places = where, .path = path, .build_id = build_id };
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char name[PATH_MAX];
		const char *root = places[i].root(&search);
		if (!root || !places[i].name(&search, name, sizeof(name)))
			continue;
		*fd = root_open(root, name);
		if (*fd >= 0 && is_it(&search, *fd, root, name))
			return NULL;
		if (*fd >= 0)
			close(*fd);
	}
	*fd = -1;
	return error_remedy(not_found(&search),
			    "give the folder that holds the files of that machine: "
			    "--sysroot DIR");
}
