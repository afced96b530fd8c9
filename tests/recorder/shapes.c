/* The shapes that are C; the compiler must not see through any of them. */
#include "shapes.h"

#include <alloca.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define OPAQUE __attribute__((noinline))

static volatile int sink;

static OPAQUE void plain(int depth)
{
	dive(depth - 1);
	sink++;
}

static OPAQUE void with_array(int depth)
{
	volatile char array[100];
	array[depth % 100] = 1;
	dive(depth - 1);
	sink += array[depth % 100];
}

static OPAQUE void with_alloca(int depth)
{
	volatile char *array = alloca((size_t)(depth * 24 + 1));
	array[0] = 1;
	dive(depth - 1);
	sink += array[0];
}

static OPAQUE void realigned(int depth)
{
	volatile __attribute__((aligned(64))) uint64_t vector[8] = { (uint64_t)depth };
	dive(depth - 1);
	sink += (int)vector[0];
}

static OPAQUE void realigned_alloca(int depth)
{
	volatile __attribute__((aligned(64))) uint64_t vector[8] = { (uint64_t)depth };
	volatile char *array = alloca((size_t)(depth * 24 + 1));
	array[0] = 1;
	dive(depth - 1);
	sink += (int)vector[0] + array[0];
}

static OPAQUE int many_arguments(int depth, long a, long b, long c, long d, long e,
				 long f, long g, long h, long i)
{
	dive(depth - 1);
	return (int)(a + b * c - d + e * f - g + h * i);
}

static OPAQUE void with_arguments(int depth)
{
	int used = many_arguments(depth, sink, depth, 3, depth * 2, 5, 6, depth, 8, 9);
	sink += used + many_arguments(depth, 1, depth, 3, depth * 2, 5, sink, 7, 8, 9);
}

static _Thread_local int callback_depth;

static int compare(const void *a, const void *b)
{
	int depth = callback_depth;
	if (depth) {
		callback_depth = 0;
		dive(depth - 1);
	}
	return *(const int *)a - *(const int *)b;
}

static OPAQUE void from_qsort(int depth)
{
	int numbers[] = { 5, 3, 9, 1, depth };
	callback_depth = depth;
	qsort(numbers, 5, sizeof(numbers[0]), compare);
	sink += numbers[0];
}

shape *const SHAPES_NAME[NR_SHAPES] = {
	plain,          with_array, with_alloca, realigned, realigned_alloca,
	with_arguments, from_qsort,
};
