/* symbols: modules and the names in them. See symbols.h; classes are in vtable.c. */
#include "sym/symbols_priv.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

/* --- modules ------------------------------------------------------------------------ */

static void module_names_destroy(struct module_names *names)
{
	if (!names)
		return;
	elf_file_destroy(names->file);
	elf_file_destroy(names->debug);
	free(names->path);
	free(names->why_not);
	free(names);
}

static struct error *open_file(struct target *target, const struct module *module,
			       struct module_names *names)
{
	if (module->first_region >= target->regions.nr)
		return error_create(ERROR_READ, "%s is not mapped", module->path);
	const struct region *region = &target->regions.items[module->first_region];
	int fd;
	struct error *error = target_open_module(target, module, &fd);
	if (!error)
		error = elf_file_open(fd, module->path, &names->file);
	if (!error)
		names->bias = elf_file_bias(names->file, region->start, region->offset);
	return error;
}

static struct module_names *module_names_create(struct target *target,
						const struct module *module)
{
	struct module_names *names = calloc(1, sizeof(*names));
	if (!names)
		return NULL;
	names->start = module->start;
	names->path = strdup(module->path);
	if (!names->path) {
		free(names);
		return NULL;
	}
	struct error *error = open_file(target, module, names);
	if (error)
		names->why_not = strdup(error->sentence);
	error_destroy(error);
	return names;
}

static bool is_of(const struct module_names *names, const struct module *module)
{
	return names->start == module->start && strcmp(names->path, module->path) == 0;
}

struct module_names *symbols_module_names(struct symbols *symbols,
					  const struct module *module)
{
	if (symbols->latest && is_of(symbols->latest, module))
		return symbols->latest;
	for (size_t i = 0; i < symbols->modules.nr; i++) {
		if (is_of(symbols->modules.items[i], module))
			return symbols->latest = symbols->modules.items[i];
	}
	struct module_names *names = module_names_create(symbols->target, module);
	if (names && !module_names_vec_push(&symbols->modules, names)) {
		module_names_destroy(names);
		return NULL;
	}
	if (names)
		symbols->latest = names;
	return names;
}

/*
 * The .bss behind a module's last file page is an anonymous mapping next to it. It counts,
 * since copy relocations put other modules' vtables there.
 */
const struct module *symbols_module_of(const struct symbols *symbols, uint64_t address)
{
	const struct target *target = symbols->target;
	const struct region *region = target_region(target, address);
	if (!region || region->name[0] == '[')
		return NULL;
	if (region->inode || region->name[0])
		return target_module(target, address);
	if (region == target->regions.items)
		return NULL;
	const struct region *before = region - 1;
	if (before->end != region->start || !before->inode)
		return NULL;
	return target_module(target, before->start);
}

const struct module *symbols_module_at(const struct symbols *symbols, uint64_t address)
{
	return symbols_module_of(symbols, address);
}

/* The segments of its file; the bias goes with them. */
static const struct elf_segment *segments_of(struct symbols *symbols,
					     const struct module *module, uint64_t *bias,
					     size_t *nr)
{
	struct elf_file *file = symbols_elf_file(symbols, module, bias);
	*nr = 0;
	return file ? elf_file_segments(file, nr) : NULL;
}

uint64_t symbols_tls_bytes(struct symbols *symbols)
{
	const struct module_vec *modules = &symbols->target->modules;
	uint64_t bytes = 0, bias;
	for (size_t i = 0; i < modules->nr; i++) {
		size_t nr;
		const struct elf_segment *segments =
			segments_of(symbols, &modules->items[i], &bias, &nr);
		for (size_t j = 0; j < nr; j++)
			if (segments[j].type == PT_TLS)
				bytes += segments[j].memory_size;
	}
	return bytes;
}

uint64_t symbols_module_end(struct symbols *symbols, const struct module *module)
{
	size_t nr;
	uint64_t end = 0, bias = 0;
	const struct elf_segment *segments = segments_of(symbols, module, &bias, &nr);
	for (size_t i = 0; i < nr; i++) {
		uint64_t segment_end = segments[i].address + segments[i].memory_size;
		if (segments[i].type == PT_LOAD && segment_end > end)
			end = segment_end;
	}
	return end ? bias + end : 0;
}

/* --- public ------------------------------------------------------------------------- */

struct error *symbols_create(struct target *target, struct symbols **symbols)
{
	*symbols = calloc(1, sizeof(**symbols));
	if (!*symbols)
		return error_no_memory();
	(*symbols)->target = target;
	return NULL;
}

void symbols_destroy(struct symbols *symbols)
{
	if (!symbols)
		return;
	for (size_t i = 0; i < symbols->modules.nr; i++)
		module_names_destroy(symbols->modules.items[i]);
	module_names_vec_deinit(&symbols->modules);
	name_table_deinit(&symbols->functions);
	name_table_deinit(&symbols->classes);
	free(symbols);
}

struct elf_file *symbols_elf_file(struct symbols *symbols, const struct module *module,
				  uint64_t *bias)
{
	struct module_names *names = symbols_module_names(symbols, module);
	*bias = names ? names->bias : 0;
	return names ? names->file : NULL;
}

const char *symbols_module_error(struct symbols *symbols, const struct module *module)
{
	struct module_names *names = symbols_module_names(symbols, module);
	if (names && names->file)
		return NULL;
	return names && names->why_not ? names->why_not : "out of memory";
}

/* --- names -------------------------------------------------------------------------- */

/* A module that still has its .symtab needs none. */
static struct elf_file *debug_of(struct symbols *symbols, struct module_names *names)
{
	if (names->debug_was_sought)
		return names->debug;
	names->debug_was_sought = true;
	if (!elf_file_has_section(names->file, ".symtab"))
		names->debug = debug_file_find(symbols->target, names->file, names->path);
	return names->debug;
}

const struct elf_symbol *symbols_cover(struct symbols *symbols,
				       struct module_names *names, uint64_t address)
{
	if (!names->file)
		return NULL;
	uint64_t own = address - names->bias;
	struct elf_file *debug = debug_of(symbols, names);
	const struct elf_symbol *symbol = debug ? elf_file_symbol_at(debug, own) : NULL;
	return symbol ? symbol : elf_file_symbol_at(names->file, own);
}

static void make_printable(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
	}
}

char *symbols_readable(const char *symbol_name)
{
	/* In .symtab a version is part of the name; nothing else has an '@'. */
	char *plain = strndup(symbol_name, strcspn(symbol_name, "@"));
	char *readable = plain ? symbols_demangle(plain) : NULL;
	free(plain);
	if (readable)
		make_printable(readable);
	return readable;
}

static const char *readable_function(struct symbols *symbols,
				     const struct elf_symbol *symbol)
{
	uint64_t key = (uintptr_t)symbol->name;
	const char *name;
	if (name_table_find(&symbols->functions, key, &name))
		return name;
	char *readable = symbols_readable(symbol->name);
	if (!readable || !name_table_add(&symbols->functions, key, readable))
		return NULL;
	return readable;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

struct symbol_name symbols_name(struct symbols *symbols, uint64_t address)
{
	struct symbol_name name = { 0 };
	const struct module *module = symbols_module_of(symbols, address);
	struct module_names *names = module ? symbols_module_names(symbols, module)
					    : NULL;
	if (!names)
		return name;
	name.module = file_name(names->path);
	name.offset = address - names->start;
	const struct elf_symbol *symbol = symbols_cover(symbols, names, address);
	name.function = symbol ? readable_function(symbols, symbol) : NULL;
	if (name.function)
		name.offset = address - names->bias - symbol->address;
	return name;
}
