/*
 * leaker: a program that leaks when it is told to. Each line of its input is a deed:
 *
 *	lose COUNT SIZE   forget so many blocks of that size
 *	keep COUNT SIZE   keep them
 *	free              give back all that is kept
 *
 * After each it says "done"; it ends with its input.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A block that is kept begins with the address of the one before. */
static void **kept;

#define NOINLINE __attribute__((noinline))

static void *allocate(size_t size)
{
	char *block = malloc(size);
	if (!block)
		abort();
	memset(block, 'x', size);
	return block;
}

NOINLINE static void lose(size_t count, size_t size)
{
	for (size_t i = 0; i < count; i++) {
		char *volatile block = allocate(size);
		block = NULL;
		(void)block;
	}
}

NOINLINE static void keep(size_t count, size_t size)
{
	for (size_t i = 0; i < count; i++) {
		void **block = allocate(size < sizeof(void *) ? sizeof(void *) : size);
		*block = (void *)kept;
		kept = block;
	}
}

NOINLINE static void give_back(void)
{
	while (kept) {
		void **block = kept;
		kept = *block;
		free((void *)block);
	}
}

/* What functions that have returned left on the stack and in registers is overwritten. */
NOINLINE static void wipe(void)
{
	volatile char stack[8192];
	for (size_t i = 0; i < sizeof(stack); i++)
		stack[i] = 0;
}

static void do_line(const char *line)
{
	size_t count = 0, size = 0;
	if (sscanf(line, "lose %zu %zu", &count, &size) == 2)
		lose(count, size);
	else if (sscanf(line, "keep %zu %zu", &count, &size) == 2)
		keep(count, size);
	else if (!strcmp(line, "free\n"))
		give_back();
	else
		abort();
	keep(1, 24); /* malloc's own pointers lead to the last block */
	wipe();
}

int main(void)
{
	char line[128];
	setvbuf(stdout, NULL, _IONBF, 0);
	puts("READY");
	while (fgets(line, sizeof(line), stdin)) {
		do_line(line);
		puts("done");
	}
	return 0;
}
