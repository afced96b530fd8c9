/*
 * heap_dups: blocks that hold the same as others. Contents are
 * compared by size and a hash of 32 bits of all usable bytes (hashes.h), not themselves: among millions of
 * blocks of one size some pairs agree by chance.
 */
#include "analyse/hashes.h"

#include "base/beside.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/radix.h"
#include "views/heap_views_priv.h"

uint32_t heap_hash(const struct heap_question *question, uint32_t rank)
{
	const uint32_t *hashes = question->inspection.look.hashes.memory;
	return hashes ? hashes[rank] : 0;
}

struct error *heap_needs_hashes(const struct heap_question *question)
{
	if (question->inspection.look.hashes.memory || !question->graph->nr_blocks)
		return NULL;
	return error_remedy(error_create(ERROR_REFUSED,
					 "%s does not know the contents of its blocks",
					 question->report->file),
			    "take a new snapshot");
}

/* --- duplicates ----------------------------------------------------------------------- */

enum { WASTED, COPIES, SIZE, ADDRESS, TYPE, NR_COLUMNS };

static const struct heap_column dup_columns[] = {
	[WASTED] = { "wasted_bytes", "wasted", HEAP_BYTES },
	[COPIES] = { "copies", "copies", HEAP_COUNT },
	[SIZE] = { "bytes", "bytes", HEAP_BYTES },
	[ADDRESS] = { "address", "address", HEAP_ADDRESS },
	[TYPE] = { "type", "type", HEAP_TEXT },
};

/* Blocks of one size and hash. */
struct twin {
	uint32_t rank; /* of the first */
	uint32_t copies;
	uint64_t size;
};
DEFINE_VEC(twin_vec, struct twin);

struct pairing {
	struct heap_question *question;
	struct twin_vec twins;
};

/* Hashes are told apart by so many of their bits before those that come twice are sorted. */
#define FILTER_BITS 26u
#define BATCH       1024u

/* The blocks whose hashes have the highest bit, or those whose have not. */
struct twin_search {
	const struct heap_question *question;
	const uint32_t *hashes;  /* by rank */
	uint32_t side;           /* that bit */
	struct area once, twice; /* bitmaps by hash: it came, it came again */
	struct area keys;        /* uint64_t: hash and rank, of what came again */
	size_t nr, nr_max;
	struct map ids; /* + 1, by size and hash, of what comes more than once */
	struct twin_vec twins;
	bool failed;
};

/* Some blocks that are sought; what they are sorted out by cannot be foretold, so that no jump hangs on it. */
struct batch {
	uint32_t ranks[BATCH], hashes[BATCH];
	size_t nr;
};

static void read_batch(const struct twin_search *search, uint32_t from, uint32_t end,
		       struct batch *batch)
{
	const uint32_t *hashes = search->hashes;
	const uint64_t *unwanted = search->question->unwanted;
	size_t nr = 0;
	for (uint32_t rank = from; rank < end; rank++) {
		uint32_t hash = hashes[rank];
		bool is_wanted = !unwanted || !bitmap_test(unwanted, rank);
		batch->ranks[nr] = rank;
		batch->hashes[nr] = hash;
		nr += (hash != 0) & (hash >> 31 == search->side) & is_wanted;
	}
	batch->nr = nr;
}

static void each_batch(struct twin_search *search,
		       void (*visit)(struct twin_search *, const struct batch *))
{
	const uint32_t nr = search->question->graph->nr_blocks;
	struct batch batch;
	for (uint32_t from = 0; from < nr; from += BATCH) {
		read_batch(search, from, nr - from < BATCH ? nr : from + BATCH, &batch);
		visit(search, &batch);
	}
}

static uint32_t filter_bit(uint32_t hash)
{
	return hash & ((1u << FILTER_BITS) - 1);
}

/* Most blocks are like no other: only of those that may be is more kept than a bit. */
static void note_hashes(struct twin_search *search, const struct batch *batch)
{
	uint64_t *once = search->once.memory, *twice = search->twice.memory;
	for (size_t i = 0; i < batch->nr; i++)
		if (!bitmap_claim(once, filter_bit(batch->hashes[i])))
			bitmap_set(twice, filter_bit(batch->hashes[i]));
	search->nr_max += batch->nr;
}

static void note_twins(struct twin_search *search, const struct batch *batch)
{
	const uint64_t *twice = search->twice.memory;
	uint64_t *keys = search->keys.memory;
	size_t nr = search->nr;
	for (size_t i = 0; i < batch->nr; i++) {
		keys[nr] = (uint64_t)batch->hashes[i] << 32 | batch->ranks[i];
		nr += bitmap_test(twice, filter_bit(batch->hashes[i]));
	}
	search->nr = nr;
}

static void add_twin(struct twin_search *search, uint32_t hash, uint32_t rank)
{
	struct twin_vec *twins = &search->twins;
	uint64_t address = 0, size = 0;
	space_block(&search->question->graph->space, rank, &address, &size);
	uint64_t *id = map_at(&search->ids, hash_mix(size) ^ hash);
	if (!id || (!*id && !twin_vec_push(twins, (struct twin){ rank, 0, size }))) {
		search->failed = true;
		return;
	}
	if (!*id)
		*id = twins->nr;
	twins->items[*id - 1].copies++;
}

static size_t end_of_hash(const uint64_t *keys, size_t from, size_t nr)
{
	size_t end = from + 1;
	while (end < nr && keys[end] >> 32 == keys[from] >> 32)
		end++;
	return end;
}

static void pair_keys(struct twin_search *search)
{
	const uint64_t *keys = search->keys.memory;
	for (size_t i = 0, end; i < search->nr && !search->failed; i = end) {
		end = end_of_hash(keys, i, search->nr);
		for (size_t key = i; end - i > 1 && key < end; key++)
			add_twin(search, (uint32_t)(keys[key] >> 32),
				 (uint32_t)keys[key]);
	}
}

static void find_twins(void *context)
{
	struct twin_search *search = context;
	search->hashes = search->question->inspection.look.hashes.memory;
	const size_t filter_bytes = bitmap_words(1ul << FILTER_BITS) * 8;
	search->failed = !area_reserve(&search->once, filter_bytes) ||
			 !area_reserve(&search->twice, filter_bytes);
	if (!search->failed)
		each_batch(search, note_hashes);
	if (!search->failed)
		search->failed = !area_reserve(&search->keys,
					       (search->nr_max + 1) * sizeof(uint64_t));
	if (!search->failed)
		each_batch(search, note_twins);
	area_release(&search->once);
	area_release(&search->twice);
	search->failed = search->failed ||
			 !radix_sort(search->keys.memory, search->nr, 32);
	if (!search->failed)
		pair_keys(search);
	area_release(&search->keys);
}

static bool take_twins(struct pairing *pairing, struct twin_search *search)
{
	bool good = !search->failed;
	for (size_t i = 0; good && i < search->twins.nr; i++)
		good = search->twins.items[i].copies < 2 ||
		       twin_vec_push(&pairing->twins, search->twins.items[i]);
	map_deinit(&search->ids);
	twin_vec_deinit(&search->twins);
	return good;
}

static struct error *pair_blocks(struct pairing *pairing)
{
	struct twin_search sides[] = {
		{ .question = pairing->question, .side = 0 },
		{ .question = pairing->question, .side = 1 },
	};
	struct beside beside;
	beside_start(&beside, find_twins, &sides[1]);
	find_twins(&sides[0]);
	beside_finish(&beside);
	bool good = take_twins(pairing, &sides[0]);
	good = take_twins(pairing, &sides[1]) && good;
	return good ? NULL : error_no_memory();
}

static uint64_t wasted(const struct twin *twin)
{
	return (twin->copies - 1) * twin->size;
}

/* What holds nothing is waste of another kind. */
static bool is_void(const struct heap_question *question, const struct twin *twin)
{
	return heap_hash(question, twin->rank) == hash_of_zeros(twin->size);
}

static int by_waste(const void *a, const void *b)
{
	const struct twin *left = a, *right = b;
	if (wasted(left) != wasted(right))
		return wasted(left) < wasted(right) ? 1 : -1;
	return left->rank < right->rank ? -1 : left->rank > right->rank;
}

static struct error *put_twin(struct heap_question *question, const struct twin *twin)
{
	struct heap_row *row = heap_row_add(question->report, 0);
	if (!row)
		return error_no_memory();
	heap_put(row, WASTED, wasted(twin));
	heap_put(row, COPIES, twin->copies);
	heap_put(row, SIZE, twin->size);
	heap_put(row, ADDRESS, heap_address(question, twin->rank));
	return heap_put_text(row, TYPE, heap_block_name(question, twin->rank));
}

static uint64_t keep_twins(const struct heap_question *question, struct twin_vec *twins)
{
	uint64_t bytes = 0;
	size_t kept = 0;
	for (size_t i = 0; i < twins->nr; i++)
		if (!is_void(question, &twins->items[i])) {
			bytes += wasted(&twins->items[i]);
			twins->items[kept++] = twins->items[i];
		}
	twins->nr = kept;
	if (kept)
		qsort(twins->items, kept, sizeof(twins->items[0]), by_waste);
	return bytes;
}

static struct error *say_dups(struct heap_question *question, uint64_t bytes, size_t nr)
{
	struct str text = { 0 };
	heap_put_bytes(&text, bytes);
	struct error *error = heap_say(question->report,
				       "%s of %s is in blocks that hold the same as "
				       "another: %zu different contents",
				       str_text(&text), question->report->target, nr);
	str_deinit(&text);
	return error;
}

static struct error *answer_dups(struct heap_question *question)
{
	struct pairing pairing = { .question = question };
	struct error *error = heap_needs_hashes(question);
	if (!error)
		error = pair_blocks(&pairing);
	uint64_t bytes = error ? 0 : keep_twins(question, &pairing.twins);
	size_t nr = error ? 0 : heap_rows_shown(question, pairing.twins.nr);
	for (size_t i = 0; !error && i < nr; i++)
		error = put_twin(question, &pairing.twins.items[i]);
	if (!error)
		error = say_dups(question, bytes, pairing.twins.nr);
	twin_vec_deinit(&pairing.twins);
	return error;
}

const struct heap_view heap_dups = {
	.name = "dups",
	.columns = dup_columns,
	.nr_columns = NR_COLUMNS,
	.needs_hashes = true,
	.answer = answer_dups,
};
