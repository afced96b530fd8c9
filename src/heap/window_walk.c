/* window_walk: see window_walk.h. */
#include "heap/window_walk.h"

struct chunk_vec *window_walk_chunks(struct window_walk *walk,
				     const struct stream_window *window)
{
	struct chunk_vec *chunks = &walk->slots[window->slot];
	chunks->nr = 0;
	return chunks;
}

static struct error *prepare_window(struct stream_parser *parser,
				    const struct stream_window *window)
{
	struct heap_visitor *visitor = ((struct window_walk *)parser)->visitor;
	if (!visitor->prepare)
		return NULL;
	return visitor->prepare(visitor, window->slot, window->words, window->nr_words);
}

static struct error *visit_window(const struct window_walk *walk,
				  const struct stream_window *window)
{
	const struct chunk_vec *chunks = &walk->slots[window->slot];
	const struct heap_window result = {
		.span = &walk->heap->spans.items[window->span],
		.slot = window->slot,
		.address = window->address,
		.words = window->words,
		.nr_words = window->nr_words,
		.nr_ahead = window->nr_ahead,
		.unread_bytes = window->unread_bytes,
		.chunks = chunks->items,
		.nr_chunks = chunks->nr,
	};
	return walk->visitor->window(walk->visitor, &result);
}

struct error *window_walk_run(struct window_walk *walk)
{
	struct stream *stream = NULL;
	bool more = true;
	walk->parser.prepare = prepare_window;
	struct error *error = stream_open(walk->heap->target, &walk->heap->spans,
					  &walk->parser, &stream);
	while (!error && more) {
		struct stream_window window;
		error = stream_next(stream, &window, &more);
		if (!error && more)
			error = visit_window(walk, &window);
	}
	stream_close(stream);
	for (size_t i = 0; i < HEAP_SLOTS; i++)
		chunk_vec_deinit(&walk->slots[i]);
	return error;
}
