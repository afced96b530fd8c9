/* Leaves pages that are free but for one block each, of two call stacks, and waits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NR 8000

static void *temporary[NR];
void *often[NR], *seldom[NR];

static void *__attribute__((noinline)) take(size_t size)
{
	void *block = malloc(size);
	memset(block, 1, size);
	return block;
}

static void *__attribute__((noinline)) keep_often(void)
{
	return take(40);
}

static void *__attribute__((noinline)) keep_seldom(void)
{
	return take(40);
}

int main(void)
{
	for (int i = 0; i < NR; i++) {
		temporary[i] = take(1000);
		if (i % 16 == 0)
			seldom[i] = keep_seldom();
		else if (i % 4 == 0)
			often[i] = keep_often();
	}
	for (int i = 0; i < NR; i++)
		free(temporary[i]);
	puts("READY");
	fflush(stdout);
	for (char line; read(0, &line, 1) == 1;)
		;
	for (;;)
		pause();
}
