/* real_musl: see real_musl.h. Sources: musl 1.2.3, src/malloc, src/linux and src/legacy. */
#include "runtime/real_musl.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

#include "raw/libc.h"

#define PAGE 4096u /* the smallest there is */

/* What the program itself has of these, which comes before any hook; NULL: nothing. */
static void *(*programs_malloc)(size_t);
static void *(*programs_aligned_alloc)(size_t, size_t);

/* --- in place of musl's ------------------------------------------------------------- */

static bool is_zero(const char *bytes, size_t size)
{
	uint64_t any = 0, word;
	for (; size >= sizeof(word); bytes += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		any |= word;
	}
	for (; size > 0; size--)
		any |= (unsigned char)*bytes++;
	return any == 0;
}

/* A page that nobody has touched is looked at, which costs no memory, and left. */
static void clear(char *block, size_t size)
{
	while (size > 0) {
		size_t part = PAGE - (uintptr_t)block % PAGE;
		part = part < size ? part : size;
		if (part < PAGE || !is_zero(block, part))
			memset(block, 0, part);
		block += part;
		size -= part;
	}
}

static void *calloc_of_malloc(size_t nr, size_t size)
{
	size_t bytes = 0;
	if (__builtin_mul_overflow(nr, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	char *block = programs_malloc ? programs_malloc(bytes) : real.malloc(bytes);
	if (block)
		clear(block, bytes);
	return block;
}

static void *memalign_of_aligned_alloc(size_t alignment, size_t size)
{
	return programs_aligned_alloc ? programs_aligned_alloc(alignment, size)
				      : real.aligned_alloc(alignment, size);
}

static int posix_memalign_of_aligned_alloc(void **block, size_t alignment, size_t size)
{
	if (alignment < sizeof(void *))
		return EINVAL;
	void *aligned = memalign_of_aligned_alloc(alignment, size);
	if (!aligned)
		return errno;
	*block = aligned;
	return 0;
}

static void *valloc_of_memalign(size_t size)
{
	return real.memalign(getauxval(AT_PAGESZ), size);
}

static void *pvalloc_of_memalign(size_t size)
{
	size_t page = getauxval(AT_PAGESZ), rounded = 0;
	if (__builtin_add_overflow(size, page - 1, &rounded)) {
		errno = ENOMEM;
		return NULL;
	}
	return real.memalign(page, rounded / page * page);
}

/* musl's would give out what the program's own free() does not know. */
static void *no_aligned_alloc(size_t alignment, size_t size)
{
	(void)alignment;
	(void)size;
	errno = ENOMEM;
	return NULL;
}

/* --- whose they are ----------------------------------------------------------------- */

struct range {
	uintptr_t within, low, high;
};

static int take_module(struct dl_phdr_info *module, size_t size, void *data)
{
	(void)size;
	struct range *range = data;
	range->low = UINTPTR_MAX;
	range->high = 0;
	for (size_t i = 0; i < module->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &module->dlpi_phdr[i];
		uintptr_t start = module->dlpi_addr + segment->p_vaddr;
		uintptr_t end = start + segment->p_memsz;
		if (segment->p_type != PT_LOAD)
			continue;
		range->low = start < range->low ? start : range->low;
		range->high = end > range->high ? end : range->high;
	}
	return range->within >= range->low && range->within < range->high;
}

static struct range module_with(uintptr_t address)
{
	struct range range = { .within = address };
	if (dl_iterate_phdr(take_module, &range) != 1)
		range.low = range.high = 0;
	return range;
}

#define IS_IN(range, function)                                                           \
	((uintptr_t)(function) >= (range).low && (uintptr_t)(function) < (range).high)
/* Of libc, or of nobody. */
#define IS_MUSLS(name) (IS_IN(libc, found->name) || found->name == real.name)

/* What everybody calls by that name, if it is neither libc's nor a hook. */
static void *programs(const char *name, const struct range *libc)
{
	struct range own = module_with((uintptr_t)take_module);
	void *function = dlsym(RTLD_DEFAULT, name);
	return IS_IN(*libc, function) || IS_IN(own, function) ? NULL : function;
}

void real_musl_adapt(struct real *found)
{
	struct range libc = module_with((uintptr_t)found->fork);
	if (!libc_is_musl() || libc.high == 0)
		return;
	void *own_malloc = programs("malloc", &libc);
	void *own_aligned_alloc = programs("aligned_alloc", &libc);
	memcpy(&programs_malloc, &own_malloc, sizeof(own_malloc));
	memcpy(&programs_aligned_alloc, &own_aligned_alloc, sizeof(own_aligned_alloc));
	real_libc_low = libc.low;
	real_libc_high = libc.high;
	if (IS_MUSLS(calloc))
		found->calloc = calloc_of_malloc;
	if (IS_MUSLS(aligned_alloc) && (own_malloc || !IS_IN(libc, found->malloc)))
		found->aligned_alloc = no_aligned_alloc;
	if (IS_MUSLS(memalign))
		found->memalign = memalign_of_aligned_alloc;
	if (IS_MUSLS(posix_memalign))
		found->posix_memalign = posix_memalign_of_aligned_alloc;
	if (IS_MUSLS(valloc))
		found->valloc = valloc_of_memalign;
	if (IS_MUSLS(pvalloc))
		found->pvalloc = pvalloc_of_memalign;
	if (IS_MUSLS(mmap64))
		found->mmap64 = found->mmap;
}
