/*
 * Tests of heap/recorded: blocks packed as other allocators than glibc's pack them, in memory made
 * here, and what is a root around them.
 */
#include "heap/recorded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "analyse/look.h"
#include "graph/reach.h"

#define HEAP  0x7f0000000000u
#define BYTES (1u << 20)
#define RW    (REGION_READ | REGION_WRITE)

static uint64_t memory[BYTES / 8];

struct scene {
	struct target *target;
	struct symbols *symbols;
	struct heap_recording recording;
	struct heap *heap;
};

static struct scene begin(void)
{
	struct scene scene = { 0 };
	memset(memory, 0, sizeof(memory));
	assert_null(target_fake_create(&scene.target));
	return scene;
}

static void add_block(struct scene *scene, uint64_t address, uint64_t size)
{
	struct heap_block block = { address, size, 0 };
	assert_true(heap_block_vec_push(&scene->recording.blocks, block));
}

static void open_heap(struct scene *scene)
{
	assert_null(target_fake_add(scene->target, HEAP, memory, sizeof(memory), RW, ""));
	assert_null(symbols_create(scene->target, &scene->symbols));
	heap_blocks_settle(&scene->recording.blocks);
	assert_null(recorded_open(scene->target, scene->symbols, &scene->recording,
				  &scene->heap));
}

static struct look look_at(struct scene *scene)
{
	struct look look;
	const struct look_options options = { 0 };
	open_heap(scene);
	assert_null(look_take(scene->target, scene->heap, &options, &look));
	return look;
}

static void end(struct scene *scene)
{
	heap_destroy(scene->heap);
	symbols_destroy(scene->symbols);
	target_destroy(scene->target);
	heap_block_vec_deinit(&scene->recording.blocks);
	heap_span_vec_deinit(&scene->recording.mappings);
}

/* Of every byte of the memory the block that holds it, and none else. */
static void expect_blocks(const struct scene *scene, const struct look *look)
{
	const struct heap_block_vec *blocks = &scene->recording.blocks;
	const struct space *space = &look->graph.space;
	size_t i = 0;
	assert_int_equal(look->graph.nr_blocks, blocks->nr);
	for (uint64_t at = HEAP; at < HEAP + BYTES; at += i == blocks->nr ? 4093 : 1) {
		while (i < blocks->nr &&
		       at >= blocks->items[i].address +
				       ((blocks->items[i].size + 7) & ~7u))
			i++;
		bool inside = i < blocks->nr && at >= blocks->items[i].address;
		uint64_t offset = space_offset(space, at);
		struct space_hit hit = { .rank = RANK_NONE };
		if (offset != SPACE_NONE)
			hit = space_find(space, offset);
		assert_int_equal(hit.rank, inside ? i : RANK_NONE);
		if (inside)
			assert_int_equal(hit.distance, at - blocks->items[i].address);
	}
	for (i = 0; i < blocks->nr; i++) {
		uint64_t address, size;
		space_block(space, (uint32_t)i, &address, &size);
		assert_int_equal(address, blocks->items[i].address);
		assert_int_equal(size, (blocks->items[i].size + 7) & ~(uint64_t)7);
	}
}

static void packed(void **state)
{
	struct scene scene = begin();
	uint64_t at = HEAP + 0x40, bytes = 0;
	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		uint64_t size = 1 + (uint64_t)i * 7 % 90;
		add_block(&scene, at, size);
		bytes += (size + 7) & ~(uint64_t)7; /* as they are listed */
		at = (at + size + 7) & ~(uint64_t)7;
		at += i % 5 == 0 ? 24 : 0;
	}
	struct look look = look_at(&scene);
	assert_int_equal(look.totals.used_blocks, 2000);
	assert_int_equal(look.totals.used_bytes, bytes);
	expect_blocks(&scene, &look);
	look_deinit(&look);
	end(&scene);
}

static void large(void **state)
{
	struct scene scene = begin();
	(void)state;
	add_block(&scene, HEAP, 8);
	add_block(&scene, HEAP + 0x1008, 300000); /* alone, and over a window's end */
	add_block(&scene, HEAP + 0x60000, 200000);
	add_block(&scene, HEAP + BYTES - 8, 8);
	struct look look = look_at(&scene);
	expect_blocks(&scene, &look);
	look_deinit(&look);
	end(&scene);
}

static void nonsense(void **state)
{
	struct scene scene = begin();
	(void)state;
	add_block(&scene, HEAP + 0x100, 64);
	add_block(&scene, HEAP + 0x120, 64);              /* inside the first */
	add_block(&scene, HEAP + 0x203, 64);              /* no allocator's */
	add_block(&scene, 0x1000, 64);                    /* nowhere */
	add_block(&scene, HEAP + 0x300, UINT64_MAX - 10); /* endless */
	open_heap(&scene);
	assert_int_equal(scene.recording.blocks.nr, 2);
	assert_non_null(heap_block_at(&scene.recording.blocks, HEAP + 0x100));
	assert_null(heap_block_at(&scene.recording.blocks, HEAP + 0x120));
	end(&scene);
}

static bool is_held(const struct look *look, uint32_t rank)
{
	struct reach reach = { 0 };
	assert_null(reach_mark(&look->graph, false, 1, &reach));
	bool held = ((const uint64_t *)reach.any.memory)[rank / 64] >> rank % 64 & 1;
	reach_deinit(&reach);
	return held;
}

/* A stack in the very mapping that blocks lie in holds; what the allocator has there does not. */
static void stack_among_blocks(void **state)
{
	struct scene scene = begin();
	uint64_t sp = HEAP + 0x8000;
	(void)state;
	add_block(&scene, HEAP + 0x100, 64);  /* held by the stack */
	add_block(&scene, HEAP + 0x1000, 64); /* by what the allocator notes */
	add_block(&scene, HEAP + 0x2000, 64); /* by the block before */
	add_block(&scene, HEAP + 0x10000, 64);
	memory[0x8010 / 8] = HEAP + 0x100;
	memory[0x800 / 8] = HEAP + 0x1000;
	memory[0x1000 / 8] = HEAP + 0x2000;
	assert_null(target_fake_add_thread(scene.target, 1, sp, NULL, 0));
	struct look look = look_at(&scene);
	expect_blocks(&scene, &look);
	assert_true(is_held(&look, 0));
	assert_false(is_held(&look, 1));
	assert_false(is_held(&look, 2));
	look_deinit(&look);
	end(&scene);
}

static void own_mapping_among_blocks(void **state)
{
	struct scene scene = begin();
	struct heap_span own = { .start = HEAP + 0x4000, .end = HEAP + 0x6000 };
	(void)state;
	add_block(&scene, HEAP + 0x100, 64);
	add_block(&scene, HEAP + 0x1000, 64);
	add_block(&scene, HEAP + 0x10000, 64);
	memory[0x5000 / 8] = HEAP + 0x100;
	memory[0x7000 / 8] = HEAP + 0x1000;
	assert_true(heap_span_vec_push(&scene.recording.mappings, own));
	struct look look = look_at(&scene);
	assert_true(is_held(&look, 0));
	assert_false(is_held(&look, 1));
	look_deinit(&look);
	end(&scene);
}

/* Records of the allocator's in a mapping of their own hold nothing; a mapping of the program's
   does, and so does every one when not all of these are known. */
static void mappings_without_blocks(void **state)
{
	(void)state;
	for (unsigned known = 0; known < 2; known++) {
		struct scene scene = begin();
		uint64_t words[512] = { HEAP + 0x100 };
		struct heap_span own = { .start = 0x7f1000000000, .end = 0x7f1000001000 };
		add_block(&scene, HEAP + 0x100, 64);
		add_block(&scene, HEAP + 0x1000, 64);
		assert_null(target_fake_add(scene.target, 0x7e0000000000, words,
					    sizeof(words), RW, ""));
		words[0] = HEAP + 0x1000;
		assert_null(target_fake_add(scene.target, own.start, words, sizeof(words),
					    RW, ""));
		assert_true(heap_span_vec_push(&scene.recording.mappings, own));
		scene.recording.has_all_mappings = known;
		struct look look = look_at(&scene);
		assert_int_equal(is_held(&look, 0), !known);
		assert_true(is_held(&look, 1));
		look_deinit(&look);
		end(&scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packed),
		cmocka_unit_test(large),
		cmocka_unit_test(nonsense),
		cmocka_unit_test(stack_among_blocks),
		cmocka_unit_test(own_mapping_among_blocks),
		cmocka_unit_test(mappings_without_blocks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
