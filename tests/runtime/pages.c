/*
 * pages: an allocator that says nothing of the sizes of its blocks. Each begins at a page of its own
 * after one that cannot be read, so that nobody can ask another allocator for it.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

#define PAGE     4096u
#define NR_PAGES (1u << 18)

static char *pages;
static size_t nr_used;
static size_t sizes[NR_PAGES]; /* by a block's page */

EXPORT void *malloc(size_t size);
EXPORT void *malloc(size_t size)
{
	if (!pages)
		pages = (char *)syscall(SYS_mmap, NULL, (size_t)NR_PAGES * PAGE,
					PROT_NONE,
					MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
					0);
	size_t first = nr_used + 1, nr = size / PAGE + 1;
	if (nr >= NR_PAGES - first)
		return NULL;
	nr_used = first + nr;
	sizes[first] = size;
	char *block = pages + first * PAGE;
	return mprotect(block, nr * PAGE, PROT_READ | PROT_WRITE) == 0 ? block : NULL;
}

EXPORT void free(void *block);
EXPORT void free(void *block)
{
	if (block)
		mprotect(block, PAGE, PROT_NONE);
}

EXPORT void *calloc(size_t nr, size_t size);
EXPORT void *calloc(size_t nr, size_t size)
{
	return malloc(nr * size);
}

EXPORT void *realloc(void *block, size_t size);
EXPORT void *realloc(void *block, size_t size)
{
	void *moved = malloc(size);
	size_t old_size = block ? sizes[((char *)block - pages) / PAGE] : 0;
	if (moved && block)
		memcpy(moved, block, old_size < size ? old_size : size);
	return moved;
}
