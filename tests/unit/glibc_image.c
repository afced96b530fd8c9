/* glibc_image: see glibc_image.h. What is written is what glibc 2.36's malloc.c writes. */
#include "unit/glibc_image.h"

#include <assert.h>
#include <string.h>

/* Where libc's TLS variable `tcache` happens to be. */
#define TCACHE_BEFORE_TP 0x50u
#define TP_IN_PAGE       0x740u

/* The test itself is wrong, or memory ran out. */
static void must(bool good)
{
	if (!good)
		abort();
}

static void must_succeed(struct error *error)
{
	must(error == NULL);
}

static struct image_segment *segment_of(const struct image *image, uint64_t address)
{
	for (size_t i = 0; i < image->segments.nr; i++) {
		struct image_segment *segment = &image->segments.items[i];
		if (address - segment->address < segment->size)
			return segment;
	}
	abort();
}

static unsigned char *bytes_at(const struct image *image, uint64_t address)
{
	struct image_segment *segment = segment_of(image, address);
	return segment->bytes + (address - segment->address);
}

uint64_t image_get(const struct image *image, uint64_t address)
{
	uint64_t word;
	memcpy(&word, bytes_at(image, address), sizeof(word));
	return word;
}

void image_put(struct image *image, uint64_t address, uint64_t word)
{
	memcpy(bytes_at(image, address), &word, sizeof(word));
}

void image_put_int(struct image *image, uint64_t address, uint32_t number)
{
	memcpy(bytes_at(image, address), &number, sizeof(number));
}

void image_put_short(struct image *image, uint64_t address, uint16_t number)
{
	memcpy(bytes_at(image, address), &number, sizeof(number));
}

static void add_to(struct image *image, uint64_t address, uint64_t more)
{
	image_put(image, address, image_get(image, address) + more);
}

void image_add(struct image *image, uint64_t address, size_t size, unsigned flags,
	       const char *name)
{
	must(address % IMAGE_PAGE == 0 && size % IMAGE_PAGE == 0);
	struct image_segment segment = {
		.address = address,
		.size = size,
		.flags = flags,
		.name = name,
		.bytes = calloc(1, size),
	};
	must(segment.bytes && image_segment_vec_push(&image->segments, segment));
}

/* --- what every process has ------------------------------------------------------------ */

/* ptmalloc_init's malloc_init_state: empty bins, linked to themselves. */
static void init_arena(struct image *image, uint64_t arena)
{
	const struct glibc_layout *layout = image->layout;
	for (unsigned i = 0; i < GLIBC_NR_BINS; i++) {
		uint64_t bin = arena + layout->arena.bins + 16u * i;
		image_put(image, bin, bin - 16);
		image_put(image, bin + 8, bin - 16);
	}
	image_put(image, arena + layout->arena.next, arena);
	image_put(image, arena + layout->arena.next + 16, 1);
}

static void init_params(struct image *image)
{
	const struct glibc_layout *layout = image->layout;
	image_put(image, IMAGE_PARAMS + layout->params.arena_test, 8);
	image_put_int(image, IMAGE_PARAMS + layout->params.n_mmaps_max, 65536);
	image_put(image, IMAGE_PARAMS + layout->params.tcache_bins, 64);
	image_put(image, IMAGE_PARAMS + layout->params.tcache_max_bytes, 1032);
	image_put(image, IMAGE_PARAMS + layout->params.tcache_count, 7);
}

void image_add_thread(struct image *image)
{
	size_t number = image->threads.nr;
	uint64_t tls = IMAGE_TLS + number * 2 * IMAGE_PAGE;
	uint64_t stack = IMAGE_STACK + number * 2 * IMAGE_PAGE;
	image_add(image, tls, IMAGE_PAGE, REGION_READ | REGION_WRITE, "");
	image_add(image, stack, IMAGE_PAGE, REGION_READ | REGION_WRITE,
		  number ? "" : "[stack]");
	struct image_thread thread = {
		.thread_pointer = tls + TP_IN_PAGE,
		.pc = IMAGE_CODE - 0x1000,
		.sp = stack + 0x800,
	};
	must(image_thread_vec_push(&image->threads, thread));
}

void image_init(struct image *image)
{
	*image = (struct image){ .layout = glibc_layout_find(2036) };
	must(image->layout != NULL);
	image_add(image, IMAGE_DATA, (size_t)2 * IMAGE_PAGE, REGION_READ | REGION_WRITE,
		  "/lib/libc.so.6");
	init_arena(image, IMAGE_ARENA);
	init_params(image);
	image_add_thread(image);
}

void image_deinit(struct image *image)
{
	for (size_t i = 0; i < image->segments.nr; i++)
		free(image->segments.items[i].bytes);
	image_segment_vec_deinit(&image->segments);
	image_chunk_vec_deinit(&image->chunks);
	word_vec_deinit(&image->headers);
	image_thread_vec_deinit(&image->threads);
}

/* --- runs of chunks -------------------------------------------------------------------- */

static void grow_arena(struct image *image, uint64_t arena, size_t size)
{
	const struct glibc_layout *layout = image->layout;
	add_to(image, arena + layout->arena.system_mem, size);
	add_to(image, arena + layout->arena.max_system_mem, size);
}

struct image_run image_main(struct image *image, size_t size)
{
	image_add(image, IMAGE_MAIN, size, REGION_READ | REGION_WRITE, "[heap]");
	image_put(image, IMAGE_PARAMS + image->layout->params.sbrk_base, IMAGE_MAIN);
	grow_arena(image, IMAGE_ARENA, size);
	return (struct image_run){
		.arena = IMAGE_ARENA,
		.at = IMAGE_MAIN,
		.end = IMAGE_MAIN + size,
	};
}

struct image_run image_thread_heap(struct image *image, uint64_t arena, uint64_t heap,
				   uint64_t previous, size_t size)
{
	const struct glibc_layout *layout = image->layout;
	must(heap % layout->heap_max == 0 && size <= layout->heap_max);
	image_add(image, heap, size, REGION_READ | REGION_WRITE, "");
	image_put(image, heap + layout->heap_info.arena, arena);
	image_put(image, heap + layout->heap_info.previous, previous);
	image_put(image, heap + layout->heap_info.size_field, size);
	image_put(image, heap + layout->heap_info.size_field + 8, size);
	if (previous)
		grow_arena(image, arena, size);
	return (struct image_run){
		.arena = arena,
		.at = (heap + layout->heap_info.size + 15) & ~(uint64_t)15,
		.end = heap + size,
	};
}

struct image_run image_thread_arena(struct image *image, uint64_t heap, size_t size)
{
	const struct glibc_layout *layout = image->layout;
	uint64_t arena = heap + layout->heap_info.size;
	struct image_run run = image_thread_heap(image, arena, heap, 0, size);
	init_arena(image, arena);
	grow_arena(image, arena, size);
	uint64_t ring = IMAGE_ARENA + layout->arena.next;
	image_put(image, arena + layout->arena.next, image_get(image, ring));
	image_put(image, ring, arena);
	run.at = (arena + layout->arena.size + 15) & ~(uint64_t)15;
	return run;
}

static void expect(struct image *image, uint64_t user, size_t usable,
		   enum chunk_state state)
{
	struct heap_chunk chunk = { .address = user, .size = usable, .state = state };
	must(image_chunk_vec_push(&image->chunks, chunk));
}

/* Writes a header and goes past the chunk. */
static uint64_t lay(struct image *image, struct image_run *run, size_t size,
		    uint64_t flags)
{
	must(run->at + size <= run->end);
	uint64_t header = run->at;
	if (!run->previous_free)
		flags |= CHUNK_PREV_INUSE;
	image_put(image, header + 8, size | flags);
	must(word_vec_push(&image->headers, header));
	run->previous_free = false;
	run->at += size;
	return header;
}

static uint64_t protect(uint64_t address, uint64_t link)
{
	return (address >> 12) ^ link;
}

static void push_binned(struct image *image, const struct image_run *run, uint64_t header,
			size_t size)
{
	uint64_t unsorted = run->arena + image->layout->arena.bins - 16;
	uint64_t first = image_get(image, unsorted + 16);
	image_put(image, header + 16, first);
	image_put(image, header + 24, unsorted);
	image_put(image, unsorted + 16, header);
	image_put(image, first + 24, header);
	image_put(image, header + size, size);
}

static void push_cached(struct image *image, size_t thread, uint64_t user, size_t size)
{
	const struct glibc_layout *layout = image->layout;
	uint64_t tcache = image->threads.items[thread].tcache;
	uint64_t bin = (size - CHUNK_MIN_SIZE) / 16;
	must(tcache && bin < layout->tcache.nr_bins);
	uint64_t entry = tcache + layout->tcache.entries + 8 * bin;
	uint64_t count = tcache + layout->tcache.counts + 2 * bin;
	image_put(image, user, protect(user, image_get(image, entry)));
	image_put(image, user + 8, IMAGE_KEY);
	image_put(image, entry, user);
	uint16_t number = (uint16_t)image_get(image, count);
	image_put_short(image, count, (uint16_t)(number + 1));
}

static void push_fast(struct image *image, const struct image_run *run, uint64_t header,
		      size_t size)
{
	uint64_t bin = run->arena + image->layout->arena.fastbins + 8 * (size / 16 - 2);
	must(size <= 128);
	image_put(image, header + 16, protect(header + 16, image_get(image, bin)));
	image_put(image, bin, header);
}

uint64_t image_chunk(struct image *image, struct image_run *run, size_t usable,
		     enum image_fate fate)
{
	size_t size = usable + 8;
	must(usable >= 24 && size % 16 == 0);
	uint64_t header =
		lay(image, run, size,
		    run->arena == IMAGE_ARENA ? 0 : (uint64_t)CHUNK_NON_MAIN_ARENA);
	uint64_t user = header + CHUNK_HEADER;
	if (fate == FATE_BINNED)
		push_binned(image, run, header, size);
	else if (fate == FATE_CACHED || fate == FATE_CACHED_1)
		push_cached(image, fate == FATE_CACHED_1, user, size);
	else if (fate == FATE_FAST)
		push_fast(image, run, header, size);
	else if (fate == FATE_FORGOTTEN)
		image_put(image, user + 8, IMAGE_KEY);
	run->previous_free = fate == FATE_BINNED;
	expect(image, user, usable, fate == FATE_USED ? CHUNK_USED : CHUNK_FREE);
	return user;
}

void image_tcache(struct image *image, struct image_run *run, size_t thread)
{
	struct image_thread *owner = &image->threads.items[thread];
	owner->tcache =
		image_chunk(image, run, image->layout->tcache.size + 8u, FATE_USED);
	image->chunks.items[image->chunks.nr - 1].state = CHUNK_ALLOCATOR;
	image_put(image, owner->thread_pointer - TCACHE_BEFORE_TP, owner->tcache);
}

void image_top(struct image *image, struct image_run *run)
{
	must(run->end - run->at >= CHUNK_MIN_SIZE);
	expect(image, run->at + CHUNK_HEADER, 0, CHUNK_ALLOCATOR);
	uint64_t header = lay(image, run, run->end - run->at, 0);
	image_put(image, run->arena + image->layout->arena.top, header);
}

/* The end of a thread's heap: a fencepost of 16 bytes and one of 0 (sysmalloc). */
static void fence_thread_heap(struct image *image, struct image_run *run)
{
	size_t top = run->end - run->at;
	size_t old_size = top - CHUNK_MIN_SIZE;
	image_put(image, run->end - 8, CHUNK_PREV_INUSE);
	if (old_size >= CHUNK_MIN_SIZE) {
		image_chunk(image, run, old_size - 8, FATE_BINNED);
		expect(image, run->at + CHUNK_HEADER, 0, CHUNK_ALLOCATOR);
		lay(image, run, 16, 0);
	} else {
		expect(image, run->at + CHUNK_HEADER, 0, CHUNK_ALLOCATOR);
		lay(image, run, old_size + 16, 0);
	}
	image_put(image, run->at, image_get(image, run->at - 8) & ~(uint64_t)CHUNK_FLAGS);
}

/* The end of the main heap: two fenceposts of 16 bytes. */
static void fence_main_heap(struct image *image, struct image_run *run)
{
	size_t old_size = run->end - run->at - 32;
	if (old_size >= CHUNK_MIN_SIZE)
		image_chunk(image, run, old_size - 8, FATE_BINNED);
	expect(image, run->at + CHUNK_HEADER, 0, CHUNK_ALLOCATOR);
	if (run->end - run->at > 32)
		lay(image, run, 16, 0);
	lay(image, run, 16, 0);
	lay(image, run, 16, 0);
}

void image_fence(struct image *image, struct image_run *run)
{
	must(run->end - run->at >= CHUNK_MIN_SIZE);
	if (run->arena == IMAGE_ARENA)
		fence_main_heap(image, run);
	else
		fence_thread_heap(image, run);
}

void image_foreign(struct image *image, uint64_t address, size_t size)
{
	if (size)
		expect(image, address, size, CHUNK_UNKNOWN);
}

/* --- mapped chunks --------------------------------------------------------------------- */

static void count_mapped(struct image *image, size_t total)
{
	const struct glibc_layout *layout = image->layout;
	uint32_t nr = (uint32_t)image_get(image, IMAGE_PARAMS + layout->params.n_mmaps);
	image_put_int(image, IMAGE_PARAMS + layout->params.n_mmaps, nr + 1);
	image_put_int(image, IMAGE_PARAMS + layout->params.max_n_mmaps, nr + 1);
	add_to(image, IMAGE_PARAMS + layout->params.mmapped_mem, total);
	add_to(image, IMAGE_PARAMS + layout->params.max_mmapped_mem, total);
}

uint64_t image_mapped(struct image *image, uint64_t address, size_t size)
{
	must(address % IMAGE_PAGE == 0 && size % IMAGE_PAGE == 0);
	image_put(image, address + 8, size | CHUNK_IS_MMAPPED);
	must(word_vec_push(&image->headers, address));
	count_mapped(image, size);
	expect(image, address + CHUNK_HEADER, size - CHUNK_HEADER, CHUNK_USED);
	return address + CHUNK_HEADER;
}

uint64_t image_mapped_aligned(struct image *image, uint64_t address, size_t total,
			      size_t alignment)
{
	must(address % IMAGE_PAGE == 0 && total % IMAGE_PAGE == 0);
	image_put(image, address + 8, total | CHUNK_IS_MMAPPED);
	uint64_t user = (address + CHUNK_HEADER + alignment - 1) & ~(alignment - 1);
	uint64_t lead = user - CHUNK_HEADER - address;
	must(lead > 0 && lead + CHUNK_MIN_SIZE <= total);
	image_put(image, user - 16, lead);
	image_put(image, user - 8, (total - lead) | CHUNK_IS_MMAPPED);
	must(word_vec_push(&image->headers, user - CHUNK_HEADER));
	count_mapped(image, total);
	expect(image, user, total - lead - CHUNK_HEADER, CHUNK_USED);
	return user;
}

/* --- a bit of everything --------------------------------------------------------------- */

static void fill_main(struct image *image)
{
	struct image_run run = image_main(image, (size_t)2 * IMAGE_PAGE);
	image_tcache(image, &run, 0);
	image_chunk(image, &run, 24, FATE_USED);
	image_chunk(image, &run, 24, FATE_CACHED);
	image_chunk(image, &run, 40, FATE_USED);
	image_chunk(image, &run, 24, FATE_CACHED);
	image_chunk(image, &run, 56, FATE_FAST);
	image_chunk(image, &run, 1000, FATE_USED);
	image_chunk(image, &run, 1400, FATE_BINNED);
	image_chunk(image, &run, 56, FATE_USED);
	image_chunk(image, &run, 56, FATE_FAST);
	image_chunk(image, &run, 88, FATE_BINNED);
	image_chunk(image, &run, 3000, FATE_USED);
	image_chunk(image, &run, 1032, FATE_CACHED);
	image_chunk(image, &run, 104, FATE_USED);
	image_top(image, &run);
}

static void fill_thread_arena(struct image *image)
{
	uint64_t first = IMAGE_THREAD, second = IMAGE_THREAD + IMAGE_HEAP_MAX;
	struct image_run run = image_thread_arena(image, first, (size_t)2 * IMAGE_PAGE);
	image_tcache(image, &run, 1);
	image_chunk(image, &run, 24, FATE_USED);
	image_chunk(image, &run, 72, FATE_CACHED_1);
	image_chunk(image, &run, 504, FATE_BINNED);
	image_chunk(image, &run, 120, FATE_FAST);
	image_chunk(image, &run, 120, FATE_USED);
	uint64_t arena = run.arena;
	image_fence(image, &run);
	run = image_thread_heap(image, arena, second, first, IMAGE_PAGE);
	image_chunk(image, &run, 200, FATE_USED);
	image_chunk(image, &run, 200, FATE_CACHED_1);
	image_chunk(image, &run, 24, FATE_USED);
	image_top(image, &run);
}

static void fill_mapped(struct image *image)
{
	unsigned flags = REGION_READ | REGION_WRITE;
	image_add(image, IMAGE_MAPPED, (size_t)8 * IMAGE_PAGE, flags, "");
	image_mapped(image, IMAGE_MAPPED + IMAGE_PAGE, (size_t)2 * IMAGE_PAGE);
	image_mapped(image, IMAGE_MAPPED + (uint64_t)3 * IMAGE_PAGE, IMAGE_PAGE);
	image_mapped_aligned(image, IMAGE_MAPPED + (uint64_t)5 * IMAGE_PAGE,
			     (size_t)3 * IMAGE_PAGE, IMAGE_PAGE);
}

void image_fill(struct image *image)
{
	image_add_thread(image);
	fill_main(image);
	fill_thread_arena(image);
	fill_mapped(image);
}

/* --- targets --------------------------------------------------------------------------- */

struct target *image_target(const struct image *image)
{
	struct target *target = NULL;
	must_succeed(target_fake_create(&target));
	for (size_t i = 0; i < image->segments.nr; i++) {
		const struct image_segment *segment = &image->segments.items[i];
		must_succeed(target_fake_add(target, segment->address, segment->bytes,
					     segment->size, segment->flags,
					     segment->name));
	}
	for (size_t i = 0; i < image->threads.nr; i++) {
		const struct image_thread *thread = &image->threads.items[i];
		must_succeed(target_fake_add_thread(target, (pid_t)i + 1, thread->sp,
						    NULL, 0));
		target->threads.items[i].thread_pointer = thread->thread_pointer;
		target->threads.items[i].pc = thread->pc;
	}
	return target;
}

static void destroy_walker(struct heap *heap)
{
	struct glibc *glibc = (struct glibc *)heap;
	peek_destroy(glibc->peek);
	region_vec_deinit(&glibc->data);
	glibc_arena_vec_deinit(&glibc->arenas);
	glibc_chain_vec_deinit(&glibc->chains);
	word_vec_deinit(&glibc->cached);
	word_vec_deinit(&glibc->own);
	free(glibc);
}

/* glibc_open() without a libc to read the version and the symbols from. */
struct heap *image_heap(const struct image *image, struct target *target)
{
	static const struct heap_ops ops = {
		.name = "glibc",
		.survey = glibc_survey,
		.walk = glibc_walk,
		.destroy = destroy_walker,
	};
	struct glibc *glibc = calloc(1, sizeof(*glibc));
	must(glibc != NULL);
	glibc->base.ops = &ops;
	glibc->base.target = target;
	glibc->base.name = strdup("glibc 2.36");
	glibc->layout = image->layout;
	glibc->code_start = IMAGE_CODE;
	glibc->code_end = IMAGE_CODE + IMAGE_PAGE;
	glibc->rtld_global = image->rtld_global;
	must_succeed(peek_create(target, &glibc->peek));
	struct region data = *target_region(target, IMAGE_DATA);
	data.name = NULL;
	must(glibc->base.name && region_vec_push(&glibc->data, data));
	return &glibc->base;
}
