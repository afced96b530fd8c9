/*
 * Prints a line for every block of a process, or of a core: rank, address, usable size, how its type
 * is known, and the type; then how much is known. For tests that know the truth.
 *
 * Usage: types_of PID|CORE
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyse/source.h"
#include "analyse/typing.h"

struct request {
	struct source *source;
	struct types *types;
	struct typing typing;
	double seconds;
};

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct error *type_blocks(void *context, struct target *target,
				 const struct space *space, const struct natures *natures)
{
	struct request *request = context;
	const struct typing_task task = {
		.types = request->types,
		.target = target,
		.symbols = request->source->symbols,
		.space = space,
		.natures = natures,
	};
	double start = now();
	typing_deinit(&request->typing);
	struct error *error = typing_run(&task, &request->typing);
	request->seconds = now() - start;
	return error;
}

static void print_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	const struct request *request = context;
	struct typing_answer answer = typing_answer(&request->typing, rank);
	const char *name = types_get(request->types, answer.type)->name;
	printf("%" PRIu32 " 0x%" PRIx64 " %" PRIu64 " %s %s%s\n", rank, address, size,
	       typing_evidence_word(answer.evidence), answer.type ? name : "?",
	       answer.is_array ? "[]" : "");
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 100.0;
}

static void print_all(const struct request *request, const struct look *look,
		      double seconds)
{
	const struct typing *typing = &request->typing;
	space_each(&look->graph.space, print_block, (void *)request);
	printf("types known for %.1f %% of bytes, %.1f %% of blocks\n",
	       percent(typing->typed_bytes, typing->blocks_bytes),
	       percent(typing->typed_blocks, typing->nr_blocks));
	fprintf(stderr,
		"%zu modules, %.3f s for their types, %.3f s for blocks, %u rounds\n",
		types_nr_modules(request->types), seconds, request->seconds,
		typing->nr_rounds);
}

int main(int argc, char **argv)
{
	struct request request = { 0 };
	struct look look = { 0 };
	struct source_options options = { .max_pause_ms = 60000 };
	if (argc != 2)
		return 2;
	options.pid = (pid_t)strtol(argv[1], NULL, 10);
	if (!options.pid)
		options.file = argv[1];
	struct error *error = source_open(&options, &request.source);
	double start = now();
	if (!error)
		error = types_create(request.source->target, request.source->symbols,
				     &request.types);
	double seconds = now() - start;
	const struct look_options look_options = {
		.flags = LOOK_CLASSIFY,
		.with_blocks = type_blocks,
		.context = &request,
	};
	if (!error)
		error = request.source->ops->look(request.source, &look_options, &look);
	if (error)
		fprintf(stderr, "%s\n", error->sentence);
	else
		print_all(&request, &look, seconds);
	int status = error ? 1 : 0;
	error_destroy(error);
	look_deinit(&look);
	typing_deinit(&request.typing);
	types_destroy(request.types);
	source_close(request.source);
	return status;
}
