/*
 * A program whose glibc heap has a chosen size, an everyday mixture of data structures,
 * and leaks that are known to the last byte. It is the target of `make bench`.
 *
 * The heap: hash tables, lists, trees and vectors grow side by side, so that neighbours
 * in memory belong to different structures, as in a program that runs for long. Nodes
 * point to strings, buffers and objects with a vtable pointer; objects also point to
 * other live blocks, some allocated lately, some anywhere. Every live block hangs on
 * `containers`. About 7 % of the memory is freed at the end in random order, so that the
 * tcache, fastbins, unsorted, small and large bins all have entries, with stale pointers
 * in them.
 *
 * The leaks: planted evenly while the heap grows. Nothing but the lost blocks themselves
 * points to them when the program pauses: their addresses are kept complemented
 * until the manifest is written, stacks and registers are wiped afterwards, and the
 * books of the generator are in mappings of its own that are gone by then.
 *
 * Everything follows from --seed, apart from the addresses. Sizes here are counted as
 * chunks (usable bytes and header), which is what the heap consists of.
 */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "wipe.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum {
	MAX_THREADS = 256,
	NR_OPEN = 24,          /* structures that grow at the same time */
	NR_RECENT = 256,       /* blocks that count as local targets; a power of two */
	POOL_BLOCKS = 1 << 20, /* sample of all live blocks, for random targets */
	PEERS = 1 << 16,       /* objects that are later pointed into other arenas */
	PEER_EVERY = 64,
	NR_CLASSES = 12,
	MAX_LOST_TREE = 64,          /* blocks in one planted leak */
	FREE_ONE_IN = 14,            /* how many blocks are made only to be freed */
	UNSORTED_PER_MALLOC = 10000, /* MAX_ITERS of glibc's malloc.c */
};

/* A structure under way or finished; the list of them is what the globals hold. */
struct container {
	const void *vtable;
	struct container *next;
	void **body; /* buckets, first list node, tree root, or the vector's elements */
	void **tail; /* last list node */
	const struct shape *shape;
	uint64_t length, target_length;
};

struct lost_block {
	uintptr_t
		hidden; /* complement of the address: no pointer for whoever looks here */
	size_t usable;
};

struct leak {
	const char *shape;
	size_t nr_blocks;
	struct lost_block blocks[MAX_LOST_TREE]; /* the first is the root */
};

struct totals {
	uint64_t blocks, bytes, pointers;   /* live */
	uint64_t freed_blocks, freed_bytes; /* before coalescing */
	uint64_t leaks, lost_blocks, lost_bytes;
};

/* One thread's books, all in mappings of their own. */
struct generator {
	uint64_t random_state;
	uint64_t budget;
	unsigned index;
	struct totals totals;
	struct container *open[NR_OPEN];
	void *recent[NR_RECENT];
	uint64_t nr_remembered;
	void **pool;
	void ***peers;
	size_t nr_peers, nr_objects;
	void **doomed;
	size_t max_doomed, nr_doomed;
	struct leak *leaks;
	size_t nr_leaks, max_leaks;
};

struct shape {
	unsigned weight;             /* out of 100 */
	unsigned min_log2, max_log2; /* of the number of elements */
	void (*start)(struct generator *g, struct container *c);
	void (*grow)(struct generator *g, struct container *c);
};

struct options {
	uint64_t bytes, seed;
	size_t leaks;
	unsigned threads;
	const char *manifest;
	bool leave;
};

static struct options options = {
	.bytes = 100 << 20,
	.seed = 1,
	.leaks = 1000,
	.threads = 1,
};

static struct container *containers[MAX_THREADS];
static pthread_barrier_t all_generated;

static void method(void)
{
}

static void (*const vtables[NR_CLASSES][4])(void) = {
	[0 ... NR_CLASSES - 1] = { method, method, method, method },
};

static const struct {
	unsigned words, pointers;
} classes[NR_CLASSES] = {
	{ 5, 2 },  { 7, 2 },  { 7, 3 },  { 9, 2 },  { 11, 3 }, { 13, 2 },
	{ 15, 3 }, { 17, 4 }, { 21, 2 }, { 27, 3 }, { 35, 4 }, { 59, 6 },
};

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "heap_generator: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void *map_books(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		fail("mmap of the generator's own books");
	return p;
}

/*
 * splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
 */
static uint64_t random_word(struct generator *g)
{
	uint64_t z = g->random_state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* Uniform in [0, limit), for limits far below 2^32. */
static uint32_t random_below(struct generator *g, uint32_t limit)
{
	return (uint32_t)(((random_word(g) >> 32) * limit) >> 32);
}

/*
 * What malloc(size) takes from a glibc heap; computed, so that it is the same under
 * LeakSanitizer.
 */
static size_t chunk_bytes(size_t size)
{
	size_t chunk = (size + sizeof(size_t) + 15) & ~(size_t)15;

	return chunk < 32 ? 32 : chunk;
}

static void *allocate(size_t size)
{
	void *p = malloc(size);

	if (!p)
		fail("malloc");
	__asm__ volatile("" : : "r"(p) : "memory"); /* leaks must not be optimised away */
	return p;
}

static void *live_block(struct generator *g, size_t size)
{
	g->totals.blocks++;
	g->totals.bytes += chunk_bytes(size);
	return allocate(size);
}

/*
 * Offers a live block as a target for later pointers; the pool is a reservoir sample of
 * all.
 */
static void *remember(struct generator *g, void *p)
{
	uint64_t nr = g->nr_remembered++;
	uint64_t slot = nr < POOL_BLOCKS ? nr : random_word(g) % nr;

	g->recent[nr % NR_RECENT] = p;
	if (slot < POOL_BLOCKS)
		g->pool[slot] = p;
	return p;
}

static void *any_live_block(struct generator *g)
{
	uint64_t choice = random_word(g);
	uint64_t nr = g->nr_remembered < POOL_BLOCKS ? g->nr_remembered : POOL_BLOCKS;
	bool local = choice % 16 < 10, interior = choice / 16 % 16 == 0;
	char *p;

	if (!nr)
		return NULL;
	p = local && nr >= NR_RECENT ? g->recent[(choice >> 32) % NR_RECENT]
				     : g->pool[(choice >> 32) % nr];
	g->totals.pointers++;
	return interior ? p + 8 : p;
}

static void fill_text(struct generator *g, char *text, size_t length)
{
	size_t i;

	for (i = 0; i + 8 <= length; i += 8) {
		uint64_t letters =
			0x6161616161616161 + (random_word(g) & 0x0f0f0f0f0f0f0f0f);

		memcpy(text + i, &letters, sizeof(letters));
	}
	memset(text + i, 'z', length - i);
	text[length] = '\0';
}

static size_t string_length(struct generator *g)
{
	uint32_t choice = random_below(g, 100);

	if (choice < 62)
		return 5 + random_below(g, 19);
	if (choice < 92)
		return 24 + random_below(g, 56);
	return 80 + random_below(g, 300);
}

static void *make_string(struct generator *g)
{
	size_t length = string_length(g);
	char *text = live_block(g, length + 1);

	fill_text(g, text, length);
	return remember(g, text);
}

/* Read buffers, images, rows: mostly small, now and then large enough to be mmapped. */
static size_t buffer_length(struct generator *g)
{
	uint32_t choice = random_below(g, 4096);

	if (choice == 0)
		return (128 << 10) + random_below(g, 512 << 10);
	return choice < 256 ? 2048 + random_below(g, 6144) : 200 + random_below(g, 700);
}

static void *make_buffer(struct generator *g)
{
	size_t length = buffer_length(g);
	char *buffer = live_block(g, length + 1);

	if (random_below(g, 4))
		fill_text(g, buffer, length);
	else
		memset(buffer, 0, length);
	return remember(g, buffer);
}

/* Vtable pointer, pointers to other live blocks, then small numbers. */
static void fill_object(struct generator *g, void **object, unsigned class)
{
	unsigned i;

	object[0] = (void *)(uintptr_t)vtables[class];
	for (i = 1; i <= classes[class].pointers; i++)
		object[i] = any_live_block(g);
	for (; i < classes[class].words; i++)
		object[i] = (void *)(uintptr_t)random_below(g, 100000);
}

static unsigned random_class(struct generator *g)
{
	unsigned a = random_below(g, NR_CLASSES), b = random_below(g, NR_CLASSES);

	return a < b ? a : b;
}

static void *make_object(struct generator *g)
{
	unsigned class = random_class(g);
	void **object = live_block(g, classes[class].words * sizeof(void *));

	fill_object(g, object, class);
	if (g->nr_objects++ % PEER_EVERY == 0 && g->nr_peers < PEERS)
		g->peers[g->nr_peers++] = object;
	return remember(g, object);
}

/* What a node or a vector holds: something new, or something that exists already. */
static void *make_payload(struct generator *g)
{
	uint32_t choice = random_below(g, 1000);

	if (choice < 280)
		return any_live_block(g);
	g->totals.pointers++;
	if (choice < 620)
		return make_string(g);
	return choice < 957 ? make_object(g) : make_buffer(g);
}

static void array_start(struct generator *g, struct container *c)
{
	size_t size = c->target_length * sizeof(void *);

	c->body = live_block(g, size);
	memset(c->body, 0, size);
	g->totals.pointers++;
}

/* Node: next, key, value, hash, length. */
static void hash_grow(struct generator *g, struct container *c)
{
	uint64_t hash = random_word(g);
	void **bucket = &c->body[hash % c->target_length];
	void **node = live_block(g, 5 * sizeof(void *));

	node[0] = *bucket;
	node[1] = make_string(g);
	node[2] = make_payload(g);
	node[3] = (void *)(uintptr_t)hash;
	node[4] = (void *)(uintptr_t)c->length;
	g->totals.pointers += node[0] ? 3 : 2;
	*bucket = remember(g, node);
}

static void empty_start(struct generator *g, struct container *c)
{
	(void)g;
	c->body = NULL;
	c->tail = NULL;
}

/* Node: next, previous (in every second list), payload. */
static void list_grow(struct generator *g, struct container *c)
{
	bool doubly = c->target_length & 1;
	void **node = live_block(g, 3 * sizeof(void *));

	node[0] = NULL;
	node[1] = doubly ? c->tail : NULL;
	node[2] = make_payload(g);
	if (c->tail)
		c->tail[0] = node;
	else
		c->body = node;
	c->tail = remember(g, node);
	g->totals.pointers += node[1] ? 2 : 1;
}

/*
 * Node of an unbalanced search tree with random keys: left, right, parent, key, payload.
 */
static void tree_grow(struct generator *g, struct container *c)
{
	uintptr_t key = random_below(g, UINT32_MAX);
	void **parent = NULL, **node = c->body;
	unsigned side = 0;

	while (node) {
		side = key > (uintptr_t)node[3];
		parent = node;
		node = node[side];
	}
	node = live_block(g, 5 * sizeof(void *));
	node[0] = node[1] = NULL;
	node[2] = parent;
	node[3] = (void *)key;
	node[4] = make_payload(g);
	if (parent)
		parent[side] = node;
	else
		c->body = node;
	g->totals.pointers += parent ? 2 : 1;
	remember(g, node);
}

static void vector_grow(struct generator *g, struct container *c)
{
	c->body[c->length] = make_payload(g);
}

enum { SHAPE_HASH, SHAPE_LIST, SHAPE_TREE, SHAPE_VECTOR };

static const struct shape shapes[] = {
	[SHAPE_HASH] = { 34, 5, 15, array_start, hash_grow },
	[SHAPE_LIST] = { 22, 2, 12, empty_start, list_grow },
	[SHAPE_TREE] = { 18, 4, 13, empty_start, tree_grow },
	[SHAPE_VECTOR] = { 26, 3, 14, array_start, vector_grow },
};

static const struct shape *random_shape(struct generator *g)
{
	uint32_t choice = random_below(g, 100);
	size_t i = 0;

	while (i < ARRAY_SIZE(shapes) - 1 && choice >= shapes[i].weight)
		choice -= shapes[i++].weight;
	return &shapes[i];
}

/*
 * Sizes are spread evenly over the orders of magnitude between the shape's bounds; in a
 * small heap the largest are left out, as the mixture would be left to chance.
 */
static struct container *start_container(struct generator *g, const struct shape *shape)
{
	unsigned max_log2 = shape->max_log2, log2;
	struct container *c = live_block(g, sizeof(*c));

	while (max_log2 > shape->min_log2 &&
	       g->budget >> max_log2 < 1024 * sizeof(void *))
		max_log2--;
	log2 = shape->min_log2 + random_below(g, max_log2 - shape->min_log2 + 1);
	*c = (struct container){
		.vtable = vtables[shape - shapes],
		.next = containers[g->index],
		.shape = shape,
		.target_length = (1u << log2) + random_below(g, 1u << log2),
	};
	shape->start(g, c);
	containers[g->index] = c;
	g->totals.pointers++;
	return c;
}

/* A block that is freed in the end, with live pointers in it: stale ones, then. */
static void make_doomed(struct generator *g)
{
	uint32_t choice = random_below(g, 100);
	size_t size = choice < 45   ? string_length(g) + 1
		      : choice < 97 ? classes[random_class(g)].words * sizeof(void *)
				    : buffer_length(g) + 1;
	uint64_t counted = g->totals.pointers;
	void **block;

	if (g->nr_doomed == g->max_doomed)
		return;
	block = allocate(size);
	memset(block, 0, size);
	for (size_t i = 0; i < 3 && (i + 1) * sizeof(void *) <= size; i++)
		block[i] = any_live_block(g);
	g->totals.pointers = counted;
	g->totals.freed_blocks++;
	g->totals.freed_bytes += chunk_bytes(size);
	g->doomed[g->nr_doomed++] = block;
}

static void grow_something(struct generator *g)
{
	struct container **open = &g->open[random_below(g, NR_OPEN)];

	if (!*open)
		*open = start_container(g, random_shape(g));
	for (uint64_t had = g->totals.blocks; had == g->totals.blocks;) {
		(*open)->shape->grow(g, *open);
		if (++(*open)->length == (*open)->target_length)
			*open = start_container(g, random_shape(g));
	}
	for (int i = 0; i < 2; i++)
		if (random_below(g, FREE_ONE_IN) == 0)
			make_doomed(g);
}

/*
 * A block of a planted leak: some are objects, some hold text, none points to a lost
 * block yet.
 */
static void **lost_block(struct generator *g, struct leak *leak, size_t link_words)
{
	unsigned class = random_class(g);
	size_t size = classes[class].words * sizeof(void *);
	void **block = allocate(size);
	size_t usable = malloc_usable_size(block);
	uint64_t counted = g->totals.pointers;

	fill_object(g, block, class);
	if (random_below(g, 3) == 0)
		fill_text(g, (char *)block, size - 1);
	memset(block + 1, 0, link_words * sizeof(void *));
	g->totals.pointers = counted;
	g->totals.lost_blocks++;
	g->totals.lost_bytes += usable;
	leak->blocks[leak->nr_blocks++] =
		(struct lost_block){ ~(uintptr_t)block, usable };
	return block;
}

static void plant_single(struct generator *g, struct leak *leak)
{
	lost_block(g, leak, 0);
}

static void plant_list(struct generator *g, struct leak *leak)
{
	size_t length = 2 + random_below(g, 19);
	void **last = lost_block(g, leak, 1);

	while (--length) {
		last[1] = lost_block(g, leak, 1);
		last = last[1];
	}
}

static void plant_ring(struct generator *g, struct leak *leak)
{
	size_t length = 1 + random_below(g, 12);
	void **first = lost_block(g, leak, 1), **last = first;

	while (--length) {
		last[1] = lost_block(g, leak, 1);
		last = last[1];
	}
	last[1] = first;
}

static void plant_branches(struct generator *g, struct leak *leak, void **node, int depth)
{
	for (int side = 1; depth && side <= 2; side++) {
		node[side] = lost_block(g, leak, 2);
		plant_branches(g, leak, node[side], depth - 1);
	}
}

static void plant_tree(struct generator *g, struct leak *leak)
{
	plant_branches(g, leak, lost_block(g, leak, 2), 1 + (int)random_below(g, 4));
}

static const struct {
	const char *shape;
	void (*plant)(struct generator *g, struct leak *leak);
} plants[] = {
	{ "single", plant_single },
	{ "list", plant_list },
	{ "ring", plant_ring },
	{ "tree", plant_tree },
};

static void plant_leak(struct generator *g)
{
	size_t kind = g->nr_leaks % ARRAY_SIZE(plants);
	struct leak *leak = &g->leaks[g->nr_leaks++];

	leak->shape = plants[kind].shape;
	plants[kind].plant(g, leak);
	g->totals.leaks++;
}

/* So that the unsorted bin does not keep everything: a malloc sorts what it passes by. */
static void sort_bins(struct generator *g, size_t nr_freed)
{
	struct container *c = start_container(g, &shapes[SHAPE_LIST]);

	for (size_t i = 0; i <= nr_freed / UNSORTED_PER_MALLOC; i++) {
		void **node = live_block(g, 1200);

		memset(node, 0, 1200);
		node[0] = c->body;
		c->body = node;
		g->totals.pointers++;
	}
}

static void free_doomed(struct generator *g)
{
	size_t nr = g->nr_doomed, sort_at = nr - nr / 5;

	for (size_t i = 0; i < nr; i++) {
		size_t pick = i + random_word(g) % (nr - i);
		void *block = g->doomed[pick];

		g->doomed[pick] = g->doomed[i];
		free(block);
		if (i == sort_at)
			sort_bins(g, i);
	}
	g->nr_doomed = 0;
}

static uint64_t mapped_bytes(const struct generator *g)
{
	return g->totals.bytes + g->totals.freed_bytes + g->totals.lost_bytes;
}

static void __attribute__((noinline)) generate(struct generator *g)
{
	size_t leaks = g->max_leaks;

	while (mapped_bytes(g) < g->budget) {
		grow_something(g);
		if (g->nr_leaks < leaks &&
		    mapped_bytes(g) / (g->nr_leaks + 1) >= g->budget / (leaks + 1))
			plant_leak(g);
	}
	while (g->nr_leaks < leaks)
		plant_leak(g);
	free_doomed(g);
}

static void wait_for_the_end(void)
{
	for (;;)
		pause();
}

static void *worker(void *argument)
{
	generate(argument);
	wipe_stack_and_registers();
	pthread_barrier_wait(&all_generated);
	if (!options.leave)
		wait_for_the_end();
	return NULL;
}

static struct generator *create_generator(unsigned index)
{
	struct generator *g = map_books(sizeof(*g));
	size_t share = options.leaks / options.threads;

	g->index = index;
	g->random_state = options.seed * 0x2545f4914f6cdd1d + index;
	g->budget = options.bytes / options.threads;
	g->pool = map_books(POOL_BLOCKS * sizeof(*g->pool));
	g->peers = map_books(PEERS * sizeof(*g->peers));
	g->max_doomed = g->budget / 256 + 16;
	g->doomed = map_books(g->max_doomed * sizeof(*g->doomed));
	g->max_leaks = share + (index < options.leaks % options.threads);
	g->leaks = map_books((g->max_leaks + 1) * sizeof(*g->leaks));
	return g;
}

static void destroy_generator(struct generator *g)
{
	munmap(g->pool, POOL_BLOCKS * sizeof(*g->pool));
	munmap(g->peers, PEERS * sizeof(*g->peers));
	munmap(g->doomed, g->max_doomed * sizeof(*g->doomed));
	munmap(g->leaks, (g->max_leaks + 1) * sizeof(*g->leaks));
	munmap(g, sizeof(*g));
}

/* Lets objects of one arena point into the next thread's. */
static void link_arenas(struct generator *from, struct generator *to)
{
	uint64_t nr = to->nr_remembered < POOL_BLOCKS ? to->nr_remembered : POOL_BLOCKS;

	for (size_t i = 0; i < from->nr_peers && nr; i++)
		from->peers[i][1] = to->pool[random_word(from) % nr];
}

static void write_leak(FILE *out, const struct leak *leak)
{
	const struct lost_block *root = &leak->blocks[0];
	uint64_t bytes = 0;

	for (size_t i = 0; i < leak->nr_blocks; i++)
		bytes += leak->blocks[i].usable;
	fprintf(out, "0x%zx %zu %s %zu %zu ", (size_t)~root->hidden, root->usable,
		leak->shape, leak->nr_blocks, (size_t)bytes);
	for (size_t i = 1; i < leak->nr_blocks; i++)
		fprintf(out, "%s0x%zx:%zu", i > 1 ? "," : "",
			(size_t)~leak->blocks[i].hidden, leak->blocks[i].usable);
	fputs(leak->nr_blocks > 1 ? "\n" : "-\n", out);
}

static void write_totals(FILE *out, const struct totals *t)
{
	fprintf(out,
		"blocks=%zu bytes=%zu average=%.1f pointers_per_block=%.2f freed_blocks=%zu "
		"freed_bytes=%zu leaks=%zu lost_blocks=%zu lost_bytes=%zu\n",
		(size_t)t->blocks, (size_t)t->bytes, (double)t->bytes / (double)t->blocks,
		(double)t->pointers / (double)t->blocks, (size_t)t->freed_blocks,
		(size_t)t->freed_bytes, (size_t)t->leaks, (size_t)t->lost_blocks,
		(size_t)t->lost_bytes);
}

static void __attribute__((noinline))
write_manifest(struct generator *const *generators, const struct totals *totals)
{
	FILE *out = fopen(options.manifest, "w");

	if (!out)
		fail(options.manifest);
	fputs("# address usable shape blocks_in_tree bytes_in_tree other_blocks\n# ",
	      out);
	write_totals(out, totals);
	for (unsigned i = 0; i < options.threads; i++)
		for (size_t j = 0; j < generators[i]->nr_leaks; j++)
			write_leak(out, &generators[i]->leaks[j]);
	if (fclose(out))
		fail(options.manifest);
}

static void add_totals(struct totals *sum, const struct totals *t)
{
	sum->blocks += t->blocks;
	sum->bytes += t->bytes;
	sum->pointers += t->pointers;
	sum->freed_blocks += t->freed_blocks;
	sum->freed_bytes += t->freed_bytes;
	sum->leaks += t->leaks;
	sum->lost_blocks += t->lost_blocks;
	sum->lost_bytes += t->lost_bytes;
}

/*
 * The main thread fills the main arena, the workers fill theirs; on return only heap is
 * left.
 */
static void __attribute__((noinline))
build_heap(struct totals *totals, pthread_t *threads)
{
	struct generator *generators[MAX_THREADS];

	pthread_barrier_init(&all_generated, NULL, options.threads);
	for (unsigned i = 0; i < options.threads; i++)
		generators[i] = create_generator(i);
	for (unsigned i = 1; i < options.threads; i++)
		if ((errno = pthread_create(&threads[i], NULL, worker, generators[i])))
			fail("pthread_create");
	generate(generators[0]);
	pthread_barrier_wait(&all_generated);

	for (unsigned i = 0; i < options.threads; i++) {
		if (options.threads > 1)
			link_arenas(generators[i], generators[(i + 1) % options.threads]);
		add_totals(totals, &generators[i]->totals);
	}
	if (options.manifest)
		write_manifest(generators, totals);
	for (unsigned i = 0; i < options.threads; i++)
		destroy_generator(generators[i]);
}

static uint64_t parse_size(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	switch (*end) {
	case 'G':
		value *= 1 << 30;
		break;
	case 'M':
		value *= 1 << 20;
		break;
	case 'K':
		value *= 1 << 10;
		break;
	}
	if (end == text || !(value >= 0 && value < 1e15)) {
		errno = EINVAL;
		fail(text);
	}
	return (uint64_t)value;
}

static void parse_options(int argc, char **argv)
{
	static const struct option names[] = {
		{ "bytes", required_argument, NULL, 'b' },
		{ "seed", required_argument, NULL, 's' },
		{ "leaks", required_argument, NULL, 'l' },
		{ "threads", required_argument, NULL, 't' },
		{ "manifest", required_argument, NULL, 'm' },
		{ "exit", no_argument, NULL, 'x' },
		{ NULL, 0, NULL, 0 },
	};
	int choice;

	while ((choice = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (choice) {
		case 'b':
			options.bytes = parse_size(optarg);
			break;
		case 's':
			options.seed = strtoull(optarg, NULL, 0);
			break;
		case 'l':
			options.leaks = strtoull(optarg, NULL, 0);
			break;
		case 't':
			options.threads = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'm':
			options.manifest = optarg;
			break;
		case 'x':
			options.leave = true;
			break;
		default:
			fprintf(stderr,
				"usage: heap_generator [--bytes N[K|M|G]] [--seed N] [--leaks N]\n"
				"                      [--threads N] [--manifest FILE] [--exit]\n");
			exit(2);
		}
	}
	if (options.threads < 1 || options.threads > MAX_THREADS) {
		fprintf(stderr, "heap_generator: --threads takes 1 to %d\n", MAX_THREADS);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	static struct totals totals;
	static pthread_t threads[MAX_THREADS];

	parse_options(argc, argv);
	build_heap(&totals, threads);
	fputs("READY ", stdout);
	write_totals(stdout, &totals);
	fflush(stdout);
	if (!options.leave) {
		wipe_stack_and_registers();
		wait_for_the_end();
	}
	for (unsigned i = 1; i < options.threads; i++)
		pthread_join(threads[i], NULL);
	wipe_stack_and_registers();
	return 0;
}
