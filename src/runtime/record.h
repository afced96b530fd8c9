/*
 * record: the events of hooks (wire/event.h), for hooks that were entered (recorder.h).
 *
 * Blocks below the session's min_size leave no event; a free cannot know the size asked for, so it
 * is left out only where the whole room of the block is smaller, if the allocator tells its room.
 */
#ifndef SEEP_RUNTIME_RECORD_H
#define SEEP_RUNTIME_RECORD_H

#include "runtime/real.h"
#include "runtime/recorder.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* The real call returned the block. What the runtime gave out itself is its own affair. */
ALWAYS_INLINE void record_allocation(const void *block, size_t size)
{
	if (UNLIKELY(size < recorder.session->min_size || real_is_early(block)))
		return;
	uint64_t node = recorder_stack();
	uint64_t time = recorder_now();
	if (LIKELY(size <= UINT32_MAX))
		recorder_put(3, event_first(EVENT_ALLOCATION, (uintptr_t)block), time,
			     node << 32 | size, 0, 0);
	else
		recorder_put(4, event_first(EVENT_BIG_ALLOCATION, (uintptr_t)block), time,
			     node << 32, size, 0);
}

/* The block goes, or went, at that time. */
ALWAYS_INLINE void record_free_at(const void *block, uint64_t time)
{
	recorder_put(2, event_first(EVENT_FREE, (uintptr_t)block), time, 0, 0, 0);
}

/* The real call is yet to come. */
ALWAYS_INLINE void record_free(void *block)
{
	uint64_t min_size = recorder.session->min_size;
	if (UNLIKELY(min_size > 0) && real_knows_sizes &&
	    real.malloc_usable_size(block) < min_size)
		return;
	record_free_at(block, recorder_now());
}

/* When a call began that resizes a block, if that is asked for: where it may be a free. */
ALWAYS_INLINE uint64_t record_resize_begins(size_t size)
{
	return UNLIKELY(size <= recorder.session->min_size) ? recorder_now() : 0;
}

/* The real call returned `block` for what was `old` before; the call began at `began`. */
ALWAYS_INLINE void record_reallocation(uintptr_t old, const void *block, size_t size,
				       uint64_t began)
{
	if (UNLIKELY(size < recorder.session->min_size)) {
		recorder_put(2, event_first(EVENT_FREE, old), began, 0, 0, 0);
		return;
	}
	uint64_t node = recorder_stack();
	uint64_t time = recorder_now();
	recorder_put(5, event_first(EVENT_REALLOCATION, old), time, node << 32, size,
		     (uintptr_t)block);
}

ALWAYS_INLINE void record_map(const void *address, size_t size)
{
	uint64_t node = recorder_stack();
	uint64_t time = recorder_now();
	recorder_put(4, event_first(EVENT_MAP, (uintptr_t)address), time, node << 32,
		     size, 0);
}

/* The real call succeeded; it began at `began`. */
ALWAYS_INLINE void record_unmap(const void *address, size_t size, uint64_t began)
{
	recorder_put(3, event_first(EVENT_UNMAP, (uintptr_t)address), began, size, 0, 0);
}

/* FORK, EXEC. */
ALWAYS_INLINE void record_fact(enum event_type type, uint64_t value)
{
	recorder_put(2, event_first(type, value), recorder_now(), 0, 0, 0);
}

#endif
