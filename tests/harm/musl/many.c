/*
 * Loses a block of each of 60 sizes: musl's malloc puts some into what is over of the pages of
 * modules, seep's runtime among them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((noinline)) static void lose(size_t size)
{
	void *volatile block = malloc(size);
	if (block)
		memset(block, 0, size);
	block = NULL;
	(void)block;
}

/* So that no word of what was lost is left on the stack or in a register. */
__attribute__((noinline)) static void wipe(void)
{
	volatile char room[8192];
	memset((void *)room, 0, sizeof(room));
}

int main(void)
{
	for (size_t i = 1; i <= 60; i++)
		lose(40 * i);
	wipe();
	puts("lost");
	return 0;
}
