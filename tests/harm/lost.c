/* Loses what it says it loses, at lines that a test knows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct item {
	struct item *next;
	char name[40];
};

static void *volatile kept;

static __attribute__((noinline)) struct item *make_items(int nr)
{
	struct item *first = NULL;
	for (int i = 0; i < nr; i++) {
		struct item *item = malloc(sizeof(*item)); /* the test knows this line */
		item->next = first;
		snprintf(item->name, sizeof(item->name), "item %d", i);
		first = item;
	}
	return first;
}

static __attribute__((noinline)) void lose(void)
{
	struct item *volatile items = make_items(10);
	items = NULL;
	(void)items;
}

/* So that no word of what was lost is left on the stack or in a register. */
static __attribute__((noinline)) void wipe(void)
{
	volatile char room[4096];
	memset((void *)room, 0, sizeof(room));
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "lose"))
		lose();
	wipe();
	kept = malloc(100);
	puts("done");
	return argc > 2 ? atoi(argv[2]) : 0;
}
