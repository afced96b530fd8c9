/* mappings: the hooks of what the program maps itself. What libc maps for itself is no call of
   these. */
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/record.h"

/* What an allocator maps is its own business, also when nobody asked it for a block: when it is
   loaded, or a thread ends. */
static inline bool enter(uintptr_t frame, uintptr_t caller)
{
	if (UNLIKELY(real_allocator_is_library && caller >= real_allocator_low &&
		     caller < real_allocator_high))
		return false;
	return recorder_enter(frame, caller);
}

#define DEFINE_MMAP(name, offset_type)                                                   \
	HOOK void *name(void *address, size_t size, int access, int flags, int file,     \
			offset_type offset)                                              \
	{                                                                                \
		if (!enter(RECORDER_HOOK))                                               \
			return real.name(address, size, access, flags, file, offset);    \
		void *mapped = real.name(address, size, access, flags, file, offset);    \
		if (mapped != MAP_FAILED)                                                \
			record_map(mapped, size);                                        \
		recorder_leave();                                                        \
		return mapped;                                                           \
	}

DEFINE_MMAP(mmap, off_t)
DEFINE_MMAP(mmap64, off64_t)

/* The kernel unmaps whole pages: of at least these bytes. */
#define PAGE 4096u

static size_t whole_pages(size_t size)
{
	return (size + PAGE - 1) & ~(size_t)(PAGE - 1);
}

HOOK int munmap(void *address, size_t size)
{
	if (!enter(RECORDER_HOOK))
		return real.munmap(address, size);
	uint64_t began = recorder_now();
	int result = real.munmap(address, size);
	if (result == 0)
		record_unmap(address, whole_pages(size), began);
	recorder_leave();
	return result;
}

#ifndef MREMAP_DONTUNMAP /* Linux 5.7 */
#define MREMAP_DONTUNMAP 4
#endif

/* The last argument is there only with flags that ask for it; reading it is harmless in all
   ABIs that seep knows, as glibc's own does. */
HOOK void *mremap(void *old, size_t old_size, size_t size, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	void *address = va_arg(rest, void *);
	va_end(rest);
	if (!enter(RECORDER_HOOK))
		return real.mremap(old, old_size, size, flags, address);
	uint64_t began = recorder_now();
	void *mapped = real.mremap(old, old_size, size, flags, address);
	if (mapped != MAP_FAILED) {
		if (old_size > 0 && !(flags & MREMAP_DONTUNMAP))
			record_unmap(old, whole_pages(old_size), began);
		record_map(mapped, size);
	}
	recorder_leave();
	return mapped;
}

static void record_end_of_data(char *before, char *after, uint64_t began)
{
	if (after > before)
		record_map(before, (size_t)(after - before));
	else if (after < before)
		record_unmap(after, (size_t)(before - after), began);
}

HOOK int brk(void *end)
{
	if (!enter(RECORDER_HOOK))
		return real.brk(end);
	uint64_t began = recorder_now();
	char *before = real.sbrk(0);
	int result = real.brk(end);
	if (result == 0)
		record_end_of_data(before, end, began);
	recorder_leave();
	return result;
}

HOOK void *sbrk(intptr_t more)
{
	if (more == 0 || !recorder_enter(RECORDER_HOOK))
		return real.sbrk(more);
	uint64_t began = recorder_now();
	char *before = real.sbrk(more);
	if (before != (char *)-1)
		record_end_of_data(before, before + more, began);
	recorder_leave();
	return before;
}
