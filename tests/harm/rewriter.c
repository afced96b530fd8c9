/*
 * rewriter: a program that writes to all of its memory all the time: what a copy of it would
 * share soon needs pages of its own.
 *
 * Usage: rewriter HEAP_MB
 *
 * expect: definite 8008 in 1
 */
#include <stdint.h>
#include <stdlib.h>

#include "plant.h"

#define PAGE_BYTES  4096u
#define BLOCK_PAGES 64u

static size_t nr_blocks;
static uint64_t **blocks;

static void plant(void)
{
	plant_sized(8008, PLANT_DEFINITE, "lost");
	plant_fence();
	for (size_t i = 0; i < nr_blocks; i++) {
		blocks[i] = calloc(BLOCK_PAGES, PAGE_BYTES);
		if (!blocks[i])
			abort();
	}
}

static void rewrite(uint64_t round)
{
	for (size_t i = 0; i < nr_blocks; i++)
		for (size_t page = 0; page < BLOCK_PAGES; page++)
			blocks[i][page * PAGE_BYTES / sizeof(uint64_t)] = round;
}

int main(int argc, char **argv)
{
	size_t heap_bytes = argc > 1 ? (size_t)atoi(argv[1]) << 20 : 64u << 20;
	nr_blocks = heap_bytes / PAGE_BYTES / BLOCK_PAGES;
	blocks = calloc(nr_blocks, sizeof(*blocks));
	if (!blocks)
		return 1;
	plant_run(plant);
	rewrite(1);
	plant_ready();
	for (uint64_t round = 2;; round++)
		rewrite(round);
}
