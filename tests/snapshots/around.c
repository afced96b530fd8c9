/*
 * around: prints what a snapshot tells of regions, modules and threads, a line for each:
 * `around FILE`.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "snap/reader.h"

/* Numbers and texts of one entry, in hexadecimal and as they are. */
static const struct shape {
	enum snap_type type;
	unsigned nr_numbers, nr_texts;
} shapes[] = {
	{ SNAP_REGIONS, 7, 1 },
	{ SNAP_MODULES, 3, 2 },
	{ SNAP_THREADS, 4, 0 },
};

static void print_entry(const struct shape *shape, struct unpack *payload)
{
	fputs(snap_type_name(shape->type), stdout);
	for (unsigned i = 0; i < shape->nr_numbers; i++)
		printf("\t%" PRIx64, unpack_number(payload));
	for (unsigned i = 0; i < shape->nr_texts; i++) {
		char *text = unpack_text(payload);
		printf("\t%s", text ? text : "-");
		free(text);
	}
	puts("");
}

static struct error *print_all(struct snap_reader *reader)
{
	for (;;) {
		struct snap_chunk chunk;
		struct unpack payload;
		bool more = false;
		struct error *error = snap_reader_next(reader, &chunk, &more);
		if (!error && more)
			error = snap_reader_load(reader, &chunk, &payload);
		if (error || !more)
			return error;
		for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
			while (shapes[i].type == chunk.header.type &&
			       payload.at < payload.end)
				print_entry(&shapes[i], &payload);
		if (payload.bad)
			return snap_reader_nonsense(reader, &chunk, "is bad");
	}
}

int main(int argc, char **argv)
{
	struct snap_reader *reader = NULL;
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return 2;
	struct error *error = snap_reader_open(fd, argv[1], SNAP_KIND_SNAPSHOT, &reader);
	if (!error)
		error = print_all(reader);
	if (error)
		fprintf(stderr, "%s\n", error->sentence);
	snap_reader_close(reader);
	return error != NULL;
}
