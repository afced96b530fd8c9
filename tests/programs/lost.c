/*
 * lost: blocks that nothing holds, alone and hanging together in every way.
 *
 * expect: definite 109616 in 22
 * expect: indirect 16056 in 31
 * expect: reachable 584 in 3
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plant.h"

static void *volatile kept[4];
static volatile uintptr_t masked;
static volatile struct __attribute__((packed)) {
	char shift[4];
	void *block;
} unaligned;

static void singles(void)
{
	plant_block(PLANT_DEFINITE, "single");
	plant_sized(1032, PLANT_DEFINITE, "single, largest of the tcache");
	plant_sized(1048, PLANT_DEFINITE, "single, too large for the tcache");
	plant_sized(100008, PLANT_DEFINITE, "single, large");

	/* The same variable, assigned twice. */
	kept[0] = plant_block(PLANT_DEFINITE, "pointer overwritten");
	kept[0] = plant_block(PLANT_REACHABLE, "pointer that overwrote another");
}

static void in_disguise(void)
{
	masked =
		(uintptr_t)plant_block(PLANT_DEFINITE, "pointer masked by exclusive or") ^
		0x5a5a5a5a5a5a5a5a;
	unaligned.block = plant_block(PLANT_DEFINITE, "pointer at an unaligned place");

	size_t size = plant_next_size();
	char *block = plant_sized(size, PLANT_DEFINITE, "pointer just past the end");
	kept[1] = block + size;
	block = plant_block(PLANT_DEFINITE, "pointer just before the start");
	kept[2] = block - 8;
}

static void lists(void)
{
	void **head = plant_block(PLANT_DEFINITE, "list, head lost");
	void **last = head;
	for (int i = 0; i < 5; i++)
		last = *last = plant_block(PLANT_INDIRECT, "list, head lost: tail");

	head = kept[3] = plant_block(PLANT_REACHABLE, "list cut in two: kept half");
	void **second = *head =
		plant_block(PLANT_REACHABLE, "list cut in two: kept half");
	void **third = *second =
		plant_block(PLANT_DEFINITE, "list cut in two: lost half");
	*third = plant_block(PLANT_INDIRECT, "list cut in two: lost half's tail");
	*second = NULL;

	void **nodes[3];
	plant_ring(nodes, 3, "list linked both ways");
	nodes[2][0] = NULL;
	for (int i = 1; i < 3; i++)
		nodes[i][1] = nodes[i - 1];
}

static void rings(void)
{
	void **ring[4];
	plant_ring(ring, 4, "ring");

	plant_ring(ring, 3, "ring with a tail");
	void **tail = ring[1][1] = plant_block(PLANT_INDIRECT, "ring with a tail: tail");
	*tail = plant_block(PLANT_INDIRECT, "ring with a tail: tail");

	void **self = plant_block(PLANT_DEFINITE, "block that points at itself");
	*self = self;

	plant_ring(ring, 2, "two rings joined: the one in front");
	void **behind = plant_block(PLANT_INDIRECT, "two rings joined: the one behind");
	void **other = plant_block(PLANT_INDIRECT, "two rings joined: the one behind");
	*behind = other;
	*other = behind;
	ring[1][1] = behind;

	/* The block in front has the higher address: it is found after its ring. */
	void **inner = plant_block(PLANT_INDIRECT, "ring held by a later block");
	void **inner2 = plant_block(PLANT_INDIRECT, "ring held by a later block");
	void **outer = plant_block(PLANT_DEFINITE, "later block that holds a ring");
	*inner = inner2;
	*inner2 = inner;
	*outer = inner;
}

static void **tree(unsigned depth, enum plant_kind kind)
{
	void **node =
		plant_block(kind, kind == PLANT_DEFINITE ? "tree: root" : "tree: below");
	if (depth > 0) {
		node[0] = tree(depth - 1, PLANT_INDIRECT);
		node[1] = tree(depth - 1, PLANT_INDIRECT);
	}
	return node;
}

static void trees(void)
{
	tree(2, PLANT_DEFINITE);

	void **one = plant_block(PLANT_DEFINITE, "shared by two lost roots: root");
	void **two = plant_block(PLANT_DEFINITE, "shared by two lost roots: root");
	void **shared = plant_block(PLANT_INDIRECT, "shared by two lost roots: shared");
	*one = *two = shared;
	*shared = plant_block(PLANT_INDIRECT, "shared by two lost roots: below");

	/* a diamond */
	void **top = plant_block(PLANT_DEFINITE, "diamond: top");
	void **left = top[0] = plant_block(PLANT_INDIRECT, "diamond: side");
	void **right = top[1] = plant_block(PLANT_INDIRECT, "diamond: side");
	*left = *right = plant_block(PLANT_INDIRECT, "diamond: bottom");

	/* Lost blocks that point at kept ones change nothing for these. */
	void **lost = plant_block(PLANT_DEFINITE, "lost block that points at a kept one");
	*lost = kept[0];
}

static void plant(void)
{
	singles();
	in_disguise();
	lists();
	rings();
	trees();
}

int main(int argc, char **argv)
{
	plant_run(plant);
	plant_wait(argc, argv);
}
