/*
 * suppression_section: our own rules, each a section of keys and values.
 *
 *	[the cache of sessions]
 *	type    = class Session*
 *	size    = 64..256
 *	expires = 2026-12-31
 *	reason  = known since 1.4
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/suppressions_priv.h"
#include "base/str.h"

typedef struct error *set_value(struct suppression *rule,
				const struct suppression_lines *lines, const char *value);

/* --- values ------------------------------------------------------------------------- */

static struct error *set_type(struct suppression *rule,
			      const struct suppression_lines *lines, const char *value)
{
	return suppression_pattern(lines, value, &rule->type);
}

static struct error *set_root(struct suppression *rule,
			      const struct suppression_lines *lines, const char *value)
{
	return suppression_pattern(lines, value, &rule->root);
}

static struct error *set_module(struct suppression *rule,
				const struct suppression_lines *lines, const char *value)
{
	return suppression_pattern(lines, value, &rule->module);
}

static struct error *set_kind(struct suppression *rule,
			      const struct suppression_lines *lines, const char *value)
{
	return suppression_kinds(lines, value, &rule->kinds);
}

/* False unless the text begins with a number that 64 bits hold; *rest is what follows. */
static bool parse_number(const char *text, int base, uint64_t *number, const char **rest)
{
	char *end;
	errno = 0;
	*number = strtoull(text, &end, base);
	*rest = end;
	return isxdigit((unsigned char)*text) && end > text && !errno;
}

/* "64", "64..256", "64..", "..256" */
static bool parse_range(const char *text, uint64_t *least, uint64_t *most)
{
	const char *rest = text;
	bool has_least = parse_number(text, 10, least, &rest);
	if (has_least && !*rest) {
		*most = *least;
		return true;
	}
	if (strncmp(rest, "..", 2))
		return false;
	const char *after = rest + 2;
	bool has_most = *after && parse_number(after, 10, most, &rest);
	if (*after && (!has_most || *rest))
		return false;
	*least = has_least ? *least : 0;
	*most = has_most ? *most : UINT64_MAX;
	return (has_least || has_most) && *least <= *most;
}

static struct error *set_size(struct suppression *rule,
			      const struct suppression_lines *lines, const char *value)
{
	if (parse_range(value, &rule->least_size, &rule->most_size))
		return NULL;
	return error_remedy(suppression_line_error(lines, "\"%.60s\" is no size", value),
			    "give bytes or a range of them: 64, 64..256, 64.. or ..256");
}

static struct error *set_fingerprint(struct suppression *rule,
				     const struct suppression_lines *lines,
				     const char *value)
{
	const char *rest = value;
	rule->has_fingerprint = true;
	if (!strncmp(value, "0x", 2) &&
	    parse_number(value + 2, 16, &rule->fingerprint, &rest) && !*rest)
		return NULL;
	return error_remedy(suppression_line_error(lines, "\"%.60s\" is no fingerprint",
						   value),
			    "copy one from a report (-v shows them): 0x0123456789abcdef");
}

static struct error *set_frame(struct suppression *rule,
			       const struct suppression_lines *lines, const char *value)
{
	return suppression_add_frame(rule, lines, value);
}

static unsigned days_of(unsigned year, unsigned month)
{
	static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && is_leap);
}

/* "2026-12-31" as 20261231; 0 if it is no date. */
static unsigned parse_date(const char *text)
{
	static const char shape[] = "dddd-dd-dd";
	unsigned number = 0;
	if (strlen(text) != strlen(shape))
		return 0;
	for (size_t i = 0; shape[i]; i++) {
		if (shape[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != '-')
			return 0;
		if (shape[i] == 'd')
			number = number * 10 + (unsigned)(text[i] - '0');
	}
	unsigned year = number / 10000, month = number / 100 % 100, day = number % 100;
	if (month < 1 || month > 12 || day < 1 || day > days_of(year, month))
		return 0;
	return number;
}

static struct error *set_expires(struct suppression *rule,
				 const struct suppression_lines *lines, const char *value)
{
	rule->told.expires = parse_date(value);
	if (rule->told.expires)
		return NULL;
	return error_remedy(suppression_line_error(lines, "\"%.60s\" is no date", value),
			    "give the last day on which it holds: 2026-12-31");
}

static struct error *set_reason(struct suppression *rule,
				const struct suppression_lines *lines, const char *value)
{
	(void)lines;
	rule->told.reason = strdup(value);
	return rule->told.reason ? NULL : error_no_memory();
}

/* --- keys --------------------------------------------------------------------------- */

enum key_flags {
	KEY_REPEATS = 1 << 0, /* may stand there more than once */
	KEY_NARROWS = 1 << 1, /* a rule must have at least one of these */
};

static const struct key {
	const char *name;
	set_value *set;
	unsigned flags;
} keys[] = {
	{ "type", set_type, KEY_NARROWS },
	{ "root", set_root, KEY_NARROWS },
	{ "module", set_module, KEY_NARROWS },
	{ "size", set_size, KEY_NARROWS },
	{ "fingerprint", set_fingerprint, KEY_NARROWS },
	{ "frame", set_frame, KEY_NARROWS | KEY_REPEATS },
	{ "kind", set_kind, 0 },
	{ "expires", set_expires, 0 },
	{ "reason", set_reason, 0 },
};

static void put_keys(struct str *out, unsigned flags)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if ((keys[i].flags & flags) == flags)
			str_printf(out, "%s%s", out->length ? ", " : "", keys[i].name);
}

static struct error *unknown_key(const struct suppression_lines *lines, const char *word,
				 size_t length)
{
	struct str known = { 0 };
	put_keys(&known, 0);
	struct error *error = error_remedy(
		suppression_line_error(lines, "a suppression has no key \"%.*s\"",
				       (int)(length < 60 ? length : 60), word),
		"use one of %s", str_text(&known));
	str_deinit(&known);
	return error;
}

/* Takes "KEY = VALUE"; `seen` has a bit per key. */
static struct error *parse_assignment(struct suppression *rule,
				      const struct suppression_lines *lines,
				      unsigned *seen)
{
	const char *line = lines->line;
	size_t length = strcspn(line, "= \t");
	const char *value = line + length + strspn(line + length, " \t");
	size_t i = 0;
	if (*value != '=')
		return error_remedy(suppression_line_error(
					    lines, "\"%.60s\" is not KEY = VALUE", line),
				    "a new suppression begins with [NAME]");
	while (i < ARRAY_SIZE(keys) &&
	       (strlen(keys[i].name) != length || strncmp(keys[i].name, line, length)))
		i++;
	if (i == ARRAY_SIZE(keys))
		return unknown_key(lines, line, length);
	if (*seen & (1u << i) && !(keys[i].flags & KEY_REPEATS))
		return error_remedy(suppression_line_error(lines,
							   "the suppression has a second "
							   "\"%s\"",
							   keys[i].name),
				    "make it a suppression of its own: [NAME]");
	*seen |= 1u << i;
	return keys[i].set(rule, lines, value + 1 + strspn(value + 1, " \t"));
}

/* --- sections ----------------------------------------------------------------------- */

/* Cuts the name out of "[name]". */
static struct error *parse_header(const struct suppression_lines *lines, char **name)
{
	size_t length = strlen(lines->line);
	if (lines->line[length - 1] != ']')
		return error_remedy(suppression_line_error(lines,
							   "the name is not closed"),
				    "end it with ]");
	char *from = lines->line + 1, *to = lines->line + length - 1;
	from += strspn(from, " \t");
	while (to > from && isspace((unsigned char)to[-1]))
		to--;
	if (to <= from)
		return error_remedy(suppression_line_error(lines,
							   "the suppression has no name"),
				    "write between [ and ] what it is for");
	*to = '\0';
	*name = from;
	return NULL;
}

static bool narrows(unsigned seen)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (seen & (1u << i) && keys[i].flags & KEY_NARROWS)
			return true;
	return false;
}

static struct error *parse_body(struct suppression *rule, struct suppression_lines *lines)
{
	unsigned seen = 0;
	struct error *error = NULL;
	suppression_lines_next(lines);
	while (!error && lines->line && !suppression_begins(lines->line)) {
		error = parse_assignment(rule, lines, &seen);
		if (!error)
			suppression_lines_next(lines);
	}
	if (!error && rule->frames.nr)
		error = suppression_check_frames(rule);
	if (error || narrows(seen))
		return error;
	struct str some = { 0 };
	put_keys(&some, KEY_NARROWS);
	error = error_remedy(suppression_error(lines->file, rule->told.line,
					       "the suppression does not say what it is "
					       "for"),
			     "add one of %s", str_text(&some));
	str_deinit(&some);
	return error;
}

struct error *suppression_parse_section(struct suppressions *set,
					struct suppression_lines *lines)
{
	char *name = NULL;
	struct suppression rule;
	struct error *error = parse_header(lines, &name);
	if (!error)
		error = suppression_init(&rule, lines, name);
	if (error)
		return error;
	error = parse_body(&rule, lines);
	if (!error)
		return suppressions_add(set, &rule);
	suppression_deinit(&rule);
	return error;
}
