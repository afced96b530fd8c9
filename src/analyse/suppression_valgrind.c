/*
 * suppression_valgrind: Valgrind's rules, as its manual describes them ("Suppressing errors").
 *
 *	{
 *	   name
 *	   Memcheck:Leak
 *	   match-leak-kinds: definite,possible
 *	   fun:malloc
 *	   ...
 *	   obj:/usr/lib/libX11.so.6*
 *	}
 *
 * Rules for other tools and other kinds of errors are taken as they are and match nothing.
 */
#include <string.h>

#include "analyse/suppressions_priv.h"

static const char kinds_key[] = "match-leak-kinds:";

static struct error *not_closed(const struct suppression_lines *lines, unsigned opened)
{
	return error_remedy(suppression_error(lines->file, opened,
					      "the block that begins here is not closed"),
			    "end it with a line }");
}

/* The next line of a block. */
static struct error *next_inside(struct suppression_lines *lines, unsigned opened)
{
	suppression_lines_next(lines);
	if (!lines->line || !strcmp(lines->line, "{"))
		return not_closed(lines, opened);
	return NULL;
}

static bool ends(const struct suppression_lines *lines)
{
	return !strcmp(lines->line, "}");
}

/* "Memcheck,Other:Leak": whether Memcheck is among the tools, and the kind is Leak. */
static struct error *parse_kind(const struct suppression_lines *lines, bool *is_leak)
{
	static const char memcheck[] = "Memcheck";
	const char *line = lines->line, *kind = strrchr(line, ':');
	if (!kind || kind == line || !kind[1])
		return error_remedy(
			suppression_line_error(lines, "\"%.60s\" is not TOOL:KIND", line),
			"after the name, write for a leak: Memcheck:Leak");
	*is_leak = false;
	while (line < kind) {
		size_t length = strcspn(line, ",:");
		if (length == sizeof(memcheck) - 1 && !strncmp(line, memcheck, length))
			*is_leak = !strcmp(kind + 1, "Leak");
		line += length + 1;
	}
	return NULL;
}

static struct error *skip(struct suppression_lines *lines, unsigned opened)
{
	struct error *error = NULL;
	while (!error && !ends(lines))
		error = next_inside(lines, opened);
	return error;
}

static struct error *parse_frames(struct suppression *rule,
				  struct suppression_lines *lines)
{
	struct error *error = NULL;
	while (!error && !ends(lines)) {
		error = suppression_add_frame(rule, lines, lines->line);
		if (!error)
			error = next_inside(lines, rule->told.line);
	}
	return error ? error : suppression_check_frames(rule);
}

static struct error *parse_leak(struct suppression *rule, struct suppression_lines *lines)
{
	const size_t length = sizeof(kinds_key) - 1;
	struct error *error = NULL;
	if (!strncmp(lines->line, kinds_key, length)) {
		error = suppression_kinds(lines, lines->line + length, &rule->kinds);
		if (!error)
			error = next_inside(lines, rule->told.line);
	} else {
		error = suppression_kinds(lines, "all", &rule->kinds);
	}
	return error ? error : parse_frames(rule, lines);
}

/* From the line after the name to the one that closes the block. */
static struct error *parse_body(struct suppression *rule, struct suppression_lines *lines)
{
	bool is_leak = false;
	struct error *error = next_inside(lines, rule->told.line);
	if (!error)
		error = parse_kind(lines, &is_leak);
	if (!error)
		error = next_inside(lines, rule->told.line);
	if (error)
		return error;
	if (is_leak)
		return parse_leak(rule, lines);
	rule->told.state = SUPPRESSION_NOT_ABOUT_LEAKS;
	return skip(lines, rule->told.line);
}

struct error *suppression_parse_valgrind(struct suppressions *set,
					 struct suppression_lines *lines)
{
	unsigned opened = lines->number;
	struct suppression rule;
	struct error *error = next_inside(lines, opened);
	if (!error)
		error = suppression_init(&rule, lines, lines->line);
	if (error)
		return error;
	rule.told.line = opened;
	error = parse_body(&rule, lines);
	if (error) {
		suppression_deinit(&rule);
		return error;
	}
	suppression_lines_next(lines);
	return suppressions_add(set, &rule);
}
