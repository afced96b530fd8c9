/*
 * Prints a line for every block of a process, or of a core: rank, address, usable size, how its type
 * is known, and the type; then how much is known. For tests that know the truth.
 *
 * Usage: types_of PID|CORE
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "analyse/source.h"

struct printing {
	const struct types *types;
	const struct typing *typing;
};

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void print_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	const struct printing *printing = context;
	struct typing_answer answer = typing_answer(printing->typing, rank);
	const char *name = types_get(printing->types, answer.type)->name;
	printf("%" PRIu32 " 0x%" PRIx64 " %" PRIu64 " %s %s%s\n", rank, address, size,
	       typing_evidence_word(answer.evidence), answer.type ? name : "?",
	       answer.is_array ? "[]" : "");
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 100.0;
}

static void print_all(const struct source *source, const struct look *look)
{
	const struct typing *typing = &look->typing;
	struct printing printing = { source->types, typing };
	space_each(&look->graph.space, print_block, &printing);
	for (size_t i = 0; i < look->warnings.nr; i++)
		printf("warning: %s\n", look->warnings.items[i]);
	printf("types known for %.1f %% of bytes, %.1f %% of blocks\n",
	       percent(typing->typed_bytes, typing->blocks_bytes),
	       percent(typing->typed_blocks, typing->nr_blocks));
}

/* How long a look takes, less what it takes without types; the first reads the files. */
static struct error *look(struct source *source, unsigned flags, struct look *look,
			  double *seconds)
{
	const struct look_options options = { .flags = flags };
	double start = now();
	struct error *error = source->ops->look(source, &options, look);
	*seconds = now() - start;
	return error;
}

int main(int argc, char **argv)
{
	struct source *source = NULL;
	struct look plain = { 0 }, typed = { 0 };
	struct source_options options = { .max_pause_ms = 60000 };
	double seconds[2] = { 0 };
	if (argc != 2)
		return 2;
	options.pid = (pid_t)strtol(argv[1], NULL, 10);
	if (!options.pid)
		options.file = argv[1];
	struct error *error = source_open(&options, &source);
	if (!error)
		error = look(source, LOOK_CLASSIFY, &plain, &seconds[0]);
	if (!error)
		error = look(source, LOOK_CLASSIFY | LOOK_TYPES, &typed, &seconds[1]);
	if (error)
		fprintf(stderr, "%s\n", error->sentence);
	else
		print_all(source, &typed);
	if (!error)
		fprintf(stderr,
			"%zu modules, %.3f s without types, %.3f s with, %u rounds\n",
			types_nr_modules(source->types), seconds[0], seconds[1],
			typed.typing.nr_rounds);
	int status = error ? 1 : 0;
	error_destroy(error);
	look_deinit(&plain);
	look_deinit(&typed);
	source_close(source);
	return status;
}
