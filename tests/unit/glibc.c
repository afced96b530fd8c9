/*
 * Tests of heap/glibc on memory made by hand: every chunk is found, whatever list it is in;
 * and whatever is overwritten, what cannot be understood is said so and never guessed.
 */
#include "unit/glibc_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* What stream.c reads at a time; the tests that count on it check it. */
#define WINDOW_BYTES (512u << 10)

/* What a walk gave. */
struct walk {
	struct heap_visitor visitor; /* first: the heap calls back with it */
	const struct heap *heap;
	struct target *target;
	struct image_chunk_vec chunks;
	const struct heap_span *span;
	uint64_t covered; /* end of the last window */
	size_t nr_spans, most_words;
};

/* --- walking --------------------------------------------------------------------------- */

static void check_place(struct walk *walk, const struct heap_window *window)
{
	uint64_t end = window->address + window->nr_words * 8;
	if (window->span != walk->span) {
		assert_int_equal(window->address, window->span->start);
		assert_ptr_equal(window->span, &walk->heap->spans.items[walk->nr_spans]);
		walk->nr_spans++;
	} else {
		assert_int_equal(window->address, walk->covered);
	}
	assert_true(window->nr_words > 0);
	if (window->nr_words > walk->most_words)
		walk->most_words = window->nr_words;
	assert_true(end + window->nr_ahead * 8 <= window->span->end);
	walk->span = window->span;
	walk->covered = end;
}

/* Ascending, inside the span, each begun in its window, and only an end without bytes. */
static void check_chunk(const struct walk *walk, const struct heap_window *window,
			const struct heap_chunk *chunk)
{
	uint64_t header = chunk->address - (window->span->single ? 0 : CHUNK_HEADER);
	assert_int_equal(chunk->address % 16, 0);
	assert_in_range(header, window->address, walk->covered - 1);
	assert_true(chunk->size > 0 || chunk->state == CHUNK_ALLOCATOR);
	assert_true(chunk->size <= window->span->end - chunk->address);
	if (walk->chunks.nr == 0)
		return;
	const struct heap_chunk *last = &walk->chunks.items[walk->chunks.nr - 1];
	assert_true(chunk->address >= last->address + last->size);
}

static struct error *take_window(struct heap_visitor *visitor,
				 const struct heap_window *window)
{
	struct walk *walk = (struct walk *)visitor;
	check_place(walk, window);
	for (size_t i = 0; i < window->nr_chunks; i++) {
		check_chunk(walk, window, &window->chunks[i]);
		assert_true(image_chunk_vec_push(&walk->chunks, window->chunks[i]));
	}
	return NULL;
}

/* Surveys and walks; `prepare` may change the target before. */
static struct error *try_walk(const struct image *image, struct walk *walk,
			      void (*prepare)(struct target *))
{
	struct target *target = image_target(image);
	if (prepare)
		prepare(target);
	struct heap *heap = image_heap(image, target);
	*walk = (struct walk){
		.visitor = { .window = take_window },
		.heap = heap,
		.target = target,
	};
	struct error *error = heap_survey(heap);
	if (!error)
		error = heap_walk(heap, &walk->visitor);
	return error;
}

static void forget_walk(struct walk *walk)
{
	image_chunk_vec_deinit(&walk->chunks);
	heap_destroy((struct heap *)walk->heap);
	target_destroy(walk->target);
}

static int by_address(const void *a, const void *b)
{
	const struct heap_chunk *left = a, *right = b;
	return left->address < right->address ? -1 : left->address > right->address;
}

static void sort_expected(struct image *image)
{
	if (image->chunks.nr)
		qsort(image->chunks.items, image->chunks.nr,
		      sizeof(image->chunks.items[0]), by_address);
}

static void assert_same(const struct heap_chunk *found, const struct heap_chunk *expected)
{
	if (found->address == expected->address && found->size == expected->size &&
	    found->state == expected->state)
		return;
	fail_msg("found 0x%lx, %lu bytes, state %d, not 0x%lx, %lu bytes, state %d",
		 (unsigned long)found->address, (unsigned long)found->size,
		 (int)found->state, (unsigned long)expected->address,
		 (unsigned long)expected->size, (int)expected->state);
}

static struct heap_totals totals_of(const struct image *image)
{
	struct heap_totals totals = { 0 };
	for (size_t i = 0; i < image->chunks.nr; i++) {
		const struct heap_chunk *chunk = &image->chunks.items[i];
		if (chunk->state == CHUNK_USED) {
			totals.used_blocks++;
			totals.used_bytes += chunk->size;
		} else if (chunk->state == CHUNK_FREE) {
			totals.free_chunks++;
			totals.free_bytes += chunk->size;
		} else if (chunk->state == CHUNK_ALLOCATOR && chunk->size) {
			totals.own_blocks++;
			totals.own_bytes += chunk->size;
		}
	}
	return totals;
}

static bool same_chunk(const struct heap_chunk *a, const struct heap_chunk *b)
{
	return a->address == b->address && a->size == b->size && a->state == b->state;
}

static const struct heap_chunk *found_at(const struct walk *walk, uint64_t address)
{
	for (size_t i = 0; i < walk->chunks.nr; i++)
		if (walk->chunks.items[i].address == address)
			return &walk->chunks.items[i];
	return NULL;
}

/* Whether two chunks stand in one heap of the image. */
static bool in_one_heap(uint64_t a, uint64_t b)
{
	return a / IMAGE_HEAP_MAX == b / IMAGE_HEAP_MAX;
}

/* Blocks before the damage, and all in other heaps, are found as ever. */
static void assert_rest_is_found(const struct image *image, const struct walk *walk,
				 uint64_t header)
{
	for (size_t i = 0; i < image->chunks.nr; i++) {
		const struct heap_chunk *chunk = &image->chunks.items[i];
		/* The chunk before a damaged header may be free by that header's word. */
		if (in_one_heap(chunk->address, header) &&
		    chunk->address + chunk->size + 8 > header)
			continue;
		const struct heap_chunk *found = found_at(walk, chunk->address);
		if (!found || !same_chunk(found, chunk))
			fail_msg("damage at 0x%lx hides the chunk at 0x%lx",
				 (unsigned long)header, (unsigned long)chunk->address);
	}
}

static void assert_found_all(struct image *image, const struct walk *walk)
{
	sort_expected(image);
	for (size_t i = 0; i < walk->chunks.nr && i < image->chunks.nr; i++)
		assert_same(&walk->chunks.items[i], &image->chunks.items[i]);
	assert_int_equal(walk->chunks.nr, image->chunks.nr);
	const struct heap_totals *found = &walk->heap->totals;
	struct heap_totals expected = totals_of(image);
	assert_int_equal(found->used_blocks, expected.used_blocks);
	assert_int_equal(found->used_bytes, expected.used_bytes);
	assert_int_equal(found->free_chunks, expected.free_chunks);
	assert_int_equal(found->free_bytes, expected.free_bytes);
	assert_int_equal(found->own_blocks, expected.own_blocks);
	assert_int_equal(found->own_bytes, expected.own_bytes);
}

static void assert_all_well(const struct walk *walk)
{
	if (walk->heap->damage.nr)
		fail_msg("%s", walk->heap->damage.items[0]);
	assert_int_equal(walk->nr_spans, walk->heap->spans.nr);
	assert_int_equal(walk->heap->totals.parsed_bytes,
			 walk->heap->totals.mapped_bytes);
}

/* Finds everything in the image, and nothing wrong; ends the image. Gives the most words
   that came at a time. */
static size_t check(struct image *image)
{
	struct walk walk;
	struct error *error = try_walk(image, &walk, NULL);
	if (error)
		fail_msg("%s", error->sentence);
	assert_found_all(image, &walk);
	assert_all_well(&walk);
	size_t most_words = walk.most_words;
	forget_walk(&walk);
	image_deinit(image);
	return most_words;
}

/* --- heaps that are well --------------------------------------------------------------- */

static void finds_a_bit_of_everything(void **state)
{
	(void)state;
	struct image image;
	image_init(&image);
	image_fill(&image);
	check(&image);
}

static void a_malloc_never_called_has_no_heap(void **state)
{
	(void)state;
	struct image image;
	image_init(&image);
	for (unsigned i = 0; i < 2 * GLIBC_NR_BINS; i++)
		image_put(&image, IMAGE_ARENA + image.layout->arena.bins + 8u * i, 0);
	check(&image);
}

static void only_threads_may_have_allocated(void **state)
{
	(void)state;
	struct image image;
	image_init(&image);
	struct image_run run =
		image_thread_arena(&image, IMAGE_THREAD, (size_t)2 * IMAGE_PAGE);
	image_tcache(&image, &run, 0);
	image_chunk(&image, &run, 24, FATE_USED);
	image_chunk(&image, &run, 24, FATE_CACHED);
	image_top(&image, &run);
	check(&image);
}

static void a_top_chunk_may_be_all_there_is(void **state)
{
	(void)state;
	struct image image;
	image_init(&image);
	struct image_run run = image_main(&image, IMAGE_PAGE);
	image_top(&image, &run);
	run = image_thread_arena(&image, IMAGE_THREAD, IMAGE_PAGE);
	image_top(&image, &run);
	check(&image);
}

/* As small as tops and chunks get. */
static void tops_may_be_as_small_as_chunks(void **state)
{
	(void)state;
	struct image image;
	image_init(&image);
	struct image_run run = image_main(&image, IMAGE_PAGE);
	while (run.end - run.at > CHUNK_MIN_SIZE)
		image_chunk(&image, &run, 24, FATE_USED);
	image_top(&image, &run);
	check(&image);
}

/* What is left of a top depends on its size: a chunk, a false one of 32 bytes, nothing. */
static void heaps_may_end_in_any_fenceposts(void **state)
{
	(void)state;
	for (size_t left = 32; left <= 128; left += 16) {
		struct image image;
		image_init(&image);
		struct image_run run = image_main(&image, IMAGE_PAGE);
		image_top(&image, &run);
		run = image_thread_arena(&image, IMAGE_THREAD, (size_t)2 * IMAGE_PAGE);
		uint64_t arena = run.arena;
		image_chunk(&image, &run, 24, FATE_USED);
		image_chunk(&image, &run, run.end - run.at - left - 8, FATE_USED);
		image_fence(&image, &run);
		uint64_t previous = IMAGE_THREAD;
		for (unsigned i = 1; i < 4; i++) {
			uint64_t heap = IMAGE_THREAD + (uint64_t)i * 3 * IMAGE_HEAP_MAX;
			run = image_thread_heap(&image, arena, heap, previous,
						IMAGE_PAGE);
			image_chunk(&image, &run, run.end - run.at - left - 8, FATE_USED);
			if (i < 3)
				image_fence(&image, &run);
			previous = heap;
		}
		image_top(&image, &run);
		check(&image);
	}
}

/* When brk cannot grow, the main arena goes on in a mapping of its own. */
static void the_main_heap_may_go_on_elsewhere(void **state)
{
	(void)state;
	for (size_t left = 32; left <= 96; left += 16) {
		struct image image;
		image_init(&image);
		struct image_run run = image_main(&image, (size_t)2 * IMAGE_PAGE);
		image_tcache(&image, &run, 0);
		image_chunk(&image, &run, run.end - run.at - left - 8, FATE_USED);
		image_fence(&image, &run);

		image_add(&image, IMAGE_MAPPED, IMAGE_PAGE, REGION_READ | REGION_WRITE,
			  "");
		uint64_t system_mem = IMAGE_ARENA + image.layout->arena.system_mem;
		image_put(&image, system_mem, 3ul * IMAGE_PAGE);
		image_put(&image, system_mem + 8, 3ul * IMAGE_PAGE);
		struct image_run more = {
			.arena = IMAGE_ARENA,
			.at = IMAGE_MAPPED,
			.end = IMAGE_MAPPED + IMAGE_PAGE,
		};
		image_chunk(&image, &more, 200, FATE_USED);
		image_chunk(&image, &more, 24, FATE_CACHED);
		image_chunk(&image, &more, 200, FATE_BINNED);
		image_chunk(&image, &more, 200, FATE_USED);
		image_top(&image, &more);
		check(&image);
	}
}

/* The program moves the break itself: malloc goes on behind what it took. */
static void the_program_may_move_the_break(void **state)
{
	(void)state;
	for (size_t taken = 0; taken <= 4096; taken += 1024) {
		for (size_t left = 32; left <= 96; left += 16) {
			struct image image;
			image_init(&image);
			struct image_run run = image_main(&image, (size_t)4 * IMAGE_PAGE);
			struct image_run before = run;
			before.end = run.at + IMAGE_PAGE;
			image_tcache(&image, &before, 0);
			image_chunk(&image, &before, before.end - before.at - left - 8,
				    FATE_USED);
			image_fence(&image, &before);
			run.at = before.end + taken;
			for (uint64_t at = before.end; at < run.at; at += 8)
				image_put(&image, at, IMAGE_MAIN + at % 512);
			/* Of three fenceposts the last is taken for foreign, too. */
			uint64_t foreign = before.end - (left == 48 ? 16 : 0);
			image_foreign(&image, foreign, run.at - foreign);
			for (unsigned i = 0; i < 20; i++)
				image_chunk(&image, &run, 24 + i % 3 * 16, FATE_USED);
			image_top(&image, &run);
			check(&image);
		}
	}
}

static void sbrk_need_not_begin_on_a_page(void **state)
{
	(void)state;
	struct image image;
	image_init(&image);
	struct image_run run = image_main(&image, IMAGE_PAGE);
	uint64_t base = IMAGE_MAIN + 0x208;
	image_put(&image, IMAGE_PARAMS + image.layout->params.sbrk_base, base);
	image_put(&image, IMAGE_ARENA + image.layout->arena.system_mem, run.end - base);
	run.at = (base + 15) & ~(uint64_t)15;
	image_chunk(&image, &run, 24, FATE_USED);
	image_chunk(&image, &run, 40, FATE_USED);
	image_top(&image, &run);
	check(&image);
}

/* Chunks that begin, end, and have their headers at every place around a window's end. */
static void chunks_may_cross_windows(void **state)
{
	(void)state;
	for (size_t before = 0; before <= 96; before += 16) {
		struct image image;
		image_init(&image);
		struct image_run run = image_main(&image, (size_t)2 * WINDOW_BYTES);
		image_tcache(&image, &run, 0);
		image_chunk(&image, &run, WINDOW_BYTES - before - 0x290 - 8, FATE_USED);
		image_chunk(&image, &run, 24, FATE_CACHED);
		image_chunk(&image, &run, 40, FATE_BINNED);
		image_chunk(&image, &run, 24, FATE_FAST);
		image_chunk(&image, &run, 24, FATE_USED);
		image_top(&image, &run);
		assert_int_equal(check(&image), WINDOW_BYTES / 8);
	}
}

static void chunks_may_be_longer_than_windows(void **state)
{
	(void)state;
	static const enum image_fate fates[] = { FATE_USED, FATE_BINNED };
	for (size_t i = 0; i < ARRAY_SIZE(fates); i++) {
		struct image image;
		image_init(&image);
		struct image_run run = image_main(&image, (size_t)8 * WINDOW_BYTES);
		image_chunk(&image, &run, 24, FATE_USED);
		image_chunk(&image, &run, 5 * WINDOW_BYTES + 1000, fates[i]);
		image_chunk(&image, &run, 24, FATE_USED);
		image_top(&image, &run);
		check(&image);
	}
}

static void many_small_chunks_are_all_found(void **state)
{
	(void)state;
	struct image image;
	image_init(&image);
	struct image_run run = image_main(&image, (size_t)3 * WINDOW_BYTES);
	image_tcache(&image, &run, 0);
	for (size_t i = 0; run.end - run.at > 4096; i++) {
		static const enum image_fate fates[] = { FATE_USED, FATE_FAST,
							 FATE_USED, FATE_CACHED,
							 FATE_USED, FATE_BINNED };
		enum image_fate fate = fates[i % ARRAY_SIZE(fates)];
		/* No list of a tcache is longer than seven. */
		if (fate == FATE_CACHED && i / ARRAY_SIZE(fates) >= 7)
			fate = FATE_FORGOTTEN;
		image_chunk(&image, &run, 24 + i * 7 % 6 * 16, fate);
	}
	image_top(&image, &run);
	check(&image);
}

/* The pages inside a chunk that were never written are not there. */
static void absent_pages_inside_chunks_do_not_matter(void **state)
{
	(void)state;
	struct image image;
	image_init(&image);
	struct image_run run = image_main(&image, (size_t)4 * WINDOW_BYTES);
	image_chunk(&image, &run, 24, FATE_USED);
	image_chunk(&image, &run, 3 * WINDOW_BYTES + 1000, FATE_USED);
	image_chunk(&image, &run, 24, FATE_USED);
	image_top(&image, &run);
	struct target *target = image_target(&image);
	struct error *error = target_fake_mark(target, IMAGE_MAIN + IMAGE_PAGE,
					       IMAGE_MAIN + 3ul * WINDOW_BYTES,
					       FAKE_PAGES_ABSENT);
	assert_null(error);
	struct heap *heap = image_heap(&image, target);
	struct walk walk = { .visitor = { .window = take_window },
			     .heap = heap,
			     .target = target };
	error = heap_survey(heap);
	assert_null(error);
	error = heap_walk(heap, &walk.visitor);
	assert_null(error);
	assert_found_all(&image, &walk);
	assert_all_well(&walk);
	forget_walk(&walk);
	image_deinit(&image);
}

static void tcaches_of_all_threads_are_followed(void **state)
{
	(void)state;
	struct image image;
	image_init(&image);
	for (unsigned i = 1; i < 5; i++)
		image_add_thread(&image);
	struct image_run run = image_main(&image, (size_t)4 * IMAGE_PAGE);
	/* Thread 2 never allocated; thread 4 is younger than its tcache. */
	image_tcache(&image, &run, 0);
	image_tcache(&image, &run, 3);
	image_tcache(&image, &run, 1);
	for (size_t size = 24; size <= 120; size += 16) {
		image_chunk(&image, &run, size, FATE_CACHED);
		image_chunk(&image, &run, size, FATE_USED);
		image_chunk(&image, &run, size, FATE_CACHED_1);
	}
	image_top(&image, &run);
	check(&image);
}

/* The thread has ended, or its tcache is not found: its key tells a cached block. */
static void a_cached_block_is_known_by_its_key(void **state)
{
	(void)state;
	struct image image;
	image_init(&image);
	struct image_run run = image_main(&image, IMAGE_PAGE);
	image_tcache(&image, &run, 0);
	image_chunk(&image, &run, 24, FATE_CACHED);
	image_chunk(&image, &run, 24, FATE_FORGOTTEN);
	image_chunk(&image, &run, 24, FATE_USED);
	image_top(&image, &run);
	check(&image);
}

/* A pointer in TLS to a block of zeros, as long as a tcache, above the real one. */
static void a_block_of_zeros_is_no_tcache(void **state)
{
	(void)state;
	struct image image;
	image_init(&image);
	image_add_thread(&image);
	struct image_run run = image_main(&image, (size_t)2 * IMAGE_PAGE);
	uint64_t zeros = image_chunk(&image, &run, 648, FATE_USED);
	image_tcache(&image, &run, 0);
	image_tcache(&image, &run, 1);
	image_chunk(&image, &run, 24, FATE_USED);
	/* That of the first thread is empty; the second tells which is the right one. */
	image_chunk(&image, &run, 24, FATE_CACHED_1);
	image_top(&image, &run);
	image_put(&image, image.threads.items[0].thread_pointer - 8, zeros);
	image_put(&image, image.threads.items[1].thread_pointer - 8, zeros);
	check(&image);
}

static void mapped_chunks_may_touch(void **state)
{
	(void)state;
	struct image image;
	image_init(&image);
	struct image_run run = image_main(&image, IMAGE_PAGE);
	image_top(&image, &run);
	unsigned flags = REGION_READ | REGION_WRITE;
	image_add(&image, IMAGE_MAPPED, (size_t)64 * IMAGE_PAGE, flags, "");
	uint64_t at = IMAGE_MAPPED;
	for (size_t nr_pages = 1; nr_pages < 8; nr_pages++) {
		image_mapped(&image, at, nr_pages * IMAGE_PAGE);
		at += nr_pages * IMAGE_PAGE;
	}
	check(&image);
}

static void mapped_chunks_may_be_aligned(void **state)
{
	(void)state;
	struct image image;
	image_init(&image);
	struct image_run run = image_main(&image, IMAGE_PAGE);
	image_top(&image, &run);
	unsigned flags = REGION_READ | REGION_WRITE;
	uint64_t at = IMAGE_MAPPED;
	for (size_t alignment = 32; alignment <= (64u << 10); alignment *= 2) {
		size_t total = (alignment + 2 * IMAGE_PAGE) & ~(size_t)(IMAGE_PAGE - 1);
		image_add(&image, at, total, flags, "");
		image_mapped_aligned(&image, at, total, alignment);
		at += total + IMAGE_PAGE;
	}
	check(&image);
}

/* Memory of the program that only looks like a mapped chunk, and places where none are. */
static void what_looks_like_a_mapped_chunk_is_left_alone(void **state)
{
	(void)state;
	struct image image;
	image_init(&image);
	struct image_run run = image_main(&image, IMAGE_PAGE);
	image_top(&image, &run);
	unsigned flags = REGION_READ | REGION_WRITE;
	uint64_t size = 2 * IMAGE_PAGE;
	static const struct {
		uint64_t previous, head;
	} decoys[] = {
		{ 16, 2 * IMAGE_PAGE | 2 },
		{ 0, 2 * IMAGE_PAGE | 3 },
		{ 0, 2 * IMAGE_PAGE },
		{ 0, 2 * IMAGE_PAGE | 6 },
		{ 0, (2 * IMAGE_PAGE + 16) | 2 },
		{ 0, 2 },
		{ 0, 1024ul * IMAGE_PAGE | 2 },
		{ 0, UINT64_MAX & ~5ul },
	};
	uint64_t at = IMAGE_MAPPED;
	for (size_t i = 0; i < ARRAY_SIZE(decoys); i++, at += size) {
		image_add(&image, at, size, flags, "");
		image_put(&image, at, decoys[i].previous);
		image_put(&image, at + 8, decoys[i].head);
	}
	static const struct {
		unsigned flags;
		const char *name;
	} places[] = {
		{ REGION_READ | REGION_WRITE | REGION_SHARED, "" },
		{ REGION_READ, "" },
		{ REGION_READ | REGION_WRITE, "/tmp/file" },
		{ REGION_READ | REGION_WRITE, "[stack]" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(places); i++, at += size) {
		image_add(&image, at, size, places[i].flags, places[i].name);
		image_put(&image, at + 8, size | CHUNK_IS_MMAPPED);
	}
	image_add(&image, at, size, flags, "");
	image_mapped(&image, at, size);
	check(&image);
}

/* --- memory that is not there ---------------------------------------------------------- */

static void swap_mapped_chunk(struct target *target)
{
	struct error *error = target_fake_mark(target, IMAGE_MAPPED + IMAGE_PAGE,
					       IMAGE_MAPPED + 3ul * IMAGE_PAGE,
					       FAKE_PAGES_SWAPPED);
	assert_null(error);
}

/* What a block holds is unknown then, but not that it is there. */
static void swapped_contents_lower_the_coverage(void **state)
{
	(void)state;
	struct image image;
	image_init(&image);
	struct image_run run = image_main(&image, IMAGE_PAGE);
	image_top(&image, &run);
	image_add(&image, IMAGE_MAPPED, (size_t)8 * IMAGE_PAGE,
		  REGION_READ | REGION_WRITE, "");
	image_mapped(&image, IMAGE_MAPPED, (size_t)8 * IMAGE_PAGE);
	struct walk walk;
	struct error *error = try_walk(&image, &walk, swap_mapped_chunk);
	assert_null(error);
	assert_found_all(&image, &walk);
	assert_int_equal(walk.heap->damage.nr, 0);
	assert_int_equal(walk.heap->totals.unread_bytes, 2 * IMAGE_PAGE);
	assert_int_equal(walk.heap->totals.parsed_bytes, 7 * IMAGE_PAGE);
	forget_walk(&walk);
	image_deinit(&image);
}

static void swap_main(struct target *target)
{
	struct error *error = target_fake_mark(target, IMAGE_MAIN + IMAGE_PAGE,
					       IMAGE_MAIN + 2ul * IMAGE_PAGE,
					       FAKE_PAGES_SWAPPED);
	assert_null(error);
}

/* Headers that are swapped out end the chain, with a word about it. */
static void swapped_headers_end_the_chain(void **state)
{
	(void)state;
	struct image image;
	image_init(&image);
	struct image_run run = image_main(&image, (size_t)4 * IMAGE_PAGE);
	while (run.at < run.end - IMAGE_PAGE)
		image_chunk(&image, &run, 104, FATE_USED);
	image_top(&image, &run);
	struct walk walk;
	struct error *error = try_walk(&image, &walk, swap_main);
	assert_null(error);
	size_t nr = walk.chunks.nr;
	assert_true(nr > IMAGE_PAGE / 112);
	assert_int_equal(walk.chunks.items[nr - 1].state, CHUNK_UNKNOWN);
	for (size_t i = 0; i + 1 < nr; i++)
		assert_same(&walk.chunks.items[i], &image.chunks.items[i]);
	assert_int_equal(walk.heap->damage.nr, 1);
	assert_true(walk.heap->totals.parsed_bytes < 2 * IMAGE_PAGE);
	forget_walk(&walk);
	image_deinit(&image);
}

/* --- threads --------------------------------------------------------------------------- */

static void damage_first_chunk(struct image *image)
{
	image_put(image, IMAGE_MAIN + 0x298, 3);
}

/* A thread inside malloc excuses any damage: the next look may do better. */
static void damage_while_a_thread_is_inside_is_busy(void **state)
{
	(void)state;
	for (unsigned on_stack = 0; on_stack < 2; on_stack++) {
		struct image image;
		image_init(&image);
		image_fill(&image);
		struct image_thread *thread = &image.threads.items[1];
		if (on_stack)
			image_put(&image, thread->sp + 40, IMAGE_CODE + 0x123);
		else
			thread->pc = IMAGE_CODE;
		struct walk walk;
		struct error *error = try_walk(&image, &walk, NULL);
		assert_null(error);
		assert_found_all(&image, &walk);
		assert_int_equal(walk.heap->nr_threads_inside, 1);
		forget_walk(&walk);

		damage_first_chunk(&image);
		error = try_walk(&image, &walk, NULL);
		assert_non_null(error);
		assert_int_equal(error->code, ERROR_BUSY);
		assert_non_null(strstr(error->sentence, "0x555555560290"));
		error_destroy(error);

		/* At last a part of the heap is better than none. */
		struct heap *heap = (struct heap *)walk.heap;
		heap->last_try = true;
		image_chunk_vec_deinit(&walk.chunks);
		walk.span = NULL;
		walk.nr_spans = 0;
		error = heap_survey(heap);
		assert_null(error);
		error = heap_walk(heap, &walk.visitor);
		assert_null(error);
		assert_int_equal(heap->damage.nr, 1);
		assert_rest_is_found(&image, &walk, IMAGE_MAIN + 0x290);
		forget_walk(&walk);
		image_deinit(&image);
	}
}

/* What malloc has in hand is no leak; and of a fastbin that is being emptied the rest hangs
   on a register. */
static void blocks_in_the_hands_of_malloc_are_named(void **state)
{
	(void)state;
	struct image image;
	image_init(&image);
	struct image_run run = image_main(&image, IMAGE_PAGE);
	image_tcache(&image, &run, 0);
	uint64_t held = image_chunk(&image, &run, 24, FATE_FAST);
	image_chunk(&image, &run, 24, FATE_USED);
	image_chunk(&image, &run, 24, FATE_FAST);
	image_chunk(&image, &run, 24, FATE_FAST);
	image_top(&image, &run);
	uint64_t bin = IMAGE_ARENA + image.layout->arena.fastbins;
	uint64_t first = image_get(&image, bin);
	image_put(&image, bin, 0);
	image.threads.items[0].pc = IMAGE_CODE + 8;
	image_put(&image, image.threads.items[0].sp + 24, first);
	struct walk walk;
	struct error *error = try_walk(&image, &walk, NULL);
	assert_null(error);
	assert_found_all(&image, &walk);
	bool named = false;
	for (size_t i = 0; i < walk.heap->in_flight.nr; i++)
		named |= walk.heap->in_flight.items[i] == first + CHUNK_HEADER;
	assert_true(named);
	assert_true(held < first);
	forget_walk(&walk);
	image_deinit(&image);
}

static bool is_private(const struct heap *heap, uint64_t address)
{
	for (size_t i = 0; i < heap->private_ranges.nr; i++)
		if (address >= heap->private_ranges.items[i].start &&
		    address < heap->private_ranges.items[i].end)
			return true;
	return false;
}

static void allocator_state_is_private(void **state)
{
	(void)state;
	struct image image;
	image_init(&image);
	image_fill(&image);
	struct walk walk;
	struct error *error = try_walk(&image, &walk, NULL);
	assert_null(error);
	assert_true(is_private(walk.heap, IMAGE_ARENA));
	assert_true(is_private(walk.heap, IMAGE_ARENA + image.layout->arena.size - 8));
	assert_false(is_private(walk.heap, IMAGE_ARENA + image.layout->arena.size));
	assert_true(is_private(walk.heap, IMAGE_PARAMS));
	assert_false(is_private(walk.heap, IMAGE_PARAMS - 8));
	assert_true(is_private(walk.heap, IMAGE_THREAD));
	assert_true(is_private(walk.heap, IMAGE_THREAD + IMAGE_HEAP_MAX + 8));
	uint64_t top = image_get(&image, IMAGE_ARENA + image.layout->arena.top);
	assert_true(is_private(walk.heap, top + CHUNK_MIN_SIZE));
	assert_true(is_private(walk.heap, IMAGE_MAIN + 2ul * IMAGE_PAGE - 8));
	forget_walk(&walk);
	image_deinit(&image);
}

#define LOADER 0x7f2222400000u

/* Stacks of ended threads hang in a ring of the loader's. */
static void add_dead_stack(struct image *image, uint64_t address, size_t size)
{
	const struct glibc_layout *layout = image->layout;
	image_add(image, address, size, REGION_READ | REGION_WRITE, "");
	uint64_t head = LOADER + layout->stacks.stack_cache;
	uint64_t descriptor = address + size - 0x900;
	uint64_t link = descriptor + layout->stacks.list;
	image_put(image, link, image_get(image, head));
	image_put(image, head, link);
	image_put(image, descriptor + layout->stacks.stack, address);
	image_put(image, descriptor + layout->stacks.stack_size, size);
}

static void stacks_of_ended_threads_are_dead(void **state)
{
	(void)state;
	struct image image;
	image_init(&image);
	struct image_run run = image_main(&image, IMAGE_PAGE);
	image_top(&image, &run);
	image_add(&image, LOADER, (size_t)2 * IMAGE_PAGE, REGION_READ | REGION_WRITE, "");
	image.rtld_global = LOADER;
	uint64_t head = LOADER + image.layout->stacks.stack_cache;
	image_put(&image, head, head);
	uint64_t first = 0x7f2223000000, second = 0x7f2224000000, live = 0x7f2225000000;
	add_dead_stack(&image, first, (size_t)4 * IMAGE_PAGE);
	add_dead_stack(&image, second, (size_t)2 * IMAGE_PAGE);
	add_dead_stack(&image, live, (size_t)4 * IMAGE_PAGE);
	image.threads.items[0].sp = live + IMAGE_PAGE;
	struct walk walk;
	struct error *error = try_walk(&image, &walk, NULL);
	assert_null(error);
	assert_true(is_private(walk.heap, first));
	assert_true(is_private(walk.heap, first + 4ul * IMAGE_PAGE - 8));
	/* The next thread takes over the TLS vector. */
	assert_false(is_private(walk.heap, first + 4ul * IMAGE_PAGE - 0x900 + 8));
	assert_true(is_private(walk.heap, second));
	assert_false(is_private(walk.heap, live));
	assert_all_well(&walk);
	forget_walk(&walk);

	/* No descriptor makes anything dead but its own mapping. */
	uint64_t fields = first + 4ul * IMAGE_PAGE - 0x900 + image.layout->stacks.stack;
	image_put(&image, fields, IMAGE_PAGE);
	image_put(&image, fields + 8, first + 4ul * IMAGE_PAGE - IMAGE_PAGE);
	image.threads.items[0].sp = 0;
	error = try_walk(&image, &walk, NULL);
	assert_null(error);
	assert_true(is_private(walk.heap, first));
	assert_false(is_private(walk.heap, IMAGE_MAIN));
	assert_false(is_private(walk.heap, IMAGE_STACK));
	assert_false(is_private(walk.heap, IMAGE_DATA));
	forget_walk(&walk);
	image.threads.items[0].sp = live + IMAGE_PAGE;

	/* Nonsense makes nothing dead at all; a ring that does not close ends. */
	uint64_t descriptor = first + 4ul * IMAGE_PAGE - 0x900;
	image_put(&image, descriptor + image.layout->stacks.stack_size,
		  UINT64_MAX - 4095);
	uint64_t link = descriptor + image.layout->stacks.list;
	image_put(&image, link, link);
	error = try_walk(&image, &walk, NULL);
	assert_null(error);
	assert_false(is_private(walk.heap, first));
	assert_true(is_private(walk.heap, second));
	forget_walk(&walk);
	image_deinit(&image);
}

/* What lies below the stack pointer of a running thread is dead, too. */
static void running_stacks_are_dead_below(void **state)
{
	(void)state;
	struct image image;
	image_init(&image);
	struct image_run run = image_main(&image, IMAGE_PAGE);
	image_top(&image, &run);
	uint64_t stack = 0x7f2223000000, size = 8ul * IMAGE_PAGE;
	image_add(&image, stack - IMAGE_PAGE, IMAGE_PAGE, REGION_READ | REGION_WRITE,
		  "below");
	image_add(&image, stack, size, REGION_READ | REGION_WRITE, "");
	struct image_thread *thread = &image.threads.items[0];
	thread->thread_pointer = stack + size - 0x900;
	thread->sp = stack + 5ul * IMAGE_PAGE;
	uint64_t fields = thread->thread_pointer + image.layout->stacks.stack;
	image_put(&image, fields, stack);
	image_put(&image, fields + 8, size);
	for (unsigned hostile = 0; hostile < 2; hostile++) {
		struct walk walk;
		struct error *error = try_walk(&image, &walk, NULL);
		assert_null(error);
		assert_true(is_private(walk.heap, stack));
		assert_true(is_private(walk.heap, thread->sp - 136));
		/* A leaf function may use so much without moving the stack pointer. */
		assert_false(is_private(walk.heap, thread->sp - 128));
		assert_false(is_private(walk.heap, thread->sp));
		assert_false(is_private(walk.heap, stack - 8));
		assert_all_well(&walk);
		forget_walk(&walk);
		/* A descriptor that lies may hide nothing but its own mapping. */
		image_put(&image, fields, IMAGE_PAGE);
		image_put(&image, fields + 8, stack + size - IMAGE_PAGE);
	}
	image_deinit(&image);
}

/* --- damage ---------------------------------------------------------------------------- */

static bool same_chunks(const struct image *image, const struct walk *walk)
{
	if (walk->chunks.nr != image->chunks.nr)
		return false;
	for (size_t i = 0; i < image->chunks.nr; i++)
		if (!same_chunk(&walk->chunks.items[i], &image->chunks.items[i]))
			return false;
	return true;
}

/* The allocator's word may never hide what is not its own: neither as a private range, nor
   as chunks of a span. */
static void assert_not_hidden(const struct walk *walk, uint64_t address)
{
	assert_false(is_private(walk->heap, address));
	for (size_t i = 0; i < walk->chunks.nr; i++) {
		const struct heap_chunk *chunk = &walk->chunks.items[i];
		bool inside = address - chunk->address < chunk->size;
		assert_true(!inside || chunk->state == CHUNK_UNKNOWN);
	}
}

static void assert_foreign_memory_is_seen(const struct image *image,
					  const struct walk *walk)
{
	for (size_t i = 0; i < image->threads.nr; i++) {
		assert_not_hidden(walk, image->threads.items[i].thread_pointer);
		assert_not_hidden(walk, image->threads.items[i].sp);
	}
	assert_not_hidden(walk, IMAGE_DATA);
}

/*
 * Walks the image with one word changed. Either there is an error that says something; or
 * all is found as ever; or a note says what is damaged. Blocks that do not parse lower the
 * coverage. Nothing that was not a block becomes one unless a note warns of it.
 */
static struct error *walk_damaged(struct image *image, uint64_t address, uint64_t word,
				  struct walk *walk)
{
	uint64_t before = image_get(image, address);
	image_put(image, address, word);
	struct error *error = try_walk(image, walk, NULL);
	image_put(image, address, before);
	if (error) {
		assert_true(error->code == ERROR_FORMAT || error->code == ERROR_READ ||
			    error->code == ERROR_REFUSED);
		assert_true(strlen(error->sentence) > 10);
		return error;
	}
	assert_foreign_memory_is_seen(image, walk);
	const struct heap *heap = walk->heap;
	bool unknown = false;
	for (size_t i = 0; i < walk->chunks.nr; i++)
		unknown |= walk->chunks.items[i].state == CHUNK_UNKNOWN;
	bool complete = same_chunks(image, walk);
	if (!complete && heap->damage.nr == 0)
		fail_msg("with 0x%lx at 0x%lx something else is found, without a word",
			 (unsigned long)word, (unsigned long)address);
	/* Without its arena nobody knows how big a heap was. */
	bool ring = address == IMAGE_ARENA + image->layout->arena.next;
	if (unknown || (!ring && walk->chunks.nr < image->chunks.nr))
		if (heap->totals.parsed_bytes >= heap->totals.mapped_bytes)
			fail_msg("0x%lx at 0x%lx lowers no coverage", (unsigned long)word,
				 (unsigned long)address);
	for (size_t i = 0; i < heap->damage.nr; i++)
		assert_true(strlen(heap->damage.items[i]) > 10);
	return NULL;
}

static struct image filled_image(void)
{
	struct image image;
	image_init(&image);
	image_fill(&image);
	sort_expected(&image);
	return image;
}

static const uint64_t bad_sizes[] = {
	0,
	1,
	8,
	16,
	17,
	UINT64_MAX,
	UINT64_MAX - 15,
	(uint64_t)1 << 63,
	(uint64_t)1 << 40,
	0x100000 | 1,
};

/* Whether a block's own bytes are before this header: then it looks like any of them. */
static bool is_second_header(uint64_t header)
{
	return header > IMAGE_MAPPED && header % IMAGE_PAGE != 0 &&
	       header < IMAGE_MAPPED + 8ul * IMAGE_PAGE;
}

static void overwrite_header(struct image *image, uint64_t header, uint64_t word)
{
	uint64_t head = image_get(image, header + 8);
	struct walk walk;
	struct error *error = walk_damaged(image, header + 8, word, &walk);
	assert_null(error);
	if (!(head & CHUNK_IS_MMAPPED))
		assert_rest_is_found(image, &walk, header);
	forget_walk(&walk);
}

static void every_header_overwritten_is_noticed(void **state)
{
	(void)state;
	struct image image = filled_image();
	for (size_t i = 0; i < image.headers.nr; i++) {
		uint64_t header = image.headers.items[i];
		uint64_t head = image_get(&image, header + 8);
		if (is_second_header(header))
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(bad_sizes); k++)
			/* Flags alone make no size wrong. */
			if ((bad_sizes[k] ^ head) > CHUNK_FLAGS)
				overwrite_header(&image, header, bad_sizes[k]);
		/* Misaligned by a half, and one granule too long. */
		overwrite_header(&image, header, head | 8);
		overwrite_header(&image, header, head + 16);
	}
	image_deinit(&image);
}

/* A mapped chunk's header counts only together with malloc's own numbers. */
static void mapped_chunks_that_do_not_add_up_are_given_up(void **state)
{
	(void)state;
	struct image image = filled_image();
	for (size_t i = 0; i < image.headers.nr; i++) {
		uint64_t header = image.headers.items[i];
		if (!(image_get(&image, header + 8) & CHUNK_IS_MMAPPED) ||
		    is_second_header(header))
			continue;
		struct walk walk;
		struct error *error = walk_damaged(&image, header + 8, 0x5000, &walk);
		assert_null(error);
		assert_rest_is_found(&image, &walk, header);
		forget_walk(&walk);
	}
	const struct glibc_layout *layout = image.layout;
	uint64_t mmapped = IMAGE_PARAMS + layout->params.mmapped_mem;
	struct walk walk;
	struct error *error = walk_damaged(&image, mmapped, 5ul * IMAGE_PAGE, &walk);
	assert_null(error);
	assert_non_null(strstr(walk.heap->damage.items[0], "of 3 mapped chunks"));
	forget_walk(&walk);
	image_deinit(&image);
}

/* Every word of what malloc keeps, with values that make the most trouble. */
static void assert_words_survive(struct image *image, uint64_t start, size_t size)
{
	const uint64_t values[] = {
		0,
		1,
		UINT64_MAX,
		UINT64_MAX - 15,
		(uint64_t)1 << 40,
		IMAGE_MAIN,
		IMAGE_MAIN + 0x2a0,
		IMAGE_MAIN + 0x2a8,
		IMAGE_THREAD,
		IMAGE_THREAD + 48,
		IMAGE_THREAD + IMAGE_HEAP_MAX,
		IMAGE_ARENA,
		IMAGE_TLS + 0x10,
		IMAGE_STACK,
		IMAGE_MAPPED,
	};
	for (uint64_t at = start; at < start + size; at += 8) {
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			struct walk walk;
			struct error *error = walk_damaged(image, at, values[i], &walk);
			error_destroy(error);
			forget_walk(&walk);
		}
	}
}

static void damaged_arenas_are_noticed(void **state)
{
	(void)state;
	struct image image = filled_image();
	const struct glibc_layout *layout = image.layout;
	uint64_t arenas[] = { IMAGE_ARENA, IMAGE_THREAD + layout->heap_info.size };
	for (size_t i = 0; i < ARRAY_SIZE(arenas); i++) {
		assert_words_survive(&image, arenas[i] + layout->arena.top, 8);
		assert_words_survive(&image, arenas[i] + layout->arena.next, 8);
	}
	image_deinit(&image);
}

static void damaged_heap_infos_are_noticed(void **state)
{
	(void)state;
	struct image image = filled_image();
	assert_words_survive(&image, IMAGE_THREAD, 24);
	assert_words_survive(&image, IMAGE_THREAD + IMAGE_HEAP_MAX, 24);
	image_deinit(&image);
}

static void damaged_params_are_noticed(void **state)
{
	(void)state;
	struct image image = filled_image();
	assert_words_survive(&image, IMAGE_PARAMS + image.layout->params.mmapped_mem, 24);
	image_deinit(&image);
}

static void damaged_tcaches_are_noticed(void **state)
{
	(void)state;
	struct image image = filled_image();
	for (size_t i = 0; i < image.threads.nr; i++) {
		uint64_t tcache = image.threads.items[i].tcache;
		assert_words_survive(&image, tcache, image.layout->tcache.size);
	}
	image_deinit(&image);
}

/* Nothing counts a fastbin's chunks, so that one cut short is not noticed. */
static void damaged_fastbins_are_noticed(void **state)
{
	(void)state;
	struct image image = filled_image();
	const struct glibc_layout *layout = image.layout;
	static const uint64_t values[] = { 1,           UINT64_MAX, IMAGE_MAIN + 0x108,
					   IMAGE_STACK, IMAGE_MAIN, IMAGE_ARENA };
	for (unsigned i = 0; i < GLIBC_NR_FASTBINS; i++) {
		uint64_t bin = IMAGE_ARENA + layout->arena.fastbins + 8u * i;
		for (size_t k = 0; k < ARRAY_SIZE(values); k++) {
			struct walk walk;
			struct error *error = walk_damaged(&image, bin, values[k], &walk);
			assert_null(error);
			assert_true(walk.heap->damage.nr > 0);
			forget_walk(&walk);
		}
	}
	image_deinit(&image);
}

/* Links of lists, in tcaches' and fastbins' blocks. */
static void damaged_links_are_noticed(void **state)
{
	(void)state;
	struct image image = filled_image();
	for (size_t i = 0; i < image.chunks.nr; i++)
		if (image.chunks.items[i].state == CHUNK_FREE)
			assert_words_survive(&image, image.chunks.items[i].address, 8);
	image_deinit(&image);
}

static void assert_note(const struct walk *walk, const char *part)
{
	for (size_t i = 0; i < walk->heap->damage.nr; i++)
		if (strstr(walk->heap->damage.items[i], part))
			return;
	fail_msg("no note says: %s", part);
}

static uint64_t link_to(uint64_t user, uint64_t target)
{
	return (user >> 12) ^ target;
}

/* One list of free blocks with a fault, in a heap that has little else. */
static struct image image_with_list(uint64_t *first, uint64_t *last, uint64_t *used,
				    enum image_fate fate)
{
	struct image image;
	image_init(&image);
	struct image_run run = image_main(&image, IMAGE_PAGE);
	image_tcache(&image, &run, 0);
	*used = image_chunk(&image, &run, 120, FATE_USED);
	*last = image_chunk(&image, &run, 24, fate);
	image_chunk(&image, &run, 24, fate);
	*first = image_chunk(&image, &run, 24, fate);
	image_chunk(&image, &run, 24, FATE_USED);
	image_top(&image, &run);
	sort_expected(&image);
	return image;
}

static void faults_of_lists_are_named(void **state)
{
	(void)state;
	static const enum image_fate fates[] = { FATE_FAST, FATE_CACHED };
	for (size_t i = 0; i < ARRAY_SIZE(fates); i++) {
		uint64_t first, last, used;
		uint64_t header = fates[i] == FATE_FAST ? CHUNK_HEADER : 0;
		struct image image = image_with_list(&first, &last, &used, fates[i]);
		/* The end of a list, inside a block. */
		uint64_t inside = used + 64;
		image_put(&image, inside, link_to(inside, 0));
		struct {
			uint64_t link;
			const char *note;
		} cases[] = {
			{ first - header, "a list of free blocks does not end" },
			{ IMAGE_STACK, "a list of free blocks leads out of the heap" },
			{ 0x10, "a list of free blocks leads out of the heap" },
			{ last + 8, "a list of free blocks leads out of the heap" },
			{ inside - header, "are no chunks" },
		};
		for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
			struct walk walk;
			struct error *error = walk_damaged(
				&image, last, link_to(last, cases[k].link), &walk);
			assert_null(error);
			assert_note(&walk, cases[k].note);
			/* What is in a list is free all the same. */
			assert_int_equal(found_at(&walk, first)->state, CHUNK_FREE);
			assert_int_equal(found_at(&walk, last)->state, CHUNK_FREE);
			forget_walk(&walk);
		}
		image_deinit(&image);
	}
}

/* The same block in a tcache and in a fastbin: freed twice. */
static void a_block_in_two_lists_is_named(void **state)
{
	(void)state;
	uint64_t first, last, used;
	struct image image = image_with_list(&first, &last, &used, FATE_CACHED);
	uint64_t bin = IMAGE_ARENA + image.layout->arena.fastbins;
	image_put(&image, bin, last - CHUNK_HEADER);
	struct walk walk;
	struct error *error = try_walk(&image, &walk, NULL);
	assert_null(error);
	assert_note(&walk, "stand in lists of free blocks twice");
	assert_true(same_chunks(&image, &walk));
	forget_walk(&walk);
	image_deinit(&image);
}

static void a_free_chunk_must_know_its_size_twice(void **state)
{
	(void)state;
	struct image image = filled_image();
	for (size_t i = 0; i + 1 < image.headers.nr; i++) {
		uint64_t header = image.headers.items[i];
		uint64_t next = image.headers.items[i + 1];
		if (image_get(&image, next + 8) & (CHUNK_PREV_INUSE | CHUNK_IS_MMAPPED))
			continue;
		struct walk walk;
		struct error *error = walk_damaged(&image, next, 0x20, &walk);
		assert_null(error);
		assert_note(&walk, "a free chunk whose two sizes differ");
		assert_rest_is_found(&image, &walk, header);
		forget_walk(&walk);
	}
	/* And a used one whose neighbour calls it free. */
	uint64_t used = IMAGE_MAIN + 0x2a0;
	struct walk walk;
	struct error *error = walk_damaged(
		&image, used + 16 + 8,
		image_get(&image, used + 16 + 8) & ~(uint64_t)CHUNK_PREV_INUSE, &walk);
	assert_null(error);
	assert_note(&walk, "a free chunk whose two sizes differ");
	forget_walk(&walk);
	image_deinit(&image);
}

/* Mappings that end before the heap in them does. */
static void heaps_cut_short_are_noticed(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct image image = filled_image();
		static const uint64_t cut[] = { IMAGE_MAIN, IMAGE_THREAD,
						IMAGE_THREAD + IMAGE_HEAP_MAX,
						IMAGE_MAPPED };
		for (size_t s = 0; s < image.segments.nr; s++) {
			struct image_segment *segment = &image.segments.items[s];
			if (segment->address != cut[i])
				continue;
			segment->size -= IMAGE_PAGE;
			if (segment->size > 0)
				continue;
			free(segment->bytes);
			*segment = image.segments.items[--image.segments.nr];
		}
		struct walk walk;
		struct error *error = try_walk(&image, &walk, NULL);
		assert_null(error);
		assert_true(walk.heap->damage.nr > 0);
		assert_true(walk.heap->totals.parsed_bytes <
			    walk.heap->totals.mapped_bytes);
		for (size_t k = 0; k < image.chunks.nr; k++) {
			const struct heap_chunk *chunk = &image.chunks.items[k];
			const struct heap_chunk *found = found_at(&walk, chunk->address);
			if (!in_one_heap(chunk->address, cut[i]))
				assert_true(found && same_chunk(found, chunk));
		}
		forget_walk(&walk);
		image_deinit(&image);
	}
}

static void heaps_that_lead_in_a_ring_end(void **state)
{
	(void)state;
	struct image image = filled_image();
	uint64_t previous =
		IMAGE_THREAD + IMAGE_HEAP_MAX + image.layout->heap_info.previous;
	uint64_t system_mem = IMAGE_THREAD + image.layout->heap_info.size +
			      image.layout->arena.system_mem;
	image_put(&image, system_mem, UINT64_MAX);
	image_put(&image, IMAGE_ARENA + image.layout->arena.system_mem, UINT64_MAX);
	image_put(&image, IMAGE_ARENA + image.layout->arena.system_mem + 8, UINT64_MAX);
	struct walk walk;
	struct error *error =
		walk_damaged(&image, previous, IMAGE_THREAD + IMAGE_HEAP_MAX, &walk);
	assert_null(error);
	assert_note(&walk, "heaps do not lead to its first");
	forget_walk(&walk);
	image_deinit(&image);
}

static void without_its_state_the_heap_is_refused(void **state)
{
	(void)state;
	struct image image = filled_image();
	for (uint64_t at = IMAGE_ARENA; at < IMAGE_ARENA + 2200; at += 8)
		image_put(&image, at, 0x6161616161616161);
	struct walk walk;
	struct error *error = try_walk(&image, &walk, NULL);
	assert_non_null(error);
	assert_int_equal(error->code, ERROR_REFUSED);
	assert_non_null(strstr(error->sentence, "glibc 2.36"));
	assert_non_null(error->remedy);
	error_destroy(error);
	forget_walk(&walk);
	image_deinit(&image);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

/* Several words anywhere at once. What comes out is checked chunk by chunk in take_window. */
static void survives_random_damage(void **state)
{
	(void)state;
	uint64_t seed = 1;
	unsigned nr_walked = 0;
	for (unsigned trial = 0; trial < 2000; trial++) {
		struct image image = filled_image();
		for (unsigned k = 0; k <= trial % 6; k++) {
			const struct image_segment *segment =
				&image.segments
					 .items[next_random(&seed) % image.segments.nr];
			uint64_t at = segment->address +
				      next_random(&seed) % (segment->size / 8) * 8;
			const struct image_segment *other =
				&image.segments
					 .items[next_random(&seed) % image.segments.nr];
			uint64_t word = next_random(&seed) % 3
						? other->address +
							  next_random(&seed) % other->size
						: next_random(&seed)
							  << next_random(&seed) % 50;
			image_put(&image, at, word);
		}
		struct walk walk;
		struct error *error = try_walk(&image, &walk, NULL);
		nr_walked += !error;
		error_destroy(error);
		forget_walk(&walk);
		image_deinit(&image);
	}
	assert_true(nr_walked > 1500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_a_bit_of_everything),
		cmocka_unit_test(a_malloc_never_called_has_no_heap),
		cmocka_unit_test(only_threads_may_have_allocated),
		cmocka_unit_test(a_top_chunk_may_be_all_there_is),
		cmocka_unit_test(tops_may_be_as_small_as_chunks),
		cmocka_unit_test(heaps_may_end_in_any_fenceposts),
		cmocka_unit_test(the_main_heap_may_go_on_elsewhere),
		cmocka_unit_test(the_program_may_move_the_break),
		cmocka_unit_test(sbrk_need_not_begin_on_a_page),
		cmocka_unit_test(chunks_may_cross_windows),
		cmocka_unit_test(chunks_may_be_longer_than_windows),
		cmocka_unit_test(many_small_chunks_are_all_found),
		cmocka_unit_test(absent_pages_inside_chunks_do_not_matter),
		cmocka_unit_test(tcaches_of_all_threads_are_followed),
		cmocka_unit_test(a_cached_block_is_known_by_its_key),
		cmocka_unit_test(a_block_of_zeros_is_no_tcache),
		cmocka_unit_test(mapped_chunks_may_touch),
		cmocka_unit_test(mapped_chunks_may_be_aligned),
		cmocka_unit_test(what_looks_like_a_mapped_chunk_is_left_alone),
		cmocka_unit_test(swapped_contents_lower_the_coverage),
		cmocka_unit_test(swapped_headers_end_the_chain),
		cmocka_unit_test(damage_while_a_thread_is_inside_is_busy),
		cmocka_unit_test(blocks_in_the_hands_of_malloc_are_named),
		cmocka_unit_test(allocator_state_is_private),
		cmocka_unit_test(stacks_of_ended_threads_are_dead),
		cmocka_unit_test(running_stacks_are_dead_below),
		cmocka_unit_test(every_header_overwritten_is_noticed),
		cmocka_unit_test(mapped_chunks_that_do_not_add_up_are_given_up),
		cmocka_unit_test(damaged_arenas_are_noticed),
		cmocka_unit_test(damaged_heap_infos_are_noticed),
		cmocka_unit_test(damaged_params_are_noticed),
		cmocka_unit_test(damaged_tcaches_are_noticed),
		cmocka_unit_test(damaged_fastbins_are_noticed),
		cmocka_unit_test(damaged_links_are_noticed),
		cmocka_unit_test(faults_of_lists_are_named),
		cmocka_unit_test(a_block_in_two_lists_is_named),
		cmocka_unit_test(a_free_chunk_must_know_its_size_twice),
		cmocka_unit_test(heaps_cut_short_are_noticed),
		cmocka_unit_test(heaps_that_lead_in_a_ring_end),
		cmocka_unit_test(without_its_state_the_heap_is_refused),
		cmocka_unit_test(survives_random_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
