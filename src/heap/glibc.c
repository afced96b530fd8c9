/*
 * glibc: walks the heaps of glibc's malloc (ptmalloc). See glibc_priv.h for its parts and
 * glibc_layout.h for what is known about each version.
 */
#include <string.h>

#include "base/vec.h"
#include "heap/allocators.h"
#include "heap/glibc_priv.h"

/* malloc's static functions lie before its public ones, within this distance; the last
   public one is followed by at most so much code of its own. */
#define CODE_BEFORE 0x4000u
#define CODE_AFTER  0x800u

static void glibc_destroy(struct heap *heap)
{
	struct glibc *glibc = (struct glibc *)heap;
	peek_destroy(glibc->peek);
	region_vec_deinit(&glibc->data);
	glibc_arena_vec_deinit(&glibc->arenas);
	glibc_chain_vec_deinit(&glibc->chains);
	word_vec_deinit(&glibc->cached);
	word_vec_deinit(&glibc->own);
	free(glibc);
}

static const struct heap_ops glibc_ops = {
	.name = "glibc",
	.survey = glibc_survey,
	.walk = glibc_walk,
	.destroy = glibc_destroy,
};

/* Without any of these symbols (a stripped static program) the whole program's code stands
   in: then any thread may be inside. */
static void find_code(struct glibc *glibc, struct symbols *symbols,
		      const struct module *module)
{
	static const char *const names[] = {
		"malloc",       "free",           "calloc",
		"realloc",      "memalign",       "valloc",
		"pvalloc",      "malloc_trim",    "mallinfo",
		"mallinfo2",    "mallopt",        "malloc_info",
		"malloc_stats", "posix_memalign", "malloc_usable_size",
	};
	uint64_t bias = 0;
	struct elf_file *file = symbols_elf_file(symbols, module, &bias);
	uint64_t low = UINT64_MAX, high = 0;
	for (size_t i = 0; file && i < ARRAY_SIZE(names); i++) {
		const struct elf_symbol *symbol = elf_file_symbol(file, names[i]);
		if (!symbol)
			continue;
		low = symbol->address < low ? symbol->address : low;
		high = symbol->address > high ? symbol->address : high;
	}
	glibc->code_start = low < high ? bias + low - CODE_BEFORE : module->start;
	glibc->code_end = low < high ? bias + high + CODE_AFTER : module->end;
}

static void find_rtld_global(struct glibc *glibc, struct target *target,
			     struct symbols *symbols)
{
	const struct module *loader = target_module_named(target, "ld-linux");
	uint64_t bias = 0;
	struct elf_file *file = loader ? symbols_elf_file(symbols, loader, &bias) : NULL;
	const struct elf_symbol *symbol = file ? elf_file_symbol(file, "_rtld_global")
					       : NULL;
	if (symbol)
		glibc->rtld_global = bias + symbol->address;
}

static struct error *find_data(struct glibc *glibc, struct target *target,
			       const struct module *module)
{
	for (size_t i = 0; i < module->nr_regions; i++) {
		struct region region = target->regions.items[module->first_region + i];
		region.name = NULL;
		if (region.inode && (region.flags & REGION_WRITE) &&
		    !region_vec_push(&glibc->data, region))
			return error_no_memory();
	}
	return NULL;
}

struct error *glibc_open(struct target *target, struct symbols *symbols,
			 struct heap **heap)
{
	unsigned version = 0;
	const struct module *module = NULL;
	struct error *error = glibc_module(target, symbols, &module, &version);
	if (error)
		return error;
	struct glibc *glibc = calloc(1, sizeof(*glibc));
	if (!glibc)
		return error_no_memory();
	glibc->base.ops = &glibc_ops;
	glibc->base.target = target;
	glibc->layout = glibc_layout_find(version ? version : glibc_layout_newest());
	error = peek_create(target, &glibc->peek);
	if (!error)
		error = find_data(glibc, target, module);
	if (error) {
		glibc_destroy(&glibc->base);
		return error;
	}
	find_code(glibc, symbols, module);
	find_rtld_global(glibc, target, symbols);
	*heap = &glibc->base;
	return NULL;
}
