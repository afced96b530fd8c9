/* dwarf_file: see dwarf_file_priv.h. */
#include "sym/dwarf_file_priv.h"

#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <inttypes.h>
#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sym/elf_file_priv.h"
#include "sym/elf_path_priv.h"
#include "sym/symbols_priv.h"

/* A file of more than this, or with so much debug information when it is unpacked, is not read: it is
   kept in memory. */
#define DEBUG_CEILING ((uint64_t)1 << 30)
/* Zeros behind the copy of a file. */
#define PADDING 4096u

/* --- files -------------------------------------------------------------------------- */

static struct error *check_build_id(const struct elf_file *file, const char *path,
				    const char *build_id)
{
	const char *found = elf_file_build_id(file);
	if (!build_id || elf_path_is_build(file, build_id))
		return NULL;
	return error_create(ERROR_READ,
			    "%s is not the file that was sought: its build-id is %s, not "
			    "%s",
			    path, found ? found : "missing", build_id);
}

/* The separate debug file in place of one that has no debug information of its own. */
static struct error *find_debug(struct dwarf_file *file, const char *path,
				const struct target *target)
{
	if (elf_file_has_section(file->file, ".debug_info"))
		return NULL;
	const char *build_id = elf_file_build_id(file->file);
	struct elf_file *debug = build_id ? debug_file_open(target, build_id) : NULL;
	if (!debug)
		return error_remedy(error_create(ERROR_READ,
						 "%s has no debug information", path),
				    "build it with -g, or install its debug package");
	elf_file_destroy(file->file);
	file->file = debug;
	return NULL;
}

/* --- libdw -------------------------------------------------------------------------- */

static bool is_debug_section(const char *name)
{
	return name && !strncmp(name, ".debug_", 7);
}

/* What the debug sections take when they are unpacked; UINT64_MAX for what cannot be told. */
static uint64_t unpacked_bytes(Elf *elf)
{
	size_t names;
	uint64_t sum = 0;
	if (elf_getshdrstrndx(elf, &names) != 0)
		return UINT64_MAX;
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
		GElf_Shdr header;
		GElf_Chdr packed;
		if (!gelf_getshdr(section, &header))
			return UINT64_MAX;
		if (!is_debug_section(elf_strptr(elf, names, header.sh_name)))
			continue;
		bool is_packed = header.sh_flags & SHF_COMPRESSED;
		if (is_packed && !gelf_getchdr(section, &packed))
			return UINT64_MAX;
		uint64_t bytes = is_packed ? packed.ch_size : header.sh_size;
		if (bytes > DEBUG_CEILING)
			return UINT64_MAX;
		sum += bytes;
	}
	return sum;
}

static struct error *too_large(const char *path)
{
	return error_create(ERROR_FORMAT,
			    "%s: its debug information is damaged, or more than seep "
			    "reads (1 GiB)",
			    path);
}

static struct error *read_image(struct dwarf_file *file, const char *path)
{
	const uint64_t size = file->file->size;
	uint64_t at = 0;
	if (size > DEBUG_CEILING)
		return too_large(path);
	if (!area_reserve(&file->image, size + PADDING))
		return error_no_memory();
	while (at < size) {
		ssize_t got = pread(file->file->fd, (char *)file->image.memory + at,
				    size - at, (off_t)at);
		if (got <= 0)
			return error_create(ERROR_READ, "%s: cannot be read whole", path);
		at += (uint64_t)got;
	}
	return NULL;
}

static bool is_in_image(const struct dwarf_file *file, const void *bytes)
{
	uintptr_t start = (uintptr_t)file->image.memory;
	return (uintptr_t)bytes >= start && (uintptr_t)bytes < start + file->image.bytes;
}

/* Unpacked sections lie in memory of their own, without zeros behind them. */
static bool ends_are_safe(const struct dwarf_file *file)
{
	size_t names;
	if (elf_getshdrstrndx(file->elf, &names) != 0)
		return false;
	for (Elf_Scn *section = NULL; (section = elf_nextscn(file->elf, section));) {
		GElf_Shdr header;
		if (!gelf_getshdr(section, &header) ||
		    !is_debug_section(elf_strptr(file->elf, names, header.sh_name)))
			continue;
		const Elf_Data *data = elf_getdata(section, NULL);
		const char *bytes = data && data->d_size ? data->d_buf : NULL;
		if (bytes && !is_in_image(file, bytes) && bytes[data->d_size - 1])
			return false;
	}
	return true;
}

static struct error *begin(struct dwarf_file *file, const char *path)
{
	struct error *error = read_image(file, path);
	if (error)
		return error;
	elf_version(EV_CURRENT);
	file->elf = elf_memory(file->image.memory, file->file->size);
	if (!file->elf)
		return error_create(ERROR_FORMAT, "%s: %s", path, elf_errmsg(-1));
	if (unpacked_bytes(file->elf) > DEBUG_CEILING)
		return too_large(path);
	file->dwarf = dwarf_begin_elf(file->elf, DWARF_C_READ, NULL);
	if (!file->dwarf)
		return error_create(ERROR_FORMAT, "%s: %s", path, dwarf_errmsg(-1));
	if (!ends_are_safe(file))
		return error_create(ERROR_FORMAT, "%s: a string without an end", path);
	return NULL;
}

/* --- what files share ---------------------------------------------------------------- */

/* The path that a file gives to what it shares counts from its own folder. */
static struct error *shared_path(const struct dwarf_file *file, const char *name,
				 char **path)
{
	const char *own = file->file->name;
	const char *slash = strrchr(own, '/');
	int length = slash && name[0] != '/'
			     ? asprintf(path, "%.*s/%s", (int)(slash - own), own, name)
			     : asprintf(path, "%s", name);
	return length < 0 ? error_no_memory() : NULL;
}

static struct error *open_shared(struct dwarf_file *file, const char *name,
				 const char *build_id)
{
	static const struct target nowhere = { .pid = 0 };
	struct dwarf_file *shared = calloc(1, sizeof(*shared));
	if (!shared)
		return error_no_memory();
	file->shared = shared;
	shared->file = debug_file_open(&nowhere, build_id);
	char *path = NULL;
	struct error *error = shared_path(file, name, &path);
	if (!error && !shared->file)
		error = elf_path_open(path, elf_file_open_debug, &shared->file);
	if (!error)
		error = check_build_id(shared->file, path, build_id);
	if (!error)
		error = begin(shared, path);
	free(path);
	return error;
}

/* libdw would look for it by itself, and open whatever the file names. */
static struct error *add_shared(struct dwarf_file *file)
{
	const char *name;
	const void *id;
	char build_id[2 * 64 + 1];
	ssize_t size = dwelf_dwarf_gnu_debugaltlink(file->dwarf, &name, &id);
	if (size == 0)
		return NULL;
	if (size < 0 || size > 64)
		return error_create(ERROR_FORMAT, "%s: a damaged link to what it shares",
				    file->file->name);
	for (ssize_t i = 0; i < size; i++)
		snprintf(build_id + 2 * i, 3, "%02x", ((const unsigned char *)id)[i]);
	struct error *error = open_shared(file, name, build_id);
	if (!error)
		dwarf_setalt(file->dwarf, file->shared->dwarf);
	return error;
}

/* --- when memory runs out ------------------------------------------------------------ */

static _Thread_local jmp_buf *way_out;

static void __attribute__((noreturn)) leave_libdw(void)
{
	longjmp(*way_out, 1);
}

bool dwarf_file_guard(void (*call)(void *context), void *context)
{
	jmp_buf here;
	if (setjmp(here))
		return false;
	way_out = &here;
	call(context);
	way_out = NULL;
	return true;
}

/* --- life --------------------------------------------------------------------------- */

/* What is in file->file, or its debug file. */
static struct error *open_rest(struct dwarf_file *file, const char *path,
			       const struct target *target)
{
	struct error *error = find_debug(file, path, target);
	if (!error)
		error = begin(file, path);
	if (!error)
		error = add_shared(file);
	if (error)
		return error;
	dwarf_new_oom_handler(file->dwarf, leave_libdw);
	if (file->shared)
		dwarf_new_oom_handler(file->shared->dwarf, leave_libdw);
	return NULL;
}

struct error *dwarf_file_open(const char *path, const char *build_id,
			      struct dwarf_file **result)
{
	static const struct target nowhere = { .pid = 0 };
	struct dwarf_file *file = calloc(1, sizeof(*file));
	if (!file)
		return error_no_memory();
	struct error *error = elf_path_open(path, elf_file_open, &file->file);
	if (!error)
		error = check_build_id(file->file, path, build_id);
	if (!error)
		error = open_rest(file, path, &nowhere);
	if (error) {
		dwarf_file_close(file);
		return error;
	}
	*result = file;
	return NULL;
}

struct error *dwarf_file_open_module(struct target *target, const struct module *module,
				     struct dwarf_file **result)
{
	int fd = -1;
	struct dwarf_file *file = calloc(1, sizeof(*file));
	if (!file)
		return error_no_memory();
	struct error *error = target_open_module(target, module, &fd);
	if (!error)
		error = elf_file_open(fd, module->path, &file->file);
	if (!error)
		error = open_rest(file, module->path, target);
	if (error) {
		dwarf_file_close(file);
		return error;
	}
	*result = file;
	return NULL;
}

void dwarf_file_close(struct dwarf_file *file)
{
	if (!file)
		return;
	dwarf_end(file->dwarf);
	elf_end(file->elf);
	dwarf_file_close(file->shared);
	area_release(&file->image);
	elf_file_destroy(file->file);
	free(file);
}
