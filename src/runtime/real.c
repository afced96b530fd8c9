/*
 * real: see real.h.
 *
 * Each entry begins as a function that finds all entries, and calls the one found. While they are
 * being found, the entries that dlsym() may need are the early ones below. That happens at the
 * first allocation of a process, before it has a second thread.
 */
#include "runtime/real.h"

#include <assert.h>
#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/real_musl.h"

/* dlsym() and dlerror() were seen to ask for less than 200 bytes (glibc 2.36). */
#define EARLY_ALIGNED 16u

_Alignas(EARLY_ALIGNED) char real_early[REAL_EARLY_BYTES];
static size_t early_used;

/* The size lies before the block. */
static void *early_malloc(size_t size)
{
	if (size > REAL_EARLY_BYTES)
		return NULL;
	size_t room = (size + 2 * EARLY_ALIGNED - 1) / EARLY_ALIGNED * EARLY_ALIGNED;
	if (room > REAL_EARLY_BYTES - early_used)
		return NULL;
	char *block = real_early + early_used + EARLY_ALIGNED;
	memcpy(block - EARLY_ALIGNED, &size, sizeof(size));
	early_used += room;
	return block;
}

static void *early_calloc(size_t nr, size_t size)
{
	size_t bytes = 0;
	return __builtin_mul_overflow(nr, size, &bytes) ? NULL : early_malloc(bytes);
}

size_t real_early_size(const void *block)
{
	size_t size = 0;
	if (block)
		memcpy(&size, (const char *)block - EARLY_ALIGNED, sizeof(size));
	return size;
}

static void *early_realloc(void *block, size_t size)
{
	void *moved = early_malloc(size);
	size_t kept = real_early_size(block);
	if (moved && block)
		memcpy(moved, block, kept < size ? kept : size);
	return moved;
}

static void early_free(void *block)
{
	(void)block;
}

bool real_new_is_allocators;
uintptr_t real_allocator_low, real_allocator_high;
bool real_allocator_is_library;
bool real_knows_sizes;
uintptr_t real_libc_low, real_libc_high;

#define DEFINE_FIRST(result, name, parameters, arguments)                                \
	static result first_##name parameters                                            \
	{                                                                                \
		real_find();                                                             \
		return real.name arguments;                                              \
	}
HOOKS_OF_BLOCKS(DEFINE_FIRST)
HOOKS_OF_MAPPINGS(DEFINE_FIRST)
HOOKS_OF_PROCESSES(DEFINE_FIRST)
HOOKS_OF_STACKS(DEFINE_FIRST)

/* libstdc++ may have come with a library that was opened for itself alone (RTLD_LOCAL): then
   only the caller can see its operators. */
static void *find_for(const void *caller, const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);
	Dl_info info;
	if (found || !dladdr(caller, &info))
		return found;
	void *library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
	if (!library)
		return NULL;
	found = dlsym(library, name);
	real.dlclose(library);
	return found;
}

#define DEFINE_FIRST_OPERATOR(result, name, parameters, arguments)                       \
	static result first_##name parameters                                            \
	{                                                                                \
		real_find();                                                             \
		if (real.name == first_##name)                                           \
			real.name = (result(*) parameters)find_for(                      \
				__builtin_return_address(0), #name);                     \
		return real.name arguments;                                              \
	}
HOOKS_OF_OPERATORS(DEFINE_FIRST_OPERATOR)

#define INITIALISE(result, name, parameters, arguments) .name = first_##name,
struct real real = { HOOKS(INITIALISE) };

#define NAME(result, name, parameters, arguments) #name,
static const char *const names[] = { HOOKS(NAME) };

typedef void (*any_function)(void);
static_assert(sizeof(struct real) == sizeof(names), "one pointer each");

static int note_allocator(struct dl_phdr_info *module, size_t size, void *data)
{
	(void)size;
	uintptr_t low = UINTPTR_MAX, high = 0;
	const uintptr_t *libc_and_malloc = data;
	for (size_t i = 0; i < module->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &module->dlpi_phdr[i];
		uintptr_t start = module->dlpi_addr + segment->p_vaddr;
		if (segment->p_type != PT_LOAD)
			continue;
		low = start < low ? start : low;
		high = start + segment->p_memsz > high ? start + segment->p_memsz : high;
	}
	uintptr_t libc = libc_and_malloc[0], malloc_ = libc_and_malloc[1];
	if (malloc_ < low || malloc_ >= high)
		return 0;
	uintptr_t usable_size = (uintptr_t)real.malloc_usable_size;
	real_knows_sizes = usable_size >= low && usable_size < high;
	if (libc < low || libc >= high) {
		uintptr_t new = (uintptr_t)real._Znwm;
		real_new_is_allocators = new >= low &&new < high;
		real_allocator_low = low;
		real_allocator_high = high;
		real_allocator_is_library = module->dlpi_name[0] != '\0';
	}
	return 1;
}

void real_find(void)
{
	static bool began;
	if (began)
		return;
	began = true;
	struct real found = real;
	real.malloc = early_malloc;
	real.calloc = early_calloc;
	real.realloc = early_realloc;
	real.free = early_free;
	any_function *entry = (any_function *)(void *)&found;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		void *next = dlsym(RTLD_NEXT, names[i]);
		if (next)
			memcpy(&entry[i], &next, sizeof(next));
	}
	real_musl_adapt(&found);
	/* What was not found is no error of the program's. */
	dlerror();
	real = found;
	const uintptr_t libc_and_malloc[] = { (uintptr_t)real.fork,
					      (uintptr_t)real.malloc };
	dl_iterate_phdr(note_allocator, (void *)libc_and_malloc);
}
