/* module_file: see module_file.h. */
#include "sym/module_file.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
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
static struct elf_file *find_debug_file(const struct elf_file *file, const char *path)
{
	static const struct target nowhere = { .pid = 0 };
	if (elf_file_has_section(file, ".symtab"))
		return NULL;
	CLEANUP_FREE char *real = realpath(path, NULL);
	return debug_file_find(&nowhere, file, real ? real : path);
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
	file->debug = find_debug_file(file->file, path);
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

static bool differ(const struct elf_symbol *one, const struct elf_symbol *other)
{
	char *names[] = { module_file_readable(one), module_file_readable(other) };
	bool differ = !names[0] || !names[1] || strcmp(names[0], names[1]);
	free(names[0]);
	free(names[1]);
	return differ;
}

static bool has_twin(struct elf_file *file, const struct elf_symbol *symbol)
{
	size_t nr;
	const struct elf_symbol *symbols = elf_file_symbols(file, &nr), *at;
	for (at = symbol; at > symbols && at[-1].address == symbol->address; at--)
		;
	for (; at < symbols + nr && at->address == symbol->address; at++)
		if (at != symbol && at->type == STT_FUNC && differ(at, symbol))
			return true;
	return false;
}

bool module_file_has_twins(struct module_file *file, uint64_t address)
{
	struct elf_file *files[] = { file->debug, file->file };
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		const struct elf_symbol *symbol =
			files[i] ? elf_file_symbol_at(files[i], address) : NULL;
		if (symbol)
			return has_twin(files[i], symbol);
	}
	return false;
}

char *module_file_readable(const struct elf_symbol *symbol)
{
	return symbols_readable(symbol->name);
}
