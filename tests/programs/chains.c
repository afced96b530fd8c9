/*
 * chains: Memcheck's nine cases of how a block can be held, and interior pointers of all
 * sorts. `R` is a root, `->` a pointer to a start, `-?->` a pointer to an interior.
 *
 * expect: definite 2000 in 6
 * expect: indirect 2656 in 6
 * expect: possible 204640 in 16
 * expect: reachable 2232 in 9
 */
#include <stdint.h>
#include <stdlib.h>

#include "plant.h"

static void *volatile root[32];

/*
 * Blocks are zero and these point 32 bytes in, so that none of the four heuristics, which
 * look 8 and 24 bytes in or for vtables, takes them for pointers to the start.
 */
#define INSIDE(block) ((void *)((char *)(block) + 32))

static void nine_cases(void)
{
	void **a;

	root[0] = plant_block(PLANT_REACHABLE, "case 1: R->B");

	a = root[1] = plant_block(PLANT_REACHABLE, "case 2: R->A->B: A");
	*a = plant_block(PLANT_REACHABLE, "case 2: R->A->B: B");

	plant_block(PLANT_DEFINITE, "case 3: R  B");

	a = plant_block(PLANT_DEFINITE, "case 4: R  A->B: A");
	*a = plant_block(PLANT_INDIRECT, "case 4: R  A->B: B");

	root[2] = INSIDE(plant_block(PLANT_POSSIBLE, "case 5: R-?->B"));

	a = root[3] = plant_block(PLANT_REACHABLE, "case 6: R->A-?->B: A");
	*a = INSIDE(plant_block(PLANT_POSSIBLE, "case 6: R->A-?->B: B"));

	a = plant_block(PLANT_POSSIBLE, "case 7: R-?->A->B: A");
	*a = plant_block(PLANT_POSSIBLE, "case 7: R-?->A->B: B");
	root[4] = INSIDE(a);

	a = plant_block(PLANT_POSSIBLE, "case 8: R-?->A-?->B: A");
	*a = INSIDE(plant_block(PLANT_POSSIBLE, "case 8: R-?->A-?->B: B"));
	root[5] = INSIDE(a);

	a = plant_block(PLANT_DEFINITE, "case 9: R  A-?->B: A");
	*a = INSIDE(plant_block(PLANT_INDIRECT, "case 9: R  A-?->B: B"));
}

static void interior(void)
{
	size_t size = plant_next_size();
	root[6] = (char *)plant_sized(size, PLANT_POSSIBLE, "pointer to the last byte") +
		  size - 1;
	root[7] = (char *)plant_block(PLANT_POSSIBLE, "pointer with a tag bit") + 1;
	root[8] = (char *)plant_block(PLANT_POSSIBLE, "pointer behind a header") + 16;
	root[9] = (char *)plant_sized(200008, PLANT_POSSIBLE, "pointer far inside") +
		  150000;

	/* The start pointer wins, whichever is seen first. */
	root[10] = root[11] =
		plant_block(PLANT_REACHABLE, "interior and start, both held");
	root[10] = INSIDE(root[10]);
	root[12] = plant_block(PLANT_REACHABLE, "start and interior, both held");
	root[13] = INSIDE(root[12]);

	/* A list whose links point at the node's middle, as intrusive lists' do. */
	void **node = root[14] = plant_block(PLANT_REACHABLE, "intrusive list: first");
	for (int i = 0; i < 3; i++) {
		void **next =
			plant_block(PLANT_POSSIBLE, "intrusive list: linked inside");
		node[4] = INSIDE(next);
		node = next;
	}
}

/* A possible chain and a sure one lead to the same block: the sure one wins. */
static void two_ways(void)
{
	void **sure = root[15] =
		plant_block(PLANT_REACHABLE, "held surely and possibly: sure");
	void **maybe = plant_block(PLANT_POSSIBLE, "held surely and possibly: maybe");
	root[16] = INSIDE(maybe);
	*sure = *maybe = plant_block(PLANT_REACHABLE, "held surely and possibly: both");

	/* Lost and possibly held: not lost. */
	void **lost =
		plant_block(PLANT_DEFINITE, "held by a lost and a possible one: lost");
	maybe = plant_block(PLANT_POSSIBLE, "held by a lost and a possible one: maybe");
	root[17] = INSIDE(maybe);
	*lost = *maybe =
		plant_block(PLANT_POSSIBLE, "held by a lost and a possible one: both");
}

/* Inside what is lost anyway, Memcheck treats start and interior pointers alike. */
static void lost_cliques(void)
{
	void **a = plant_block(PLANT_DEFINITE, "lost clique, linked inside: first");
	void **b = *a = plant_block(PLANT_INDIRECT, "lost clique, linked inside: second");
	*b = INSIDE(plant_block(PLANT_INDIRECT, "lost clique, linked inside: third"));

	void **ring[3];
	plant_ring(ring, 3, "ring linked inside");
	for (int i = 0; i < 3; i++)
		ring[i][0] = INSIDE(ring[i][0]);
}

static void plant(void)
{
	nine_cases();
	interior();
	two_ways();
	lost_cliques();
}

int main(int argc, char **argv)
{
	plant_run(plant);
	plant_wait(argc, argv);
}
