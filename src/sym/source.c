/* source: see source.h. */
#include "sym/source.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#define FILE_MAX  ((off_t)64 << 20)
#define WIDTH_MAX 400u

/* A pipe or device of that path is not even opened. */
static FILE *open_source(const char *path)
{
	struct stat status;
	if (path[0] != '/' || stat(path, &status) != 0 || !S_ISREG(status.st_mode) ||
	    status.st_size > FILE_MAX)
		return NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (!file && fd >= 0)
		close(fd);
	return file;
}

struct error *source_excerpt(const char *path, uint32_t line, uint32_t around,
			     struct sentence_vec *texts, uint32_t *first)
{
	CLEANUP_FCLOSE FILE *file = open_source(path);
	CLEANUP_FREE char *text = NULL;
	size_t size = 0, nr_before = texts->nr;
	uint32_t number = 0;
	*first = line > around ? line - around : 1;
	while (file && number < line + around && getline(&text, &size, file) >= 0) {
		if (++number < *first)
			continue;
		text[strcspn(text, "\r\n")] = '\0';
		struct error *error = sentences_add(texts, "%.*s", (int)WIDTH_MAX, text);
		if (error)
			return error;
	}
	while (number < line && texts->nr > nr_before)
		free(texts->items[--texts->nr]);
	return NULL;
}
