/*
 * Has a malloc() and free() of its own, and maybe calloc(), but no aligned_alloc(). musl makes its
 * calloc() of that malloc(), and gives out no aligned blocks, which that free() would not know.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 16

static char pool[1 << 20];
static size_t used;

static int is_in_pool(const void *block)
{
	return (uintptr_t)block - (uintptr_t)pool < sizeof(pool);
}

void *malloc(size_t size)
{
	size_t room = (size + 2 * ROOM - 1) / ROOM * ROOM;
	if (room < size || room > sizeof(pool) - used)
		return NULL;
	char *block = pool + used;
	memcpy(block, &size, sizeof(size));
	used += room;
	return block + ROOM;
}

void free(void *block)
{
	if (block && !is_in_pool(block))
		abort();
}

void *realloc(void *block, size_t size)
{
	size_t old = 0;
	char *moved = malloc(size);
	if (block)
		memcpy(&old, (char *)block - ROOM, sizeof(old));
	return moved ? memcpy(moved, block, old < size ? old : size) : NULL;
}

#ifdef HAS_CALLOC
void *calloc(size_t nr, size_t size)
{
	void *block = malloc(nr * size);
	return block ? memset(block, 0, nr * size) : NULL;
}
#endif

int main(void)
{
	void *volatile zeros = calloc(3, 50);
	void *aligned = NULL;
	char *text = strdup("text");
	free(text);
	printf("%s the pool\n",
	       is_in_pool(zeros) && is_in_pool(text) ? "from" : "not from");
	free(zeros);
	if (posix_memalign(&aligned, 64, 100) != 0 && !aligned_alloc(64, 64))
		printf("no aligned block\n");
	return 2;
}
