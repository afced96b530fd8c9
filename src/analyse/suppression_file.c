/* suppression_file: a file of rules, line by line, and which sort of rule begins where. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/suppressions_priv.h"
#include "base/cleanup.h"
#include "base/str.h"

/* All kinds that a block can be of. */
#define LEAK_KINDS ((1u << LEAK_SUPPRESSED) - 1)

/* --- lines -------------------------------------------------------------------------- */

void suppression_lines_begin(struct suppression_lines *lines, const char *file,
			     char *text)
{
	static const char mark[] = "\xef\xbb\xbf"; /* UTF-8's, that some editors leave */
	bool is_marked = !strncmp(text, mark, sizeof(mark) - 1);
	*lines = (struct suppression_lines){
		.file = file,
		.at = text + (is_marked ? sizeof(mark) - 1 : 0),
	};
	suppression_lines_next(lines);
}

/* Without the blanks around it. */
static char *trim(char *line, size_t length)
{
	while (length && isspace((unsigned char)line[length - 1]))
		length--;
	line[length] = '\0';
	while (isspace((unsigned char)*line))
		line++;
	return line;
}

void suppression_lines_next(struct suppression_lines *lines)
{
	while (*lines->at) {
		char *line = lines->at;
		size_t length = strcspn(line, "\n");
		lines->at += length + (line[length] == '\n');
		lines->number++;
		lines->line = trim(line, length);
		if (*lines->line && *lines->line != '#')
			return;
	}
	lines->line = NULL;
}

struct error *suppression_error(const char *file, unsigned line, const char *format, ...)
{
	char *sentence = NULL;
	va_list args;
	va_start(args, format);
	int length = vasprintf(&sentence, format, args);
	va_end(args);
	if (length < 0)
		return error_no_memory();
	struct error *error =
		error_create(ERROR_USAGE, "%s:%u: %s", file, line, sentence);
	free(sentence);
	return error;
}

struct error *suppression_kinds(const struct suppression_lines *lines, const char *text,
				unsigned *kinds)
{
	static const char between[] = ", \t";
	*kinds = 0;
	for (text += strspn(text, between); *text; text += strspn(text, between)) {
		size_t length = strcspn(text, between);
		unsigned found = length == 3 && !strncmp(text, "all", 3) ? LEAK_KINDS : 0;
		for (unsigned kind = 0; kind < LEAK_SUPPRESSED; kind++)
			if (strlen(leak_kind_names[kind]) == length &&
			    !strncmp(text, leak_kind_names[kind], length))
				found = 1u << kind;
		if (!found)
			return error_remedy(
				suppression_line_error(
					lines, "no kind of leak is named \"%.*s\"",
					(int)length, text),
				"use definite, indirect, possible, reachable or all");
		*kinds |= found;
		text += length;
	}
	if (*kinds)
		return NULL;
	return error_remedy(suppression_line_error(lines, "no kind is named"),
			    "use definite, indirect, possible, reachable or all");
}

struct error *suppression_pattern(const struct suppression_lines *lines, const char *text,
				  char **copy)
{
	if (!*text)
		return error_remedy(suppression_line_error(lines, "the pattern is empty"),
				    "use * for any");
	if (strlen(text) > SUPPRESSION_PATTERN_MAX)
		return error_remedy(
			suppression_line_error(lines, "the pattern has %zu bytes",
					       strlen(text)),
			"put * for a part of it: up to %u bytes can be matched",
			SUPPRESSION_PATTERN_MAX);
	*copy = strdup(text);
	return *copy ? NULL : error_no_memory();
}

/* --- sorts of rules ----------------------------------------------------------------- */

static bool is_section(const char *line)
{
	return *line == '[';
}

static bool is_valgrind_block(const char *line)
{
	return !strcmp(line, "{");
}

static bool is_sanitizer_line(const char *line)
{
	size_t length = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789_-");
	return length && line[length] == ':';
}

static const struct sort {
	bool (*begins)(const char *line);
	struct error *(*parse)(struct suppressions *set, struct suppression_lines *lines);
} sorts[] = {
	{ is_section, suppression_parse_section },
	{ is_valgrind_block, suppression_parse_valgrind },
	{ is_sanitizer_line, suppression_parse_sanitizer },
};

/* NULL: no sort begins so. */
static const struct sort *find_sort(const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(sorts); i++)
		if (sorts[i].begins(line))
			return &sorts[i];
	return NULL;
}

bool suppression_begins(const char *line)
{
	return find_sort(line);
}

static struct error *unknown_sort(const struct suppression_lines *lines)
{
	return error_remedy(
		suppression_line_error(lines, "no suppression begins with \"%.60s\"",
				       lines->line),
		"begin with [NAME], or as Valgrind does with a line {, or as a sanitizer "
		"with leak:PATTERN; man seep-suppressions");
}

struct error *suppressions_parse(struct suppressions *set, const char *file, char *text,
				 size_t size)
{
	struct suppression_lines lines;
	if (strlen(text) != size)
		return error_remedy(error_create(ERROR_USAGE,
						 "%s is no text: its byte %zu is a NUL",
						 file, strlen(text)),
				    "give a file of suppressions; man seep-suppressions");
	suppression_lines_begin(&lines, file, text);
	struct error *error = NULL;
	while (!error && lines.line) {
		const struct sort *sort = find_sort(lines.line);
		error = sort ? sort->parse(set, &lines) : unknown_sort(&lines);
	}
	return error;
}

/* --- reading ------------------------------------------------------------------------ */

static struct error *unreadable(const char *path)
{
	return error_remedy(error_create(ERROR_USAGE,
					 "cannot read the suppressions in %s: %s", path,
					 strerror(errno)),
			    "give --suppressions a file that can be read");
}

static struct error *read_text(const char *path, struct str *text)
{
	CLEANUP_FCLOSE FILE *file = fopen(path, "re");
	char buffer[16384];
	size_t got;
	if (!file)
		return unreadable(path);
	while ((got = fread(buffer, 1, sizeof(buffer), file)) > 0) {
		str_append(text, buffer, got);
		if (text->failed)
			return error_no_memory();
		if (text->length > SUPPRESSION_FILE_MAX)
			return error_remedy(
				error_create(ERROR_USAGE,
					     "%s is larger than any file of "
					     "suppressions should be (%u MiB)",
					     path, SUPPRESSION_FILE_MAX >> 20),
				"leave out rules that are not about leaks");
	}
	if (ferror(file))
		return unreadable(path);
	return NULL;
}

struct error *suppressions_read(struct suppressions *set, const char *path)
{
	struct str text = { 0 };
	str_puts(&text, ""); /* an empty file is a text too */
	struct error *error = text.failed ? error_no_memory() : read_text(path, &text);
	if (!error)
		error = suppressions_parse(set, path, text.text, text.length);
	str_deinit(&text);
	return error;
}
