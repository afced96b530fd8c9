/*
 * vec: a growing array of one element type.
 *
 * DEFINE_VEC(name, type) makes `struct name` and its functions. A zeroed struct is an empty
 * vec. Elements are copied in; what they own stays the caller's business. Growth doubles,
 * so pointers into `items` die with the next push.
 */
#ifndef SEEP_BASE_VEC_H
#define SEEP_BASE_VEC_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define DEFINE_VEC(name, type)                                                                      \
	struct name {                                                                               \
		type *items;                                                                        \
		size_t nr;                                                                          \
		size_t capacity;                                                                    \
	};                                                                                          \
	/* Makes room for `nr` items in all; false when memory ran out, the vec is then           \
	   unchanged. */ \
	static inline bool name##_reserve(struct name *vec, size_t nr)                              \
	{                                                                                           \
		if (nr <= vec->capacity)                                                            \
			return true;                                                                \
		size_t capacity = vec->capacity ? vec->capacity * 2 : 8;                            \
		if (capacity < nr)                                                                  \
			capacity = nr;                                                              \
		type *items = reallocarray(vec->items, capacity, sizeof(type));                     \
		if (!items)                                                                         \
			return false;                                                               \
		vec->items = items;                                                                 \
		vec->capacity = capacity;                                                           \
		return true;                                                                        \
	}                                                                                           \
	/* False when memory ran out; the vec is then unchanged. */                                 \
	static inline bool name##_push(struct name *vec, type item)                                 \
	{                                                                                           \
		if (!name##_reserve(vec, vec->nr + 1))                                              \
			return false;                                                               \
		assert(vec->items);                                                                 \
		vec->items[vec->nr++] = item;                                                       \
		return true;                                                                        \
	}                                                                                           \
	static inline void name##_deinit(struct name *vec)                                          \
	{                                                                                           \
		free(vec->items);                                                                   \
		*vec = (struct name){ 0 };                                                          \
	}                                                                                           \
	struct name

#endif
