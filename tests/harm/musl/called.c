/* A library that calls.c opens. */
#include <stddef.h>

__attribute__((visibility("default"))) int called(int (*back)(size_t), size_t size);

int called(int (*back)(size_t), size_t size)
{
	return back(size) + 1;
}
