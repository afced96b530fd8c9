/* static: a program that nothing can be preloaded into. */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	char *block = malloc(100);
	printf("%d\n", block != NULL);
	free(block);
	return 22;
}
