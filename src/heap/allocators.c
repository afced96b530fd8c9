/* allocators: see allocators.h. */
#include "heap/allocators.h"

#include <stdio.h>
#include <string.h>

#include "heap/glibc_layout.h"
#include "heap/glibc_version.h"

static const struct allocator glibc_allocator = { .name = "glibc", .open = glibc_open };

/* Allocators that replace malloc, by what their file names or symbols say. */
static const struct {
	const char *symbol; /* that only this allocator defines */
	const char *name;
} foreign_allocators[] = {
	{ "__asan_init", "AddressSanitizer's allocator" },
	{ "__lsan_init", "LeakSanitizer's allocator" },
	{ "__tsan_init", "ThreadSanitizer's allocator" },
	{ "mallctl", "jemalloc" },
	{ "je_mallctl", "jemalloc" },
	{ "MallocExtension_GetNumericProperty", "tcmalloc" },
	{ "tc_malloc", "tcmalloc" },
	{ "mi_malloc", "mimalloc" },
	{ "hoard_malloc", "Hoard" },
	{ "scalable_malloc", "TBB's scalable allocator" },
};

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* libc.so.6, or libc-2.31.so as it was called before. */
static bool is_libc(const struct module *module)
{
	const char *name = file_name(module->path);
	return !strncmp(name, "libc.so", 7) || !strncmp(name, "libc-2.", 7);
}

static bool is_loader(const struct module *module)
{
	return !strncmp(file_name(module->path), "ld-", 3);
}

bool allocator_is_runtime(const struct module *module)
{
	static const char *const names[] = { "libseep-runtime.so",
					     "libseep-runtime-musl.so" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(file_name(module->path), names[i]))
			return true;
	return false;
}

static struct error *uses(const struct target *target, const char *what)
{
	return error_create(
		ERROR_REFUSED,
		"%s uses %s; this seep reads the heaps of glibc's malloc only",
		target->name, what);
}

static struct error *refuse(const struct target *target, const char *what)
{
	return error_remedy(
		uses(target, what),
		"run it with glibc's malloc (for a preloaded allocator: without LD_PRELOAD)");
}

static bool is_go(struct elf_file *program)
{
	return elf_file_has_section(program, ".note.go.buildid") ||
	       elf_file_has_section(program, ".gopclntab") ||
	       elf_file_has_section(program, ".go.buildinfo");
}

static const char *foreign_name(struct elf_file *file)
{
	for (size_t i = 0; i < ARRAY_SIZE(foreign_allocators); i++)
		if (elf_file_symbol(file, foreign_allocators[i].symbol))
			return foreign_allocators[i].name;
	return NULL;
}

/* A module other than libc that defines malloc serves everybody's. */
static struct error *check_replaced(struct target *target, struct symbols *symbols,
				    bool is_static)
{
	for (size_t i = 0; i < target->modules.nr; i++) {
		const struct module *module = &target->modules.items[i];
		if (is_libc(module) || is_loader(module) || allocator_is_runtime(module))
			continue;
		uint64_t bias = 0;
		struct elf_file *file = symbols_elf_file(symbols, module, &bias);
		const struct elf_symbol *symbol = file ? elf_file_symbol(file, "malloc")
						       : NULL;
		if (!symbol || !symbol->is_global)
			continue;
		const char *name = foreign_name(file);
		if (name)
			return refuse(target, name);
		if (is_static)
			continue; /* its own libc's malloc */
		char what[256];
		snprintf(what, sizeof(what), "a malloc of its own, in %.200s",
			 file_name(module->path));
		return refuse(target, what);
	}
	return NULL;
}

static struct error *check_static(struct target *target, struct elf_file *program)
{
	static const char *const musl_symbols[] = { "__malloc_context",
						    "__libc_malloc_impl", "__expand_heap",
						    "__malloc_donate" };
	for (size_t i = 0; i < ARRAY_SIZE(musl_symbols); i++)
		if (elf_file_symbol(program, musl_symbols[i]))
			return refuse(target, "musl's malloc (linked statically)");
	return NULL;
}

static struct error *unknown_version(const struct target *target, unsigned version)
{
	return error_remedy(
		error_create(
			ERROR_REFUSED,
			"%s uses glibc %u.%u, whose heap layout this seep does not know",
			target->name, version / 1000, version % 1000),
		"use a seep that knows it; this one knows glibc %u.%u",
		glibc_layout_newest() / 1000, glibc_layout_newest() % 1000);
}

static const struct module *find_libc(const struct target *target)
{
	for (size_t i = 0; i < target->modules.nr; i++)
		if (is_libc(&target->modules.items[i]))
			return &target->modules.items[i];
	return NULL;
}

/* A file may be named like libc without being one. Of a core, libc's file may be missing. */
struct error *glibc_module(struct target *target, struct symbols *symbols,
			   const struct module **found, unsigned *version)
{
	*version = 0;
	*found = target->modules.nr ? &target->modules.items[0] : NULL;
	for (size_t i = 0; i < target->modules.nr && !*version; i++) {
		const struct module *module = &target->modules.items[i];
		uint64_t bias = 0;
		struct elf_file *file =
			is_libc(module) ? symbols_elf_file(symbols, module, &bias) : NULL;
		if (!file)
			continue;
		*version = elf_file_version(file, "GLIBC_");
		*found = *version ? module : *found;
	}
	const struct module *libc = *version || !target->path ? NULL : find_libc(target);
	struct error *error = libc ? glibc_version_find(target, libc, version) : NULL;
	*found = !error && libc && *version ? libc : *found;
	return error;
}

/* What to do when it is not known what the target's memory is. */
static struct error *ask_for_more(const struct target *target, struct error *error)
{
	if (target->path)
		return error_remedy(error, "give the folder that holds the files of that "
					   "machine: --sysroot DIR");
	return error_remedy(error,
			    "see what is known about the process with: seep doctor %d",
			    (int)target->pid);
}

/* The banner that libc carries ("stable release version 2.36") stands in a static program
   too when its error paths are linked in. */
static struct error *find_static_glibc(struct target *target, struct elf_file *program,
				       char **name)
{
	struct error *error = check_static(target, program);
	if (error)
		return error;
	static const char mark[] = "glibc-ld.so.cache1.1";
	uint64_t offset = 0;
	if (!elf_file_contains(program, mark, strlen(mark), &offset))
		return refuse(target, "an allocator that cannot be told from its file (a "
				      "static program without glibc)");
	*name = strdup("glibc (static)");
	return *name ? NULL : error_no_memory();
}

static struct error *find_dynamic_glibc(struct target *target, struct symbols *symbols,
					char **name)
{
	unsigned version = 0;
	const struct module *module = NULL;
	struct error *error = glibc_module(target, symbols, &module, &version);
	if (error)
		return error;
	if (!version) {
		const struct module *libc = find_libc(target);
		const char *why = symbols_module_error(symbols, libc ? libc : module);
		return ask_for_more(
			target,
			error_create(ERROR_REFUSED,
				     "%s: its C library was not recognised%s%s",
				     target->name, why ? ": " : "", why ? why : ""));
	}
	if (!glibc_layout_find(version))
		return unknown_version(target, version);
	if (asprintf(name, "glibc %u.%u", version / 1000, version % 1000) < 0) {
		*name = NULL;
		return error_no_memory();
	}
	return NULL;
}

/*
 * The kernel maps the program lowest but for PIE's; its file says what it is. *program is
 * NULL when a core's is not at hand, but its C library is known by its name.
 */
static struct error *find_program(struct target *target, struct symbols *symbols,
				  struct elf_file **program)
{
	*program = NULL;
	const char *why = NULL;
	for (size_t i = 0; i < target->modules.nr; i++) {
		const struct module *module = &target->modules.items[i];
		uint64_t bias = 0;
		if (is_libc(module) || is_loader(module))
			continue;
		*program = symbols_elf_file(symbols, module, &bias);
		why = *program ? NULL : symbols_module_error(symbols, module);
		if (*program || target->path)
			break;
	}
	if (*program || (target->path && find_libc(target)))
		return NULL;
	struct error *error = error_create(ERROR_REFUSED,
					   "%s: its program file cannot be read: %s",
					   target->name, why ? why : "no reason known");
	return target->path ? ask_for_more(target, error) : error;
}

struct error *allocator_find(struct target *target, struct symbols *symbols,
			     const struct allocator **allocator, char **name)
{
	if (target->modules.nr == 0)
		return error_create(ERROR_REFUSED, "%s has no program file mapped",
				    target->name);
	struct elf_file *program = NULL;
	struct error *error = find_program(target, symbols, &program);
	if (error)
		return error;
	if (program && is_go(program))
		return refuse(target, "Go's own allocator");
	const char *interpreter = program ? elf_file_interpreter(program) : NULL;
	if (interpreter && strstr(interpreter, "ld-musl"))
		return error_remedy(uses(target, "musl's malloc"),
				    "seep run -- COMMAND, which goes by what the program "
				    "was given");
	/* Run as an argument of its loader, a program may come behind its libraries. */
	bool is_static = program && !interpreter && !find_libc(target);
	error = check_replaced(target, symbols, is_static);
	if (!error)
		error = is_static ? find_static_glibc(target, program, name)
				  : find_dynamic_glibc(target, symbols, name);
	if (!error)
		*allocator = &glibc_allocator;
	return error;
}
