/* trace_tables: see trace_tables_priv.h. */
#include "snap/trace_tables_priv.h"

#include <stdlib.h>
#include <string.h>

const char trace_tables_no_memory[] = "";

/* --- run and summary: counts that may grow ------------------------------------------ */

/* So many numbers as both know; a later version has more. */
static void unpack_numbers(struct unpack *payload, uint64_t *const *numbers, size_t nr)
{
	uint64_t count = unpack_count(payload, 1);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t number = unpack_number(payload);
		if (i < nr)
			*numbers[i] = number;
	}
}

static void unpack_texts(struct unpack *payload, char **const *texts, size_t nr)
{
	uint64_t count = unpack_count(payload, 1);
	for (uint64_t i = 0; i < count; i++) {
		char *text = unpack_text(payload);
		if (i < nr)
			*texts[i] = text;
		else
			free(text);
	}
}

static const char *unpack_arguments(struct unpack *payload, struct trace_run *run)
{
	uint64_t count = unpack_count(payload, 1);
	run->arguments = calloc(count + 1, sizeof(*run->arguments));
	if (!run->arguments)
		return trace_tables_no_memory;
	size_t nr = 0;
	for (uint64_t i = 0; i < count; i++) {
		char *argument = unpack_text(payload);
		if (argument)
			run->arguments[nr++] = argument;
	}
	return NULL;
}

static const char *decode_run(struct trace *trace, struct unpack *payload)
{
	struct trace_run *run = &trace->run;
	if (run->arguments)
		return "is there twice";
	uint64_t *const numbers[] = { &run->start_ns, &run->pid, &run->min_size,
				      &run->flags, &run->max_frames };
	char **const texts[] = { &run->name, &run->path, &run->host, &run->boot_id,
				 &run->version };
	unpack_numbers(payload, numbers, ARRAY_SIZE(numbers));
	unpack_texts(payload, texts, ARRAY_SIZE(texts));
	const char *problem = unpack_arguments(payload, run);
	payload->at = payload->end;
	return problem;
}

static const char *decode_summary(struct trace *trace, struct unpack *payload)
{
	struct trace_summary *summary = &trace->summary;
	uint64_t *const numbers[] = {
		&summary->flags,          &summary->code,
		&summary->duration_us,    &summary->allocations,
		&summary->frees,          &summary->lost,
		&summary->bytes,          &summary->peak_bytes,
		&summary->peak_us,        &summary->live_bytes,
		&summary->live_blocks,    &summary->temporary,
		&summary->executions,     &summary->replaced_blocks,
		&summary->replaced_bytes,
	};
	if (trace->has_summary)
		return "is there twice";
	unpack_numbers(payload, numbers, ARRAY_SIZE(numbers));
	trace->has_summary = true;
	payload->at = payload->end;
	return NULL;
}

/* --- code --------------------------------------------------------------------------- */

static const char *decode_loaded(struct trace *trace, struct unpack *payload,
				 uint64_t first_node)
{
	struct trace_code code = {
		.first_node = first_node,
		.end_node = UINT64_MAX,
		.is_executed = trace->is_executing,
	};
	trace->is_executing = false;
	code.start = unpack_number(payload);
	code.end = unpack_number(payload);
	code.bias = unpack_number(payload);
	code.path = unpack_text(payload);
	code.build_id = unpack_text(payload);
	uint64_t *last = map_at(&trace->loaded_at, code.start);
	if (last && code.start <= code.end && trace_code_vec_push(&trace->code, code)) {
		*last = trace->code.nr;
		return NULL;
	}
	free(code.path);
	free(code.build_id);
	return code.start > code.end ? "has code that ends before it starts"
				     : trace_tables_no_memory;
}

/* The piece of code that was loaded last at this address. */
static void decode_unloaded(struct trace *trace, struct unpack *payload,
			    uint64_t first_node)
{
	uint64_t start = unpack_number(payload);
	const uint64_t *last = map_find(&trace->loaded_at, start);
	struct trace_code *code = last && *last ? &trace->code.items[*last - 1] : NULL;
	if (code && code->end_node == UINT64_MAX)
		code->end_node = first_node;
}

static const char *decode_code(struct trace *trace, struct unpack *payload)
{
	enum { LOADED = 1, UNLOADED = 2 };
	const char *problem = NULL;
	while (!problem && unpack_left(payload)) {
		uint64_t what = unpack_number(payload);
		uint64_t first_node = unpack_number(payload);
		if (what == LOADED)
			problem = decode_loaded(trace, payload, first_node);
		else if (what == UNLOADED)
			decode_unloaded(trace, payload, first_node);
		else
			problem = "has code that was neither loaded nor unloaded";
	}
	return problem;
}

/* --- nodes, requests, deaths -------------------------------------------------------- */

static const char *decode_nodes(struct trace *trace, struct unpack *payload)
{
	const struct trace_node none = { 0 };
	if (!trace->nodes.nr && !trace_node_vec_push(&trace->nodes, none))
		return trace_tables_no_memory;
	uint64_t first = unpack_number(payload), count = unpack_count(payload, 2);
	if (first != trace->nodes.nr || count > UINT32_MAX - first)
		return "does not go on with the nodes before it";
	if (!trace_node_vec_reserve(&trace->nodes, first + count))
		return trace_tables_no_memory;
	uint64_t address = 0;
	for (uint64_t number = first; number < first + count; number++) {
		uint64_t parent = unpack_difference(payload, number - 1);
		address = unpack_difference(payload, address);
		if (parent >= number)
			return "has a node whose caller was not told before";
		trace->nodes.items[trace->nodes.nr++] = (struct trace_node){
			.address = address,
			.parent = (uint32_t)parent,
		};
	}
	return NULL;
}

static const char *decode_requests(struct trace *trace, struct unpack *payload)
{
	uint64_t first = unpack_number(payload), count = unpack_count(payload, 2);
	size_t nr_nodes = trace->nodes.nr ? trace->nodes.nr : 1;
	if (first != trace->requests.nr || count > UINT32_MAX - 1 - first)
		return "does not go on with the requests before it";
	if (!trace_request_vec_reserve(&trace->requests, first + count))
		return trace_tables_no_memory;
	uint64_t node = 0;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t size = unpack_number(payload);
		node = unpack_difference(payload, node);
		if (node >= nr_nodes)
			return "has a request by a node that was not told before";
		trace->requests.items[trace->requests.nr++] = (struct trace_request){
			.size = size,
			.node = (uint32_t)node,
		};
	}
	return NULL;
}

/* What a death is beside its request; NULL, or what is wrong with it. */
static const char *unpack_death(const struct trace *trace, struct unpack *payload,
				struct trace_death *death)
{
	enum { TEMPORARY = 1, LIFE_SHIFT = 1, LIFE_MASK = 7, MARKS_SHIFT = 4 };
	uint64_t how = unpack_number(payload), owner = unpack_number(payload);
	if (owner > trace->threads.nr)
		return "has a death by a thread that was not told before";
	if (how >> MARKS_SHIFT > UINT32_MAX)
		return "has a death after too many marks";
	death->is_temporary = how & TEMPORARY;
	death->life = how >> LIFE_SHIFT & LIFE_MASK;
	death->marks = (uint32_t)(how >> MARKS_SHIFT);
	death->thread = owner ? (uint32_t)(owner - 1) : TRACE_BY_ITSELF;
	return NULL;
}

static const char *decode_deaths(struct trace *trace, struct unpack *payload)
{
	uint64_t first = unpack_number(payload), count = unpack_count(payload, 3);
	if (first != trace->deaths.nr || count > UINT32_MAX - 1 - first)
		return "does not go on with the deaths before it";
	if (!trace_death_vec_reserve(&trace->deaths, first + count))
		return trace_tables_no_memory;
	uint64_t request = 0;
	for (uint64_t i = 0; i < count; i++) {
		request = unpack_difference(payload, request);
		if (request >= trace->requests.nr)
			return "has a death of a request that was not told before";
		struct trace_death death = { .request = (uint32_t)request };
		const char *problem = unpack_death(trace, payload, &death);
		if (problem)
			return problem;
		trace->deaths.items[trace->deaths.nr++] = death;
	}
	return NULL;
}

static const char *decode_threads(struct trace *trace, struct unpack *payload)
{
	while (unpack_left(payload)) {
		uint64_t number = unpack_number(payload), id = unpack_number(payload);
		if (number != trace->threads.nr || number >= UINT32_MAX)
			return "does not go on with the threads before it";
		if (!trace_thread_vec_push(&trace->threads, id))
			return trace_tables_no_memory;
	}
	return NULL;
}

/* --- names -------------------------------------------------------------------------- */

/* One of the chunk's texts, which begin at texts[first]. */
static const char *unpack_known_text(struct trace *trace, struct unpack *payload,
				     size_t first, const char **text)
{
	uint64_t number = unpack_number(payload);
	size_t nr = trace->texts.nr - first;
	*text = NULL;
	if (number > nr + 1)
		return "names a text that was not told before";
	if (number == nr + 1) {
		char *added = unpack_text(payload);
		if (!added)
			return "lacks a text";
		if (!trace_text_vec_push(&trace->texts, added)) {
			free(added);
			return trace_tables_no_memory;
		}
	}
	if (number)
		*text = trace->texts.items[first + number - 1];
	return NULL;
}

static const char *decode_frame(struct trace *trace, struct unpack *payload,
				size_t first_text)
{
	struct trace_frame frame = { 0 };
	const char *problem =
		unpack_known_text(trace, payload, first_text, &frame.function);
	if (!problem)
		problem = unpack_known_text(trace, payload, first_text, &frame.file);
	if (problem)
		return problem;
	frame.line = unpack_number(payload);
	return trace_frame_vec_push(&trace->frames, frame) ? NULL
							   : trace_tables_no_memory;
}

static const char *decode_names(struct trace *trace, struct unpack *payload)
{
	const size_t first_text = trace->texts.nr;
	uint64_t node = 0;
	while (unpack_left(payload)) {
		node = unpack_difference(payload, node);
		uint64_t count = unpack_count(payload, 3);
		const struct trace_name_vec *names = &trace->names;
		if (node >= trace->nodes.nr ||
		    (names->nr && node <= names->items[names->nr - 1].node) ||
		    trace->frames.nr > UINT32_MAX - count)
			return "has nodes that are not in order";
		struct trace_name name = {
			.node = (uint32_t)node,
			.first_frame = (uint32_t)trace->frames.nr,
			.nr_frames = (uint32_t)count,
		};
		for (uint64_t i = 0; i < count; i++) {
			const char *problem = decode_frame(trace, payload, first_text);
			if (problem)
				return problem;
		}
		if (!trace_name_vec_push(&trace->names, name))
			return trace_tables_no_memory;
	}
	return NULL;
}

/* --- all ---------------------------------------------------------------------------- */

trace_table_decoder *trace_tables_decoder(uint32_t type)
{
	static trace_table_decoder *const decoders[] = {
		[TRACE_RUN] = decode_run,         [TRACE_MODULES] = decode_code,
		[TRACE_NODES] = decode_nodes,     [TRACE_REQUESTS] = decode_requests,
		[TRACE_THREADS] = decode_threads, [TRACE_NAMES] = decode_names,
		[TRACE_SUMMARY] = decode_summary, [TRACE_DEATHS] = decode_deaths,
	};
	return type < ARRAY_SIZE(decoders) ? decoders[type] : NULL;
}

static void run_deinit(struct trace_run *run)
{
	for (char **argument = run->arguments; argument && *argument; argument++)
		free(*argument);
	free(run->arguments);
	free(run->name);
	free(run->path);
	free(run->host);
	free(run->boot_id);
	free(run->version);
}

void trace_tables_deinit(struct trace *trace)
{
	run_deinit(&trace->run);
	for (size_t i = 0; i < trace->code.nr; i++) {
		free(trace->code.items[i].path);
		free(trace->code.items[i].build_id);
	}
	for (size_t i = 0; i < trace->texts.nr; i++)
		free(trace->texts.items[i]);
	trace_code_vec_deinit(&trace->code);
	map_deinit(&trace->loaded_at);
	trace_node_vec_deinit(&trace->nodes);
	trace_request_vec_deinit(&trace->requests);
	trace_death_vec_deinit(&trace->deaths);
	trace_thread_vec_deinit(&trace->threads);
	trace_name_vec_deinit(&trace->names);
	trace_frame_vec_deinit(&trace->frames);
	trace_text_vec_deinit(&trace->texts);
}
