/* heap_tops: see heap_tops.h. */
#include "views/heap_tops.h"

struct gathering {
	struct dominator_visitor visitor; /* first */
	const struct heap_question *question;
	struct rank_vec *tops;
	uint32_t top; /* that the walk is below; RANK_NONE: of none */
	bool is_out_of_memory;
};

static void enter(struct dominator_visitor *visitor, uint32_t node)
{
	struct gathering *self = (struct gathering *)visitor;
	if (self->top != RANK_NONE || node >= self->question->dominators.nr_blocks ||
	    !heap_is_wanted(self->question, node))
		return;
	self->top = node;
	self->is_out_of_memory |= !rank_vec_push(self->tops, node);
}

static void leave(struct dominator_visitor *visitor, uint32_t node)
{
	struct gathering *self = (struct gathering *)visitor;
	if (self->top == node)
		self->top = RANK_NONE;
}

struct error *heap_tops_find(const struct heap_question *question,
			     const struct dominator_tree *tree, struct heap_tops *tops)
{
	*tops = (struct heap_tops){ 0 };
	if (!question->unwanted) {
		tops->nodes = dominator_tree_children(tree, tree->nr, &tops->nr);
		return NULL;
	}
	struct gathering gathering = {
		.visitor = { .enter = enter, .leave = leave },
		.question = question,
		.tops = &tops->own,
		.top = RANK_NONE,
	};
	struct error *error = dominator_tree_walk(tree, &gathering.visitor);
	if (!error && gathering.is_out_of_memory)
		error = error_no_memory();
	tops->nodes = tops->own.items;
	tops->nr = (uint32_t)tops->own.nr;
	return error;
}

void heap_tops_deinit(struct heap_tops *tops)
{
	rank_vec_deinit(&tops->own);
}
