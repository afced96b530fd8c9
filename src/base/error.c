/* error: see error.h. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static char no_memory_sentence[] = "out of memory";
static struct error no_memory = {
	.code = ERROR_MEMORY,
	.sentence = no_memory_sentence,
};

struct error *error_no_memory(void)
{
	return &no_memory;
}

struct error *error_create(enum error_code code, const char *format, ...)
{
	struct error *error = calloc(1, sizeof(*error));
	if (!error)
		return &no_memory;
	error->code = code;
	va_list args;
	va_start(args, format);
	int length = vasprintf(&error->sentence, format, args);
	va_end(args);
	if (length < 0) {
		free(error);
		return &no_memory;
	}
	return error;
}

struct error *error_remedy(struct error *error, const char *format, ...)
{
	if (error == &no_memory)
		return error;
	char *remedy = NULL;
	va_list args;
	va_start(args, format);
	int length = vasprintf(&remedy, format, args);
	va_end(args);
	if (length < 0)
		return error;
	free(error->remedy);
	error->remedy = remedy;
	return error;
}

void error_destroy(struct error *error)
{
	if (!error || error == &no_memory)
		return;
	free(error->sentence);
	free(error->remedy);
	free(error);
}
