/* aborting: holds 30 blocks, and aborts. */
#include <stdlib.h>

void *kept[30];

int main(void)
{
	for (int i = 0; i < 30; i++)
		kept[i] = malloc(100);
	abort();
}
