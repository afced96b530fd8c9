/* branches: a variable holds a trunk, which holds two branches of 100 leaves of 10000 bytes each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NR_LEAVES = 100, LEAF_BYTES = 10000 };

struct branch {
	char *leaves[NR_LEAVES];
};

static struct trunk {
	struct branch *left, *right;
} * trunk;

static void *make(size_t size)
{
	void *block = calloc(1, size);
	if (!block)
		abort();
	return block;
}

static struct branch *grow(void)
{
	struct branch *branch = make(sizeof(*branch));
	for (int i = 0; i < NR_LEAVES; i++) {
		branch->leaves[i] = make(LEAF_BYTES);
		memset(branch->leaves[i], 'a' + i % 26, LEAF_BYTES);
	}
	return branch;
}

int main(void)
{
	trunk = make(sizeof(*trunk));
	trunk->left = grow();
	trunk->right = grow();
	printf("left %p\nright %p\ntrunk %p\nREADY\n", (void *)trunk->left,
	       (void *)trunk->right, (void *)trunk);
	fflush(stdout);
	for (;;)
		pause();
}
