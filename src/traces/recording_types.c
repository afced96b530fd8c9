/* recording_types: what blocks are for, by the stacks that allocated them; see recording_priv.h. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "model/size_class.h"
#include "traces/allocated_type.h"
#include "traces/recording_priv.h"

/* While the frames of a stack are looked at, innermost first. */
struct walk {
	struct recording_work *work;
	uint32_t node; /* whose frames these are */
	struct str type;
	bool is_asked; /* an allocator's type is to be agreed to by its caller */
	bool is_known, is_over;
};

/* A frame of a stack whose innermost functions were allocators of a type. */
static void see_caller(struct walk *walk, const char *function, bool passes)
{
	struct str other = { 0 };
	enum allocated_type verdict = allocated_type_of(function, NULL, &other);
	if (verdict == ALLOCATED_TYPE_ALLOCATOR) {
		walk->is_over = strcmp(str_text(&other), str_text(&walk->type)) != 0;
	} else if (!passes) {
		walk->is_over = true;
		walk->is_known = allocated_type_agrees(function, &walk->type);
	}
	str_deinit(&other);
}

static void see_innermost(struct walk *walk, const char *function, const char *file,
			  bool passes)
{
	switch (allocated_type_of(function, file, &walk->type)) {
	case ALLOCATED_TYPE_ALLOCATOR:
		walk->is_asked = true;
		break;
	case ALLOCATED_TYPE_KNOWN:
		walk->is_known = walk->is_over = true;
		break;
	default:
		walk->is_over = !passes;
	}
}

static void see_frame(struct walk *walk, uint32_t number)
{
	const struct recording_places *places = &walk->work->report->places;
	const struct recording_frame *frame = &places->frames.items[number];
	const char *function = places->functions.items[frame->function].name;
	const char *file =
		frame->file == RECORDING_NONE ? NULL : places->files.items[frame->file];
	bool passes = recording_frames_is_allocator(walk->work->frames, frame->function);
	if (walk->is_asked)
		see_caller(walk, function, passes);
	else
		see_innermost(walk, function, file, passes);
	/* A name is worth nothing if the code is of several functions. */
	if ((walk->is_asked || walk->is_known) &&
	    recording_frames_is_folded(walk->work->frames, walk->node)) {
		walk->is_over = true;
		walk->is_known = false;
	}
}

/* What a stack allocates, into walk->type if that gets known. */
static struct error *walk_stack(struct walk *walk)
{
	const struct trace_node_vec *nodes = &walk->work->trace->nodes;
	for (; walk->node && !walk->is_over;
	     walk->node = nodes->items[walk->node].parent) {
		uint32_t first, nr;
		struct error *error =
			recording_frames_of(walk->work->frames, walk->node, &first, &nr);
		if (error)
			return error;
		for (uint32_t i = 0; i < nr && !walk->is_over; i++)
			see_frame(walk, first + i);
	}
	return NULL;
}

static struct error *number_of(struct recording_types *types, struct str *type,
			       uint64_t *number)
{
	uint64_t *known = map_at(&types->numbers,
				 hash_bytes(HASH_SEED, str_text(type), type->length));
	char *label = known && !*known ? strdup(str_text(type)) : NULL;
	if (!known || type->failed ||
	    (!*known && (!label || !recording_text_vec_push(&types->labels, label)))) {
		free(label);
		return error_no_memory();
	}
	if (!*known)
		*known = types->labels.nr;
	*number = *known - 1;
	return NULL;
}

/* What is not known of one stack is told by size. */
#define UNKNOWN_TYPE UINT64_MAX

static struct error *type_of_node(struct recording_work *work, uint32_t node,
				  uint64_t *number)
{
	uint64_t *known = map_at(&work->types.by_node, node);
	if (!known)
		return error_no_memory();
	if (*known) {
		*number = *known == UNKNOWN_TYPE ? *known : *known - 1;
		return NULL;
	}
	struct walk walk = { .work = work, .node = node };
	struct error *error = walk_stack(&walk);
	*number = UNKNOWN_TYPE;
	if (!error && walk.is_known)
		error = number_of(&work->types, &walk.type, number);
	if (!error)
		*known = *number == UNKNOWN_TYPE ? *number : *number + 1;
	str_deinit(&walk.type);
	return error;
}

struct error *recording_type(struct recording_work *work, uint32_t request,
			     uint64_t *number)
{
	const struct trace_request *known = &work->trace->requests.items[request];
	struct error *error = type_of_node(work, known->node, number);
	if (error || *number != UNKNOWN_TYPE)
		return error;
	struct str label = { 0 };
	str_puts(&label, "unknown, ");
	size_class_put(&label, known->size);
	str_puts(&label, " block");
	error = number_of(&work->types, &label, number);
	str_deinit(&label);
	return error;
}

void recording_types_deinit(struct recording_types *types)
{
	for (size_t i = 0; i < types->labels.nr; i++)
		free(types->labels.items[i]);
	recording_text_vec_deinit(&types->labels);
	map_deinit(&types->numbers);
	map_deinit(&types->by_node);
}
