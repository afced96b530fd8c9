/*
 * libc: blocks that only the C library holds for the program, and blocks that the C
 * library made and the program forgot.
 *
 * expect: definite 33003 in 5
 * expect: reachable 5840 in 7
 */
#include <dirent.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plant.h"

static void *volatile tree;

static int by_address(const void *one, const void *other)
{
	return (one > other) - (one < other);
}

static void do_nothing(int status, void *argument)
{
	(void)status;
	(void)argument;
}

static ssize_t read_nothing(void *cookie, char *bytes, size_t size)
{
	(void)cookie;
	(void)bytes;
	(void)size;
	return 0;
}

static void held(void)
{
	char *variable = plant_block(PLANT_REACHABLE, "variable of the environment");
	strcpy(variable, "SHAPE=1");
	putenv(variable);

	on_exit(do_nothing, plant_block(PLANT_REACHABLE, "argument of on_exit"));
	/* The first 32 have their place in libc, further ones in a block. */
	for (int i = 0; i < 40; i++)
		on_exit(do_nothing, NULL);
	on_exit(do_nothing, plant_block(PLANT_REACHABLE, "argument of a late on_exit"));

	tsearch(plant_block(PLANT_REACHABLE, "key of a tree"), (void **)&tree,
		by_address);

	/* libc links all open streams. */
	FILE *stream = fopen("/dev/null", "w");
	plant_note(stream, PLANT_REACHABLE, "stream never closed");
	setvbuf(stream, plant_sized(5000 + 8, PLANT_REACHABLE, "buffer of a stream"),
		_IOFBF, 5008);
	fopencookie(plant_block(PLANT_REACHABLE, "cookie of a stream"), "r",
		    (cookie_io_functions_t){ .read = read_nothing });
}

static void forgotten(void)
{
	plant_note(opendir("/"), PLANT_DEFINITE, "directory never closed");
	plant_note(strdup("a text of some length, which strdup has copied"),
		   PLANT_DEFINITE, "strdup, lost");
	char *line;
	if (asprintf(&line, "%0*d", (int)plant_next_size() - 1, 7) > 0)
		plant_note(line, PLANT_DEFINITE, "asprintf, lost");
	plant_note(realpath("/proc/.", NULL), PLANT_DEFINITE, "realpath, lost");

	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	fprintf(stream, "memory stream");
	fclose(stream);
	plant_note(text, PLANT_DEFINITE, "memory stream's text, lost");
}

static void plant(void)
{
	held();
	forgotten();
}

int main(int argc, char **argv)
{
	plant_run(plant);
	plant_wait(argc, argv);
}
