/*
 * blocks: the hooks of malloc() and its like. What others of them are made of (the C++ operators
 * of libstdc++, strdup(), …) comes through here.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/record.h"

/* Of the hooks that return a block or NULL. */
#define DEFINE_ALLOCATOR(name, parameters, arguments, bytes)                             \
	HOOK void *name parameters                                                       \
	{                                                                                \
		if (!recorder_enter(RECORDER_HOOK))                                      \
			return real.name arguments;                                      \
		void *block = real.name arguments;                                       \
		if (LIKELY(block))                                                       \
			record_allocation(block, bytes);                                 \
		recorder_leave();                                                        \
		return block;                                                            \
	}

DEFINE_ALLOCATOR(malloc, (size_t size), (size), size)
/* Where it succeeds the product fits. */
DEFINE_ALLOCATOR(calloc, (size_t nr, size_t size), (nr, size), nr *size)
DEFINE_ALLOCATOR(memalign, (size_t alignment, size_t size), (alignment, size), size)
DEFINE_ALLOCATOR(aligned_alloc, (size_t alignment, size_t size), (alignment, size), size)
DEFINE_ALLOCATOR(valloc, (size_t size), (size), size)
DEFINE_ALLOCATOR(pvalloc, (size_t size), (size), size)

HOOK int posix_memalign(void **block, size_t alignment, size_t size)
{
	if (!recorder_enter(RECORDER_HOOK))
		return real.posix_memalign(block, alignment, size);
	int result = real.posix_memalign(block, alignment, size);
	if (result == 0)
		record_allocation(*block, size);
	recorder_leave();
	return result;
}

HOOK void free(void *block)
{
	if (UNLIKELY(real_is_early(block)))
		return;
	if (!block || !recorder_enter(RECORDER_HOOK)) {
		real.free(block);
		return;
	}
	record_free(block);
	real.free(block);
	recorder_leave();
}

/* Out of what is never given back. */
static void *move_early(void *block, size_t size)
{
	void *moved = malloc(size);
	size_t kept = real_early_size(block);
	if (moved)
		memcpy(moved, block, kept < size ? kept : size);
	return moved;
}

/* What a call of realloc() came to. By C17 and glibc, a size of 0 may free. */
ALWAYS_INLINE void record_resized(uintptr_t old, const void *block, size_t size,
				  uint64_t began)
{
	if (!old && block)
		record_allocation(block, size);
	else if (block)
		record_reallocation(old, block, size, began);
	else if (old && size == 0)
		record_free_at((const void *)old, began);
}

HOOK void *realloc(void *block, size_t size)
{
	if (UNLIKELY(real_is_early(block)))
		return move_early(block, size);
	if (!recorder_enter(RECORDER_HOOK))
		return real.realloc(block, size);
	uintptr_t old = (uintptr_t)block;
	uint64_t began = record_resize_begins(size);
	void *resized = real.realloc(block, size);
	record_resized(old, resized, size, began);
	recorder_leave();
	return resized;
}

/* What libc's does, too: it would call our realloc() again. */
HOOK void *reallocarray(void *block, size_t nr, size_t size)
{
	size_t bytes = 0;
	if (__builtin_mul_overflow(nr, size, &bytes))
		return real.reallocarray(block, nr, size);
	return realloc(block, bytes);
}

HOOK size_t malloc_usable_size(void *block)
{
	return UNLIKELY(real_is_early(block)) ? real_early_size(block)
					      : real.malloc_usable_size(block);
}
