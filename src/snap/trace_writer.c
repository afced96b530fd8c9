/* trace_writer: see trace_writer.h. */
#include "snap/trace_writer.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/vec.h"
#include "snap/writer.h"

/* A chunk is written when it is this large; an event, or a table's row, adds little to it. */
#define FULL_BYTES (1u << 20)

/* Events of less than that are told as of one time. */
#define TIME_UNIT_US 1000u

/* Rows that are still to be written: a run of numbers from `first` on. */
struct rows {
	struct pack body;
	uint64_t first, nr;
	uint64_t last; /* what the next row's difference is to */
};

struct trace_writer {
	struct snap_writer *file;
	struct error *error; /* of a chunk that was written beside a flush */
	bool failed, keeps_addresses;
	bool has_execution; /* among the events */
	struct pack chunk;  /* is put together here */
	struct pack code, threads, events, addresses;
	struct rows nodes, requests, deaths;
	uint64_t nr_threads, nr_events;
	uint64_t last_address;
	struct trace_writer_moment now; /* of the event before */
};

/* --- chunks ------------------------------------------------------------------------- */

/* Writes a payload, which is empty afterwards. */
static void put_chunk(struct trace_writer *writer, enum trace_chunk type,
		      struct pack *payload)
{
	uint16_t version = type == TRACE_EVENTS && writer->has_execution
				   ? TRACE_EXECUTION_VERSION
				   : trace_chunk_version(type);
	if (!writer->failed)
		writer->error = snap_writer_chunk(writer->file, (enum snap_type)type,
						  version, payload);
	writer->failed |= writer->error != NULL;
	payload->size = 0;
}

static void put_if_any(struct trace_writer *writer, enum trace_chunk type,
		       struct pack *payload)
{
	if (payload->size || payload->failed)
		put_chunk(writer, type, payload);
}

static void put_rows(struct trace_writer *writer, enum trace_chunk type,
		     struct rows *rows)
{
	if (!rows->nr)
		return;
	pack_number(&writer->chunk, rows->first);
	pack_number(&writer->chunk, rows->nr);
	pack_bytes(&writer->chunk, rows->body.bytes, rows->body.size);
	writer->chunk.failed |= rows->body.failed;
	put_chunk(writer, type, &writer->chunk);
	rows->body.size = 0;
	rows->first += rows->nr;
	rows->nr = rows->last = 0;
}

/* In an order in which each refers to what stands before it. */
static void put_all(struct trace_writer *writer)
{
	put_if_any(writer, TRACE_MODULES, &writer->code);
	put_rows(writer, TRACE_NODES, &writer->nodes);
	put_rows(writer, TRACE_REQUESTS, &writer->requests);
	put_if_any(writer, TRACE_THREADS, &writer->threads);
	put_rows(writer, TRACE_DEATHS, &writer->deaths);
	put_if_any(writer, TRACE_EVENTS, &writer->events);
	put_if_any(writer, TRACE_ADDRESSES, &writer->addresses);
	writer->last_address = 0;
	writer->has_execution = false;
}

static void put_run(struct trace_writer *writer, const struct trace_writer_run *run)
{
	const uint64_t numbers[] = { run->start_ns, run->pid, run->min_size, run->flags,
				     run->max_frames };
	const char *const texts[] = { run->name, run->path, run->host, run->boot_id,
				      run->version };
	struct pack *chunk = &writer->chunk;
	uint64_t nr_arguments = 0;
	pack_number(chunk, ARRAY_SIZE(numbers));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		pack_number(chunk, numbers[i]);
	pack_number(chunk, ARRAY_SIZE(texts));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		pack_text(chunk, texts[i]);
	while (run->arguments[nr_arguments])
		nr_arguments++;
	pack_number(chunk, nr_arguments);
	for (uint64_t i = 0; i < nr_arguments; i++)
		pack_text(chunk, run->arguments[i]);
	put_chunk(writer, TRACE_RUN, chunk);
}

static struct error *take_error(struct trace_writer *writer)
{
	struct error *error = writer->error;
	writer->error = NULL;
	return error;
}

/* --- the file ----------------------------------------------------------------------- */

struct error *trace_writer_create(const char *path, const struct trace_writer_run *run,
				  struct trace_writer **result)
{
	struct trace_writer *writer = calloc(1, sizeof(*writer));
	if (!writer)
		return error_no_memory();
	writer->nodes.first = 1;
	writer->keeps_addresses = run->flags & TRACE_WRITER_ADDRESSES;
	struct error *error = snap_writer_create(path, SNAP_KIND_TRACE, &writer->file);
	if (!error) {
		put_run(writer, run);
		error = take_error(writer);
	}
	if (!error)
		error = snap_writer_commit(writer->file);
	if (error) {
		trace_writer_destroy(writer);
		return error;
	}
	*result = writer;
	return NULL;
}

void trace_writer_destroy(struct trace_writer *writer)
{
	if (!writer)
		return;
	struct pack *packs[] = { &writer->chunk,         &writer->code,
				 &writer->threads,       &writer->events,
				 &writer->addresses,     &writer->nodes.body,
				 &writer->requests.body, &writer->deaths.body };
	for (size_t i = 0; i < ARRAY_SIZE(packs); i++)
		pack_deinit(packs[i]);
	error_destroy(writer->error);
	snap_writer_destroy(writer->file);
	free(writer);
}

struct error *trace_writer_flush(struct trace_writer *writer)
{
	put_all(writer);
	return take_error(writer);
}

struct error *trace_writer_finish(struct trace_writer *writer,
				  const struct trace_writer_summary *summary)
{
	const uint64_t numbers[] = {
		summary->flags,          summary->code,
		summary->duration_us,    summary->allocations,
		summary->frees,          summary->lost,
		summary->bytes,          summary->peak_bytes,
		summary->peak_us,        summary->live_bytes,
		summary->live_blocks,    summary->temporary,
		summary->executions,     summary->replaced_blocks,
		summary->replaced_bytes,
	};
	put_all(writer);
	pack_number(&writer->chunk, ARRAY_SIZE(numbers));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		pack_number(&writer->chunk, numbers[i]);
	put_chunk(writer, TRACE_SUMMARY, &writer->chunk);
	put_chunk(writer, (enum trace_chunk)SNAP_END, &writer->chunk);
	return take_error(writer);
}

int trace_writer_fd(const struct trace_writer *writer)
{
	return snap_writer_fd(writer->file);
}

uint64_t trace_writer_size(const struct trace_writer *writer)
{
	return snap_writer_size(writer->file);
}

/* --- tables ------------------------------------------------------------------------- */

static void end_row(struct trace_writer *writer, struct rows *rows)
{
	rows->nr++;
	if (rows->body.size >= FULL_BYTES)
		put_all(writer);
}

void trace_writer_node(struct trace_writer *writer, uint64_t parent, uint64_t address)
{
	struct rows *nodes = &writer->nodes;
	pack_difference(&nodes->body, parent, nodes->first + nodes->nr - 1);
	pack_difference(&nodes->body, address, nodes->last);
	nodes->last = address;
	end_row(writer, nodes);
}

void trace_writer_request(struct trace_writer *writer, uint64_t size, uint64_t node)
{
	struct rows *requests = &writer->requests;
	pack_number(&requests->body, size);
	pack_difference(&requests->body, node, requests->last);
	requests->last = node;
	end_row(writer, requests);
}

void trace_writer_death(struct trace_writer *writer, uint64_t request, uint64_t flags,
			uint64_t thread)
{
	struct rows *deaths = &writer->deaths;
	pack_difference(&deaths->body, request, deaths->last);
	pack_number(&deaths->body, flags);
	pack_number(&deaths->body, thread);
	deaths->last = request;
	end_row(writer, deaths);
}

void trace_writer_thread(struct trace_writer *writer, uint64_t tid)
{
	pack_number(&writer->threads, writer->nr_threads++);
	pack_number(&writer->threads, tid);
}

void trace_writer_load(struct trace_writer *writer, const struct trace_writer_code *code)
{
	enum { LOADED = 1 };
	pack_number(&writer->code, LOADED);
	pack_number(&writer->code, code->first_node);
	pack_number(&writer->code, code->start);
	pack_number(&writer->code, code->end);
	pack_number(&writer->code, code->bias);
	pack_text(&writer->code, code->path);
	pack_text(&writer->code, code->build_id);
	if (writer->code.size >= FULL_BYTES)
		put_all(writer);
}

void trace_writer_unload(struct trace_writer *writer, uint64_t first_node, uint64_t start)
{
	enum { UNLOADED = 2 };
	pack_number(&writer->code, UNLOADED);
	pack_number(&writer->code, first_node);
	pack_number(&writer->code, start);
	if (writer->code.size >= FULL_BYTES)
		put_all(writer);
}

/* --- events ------------------------------------------------------------------------- */

static void put_event(struct trace_writer *writer, uint64_t rest, enum trace_event event)
{
	pack_number(&writer->events, rest << 2 | event);
	writer->nr_events++;
}

static void begin_chunk(struct trace_writer *writer)
{
	struct pack *events = &writer->events;
	pack_number(events, writer->now.us);
	pack_number(events, writer->nr_events);
	pack_number(events, writer->now.thread);
}

/* Goes on to the moment of the next event. */
static void advance(struct trace_writer *writer, const struct trace_writer_moment *moment)
{
	if (writer->events.size >= FULL_BYTES)
		put_all(writer);
	if (!writer->events.size)
		begin_chunk(writer);
	/* Finer times would be most of the file. */
	if (moment->us - writer->now.us >= TIME_UNIT_US) {
		uint64_t us = moment->us - moment->us % TIME_UNIT_US;
		put_event(writer, TRACE_TIME, TRACE_OTHER);
		pack_number(&writer->events, us - writer->now.us);
		writer->now.us = us;
	}
	if (moment->thread != writer->now.thread) {
		put_event(writer, TRACE_THREAD, TRACE_OTHER);
		pack_number(&writer->events, moment->thread);
		writer->now.thread = moment->thread;
	}
}

static void put_address(struct trace_writer *writer, uint64_t address)
{
	enum { UNIT_BITS = 4 };
	if (!writer->keeps_addresses)
		return;
	uint64_t difference = address - writer->last_address;
	uint64_t units = (uint64_t)((int64_t)difference >> UNIT_BITS);
	uint64_t rest = difference - (units << UNIT_BITS);
	pack_number(&writer->addresses, pack_fold(units) << 1 | !!rest);
	if (rest)
		pack_number(&writer->addresses, rest);
	writer->last_address = address;
}

void trace_writer_allocate(struct trace_writer *writer,
			   const struct trace_writer_moment *moment, uint32_t request,
			   uint64_t address)
{
	advance(writer, moment);
	put_event(writer, request, TRACE_ALLOCATE);
	put_address(writer, address);
}

void trace_writer_free(struct trace_writer *writer,
		       const struct trace_writer_moment *moment, uint32_t death,
		       uint64_t address)
{
	advance(writer, moment);
	put_event(writer, death, TRACE_FREE);
	put_address(writer, address);
}

void trace_writer_resize(struct trace_writer *writer,
			 const struct trace_writer_moment *moment, uint32_t death,
			 uint32_t request, const struct trace_writer_move *move)
{
	advance(writer, moment);
	put_event(writer, death, TRACE_RESIZE);
	pack_number(&writer->events, request);
	put_address(writer, move->from);
	put_address(writer, move->to);
}

void trace_writer_other(struct trace_writer *writer,
			const struct trace_writer_moment *moment, enum trace_other what,
			uint64_t number)
{
	static const bool has_number[TRACE_NR_OTHERS] = {
		[TRACE_GAP] = true,
		[TRACE_MAP] = true,
		[TRACE_UNMAP] = true,
	};
	advance(writer, moment);
	put_event(writer, what, TRACE_OTHER);
	if (has_number[what])
		pack_number(&writer->events, number);
}

void trace_writer_mark(struct trace_writer *writer,
		       const struct trace_writer_moment *moment, const char *name)
{
	advance(writer, moment);
	put_event(writer, TRACE_MARK, TRACE_OTHER);
	pack_text(&writer->events, name);
}

/* What comes before and after it stands in different chunks, so that a reader knows which is which. */
void trace_writer_execute(struct trace_writer *writer,
			  const struct trace_writer_moment *moment, const char *program)
{
	advance(writer, moment);
	put_event(writer, TRACE_EXECUTE, TRACE_OTHER);
	pack_text(&writer->events, program);
	writer->has_execution = true;
	put_all(writer);
}
