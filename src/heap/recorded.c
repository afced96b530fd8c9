/* recorded: see recorded.h. */
#include "heap/recorded.h"

#include <string.h>

#include "heap/allocators.h"
#include "heap/glibc_priv.h"
#include "heap/window_walk.h"

/* A larger block is a span of its own: no table is needed to find its start. */
#define SINGLE_BYTES ((uint64_t)256 << 10)
/* Leaf functions may use this much below the stack pointer (System V ABI, red zone). */
#define RED_ZONE 128u
/* What the C library knows of a thread lies above its pointer, and what the loader allocated
   before there was a malloc beside it; libraries loaded later may have some room below. */
#define ABOVE_POINTER ((uint64_t)64 << 10)
#define BELOW_POINTER ((uint64_t)256 << 10)

struct recorded {
	struct heap base;
	const struct heap_recording *recording;
	/* glibc's malloc, which may not be in use, for what is known of stacks; NULL: the C
	   library is another. */
	struct heap *libc;
	struct heap_span_vec stacks; /* of threads; of any that the C library has */
	uint64_t
		tls_bytes; /* so much below a thread pointer may be thread-local variables */
	struct heap_span_vec kept; /* roots in the mapping at hand */
};

/* A block of no bytes still takes what tells it from its neighbours. */
static uint64_t end_of(const struct heap_block *block)
{
	return block->size ? (block->address + block->size + 7) & ~(uint64_t)7
			   : block->address + 8;
}

/* --- blocks ------------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
	const struct heap_block *left = a, *right = b;
	return (left->address > right->address) - (left->address < right->address);
}

static bool is_sane(const struct heap_block *block)
{
	return block->address % 8 == 0 && block->address &&
	       block->size < UINT64_MAX / 2 && block->address < UINT64_MAX / 2;
}

void heap_blocks_settle(struct heap_block_vec *blocks)
{
	size_t kept = 0;
	uint64_t end = 0;
	if (blocks->nr)
		qsort(blocks->items, blocks->nr, sizeof(*blocks->items), by_address);
	for (size_t i = 0; i < blocks->nr; i++) {
		const struct heap_block block = blocks->items[i];
		if (!is_sane(&block) || block.address < end)
			continue;
		blocks->items[kept++] = block;
		end = end_of(&block);
	}
	blocks->nr = kept;
}

/* The first that begins at or behind an address. */
static size_t first_from(const struct heap_block_vec *blocks, uint64_t address)
{
	size_t low = 0, high = blocks->nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (blocks->items[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct heap_block *heap_block_at(const struct heap_block_vec *blocks,
				       uint64_t address)
{
	size_t i = first_from(blocks, address);
	return i < blocks->nr && blocks->items[i].address == address ? &blocks->items[i]
								     : NULL;
}

/* --- spans -------------------------------------------------------------------------- */

static struct error *add_span(struct recorded *recorded, uint64_t start, uint64_t end,
			      bool single)
{
	struct heap_span span = { .start = start, .end = end, .single = single };
	if (start >= end)
		return NULL;
	recorded->base.totals.mapped_bytes += end - start;
	return heap_span_vec_push(&recorded->base.spans, span) ? NULL : error_no_memory();
}

/* What the allocator keeps apart from blocks. */
static struct error *hide(struct recorded *recorded, uint64_t start, uint64_t end)
{
	struct heap_span range = { .start = start, .end = end };
	return heap_span_vec_push(&recorded->base.private_ranges, range)
		       ? NULL
		       : error_no_memory();
}

/* What the allocator has between two addresses, with the blocks [first, last). */
static struct error *add_spans(struct recorded *recorded, uint64_t start, uint64_t end,
			       size_t first, size_t last)
{
	const struct heap_block *blocks = recorded->recording->blocks.items;
	struct error *error = NULL;
	for (size_t i = first; !error && i < last; i++) {
		if (blocks[i].size < SINGLE_BYTES || end_of(&blocks[i]) > end)
			continue;
		error = add_span(recorded, start, blocks[i].address, false);
		start = end_of(&blocks[i]);
		if (!error)
			error = add_span(recorded, blocks[i].address, start, true);
	}
	return error ? error : add_span(recorded, start, end, false);
}

/* --- what is no allocator's --------------------------------------------------------- */

static struct error *keep(struct recorded *recorded, uint64_t start, uint64_t end)
{
	struct heap_span range = { .start = start, .end = end };
	return heap_span_vec_push(&recorded->kept, range) ? NULL : error_no_memory();
}

/* The part of [start, end) around an address of the region that lies between the block below it
   and the block above; nothing when it is in a block itself. */
static struct error *keep_around(struct recorded *recorded, const struct region *region,
				 uint64_t address, uint64_t start, uint64_t end)
{
	const struct heap_block_vec *blocks = &recorded->recording->blocks;
	size_t above = first_from(blocks, address + 1);
	uint64_t low = above > 0 ? end_of(&blocks->items[above - 1]) : 0;
	uint64_t high = above < blocks->nr ? blocks->items[above].address : UINT64_MAX;
	if (address < region->start || address >= region->end || low > address)
		return NULL;
	low = low > region->start ? low : region->start;
	high = high < region->end ? high : region->end;
	return keep(recorded, start > low ? start & ~(uint64_t)7 : low,
		    end < high ? end & ~(uint64_t)7 : high);
}

/* Thread-local variables of modules that were there from the start lie below the thread pointer,
   and above it what the C library knows of the thread. */
static struct error *keep_thread(struct recorded *recorded, const struct region *region,
				 const struct thread *thread)
{
	uint64_t pointer = thread->thread_pointer, sp = thread->sp;
	struct error *error = keep_around(recorded, region, pointer,
					  pointer - recorded->tls_bytes,
					  pointer + ABOVE_POINTER);
	return error ? error
		     : keep_around(recorded, region, sp, sp - RED_ZONE, UINT64_MAX);
}

/* Other threads' stacks, too: of one that has ended, the result is still there. */
static struct error *keep_threads(struct recorded *recorded, const struct region *region)
{
	const struct thread_vec *threads = &recorded->base.target->threads;
	struct error *error = NULL;
	for (size_t i = 0; !error && i < threads->nr; i++)
		error = keep_thread(recorded, region, &threads->items[i]);
	return error;
}

static struct error *keep_ranges(struct recorded *recorded, const struct region *region,
				 const struct heap_span_vec *mappings)
{
	struct error *error = NULL;
	for (size_t i = 0; !error && i < mappings->nr; i++) {
		uint64_t start = mappings->items[i].start, end = mappings->items[i].end;
		start = start > region->start ? start : region->start;
		end = end < region->end ? end : region->end;
		if (start < end)
			error = keep(recorded, start, end);
	}
	return error;
}

static int by_start(const void *a, const void *b)
{
	const struct heap_span *left = a, *right = b;
	return (left->start > right->start) - (left->start < right->start);
}

/* --- the survey --------------------------------------------------------------------- */

/* Blocks where no allocator's mapping is stand alone. */
static struct error *add_lone_blocks(struct recorded *recorded,
				     const struct region *region, size_t first,
				     size_t last)
{
	const struct heap_block *blocks = recorded->recording->blocks.items;
	struct error *error = NULL;
	for (size_t i = first; !error && i < last; i++) {
		uint64_t end = end_of(&blocks[i]);
		error = add_span(recorded, blocks[i].address,
				 end < region->end ? end : region->end, true);
	}
	return error;
}

/* The parts of an allocator's region between those that are roots; blocks in these stand alone. */
static struct error *add_region(struct recorded *recorded, const struct region *region,
				size_t first, size_t last)
{
	const struct heap_block_vec *blocks = &recorded->recording->blocks;
	struct heap_span_vec *kept = &recorded->kept;
	uint64_t at = region->start;
	kept->nr = 0;
	struct error *error = keep_threads(recorded, region);
	if (!error)
		error = keep_ranges(recorded, region, &recorded->recording->mappings);
	if (!error)
		error = keep_ranges(recorded, region, &recorded->stacks);
	if (!error && kept->nr)
		qsort(kept->items, kept->nr, sizeof(*kept->items), by_start);
	for (size_t i = 0; !error && i <= kept->nr; i++) {
		uint64_t stop = i < kept->nr ? kept->items[i].start : region->end;
		uint64_t next = i < kept->nr ? kept->items[i].end : region->end;
		if (at < stop && first == last)
			error = hide(recorded, at, stop);
		else if (at < stop)
			error = add_spans(recorded, at, stop, first_from(blocks, at),
					  first_from(blocks, stop));
		at = at > stop ? at : stop;
		if (!error && at < next)
			error = add_lone_blocks(recorded, region, first_from(blocks, at),
						first_from(blocks, next));
		at = at > next ? at : next;
	}
	return error;
}

/* Anonymous memory that nobody else is known to have: a module's .bss is another's. */
static bool is_allocators(const struct recorded *recorded, const struct region *region)
{
	const unsigned both = REGION_READ | REGION_WRITE;
	if (strcmp(region->name, "[heap]") == 0)
		return true;
	return !region->inode && !region->name[0] && !(region->flags & REGION_SHARED) &&
	       (region->flags & both) == both &&
	       !symbols_module_at(recorded->base.symbols, region->start);
}

static struct error *survey_region(struct recorded *recorded, const struct region *region)
{
	const struct heap_block_vec *blocks = &recorded->recording->blocks;
	const struct module *module =
		symbols_module_at(recorded->base.symbols, region->start);
	size_t first = first_from(blocks, region->start);
	size_t last = first_from(blocks, region->end);
	bool is_runtimes = module && allocator_is_runtime(module);
	if (!(region->flags & REGION_READ) ||
	    (first == last && (is_runtimes || !recorded->recording->has_all_mappings)))
		return NULL;
	return !is_runtimes && is_allocators(recorded, region)
		       ? add_region(recorded, region, first, last)
		       : add_lone_blocks(recorded, region, first, last);
}

/* What lies below the stack pointers of live threads is dead, and so are stacks to be reused. */
static struct error *find_stacks(struct recorded *recorded)
{
	recorded->stacks.nr = 0;
	if (!recorded->libc)
		return NULL;
	struct glibc *glibc = (struct glibc *)recorded->libc;
	heap_span_vec_deinit(&recorded->base.private_ranges);
	recorded->libc->private_ranges.nr = 0;
	peek_reset(glibc->peek);
	struct error *error = glibc_find_dead_stacks(glibc);
	recorded->base.private_ranges = recorded->libc->private_ranges;
	recorded->libc->private_ranges = (struct heap_span_vec){ 0 };
	return error ? error : glibc_find_stacks(glibc, &recorded->stacks);
}

static struct error *survey(struct heap *heap)
{
	struct recorded *recorded = (struct recorded *)heap;
	const struct region_vec *regions = &heap->target->regions;
	heap->spans.nr = 0;
	heap->totals = (struct heap_totals){ 0 };
	struct error *error = find_stacks(recorded);
	for (size_t i = 0; !error && i < regions->nr; i++)
		error = survey_region(recorded, &regions->items[i]);
	return error;
}

/* --- the walk ----------------------------------------------------------------------- */

struct walk {
	struct window_walk base; /* first: it calls back with it */
	struct recorded *recorded;
};

/* A block, and what is behind it up to the next, or to the end of the span. */
static struct error *add_block(struct walk *walk, struct chunk_vec *chunks, size_t i,
			       const struct stream_window *window)
{
	const struct heap_block_vec *blocks = &walk->recorded->recording->blocks;
	const struct heap_span *span = &walk->recorded->base.spans.items[window->span];
	struct heap_totals *totals = &walk->recorded->base.totals;
	uint64_t end = end_of(&blocks->items[i]);
	uint64_t next = i + 1 < blocks->nr ? blocks->items[i + 1].address : UINT64_MAX;
	next = next < span->end ? next : span->end;
	totals->used_blocks++;
	totals->used_bytes += end - blocks->items[i].address;
	struct error *error = chunk_vec_add(chunks, blocks->items[i].address,
					    end - blocks->items[i].address, CHUNK_USED);
	if (error || end >= next)
		return error;
	totals->free_chunks++;
	totals->free_bytes += next - end;
	/* In a window further on it still begins here. */
	return end < window->address + window->nr_words * 8
		       ? chunk_vec_add(chunks, end, next - end, CHUNK_FREE)
		       : NULL;
}

/* A gap whose block began in a window before. */
static struct error *add_late_gap(struct walk *walk, struct chunk_vec *chunks, size_t i,
				  const struct stream_window *window)
{
	const struct heap_block_vec *blocks = &walk->recorded->recording->blocks;
	const struct heap_span *span = &walk->recorded->base.spans.items[window->span];
	uint64_t next = i < blocks->nr ? blocks->items[i].address : UINT64_MAX;
	next = next < span->end ? next : span->end;
	uint64_t start = i > 0 ? end_of(&blocks->items[i - 1]) : 0;
	start = start > span->start ? start : span->start;
	if (start < window->address || start >= window->address + window->nr_words * 8 ||
	    start >= next)
		return NULL;
	return chunk_vec_add(chunks, start, next - start, CHUNK_FREE);
}

static struct error *parse_window(struct stream_parser *parser,
				  const struct stream_window *window)
{
	struct walk *walk = (struct walk *)parser;
	const struct heap_block_vec *blocks = &walk->recorded->recording->blocks;
	struct chunk_vec *chunks = window_walk_chunks(&walk->base, window);
	uint64_t end = window->address + window->nr_words * 8;
	size_t i = first_from(blocks, window->address);
	walk->recorded->base.totals.unread_bytes += window->unread_bytes;
	struct error *error = add_late_gap(walk, chunks, i, window);
	for (; !error && i < blocks->nr && blocks->items[i].address < end; i++)
		error = add_block(walk, chunks, i, window);
	return error;
}

static struct error *walk(struct heap *heap, struct heap_visitor *visitor)
{
	struct walk walk = {
		.base = { .parser.parse = parse_window,
			  .heap = heap,
			  .visitor = visitor },
		.recorded = (struct recorded *)heap,
	};
	struct error *error = window_walk_run(&walk.base);
	heap->totals.parsed_bytes = heap->totals.mapped_bytes - heap->totals.unread_bytes;
	return error;
}

/* --- life --------------------------------------------------------------------------- */

static void destroy(struct heap *heap)
{
	struct recorded *recorded = (struct recorded *)heap;
	heap_destroy(recorded->libc);
	heap_span_vec_deinit(&recorded->kept);
	heap_span_vec_deinit(&recorded->stacks);
	free(recorded);
}

static const struct heap_ops recorded_ops = {
	.name = "recorded",
	.survey = survey,
	.walk = walk,
	.destroy = destroy,
};

/* Without it nothing is known of dead stacks, and more counts as held. */
static struct heap *open_libc(struct target *target, struct symbols *symbols)
{
	unsigned version = 0;
	const struct module *module = NULL;
	struct heap *libc = NULL;
	struct error *error = glibc_module(target, symbols, &module, &version);
	if (!error && version && glibc_layout_find(version))
		error = glibc_open(target, symbols, &libc);
	error_destroy(error);
	if (libc) {
		libc->target = target;
		libc->symbols = symbols;
	}
	return libc;
}

struct error *recorded_open(struct target *target, struct symbols *symbols,
			    const struct heap_recording *recording, struct heap **heap)
{
	struct recorded *recorded = calloc(1, sizeof(*recorded));
	char *name = strdup("recorded");
	if (!recorded || !name) {
		free(recorded);
		free(name);
		return error_no_memory();
	}
	recorded->base.ops = &recorded_ops;
	recorded->base.target = target;
	recorded->base.symbols = symbols;
	recorded->base.name = name;
	recorded->base.packed = true;
	recorded->recording = recording;
	recorded->tls_bytes = BELOW_POINTER + symbols_tls_bytes(symbols);
	recorded->libc = open_libc(target, symbols);
	*heap = &recorded->base;
	return NULL;
}
