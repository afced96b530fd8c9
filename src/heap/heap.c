/* heap: see heap.h. */
#include "heap/heap.h"

#include <inttypes.h>
#include <stdarg.h>

#include "heap/allocators.h"

double heap_totals_coverage(const struct heap_totals *totals)
{
	return totals->mapped_bytes ? 100.0 * (double)totals->parsed_bytes /
					      (double)totals->mapped_bytes
				    : 100.0;
}

struct error *heap_survey(struct heap *heap)
{
	return heap->ops->survey(heap);
}

struct error *heap_walk(struct heap *heap, struct heap_visitor *visitor)
{
	return heap->ops->walk(heap, visitor);
}

void heap_destroy(struct heap *heap)
{
	if (!heap)
		return;
	heap_span_vec_deinit(&heap->spans);
	heap_arena_vec_deinit(&heap->arenas);
	word_vec_deinit(&heap->fast);
	heap_span_vec_deinit(&heap->stacks);
	heap_span_vec_deinit(&heap->private_ranges);
	word_vec_deinit(&heap->in_flight);
	sentences_deinit(&heap->damage);
	free(heap->name);
	heap->ops->destroy(heap);
}

struct error *heap_note_damage(struct heap *heap, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct error *error = sentences_vadd(&heap->damage, format, args);
	va_end(args);
	return error;
}

struct error *heap_inconsistent(struct heap *heap, const char *what, uint64_t address)
{
	if (heap->nr_threads_inside > 0 && !heap->last_try)
		return error_create(ERROR_BUSY,
				    "%s: caught in the middle of a malloc or free (%s at "
				    "0x%" PRIx64 ")",
				    heap->target->name, what, address);
	return heap_note_damage(heap, "%s at 0x%" PRIx64, what, address);
}

const struct heap_span *heap_span_of(const struct heap *heap, uint64_t address)
{
	size_t low = 0, high = heap->spans.nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (heap->spans.items[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == heap->spans.nr || heap->spans.items[low].start > address)
		return NULL;
	return &heap->spans.items[low];
}

struct error *heap_open(struct target *target, struct symbols *symbols,
			struct heap **heap)
{
	const struct allocator *allocator = NULL;
	char *name = NULL;
	struct error *error = allocator_find(target, symbols, &allocator, &name);
	if (error)
		return error;
	error = allocator->open(target, symbols, heap);
	if (error) {
		free(name);
		return error;
	}
	(*heap)->target = target;
	(*heap)->symbols = symbols;
	(*heap)->name = name;
	return NULL;
}

struct error *heap_identify(struct target *target, struct symbols *symbols, char **name)
{
	const struct allocator *allocator = NULL;
	return allocator_find(target, symbols, &allocator, name);
}
