/* heap_bins: see heap_bins.h. */
#include "views/heap_bins.h"

#include "base/bitmap.h"
#include "views/heap_views_priv.h"

struct counting {
	struct dominator_visitor visitor; /* first */
	struct heap_question *question;
	const struct block_table *table;
	const uint64_t *left;
	const uint64_t
		*topmost; /* bitmap by rank, if it is known, of the table's types */
	struct heap_bin_vec *bins;
};

static struct heap_bin *bin_of(const struct counting *counting, uint32_t rank)
{
	if (counting->left && bitmap_test(counting->left, rank))
		return NULL;
	return &counting->bins->items[block_table_type(counting->table, rank)];
}

static void count_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	struct counting *counting = context;
	struct heap_bin *bin = bin_of(counting, rank);
	if (!bin)
		return;
	bin->blocks++;
	bin->bytes += size;
	bin->largest = size > bin->largest ? size : bin->largest;
	bin->lost += !heap_is_live(counting->question, rank);
	if (counting->topmost && bitmap_test(counting->topmost, rank))
		bin->least += dominators_retained(&counting->question->dominators, rank);
}

static void expect(struct dominator_visitor *visitor, uint32_t node)
{
	const struct counting *counting = (struct counting *)visitor;
	const struct dominators *dominators = &counting->question->dominators;
	__builtin_prefetch((const uint64_t *)dominators->retained.memory + node);
	if (node < dominators->nr_blocks)
		__builtin_prefetch((const uint32_t *)counting->table->numbers.memory +
				   node);
}

static void enter(struct dominator_visitor *visitor, uint32_t node)
{
	struct counting *counting = (struct counting *)visitor;
	const struct dominators *dominators = &counting->question->dominators;
	struct heap_bin *bin = node < dominators->nr_blocks ? bin_of(counting, node)
							    : NULL;
	if (bin && !bin->open++)
		bin->least += dominators_retained(dominators, node);
}

static void leave(struct dominator_visitor *visitor, uint32_t node)
{
	struct counting *counting = (struct counting *)visitor;
	struct heap_bin *bin = node < counting->question->dominators.nr_blocks
				       ? bin_of(counting, node)
				       : NULL;
	if (bin)
		bin->open--;
}

static struct error *count_least(struct counting *counting)
{
	struct dominator_tree tree;
	struct error *error = dominator_tree_make(&counting->question->dominators, &tree);
	if (error)
		return error;
	counting->visitor = (struct dominator_visitor){ expect, enter, leave };
	error = dominator_tree_walk(&tree, &counting->visitor);
	dominator_tree_deinit(&tree);
	return error;
}

static int by_least(const void *a, const void *b)
{
	const struct heap_bin *left = a, *right = b;
	if (left->least != right->least)
		return left->least < right->least ? 1 : -1;
	if (left->bytes != right->bytes)
		return left->bytes < right->bytes ? 1 : -1;
	return left->type < right->type ? -1 : left->type > right->type;
}

static void keep_filled(struct heap_bin_vec *bins)
{
	size_t kept = 0;
	for (size_t i = 0; i < bins->nr; i++)
		if (bins->items[i].blocks)
			bins->items[kept++] = bins->items[i];
	bins->nr = kept;
	if (kept)
		qsort(bins->items, kept, sizeof(bins->items[0]), by_least);
}

struct error *heap_bins_count(struct heap_question *question,
			      const struct block_table *table, const uint64_t *left,
			      bool least, struct heap_bin_vec *bins)
{
	*bins = (struct heap_bin_vec){ 0 };
	struct counting counting = {
		.question = question,
		.table = table,
		.left = left,
		.bins = bins,
	};
	for (uint32_t i = 0; i < table->rows.nr; i++)
		if (!heap_bin_vec_push(bins, (struct heap_bin){ .type = i }))
			return error_no_memory();
	if (least && table == &question->table && !left)
		counting.topmost = question->inspection.look.answers.topmost.memory;
	space_each(&question->graph->space, count_block, &counting);
	struct error *error = least && !counting.topmost ? count_least(&counting) : NULL;
	keep_filled(bins);
	return error;
}
