/* trace_reader: see trace_reader.h. Tables are decoded in trace_tables.c. */
#include "snap/trace_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/quote.h"
#include "snap/reader.h"
#include "snap/trace_tables_priv.h"

#define LATEST_TIME (UINT64_MAX / 2)

struct trace_reader {
	struct snap_reader *file;
	struct snap_chunk chunk; /* that `events` is of */
	struct unpack events;    /* that are still to be told */
	/* With addresses: those of `events`, in memory of our own, and the chunk behind. */
	bool keeps_addresses, has_ahead, more_ahead;
	struct unpack addresses;
	void *address_bytes;
	size_t address_capacity;
	uint64_t last_address;
	struct snap_chunk ahead;
	struct trace trace;
	uint64_t nr_events, nr_marks;
	uint64_t time_us;
	uint32_t thread;
	/* Of the program that runs. */
	size_t first_request, first_thread;
	char *mark, *program;
	bool has_lost; /* events, so that frees may lack their allocations */
	bool ended;
};

/* --- opening ------------------------------------------------------------------------ */

#define REMEDY "give a trace: seep record -o FILE -- COMMAND"

static struct error *open_file(const char *path, int *fd)
{
	/* Without O_NONBLOCK a pipe without a writer would be waited for. */
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (*fd < 0)
		return error_remedy(error_create(ERROR_SYSTEM, "cannot open %s: %s", path,
						 strerror(errno)),
				    REMEDY);
	struct stat status;
	if (!fstat(*fd, &status) && S_ISREG(status.st_mode))
		return NULL;
	close(*fd);
	return error_remedy(error_create(ERROR_REFUSED, "%s is no regular file", path),
			    REMEDY);
}

struct error *trace_reader_open(const char *path, struct trace_reader **result)
{
	int fd;
	struct error *error = open_file(path, &fd);
	if (error)
		return error;
	struct trace_reader *reader = calloc(1, sizeof(*reader));
	if (!reader) {
		close(fd);
		return error_no_memory();
	}
	error = snap_reader_open(fd, path, SNAP_KIND_TRACE, &reader->file);
	if (error) {
		trace_reader_close(reader);
		return error;
	}
	*result = reader;
	return NULL;
}

void trace_reader_close(struct trace_reader *reader)
{
	if (!reader)
		return;
	snap_reader_close(reader->file);
	trace_tables_deinit(&reader->trace);
	free(reader->mark);
	free(reader->program);
	free(reader->address_bytes);
	free(reader);
}

const struct trace *trace_reader_trace(const struct trace_reader *reader)
{
	return &reader->trace;
}

static const char other_version[] = "is of a version that this seep does not read";

/* --- chunks ------------------------------------------------------------------------- */

static struct error *nonsense(struct trace_reader *reader, const char *what)
{
	reader->events = (struct unpack){ 0 };
	reader->addresses = (struct unpack){ 0 };
	reader->ended = true;
	if (what == trace_tables_no_memory)
		return error_no_memory();
	return snap_reader_nonsense(reader->file, &reader->chunk, what);
}

static struct error *begin_events(struct trace_reader *reader)
{
	struct unpack *events = &reader->events;
	uint64_t time_us = unpack_number(events), nr_events = unpack_number(events);
	uint64_t thread = unpack_number(events);
	if (events->bad)
		return nonsense(reader, "ends too early");
	if (nr_events != reader->nr_events)
		return nonsense(reader, "does not go on with the events before it");
	if (time_us < reader->time_us || time_us > LATEST_TIME)
		return nonsense(reader, "begins before the events that precede it");
	if (thread >= reader->trace.threads.nr)
		return nonsense(reader, "has a thread that was not told before");
	reader->time_us = time_us;
	reader->thread = (uint32_t)thread;
	return NULL;
}

static struct error *read_table(struct trace_reader *reader, struct unpack *payload,
				trace_table_decoder *decode)
{
	const char *problem = decode(&reader->trace, payload);
	if (payload->bad)
		return nonsense(reader, "ends too early");
	if (!problem && unpack_left(payload))
		problem = "has more than it says";
	return problem ? nonsense(reader, problem) : NULL;
}

/* A chunk that was looked at ahead comes first. */
static struct error *next_chunk(struct trace_reader *reader, bool *more)
{
	if (!reader->has_ahead)
		return snap_reader_next(reader->file, &reader->chunk, more);
	reader->has_ahead = false;
	reader->chunk = reader->ahead;
	*more = reader->more_ahead;
	return NULL;
}

/* Payloads share a buffer: this one gets its own. */
static struct error *load_addresses(struct trace_reader *reader)
{
	struct unpack payload;
	struct error *error = snap_reader_load(reader->file, &reader->ahead, &payload);
	if (error)
		return error;
	size_t size = unpack_left(&payload);
	if (size > reader->address_capacity) {
		void *grown = realloc(reader->address_bytes, size);
		if (!grown)
			return error_no_memory();
		reader->address_bytes = grown;
		reader->address_capacity = size;
	}
	if (size)
		memcpy(reader->address_bytes, payload.at, size);
	reader->addresses = unpack_of(reader->address_bytes, size);
	return NULL;
}

/* The addresses of a chunk of events stand behind it; none are there if it has no blocks. */
static struct error *find_addresses(struct trace_reader *reader)
{
	reader->addresses = (struct unpack){ 0 };
	reader->last_address = 0;
	reader->has_ahead = true;
	struct error *error =
		snap_reader_next(reader->file, &reader->ahead, &reader->more_ahead);
	if (error || !reader->more_ahead)
		return error;
	if (reader->ahead.header.type != TRACE_ADDRESSES)
		return NULL;
	if (reader->ahead.header.version != trace_chunk_version(TRACE_ADDRESSES)) {
		reader->chunk = reader->ahead;
		return nonsense(reader, other_version);
	}
	reader->has_ahead = false;
	return load_addresses(reader);
}

/* Whether the file ends where addresses of events may have been. */
static bool lacks_addresses(const struct trace_reader *reader)
{
	return reader->has_ahead && !reader->more_ahead &&
	       snap_reader_is_cut(reader->file);
}

static struct error *read_events(struct trace_reader *reader)
{
	struct error *error = reader->keeps_addresses ? find_addresses(reader) : NULL;
	if (error)
		return error;
	if (reader->keeps_addresses && lacks_addresses(reader)) {
		reader->ended = true;
		return NULL;
	}
	error = snap_reader_load(reader->file, &reader->chunk, &reader->events);
	return error ? error : begin_events(reader);
}

static struct error *read_chunk(struct trace_reader *reader)
{
	const struct snap_chunk *chunk = &reader->chunk;
	trace_table_decoder *decode = trace_tables_decoder(chunk->header.type);
	if (!decode && chunk->header.type != TRACE_EVENTS)
		return NULL;
	if (chunk->header.version != trace_chunk_version(chunk->header.type) &&
	    !(chunk->header.type == TRACE_EVENTS &&
	      chunk->header.version == TRACE_EXECUTION_VERSION))
		return nonsense(reader, other_version);
	if (chunk->header.type != TRACE_RUN && !reader->trace.run.arguments)
		return nonsense(reader, "comes before the run");
	if (!decode)
		return read_events(reader);
	struct unpack payload;
	struct error *error = snap_reader_load(reader->file, chunk, &payload);
	return error ? error : read_table(reader, &payload, decode);
}

/* Reads chunks up to one with events; `ended` at the end of the file. */
static struct error *find_events(struct trace_reader *reader)
{
	struct error *error = NULL;
	if (unpack_left(&reader->addresses))
		return nonsense(reader,
				"is followed by addresses that it has no blocks for");
	while (!error && !reader->ended && !unpack_left(&reader->events)) {
		bool more;
		error = next_chunk(reader, &more);
		if (!error && more)
			error = read_chunk(reader);
		else
			reader->ended = true;
	}
	if (!error && reader->ended && !reader->trace.run.arguments)
		return error_create(ERROR_FORMAT, "%s was cut off before its first chunk",
				    snap_reader_name(reader->file));
	return error;
}

/* --- events ------------------------------------------------------------------------- */

/* One that was told and is not of a program that is gone. */
static bool is_request(const struct trace_reader *reader, uint64_t number)
{
	return number - reader->first_request <
	       reader->trace.requests.nr - reader->first_request;
}

static struct error *unknown_request(struct trace_reader *reader, uint64_t number)
{
	if (reader->events.bad)
		return nonsense(reader, "ends within an event");
	return nonsense(reader, number < reader->first_request
					? "has a request of a program that is gone"
					: "has a request that was not told before");
}

static struct error *begin_block(struct trace_reader *reader, uint64_t number,
				 struct trace_happening *event)
{
	if (!is_request(reader, number))
		return unknown_request(reader, number);
	if (reader->thread < reader->first_thread)
		return nonsense(reader, "has a block by a thread that is gone");
	struct trace_request *request = &reader->trace.requests.items[number];
	request->live += request->live != UINT32_MAX;
	event->kind = TRACE_ALLOCATED;
	event->request = (uint32_t)number;
	return NULL;
}

/* Whether one of the request's blocks lives, which then does so no more. */
static bool take_block(struct trace_request *request)
{
	if (!request->live)
		return false;
	request->live -= request->live != UINT32_MAX;
	return true;
}

static struct error *end_block(struct trace_reader *reader, uint64_t number,
			       struct trace_happening *event)
{
	const struct trace *trace = &reader->trace;
	if (number >= trace->deaths.nr)
		return nonsense(reader, "has a death that was not told before");
	const struct trace_death *death = &trace->deaths.items[number];
	if (death->request < reader->first_request)
		return unknown_request(reader, death->request);
	if (death->marks > reader->nr_marks)
		return nonsense(reader, "ends a block that is older than the first mark");
	event->kind = TRACE_FREED;
	event->death = death;
	if (take_block(&trace->requests.items[death->request]))
		return NULL;
	if (!reader->has_lost)
		return nonsense(reader, "ends a block of a request that has no live one");
	event->kind = TRACE_STRAYED;
	return NULL;
}

static struct error *resize_block(struct trace_reader *reader, uint64_t number,
				  struct trace_happening *event)
{
	uint64_t request = unpack_number(&reader->events);
	struct error *error = end_block(reader, number, event);
	if (error)
		return error;
	bool was_live = event->kind == TRACE_FREED;
	error = begin_block(reader, request, event);
	if (was_live)
		event->kind = TRACE_RESIZED;
	return error;
}

static struct error *pass_time(struct trace_reader *reader, struct trace_happening *event)
{
	uint64_t passed = unpack_number(&reader->events);
	if (passed > LATEST_TIME - reader->time_us)
		return nonsense(reader, "has a time that is too late");
	reader->time_us += passed;
	event->kind = TRACE_TIME_PASSED;
	return NULL;
}

static struct error *change_thread(struct trace_reader *reader,
				   struct trace_happening *event)
{
	uint64_t thread = unpack_number(&reader->events);
	if (thread >= reader->trace.threads.nr)
		return nonsense(reader, "has a thread that was not told before");
	reader->thread = (uint32_t)thread;
	event->kind = TRACE_TIME_PASSED;
	return NULL;
}

static struct error *read_mark(struct trace_reader *reader, struct trace_happening *event)
{
	free(reader->mark);
	reader->mark = unpack_text(&reader->events);
	if (!reader->mark)
		reader->mark = strdup("");
	if (!reader->mark)
		return nonsense(reader, trace_tables_no_memory);
	reader->nr_marks++;
	event->kind = TRACE_MARKED;
	event->mark = reader->mark;
	return NULL;
}

static struct error *read_execution(struct trace_reader *reader,
				    struct trace_happening *event)
{
	free(reader->program);
	reader->program = unpack_text(&reader->events);
	if (!reader->program)
		reader->program = strdup("");
	if (!reader->program)
		return nonsense(reader, trace_tables_no_memory);
	if (unpack_left(&reader->events))
		return nonsense(reader, "goes on after another program was executed");
	reader->trace.is_executing = true;
	reader->first_request = reader->trace.requests.nr;
	reader->first_thread = reader->trace.threads.nr;
	event->kind = TRACE_EXECUTED;
	event->program = reader->program;
	return NULL;
}

static struct error *read_mapped(struct trace_reader *reader,
				 struct trace_happening *event)
{
	uint64_t request = unpack_number(&reader->events);
	if (!is_request(reader, request))
		return unknown_request(reader, request);
	event->kind = TRACE_MAPPED;
	event->request = (uint32_t)request;
	return NULL;
}

static struct error *read_plain(struct trace_reader *reader, uint64_t what,
				struct trace_happening *event)
{
	static const struct plain {
		enum trace_event_kind kind;
		bool has_number;
	} plain[TRACE_NR_OTHERS] = {
		[TRACE_GAP] = { TRACE_LOST, true },
		[TRACE_STRAY] = { TRACE_STRAYED, false },
		[TRACE_UNMAP] = { TRACE_UNMAPPED, true },
		[TRACE_PAUSE] = { TRACE_PAUSED, false },
		[TRACE_RESUME] = { TRACE_RESUMED, false },
	};
	event->kind = plain[what].kind;
	event->number = plain[what].has_number ? unpack_number(&reader->events) : 0;
	reader->has_lost |= what == TRACE_GAP;
	return NULL;
}

static struct error *read_other(struct trace_reader *reader, uint64_t what,
				struct trace_happening *event)
{
	switch (what) {
	case TRACE_TIME:
		return pass_time(reader, event);
	case TRACE_THREAD:
		return change_thread(reader, event);
	case TRACE_MARK:
		return read_mark(reader, event);
	case TRACE_MAP:
		return read_mapped(reader, event);
	case TRACE_EXECUTE:
		if (reader->chunk.header.version > 1)
			return read_execution(reader, event);
		/* fallthrough */
	default:
		if (what >= TRACE_NR_OTHERS || what == TRACE_EXECUTE)
			return nonsense(reader, "has an event of an unknown kind");
		return read_plain(reader, what, event);
	}
}

/* As unpack_number(): most events take two bytes, or three. */
static inline uint64_t event_number(struct unpack *events)
{
	const unsigned char *at = events->at;
	if (unpack_left(events) < 3 || at[0] < 0x80)
		return unpack_number(events);
	uint64_t low = (at[0] & 0x7fu) | (at[1] & 0x7fu) << 7;
	if (at[1] < 0x80) {
		events->at += 2;
		return low;
	}
	if (at[2] >= 0x80)
		return unpack_number(events);
	events->at += 3;
	return low | (uint64_t)at[2] << 14;
}

static uint64_t next_address(struct trace_reader *reader)
{
	enum { UNIT = 16 };
	struct unpack *addresses = &reader->addresses;
	uint64_t number = unpack_number(addresses);
	reader->last_address += UNIT * unpack_fold(number >> 1);
	if (number & 1)
		reader->last_address += unpack_number(addresses);
	return reader->last_address;
}

static struct error *read_addresses(struct trace_reader *reader, enum trace_event what,
				    struct trace_happening *event)
{
	if (what == TRACE_OTHER)
		return NULL;
	if (what != TRACE_ALLOCATE)
		event->old_address = next_address(reader);
	if (what != TRACE_FREE)
		event->address = next_address(reader);
	return reader->addresses.bad
		       ? nonsense(reader,
				  "is not followed by the addresses of its blocks")
		       : NULL;
}

static struct error *read_event(struct trace_reader *reader,
				struct trace_happening *event)
{
	uint64_t first = event_number(&reader->events), rest = first >> 2;
	if (reader->events.bad)
		return nonsense(reader, "ends within an event");
	reader->nr_events++;
	if (reader->keeps_addresses) {
		struct error *error = read_addresses(reader, first & 3, event);
		if (error)
			return error;
	}
	switch (first & 3) {
	case TRACE_ALLOCATE:
		return begin_block(reader, rest, event);
	case TRACE_FREE:
		return end_block(reader, rest, event);
	case TRACE_RESIZE:
		return resize_block(reader, rest, event);
	default:
		return read_other(reader, rest, event);
	}
}

/* The command that would have kept them. */
static struct error *refuse_addresses(const struct trace_reader *reader)
{
	const char *name = snap_reader_name(reader->file);
	struct str command = { 0 };
	quote_for_shell(&command, name);
	str_puts(&command, " --");
	for (char **word = reader->trace.run.arguments; *word; word++) {
		str_puts(&command, " ");
		quote_for_shell(&command, *word);
	}
	struct error *error = error_remedy(
		error_create(ERROR_REFUSED,
			     "%s was recorded without the addresses of blocks", name),
		"seep record --addresses -o %s", str_text(&command));
	str_deinit(&command);
	return error;
}

struct error *trace_reader_keep_addresses(struct trace_reader *reader)
{
	reader->keeps_addresses = true;
	struct error *error = find_events(reader);
	if (error || reader->trace.run.flags & TRACE_RUN_ADDRESSES)
		return error;
	return refuse_addresses(reader);
}

struct error *trace_reader_next(struct trace_reader *reader,
				struct trace_happening *event)
{
	struct error *error = NULL;
	if (!unpack_left(&reader->events))
		error = find_events(reader);
	if (!error && reader->ended) {
		event->kind = TRACE_ENDED;
		return NULL;
	}
	if (!error)
		error = read_event(reader, event);
	if (!error && reader->events.bad)
		error = nonsense(reader, "ends within an event");
	event->time_us = reader->time_us;
	event->thread = reader->thread;
	return error;
}

bool trace_reader_is_cut(const struct trace_reader *reader)
{
	return snap_reader_is_cut(reader->file);
}

uint64_t trace_reader_offset(const struct trace_reader *reader)
{
	return reader->chunk.offset;
}
