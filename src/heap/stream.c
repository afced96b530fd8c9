/*
 * stream: see stream.h.
 *
 * Lock: `lock` guards `ready`, `taken`, `closing`; a slot's contents belong to the reader
 * while it is not ready and to the consumer while it is. No other lock is taken under it.
 */
#include "heap/stream.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

/* Larger ones are read little faster, smaller ones cost more handing over. */
#define WINDOW_BYTES (512u << 10)
#define AHEAD_BYTES  64u
/* What is no more than this is read before a thread for it has started. */
#define SMALL_BYTES ((uint64_t)2 * WINDOW_BYTES)

struct slot {
	struct stream_window window;
	struct error *error;
	bool prepared, last;
	uint64_t *buffer;
};

struct stream {
	struct target *target;
	const struct heap_span_vec *spans;
	struct stream_parser *parser;
	bool threaded; /* otherwise stream_next() reads */
	pthread_t reader;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t ready, taken; /* slots filled; slots given back */
	bool closing, holding;
	struct slot slots[HEAP_SLOTS];
	char *memory;
	/* The reader's own place. */
	size_t span;               /* the current one */
	uint64_t at;               /* where its next window starts; 0: not begun */
	struct extent_vec extents; /* of the current span */
	size_t extent;             /* the first that ends past the current window */
};

/* The extents of every region that the span covers. */
static struct error *load_extents(struct stream *stream, const struct heap_span *span)
{
	stream->extents.nr = 0;
	stream->extent = 0;
	for (uint64_t at = span->start; at < span->end;) {
		const struct region *region = target_region(stream->target, at);
		if (!region)
			return error_create(ERROR_BUSY,
					    "%s: no memory is mapped at 0x%" PRIx64,
					    stream->target->name, at);
		uint64_t end = region->end < span->end ? region->end : span->end;
		uint64_t page = at & ~(uint64_t)4095;
		uint64_t page_end = (end + 4095) & ~(uint64_t)4095;
		struct error *error = target_extents(stream->target, region, page,
						     page_end, &stream->extents);
		if (error)
			return error;
		at = end;
	}
	return NULL;
}

static uint64_t clip(uint64_t value, uint64_t low, uint64_t high)
{
	return value < low ? low : value > high ? high : value;
}

/* Fills [start, end) of the slot's buffer: present pages are read, the rest is zeros. */
static struct error *fill(struct stream *stream, struct slot *slot, uint64_t start,
			  uint64_t end)
{
	char *buffer = (char *)slot->buffer;
	uint64_t at = start;
	bool any = false;
	while (stream->extent < stream->extents.nr &&
	       stream->extents.items[stream->extent].end <= start)
		stream->extent++;
	for (size_t i = stream->extent; i < stream->extents.nr; i++) {
		const struct extent *extent = &stream->extents.items[i];
		uint64_t from = clip(extent->start, start, end);
		uint64_t to = clip(extent->end, start, end);
		if (from >= to)
			break;
		if (extent->swapped) {
			slot->window.unread_bytes += to - from;
			continue;
		}
		memset(buffer + (at - start), 0, from - at);
		struct error *error = target_read(stream->target, from,
						  buffer + (from - start), to - from);
		if (error)
			return error;
		any = true;
		at = to;
	}
	if (any)
		memset(buffer + (at - start), 0, end - at);
	slot->window.words = any ? slot->buffer : NULL;
	return NULL;
}

/* Windows that wait for the consumer. */
static uint64_t backlog(struct stream *stream)
{
	pthread_mutex_lock(&stream->lock);
	uint64_t nr = stream->ready - stream->taken;
	pthread_mutex_unlock(&stream->lock);
	return nr;
}

static struct error *read_window(struct stream *stream, struct slot *slot, size_t index,
				 uint64_t start)
{
	const struct heap_span *span = &stream->spans->items[index];
	uint64_t end = span->end - start > WINDOW_BYTES ? start + WINDOW_BYTES
							: span->end;
	uint64_t ahead = span->end - end > AHEAD_BYTES ? AHEAD_BYTES : span->end - end;
	slot->window = (struct stream_window){
		.span = index,
		.slot = (unsigned)(slot - stream->slots),
		.address = start,
		.nr_words = (end - start) / sizeof(uint64_t),
		.nr_ahead = ahead / sizeof(uint64_t),
	};
	struct error *error = fill(stream, slot, start, end + ahead);
	if (!error)
		error = stream->parser->parse(stream->parser, &slot->window);
	/* The consumer has windows enough to work on: take some work off it. */
	slot->prepared = backlog(stream) >= HEAP_SLOTS / 2;
	if (!error && slot->prepared)
		error = stream->parser->prepare(stream->parser, &slot->window);
	return error;
}

/* Waits for a slot that the consumer has given back; NULL when closing. */
static struct slot *wait_for_slot(struct stream *stream)
{
	pthread_mutex_lock(&stream->lock);
	while (!stream->closing && stream->ready - stream->taken == HEAP_SLOTS)
		pthread_cond_wait(&stream->changed, &stream->lock);
	struct slot *slot = stream->closing ? NULL
					    : &stream->slots[stream->ready % HEAP_SLOTS];
	pthread_mutex_unlock(&stream->lock);
	return slot;
}

static void publish(struct stream *stream)
{
	pthread_mutex_lock(&stream->lock);
	stream->ready++;
	pthread_cond_signal(&stream->changed);
	pthread_mutex_unlock(&stream->lock);
}

/* Fills a slot with what comes next: a window, an error, or the end. False when nothing
   comes after it. */
static bool fill_slot(struct stream *stream, struct slot *slot)
{
	slot->last = stream->span == stream->spans->nr;
	if (slot->last)
		return false;
	const struct heap_span *span = &stream->spans->items[stream->span];
	if (stream->at == 0) {
		stream->at = span->start;
		slot->error = load_extents(stream, span);
	}
	if (!slot->error)
		slot->error = read_window(stream, slot, stream->span, stream->at);
	if (span->end - stream->at > WINDOW_BYTES) {
		stream->at += WINDOW_BYTES;
	} else {
		stream->span++;
		stream->at = 0;
	}
	return !slot->error;
}

static void *reader(void *argument)
{
	struct stream *stream = argument;
	for (bool more = true; more;) {
		struct slot *slot = wait_for_slot(stream);
		if (!slot)
			break;
		more = fill_slot(stream, slot);
		publish(stream);
	}
	return NULL;
}

static uint64_t total_bytes(const struct heap_span_vec *spans)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < spans->nr; i++)
		bytes += spans->items[i].end - spans->items[i].start;
	return bytes;
}

struct error *stream_open(struct target *target, const struct heap_span_vec *spans,
			  struct stream_parser *parser, struct stream **result)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	if (!stream)
		return error_no_memory();
	size_t slot_bytes = WINDOW_BYTES + 4096;
	stream->memory = mmap(NULL, HEAP_SLOTS * slot_bytes, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stream->memory == MAP_FAILED) {
		free(stream);
		return error_no_memory();
	}
	for (size_t i = 0; i < HEAP_SLOTS; i++)
		stream->slots[i].buffer =
			(uint64_t *)(void *)(stream->memory + i * slot_bytes);
	stream->target = target;
	stream->spans = spans;
	stream->parser = parser;
	pthread_mutex_init(&stream->lock, NULL);
	pthread_cond_init(&stream->changed, NULL);
	/* Where no thread can be had it takes longer, and is no less true. */
	stream->threaded = total_bytes(spans) > SMALL_BYTES &&
			   pthread_create(&stream->reader, NULL, reader, stream) == 0;
	*result = stream;
	return NULL;
}

/* Gives back the slot that the caller held, and waits for the next. */
static struct slot *take_slot(struct stream *stream)
{
	pthread_mutex_lock(&stream->lock);
	if (stream->holding) {
		stream->taken++;
		stream->holding = false;
		pthread_cond_signal(&stream->changed);
	}
	while (stream->ready == stream->taken)
		pthread_cond_wait(&stream->changed, &stream->lock);
	struct slot *slot = &stream->slots[stream->taken % HEAP_SLOTS];
	pthread_mutex_unlock(&stream->lock);
	return slot;
}

struct error *stream_next(struct stream *stream, struct stream_window *window, bool *more)
{
	if (!stream->threaded) {
		fill_slot(stream, wait_for_slot(stream));
		publish(stream);
	}
	struct slot *slot = take_slot(stream);
	struct error *error = slot->error;
	slot->error = NULL;
	if (!error && !slot->last && !slot->prepared)
		error = stream->parser->prepare(stream->parser, &slot->window);
	*more = !error && !slot->last;
	if (*more) {
		*window = slot->window;
		stream->holding = true;
	}
	return error;
}

void stream_close(struct stream *stream)
{
	if (!stream)
		return;
	pthread_mutex_lock(&stream->lock);
	stream->closing = true;
	pthread_cond_signal(&stream->changed);
	pthread_mutex_unlock(&stream->lock);
	if (stream->threaded)
		pthread_join(stream->reader, NULL);
	for (size_t i = 0; i < HEAP_SLOTS; i++)
		error_destroy(stream->slots[i].error);
	pthread_mutex_destroy(&stream->lock);
	pthread_cond_destroy(&stream->changed);
	munmap(stream->memory, HEAP_SLOTS * (WINDOW_BYTES + 4096));
	extent_vec_deinit(&stream->extents);
	free(stream);
}
