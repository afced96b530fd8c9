/* Ends with 50 blocks that it holds and 20 that it has lost. */
#include <stdlib.h>
#include <string.h>

void *kept[50];

static void __attribute__((noinline)) keep(void)
{
	for (int i = 0; i < 50; i++) {
		kept[i] = malloc(100);
		memset(kept[i], 1, 100);
	}
}

static void __attribute__((noinline)) lose(void)
{
	char *volatile text = malloc(20);
	memset(text, 'a', 20);
	text = NULL;
}

int main(void)
{
	keep();
	for (int i = 0; i < 20; i++)
		lose();
	return 0;
}
