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

#include "base/cleanup.h"
#include "sym/elf_file_priv.h"
#include "sym/elf_path_priv.h"
#include "sym/symbols_priv.h"

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

static bool has_debug(const struct elf_file *file)
{
	return elf_file_has_section(file, ".debug_info") ||
	       elf_file_has_section(file, ".zdebug_info");
}

/* The separate debug file in place of one that has no debug information of its own. */
static struct error *find_debug(struct dwarf_file *file, const char *path,
				const struct target *target)
{
	if (has_debug(file->file))
		return NULL;
	struct elf_file *debug = debug_file_find(target, file->file, path);
	if (!debug || !has_debug(debug)) {
		elf_file_destroy(debug);
		return error_remedy(
			error_create(ERROR_REFUSED, "%s has no debug information", path),
			elf_file_has_section(file->file, ".gnu_debuglink")
				? "install the debug package of this very build, or "
				  "put its debug file beside it"
				: "build it with -g, or install its debug package");
	}
	elf_file_destroy(file->file);
	file->file = debug;
	return NULL;
}

/* --- libdw -------------------------------------------------------------------------- */

static struct error *begin(struct dwarf_file *file, const char *path)
{
	struct error *error = dwarf_image_read(&file->image, file->file, path);
	if (error)
		return error;
	elf_version(EV_CURRENT);
	file->elf = elf_memory(file->image.bytes.memory, file->image.size);
	if (!file->elf)
		return error_create(ERROR_FORMAT, "%s: %s", path, elf_errmsg(-1));
	file->dwarf = dwarf_begin_elf(file->elf, DWARF_C_READ, NULL);
	if (!file->dwarf)
		return error_create(ERROR_FORMAT, "%s: %s", path, dwarf_errmsg(-1));
	return NULL;
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

/* --- what files share ---------------------------------------------------------------- */

static const struct target nowhere = { .pid = 0 };

/* The path that a file gives to what it shares counts from its own folder. */
static char *shared_path(const struct dwarf_file *file, const char *name)
{
	const char *own = file->file->name;
	const char *slash = strrchr(own, '/');
	char *path = NULL;
	int length = slash && name[0] != '/'
			     ? asprintf(&path, "%.*s/%s", (int)(slash - own), own, name)
			     : asprintf(&path, "%s", name);
	return length < 0 ? NULL : path;
}

/* libdw would open by itself what yet another link names. */
static struct error *begin_linked(struct dwarf_file *file, const char *path)
{
	struct error *error = NULL;
	if (elf_file_has_section(file->file, ".gnu_debugaltlink"))
		error = error_create(ERROR_FORMAT,
				     "%s: is linked to, and links to another file", path);
	if (!error)
		error = begin(file, path);
	if (!error)
		dwarf_new_oom_handler(file->dwarf, leave_libdw);
	return error;
}

static struct error *not_there(const struct dwarf_file *file, const char *path,
			       const char *build_id)
{
	return error_remedy(
		error_create(ERROR_READ,
			     "%s shares debug information by dwz with %s, which is not "
			     "there, or of another build",
			     file->file->name, path),
		"install the rest of its debug package, with the file of build-id %s",
		build_id);
}

static struct error *open_shared(struct dwarf_file *file, const struct target *target,
				 const char *name, const char *build_id)
{
	CLEANUP_FREE char *path = shared_path(file, name);
	struct dwarf_file *shared = calloc(1, sizeof(*shared));
	file->shared = shared;
	if (!shared || !path)
		return error_no_memory();
	shared->file = debug_file_open(target, build_id);
	if (!shared->file)
		shared->file = debug_file_at(target, path, build_id);
	if (!shared->file)
		return not_there(file, path, build_id);
	return begin_linked(shared, path);
}

/* libdw would look for it by itself, and open whatever the file names. */
static struct error *add_shared(struct dwarf_file *file, const struct target *target)
{
	const char *name;
	const void *id;
	char build_id[2 * 64 + 1] = "";
	ssize_t size = dwelf_dwarf_gnu_debugaltlink(file->dwarf, &name, &id);
	if (size == 0)
		return NULL;
	if (size < 0 || size > 64)
		return error_create(ERROR_FORMAT, "%s: a damaged link to what it shares",
				    file->file->name);
	for (ssize_t i = 0; i < size; i++)
		snprintf(build_id + 2 * i, 3, "%02x", ((const unsigned char *)id)[i]);
	struct error *error = open_shared(file, target, name, build_id);
	if (!error)
		dwarf_setalt(file->dwarf, file->shared->dwarf);
	return error;
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
		error = add_shared(file, target);
	if (!error)
		dwarf_new_oom_handler(file->dwarf, leave_libdw);
	return error;
}

struct error *dwarf_file_open(const char *path, const char *build_id,
			      struct dwarf_file **result)
{
	struct dwarf_file *file = calloc(1, sizeof(*file));
	if (!file)
		return error_no_memory();
	/* Others are sought beside it. */
	CLEANUP_FREE char *real = realpath(path, NULL);
	struct error *error =
		elf_path_open(real ? real : path, elf_file_open, &file->file);
	if (!error)
		error = check_build_id(file->file, path, build_id);
	if (!error)
		error = open_rest(file, real ? real : path, &nowhere);
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

struct error *dwarf_file_open_part(const struct target *target, const char *path,
				   struct dwarf_file **result)
{
	struct dwarf_file *file = calloc(1, sizeof(*file));
	if (!file)
		return error_no_memory();
	file->file = debug_file_at(target ? target : &nowhere, path, NULL);
	struct error *error =
		file->file ? begin_linked(file, path)
			   : error_create(ERROR_READ, "%s cannot be opened", path);
	if (error) {
		dwarf_file_close(file);
		return error;
	}
	/* There may be more of them than files that may be open. */
	elf_file_destroy(file->file);
	file->file = NULL;
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
	dwarf_image_release(&file->image);
	elf_file_destroy(file->file);
	free(file);
}

const char *dwarf_file_section(const struct dwarf_file *file, const char *name,
			       size_t *size)
{
	size_t names;
	if (elf_getshdrstrndx(file->elf, &names) != 0)
		return NULL;
	for (Elf_Scn *section = NULL; (section = elf_nextscn(file->elf, section));) {
		GElf_Shdr header;
		if (!gelf_getshdr(section, &header))
			return NULL;
		const char *found = elf_strptr(file->elf, names, header.sh_name);
		const Elf_Data *data =
			found && !strcmp(found, name) ? elf_getdata(section, NULL) : NULL;
		if (!data || !data->d_buf)
			continue;
		*size = data->d_size;
		return data->d_buf;
	}
	return NULL;
}
