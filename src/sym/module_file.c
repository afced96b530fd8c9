/* module_file: see module_file.h. */
#include "sym/module_file.h"

#include <stdlib.h>

#include "sym/elf_path_priv.h"
#include "sym/symbols_priv.h"

struct module_file {
	struct elf_file *file;
	struct elf_file *debug; /* NULL: none */
};

static struct error *check_build_id(const struct elf_file *file, const char *path,
				    const char *build_id)
{
	const char *found = elf_file_build_id(file);
	if (!build_id || elf_path_is_build(file, build_id))
		return NULL;
	return error_create(ERROR_READ,
			    "%s is not the file that was recorded: its build-id is %s, "
			    "that of the recorded one is %s",
			    path, found ? found : "missing", build_id);
}

/* A file that still has its .symtab needs none. */
static struct elf_file *find_debug_file(const struct elf_file *file)
{
	static const struct target nowhere = { .pid = 0 };
	const char *build_id = elf_file_build_id(file);
	if (!build_id || elf_file_has_section(file, ".symtab"))
		return NULL;
	return debug_file_open(&nowhere, build_id);
}

struct error *module_file_open(const char *path, const char *build_id,
			       struct module_file **result)
{
	struct module_file *file = calloc(1, sizeof(*file));
	if (!file)
		return error_no_memory();
	struct error *error = elf_path_open(path, elf_file_open, &file->file);
	if (!error)
		error = check_build_id(file->file, path, build_id);
	if (error) {
		module_file_close(file);
		return error;
	}
	file->debug = find_debug_file(file->file);
	*result = file;
	return NULL;
}

void module_file_close(struct module_file *file)
{
	if (!file)
		return;
	elf_file_destroy(file->file);
	elf_file_destroy(file->debug);
	free(file);
}

const struct elf_symbol *module_file_symbol(struct module_file *file, uint64_t address)
{
	const struct elf_symbol *symbol =
		file->debug ? elf_file_symbol_at(file->debug, address) : NULL;
	return symbol ? symbol : elf_file_symbol_at(file->file, address);
}

char *module_file_readable(const struct elf_symbol *symbol)
{
	return symbols_readable(symbol->name);
}
