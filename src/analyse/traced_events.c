/* traced_events: see traced_events.h. */
#include "analyse/traced_events.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

struct reading {
	const struct trace_reader *reader;
	const struct traced_look *before;
	struct traced_visitor *visitor;
	bool is_paused;
};

/* In a pause an address may be given out unseen: what begins there is told as doubtful by
   forgetting it. */
static void begin(struct reading *reading, const struct trace_happening *event,
		  bool is_later)
{
	struct traced_visitor *visitor = reading->visitor;
	if (reading->is_paused)
		visitor->end(visitor, event->address, event->request, is_later);
	else
		visitor->begin(visitor, event->address, event->request, event->time_us,
			       is_later);
}

static void end(struct reading *reading, const struct trace_happening *event,
		bool is_later)
{
	struct traced_visitor *visitor = reading->visitor;
	visitor->end(visitor, event->old_address, event->death->request, is_later);
}

static void take(struct reading *reading, const struct trace_happening *event)
{
	bool is_later = trace_reader_offset(reading->reader) >= reading->before->bytes;
	struct traced_visitor *visitor = reading->visitor;
	if (!is_later)
		visitor->until_us = event->time_us;
	switch (event->kind) {
	case TRACE_ALLOCATED:
		begin(reading, event, is_later);
		break;
	case TRACE_FREED:
		end(reading, event, is_later);
		break;
	case TRACE_RESIZED:
		end(reading, event, is_later);
		begin(reading, event, is_later);
		break;
	/* What is freed in a pause is not told. */
	case TRACE_PAUSED:
	case TRACE_RESUMED:
		reading->is_paused = event->kind == TRACE_PAUSED;
		visitor->forget(visitor);
		break;
	case TRACE_LOST:
	case TRACE_EXECUTED:
		visitor->forget(visitor);
		break;
	default:
		break;
	}
}

struct error *traced_events_read(struct trace_reader *reader,
				 const struct traced_look *before,
				 struct traced_visitor *visitor)
{
	struct reading reading = { reader, before, visitor, false };
	struct trace_happening event = { .kind = TRACE_ALLOCATED };
	struct error *error = trace_reader_keep_addresses(reader);
	while (!error && event.kind != TRACE_ENDED) {
		error = trace_reader_next(reader, &event);
		if (!error)
			take(&reading, &event);
	}
	return error;
}

struct error *traced_look_begin(const struct source_trace *trace, pid_t pid,
				struct traced_look *before)
{
	struct stat status;
	struct timespec now;
	struct error *error = trace->flush(pid, trace->path);
	if (error)
		return error;
	if (stat(trace->path, &status) != 0)
		return error_create(ERROR_SYSTEM, "cannot read %s: %s", trace->path,
				    strerror(errno));
	clock_gettime(CLOCK_REALTIME, &now);
	before->bytes = (uint64_t)status.st_size;
	before->at_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	return NULL;
}
