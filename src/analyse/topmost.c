/* topmost: see topmost.h. */
#include "analyse/topmost.h"

#include <stdlib.h>

#include "base/bitmap.h"

struct topmost_finder {
	struct dominator_visitor visitor; /* first */
	const struct block_table *types;
	uint32_t nr_blocks;
	uint32_t *open; /* by type: blocks of it above the one at hand */
	uint64_t *bits;
};

static void expect(struct dominator_visitor *visitor, uint32_t node)
{
	const struct topmost_finder *finder = (struct topmost_finder *)visitor;
	if (node < finder->nr_blocks)
		__builtin_prefetch((const uint32_t *)finder->types->numbers.memory +
				   node);
}

static void enter(struct dominator_visitor *visitor, uint32_t node)
{
	const struct topmost_finder *finder = (struct topmost_finder *)visitor;
	if (node < finder->nr_blocks &&
	    !finder->open[block_table_type(finder->types, node)]++)
		bitmap_set(finder->bits, node);
}

static void leave(struct dominator_visitor *visitor, uint32_t node)
{
	const struct topmost_finder *finder = (struct topmost_finder *)visitor;
	if (node < finder->nr_blocks)
		finder->open[block_table_type(finder->types, node)]--;
}

struct error *topmost_find(const struct dominators *dominators,
			   const struct block_table *types, struct area *bits)
{
	struct dominator_tree tree;
	struct topmost_finder finder = {
		.visitor = { expect, enter, leave },
		.types = types,
		.nr_blocks = dominators->nr_blocks,
		.open = calloc(types->rows.nr + 1, sizeof(*finder.open)),
	};
	const size_t bytes = bitmap_words(dominators->nr_blocks + (uint64_t)1) * 8;
	struct error *error = NULL;
	if (!finder.open || !area_reserve(bits, bytes))
		error = error_no_memory();
	finder.bits = bits->memory;
	if (!error)
		error = dominator_tree_make(dominators, &tree);
	if (!error) {
		error = dominator_tree_walk(&tree, &finder.visitor);
		dominator_tree_deinit(&tree);
	}
	free(finder.open);
	return error;
}
