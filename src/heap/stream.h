/*
 * stream: the contents of spans, window after window, read and parsed by a thread of its own
 * while the caller works on the windows before; a few of them by the caller itself.
 */
#ifndef SEEP_HEAP_STREAM_H
#define SEEP_HEAP_STREAM_H

#include "heap/heap.h"

struct stream; /* opaque */

struct stream_window {
	size_t span; /* index into the spans */
	unsigned slot;
	uint64_t address;
	const uint64_t *words; /* NULL: nothing but absent pages, all zeros */
	size_t nr_words, nr_ahead;
	uint64_t unread_bytes; /* of these, swapped out */
};

/* What to do with each window before it is handed out. Results are kept by slot. */
struct stream_parser {
	/* In order, on the thread that reads. */
	struct error *(*parse)(struct stream_parser *parser,
			       const struct stream_window *window);
	/* After that, in any order, on the thread that has time. */
	struct error *(*prepare)(struct stream_parser *parser,
				 const struct stream_window *window);
};

/* The spans must stay as they are until stream_close(). Spans of one block that are longer
   than a window come in as many windows. */
struct error *stream_open(struct target *target, const struct heap_span_vec *spans,
			  struct stream_parser *parser,
			  struct stream **result) MUST_CHECK;

/* The next window, valid until the next call; *more is false after the last. */
struct error *stream_next(struct stream *stream, struct stream_window *window,
			  bool *more) MUST_CHECK;
void stream_close(struct stream *stream);

#endif
