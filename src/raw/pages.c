/* Memory from the kernel, by system calls of our own: mmap() may be hooked, by us too. */
#include "raw/pages.h"

#include <stdint.h>
#include <sys/mman.h>

#include "raw/system_call.h"

/* The kernel's way to say that it failed: the last page holds the error numbers. */
static void *address_or_null(long result)
{
	return (unsigned long)result > -4096ul ? NULL : (void *)result;
}

void *pages_map(size_t bytes)
{
	void *pages = address_or_null(system_call(SYS_mmap, 0, (long)bytes,
						  PROT_READ | PROT_WRITE,
						  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	if (pages) {
		system_call(SYS_madvise, (long)(uintptr_t)pages, (long)bytes,
			    MADV_DONTDUMP, 0, 0, 0);
		system_call(SYS_madvise, (long)(uintptr_t)pages, (long)bytes, MADV_RANDOM,
			    0, 0, 0);
	}
	return pages;
}

void pages_unmap(void *pages, size_t bytes)
{
	if (pages)
		system_call(SYS_munmap, (long)(uintptr_t)pages, (long)bytes, 0, 0, 0, 0);
}

void *pages_resize(void *pages, size_t old_bytes, size_t new_bytes)
{
	return address_or_null(system_call(SYS_mremap, (long)(uintptr_t)pages,
					   (long)old_bytes, (long)new_bytes,
					   MREMAP_MAYMOVE, 0, 0));
}
