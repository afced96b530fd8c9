/*
 * debug_file: finds separate debug files where distributions install them, by build-id; and by the
 * name in .gnu_debuglink (GDB's manual, "Separate Debug Files"), whose checksum a file must have
 * that has no build-id.
 */
#include "sym/symbols_priv.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "sym/elf_file_priv.h"
#include "sym/elf_path_priv.h"
#include "target/root.h"

/* No debug file that is larger is read. */
#define CHECKED_MAX  ((uint64_t)1 << 30)
#define CHECKED_ONCE ((size_t)1 << 16)

/* What a file must be to be the one that is sought. */
struct wanted {
	const char *build_id; /* NULL: it has none */
	const char *link;     /* the name in .gnu_debuglink; NULL: none */
	uint32_t checksum;
};

/* --- which file it is ------------------------------------------------------------------ */

static bool has_checksum(const struct elf_file *file, uint32_t checksum)
{
	CLEANUP_FREE unsigned char *bytes = malloc(CHECKED_ONCE);
	uLong found = crc32(0, NULL, 0);
	if (!bytes || file->size > CHECKED_MAX)
		return false;
	for (uint64_t at = 0; at < file->size;) {
		ssize_t got = pread(file->fd, bytes, CHECKED_ONCE, (off_t)at);
		if (got <= 0)
			return false;
		found = crc32(found, bytes, (uInt)got);
		at += (uint64_t)got;
	}
	return found == checksum;
}

static bool is_wanted(const struct elf_file *file, const struct wanted *wanted)
{
	const char *build_id = elf_file_build_id(file);
	if (build_id && wanted->build_id)
		return !strcmp(build_id, wanted->build_id);
	return wanted->link && !build_id && has_checksum(file, wanted->checksum);
}

static struct elf_file *open_below(const char *root, const char *path)
{
	struct elf_file *file = NULL;
	int fd = root_open(root, path);
	if (fd < 0)
		return NULL;
	struct error *error = elf_file_open_debug(fd, path, &file);
	error_destroy(error);
	return error ? NULL : file;
}

static struct elf_file *open_matching(const char *root, const char *path,
				      const struct wanted *wanted)
{
	struct elf_file *file = open_below(root, path);
	if (!file || is_wanted(file, wanted))
		return file;
	elf_file_destroy(file);
	return NULL;
}

/* --- where it is ------------------------------------------------------------------------ */

/* The roots to look below, in this order. */
struct roots {
	const char *roots[2];
	size_t nr;
	char own[64];
};

static void find_roots(const struct target *target, struct roots *roots)
{
	snprintf(roots->own, sizeof(roots->own), "/proc/%ld/root", (long)target->pid);
	roots->nr = 0;
	if (target->sysroot)
		roots->roots[roots->nr++] = target->sysroot;
	else if (!target->path && target->pid > 0)
		roots->roots[roots->nr++] = roots->own;
	roots->roots[roots->nr++] = "/";
}

static struct elf_file *find_by_id(const struct roots *roots, const struct wanted *wanted)
{
	static const char *const folders[] = { "/usr/lib/debug/", "/" };
	struct elf_file *file = NULL;
	if (!wanted->build_id || strlen(wanted->build_id) < 3)
		return NULL;
	for (size_t i = 0; !file && i < roots->nr; i++)
		for (size_t j = 0; !file && j < ARRAY_SIZE(folders); j++) {
			char path[256];
			int length = snprintf(path, sizeof(path),
					      "%s.build-id/%.2s/%s.debug", folders[j],
					      wanted->build_id, wanted->build_id + 2);
			if (length > 0 && (size_t)length < sizeof(path))
				file = open_matching(roots->roots[i], path, wanted);
		}
	return file;
}

/* Beside the file, in .debug beside it, and in the folder of that name below /usr/lib/debug. */
static struct elf_file *find_by_link(const struct roots *roots,
				     const struct wanted *wanted, const char *path)
{
	static const char *const places[][2] = { { "", "" },
						 { "", ".debug/" },
						 { "/usr/lib/debug", "" } };
	const char *slash = strrchr(path, '/');
	struct elf_file *file = NULL;
	if (!wanted->link || !slash)
		return NULL;
	for (size_t i = 0; !file && i < roots->nr; i++)
		for (size_t j = 0; !file && j < ARRAY_SIZE(places); j++) {
			CLEANUP_FREE char *place = NULL;
			if (asprintf(&place, "%s%.*s%s%s", places[j][0],
				     (int)(slash + 1 - path), path, places[j][1],
				     wanted->link) < 0)
				return NULL;
			file = open_matching(roots->roots[i], place, wanted);
		}
	return file;
}

/* --- links --------------------------------------------------------------------------- */

static const struct elf_section *section_of(const struct elf_file *file, const char *name)
{
	for (size_t i = 0; i < file->nr_sections; i++)
		if (file->sections[i].type != SHT_NOBITS &&
		    !strcmp(file->sections[i].name, name))
			return &file->sections[i];
	return NULL;
}

/* A name, and behind it at the next multiple of 4 a checksum. The caller frees it; NULL: none. */
static char *read_link(const struct elf_file *file, uint32_t *checksum)
{
	const struct elf_section *section = section_of(file, ".gnu_debuglink");
	if (!section || section->size > 4096)
		return NULL;
	char *link = elf_file_slice(file, (struct elf_extent){ section->offset,
							       section->size });
	size_t at = link ? (strlen(link) + 1 + 3) / 4 * 4 : 0;
	/* It is a file's name, and leads nowhere else. */
	if (link && at + sizeof(*checksum) <= section->size && *link &&
	    !strchr(link, '/')) {
		memcpy(checksum, link + at, sizeof(*checksum));
		return link;
	}
	free(link);
	return NULL;
}

/* --- questions ------------------------------------------------------------------------ */

struct elf_file *debug_file_open(const struct target *target, const char *build_id)
{
	const struct wanted wanted = { .build_id = build_id };
	struct roots roots;
	find_roots(target, &roots);
	return find_by_id(&roots, &wanted);
}

struct elf_file *debug_file_find(const struct target *target, const struct elf_file *of,
				 const char *path)
{
	struct wanted wanted = { .build_id = elf_file_build_id(of) };
	struct roots roots;
	CLEANUP_FREE char *link = read_link(of, &wanted.checksum);
	wanted.link = link;
	find_roots(target, &roots);
	struct elf_file *file = find_by_id(&roots, &wanted);
	return file ? file : find_by_link(&roots, &wanted, path);
}

struct elf_file *debug_file_at(const struct target *target, const char *path,
			       const char *build_id)
{
	const struct wanted wanted = { .build_id = build_id };
	struct roots roots;
	struct elf_file *file = NULL;
	find_roots(target, &roots);
	for (size_t i = 0; !file && i < roots.nr; i++)
		file = build_id ? open_matching(roots.roots[i], path, &wanted)
				: open_below(roots.roots[i], path);
	return file;
}
