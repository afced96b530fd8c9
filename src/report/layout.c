/* layout: see layout.h. */
#include "report/layout.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/vec.h"
#include "report/report.h"
#include "report/utf8_priv.h"

#define DEFAULT_WIDTH 80
#define LEAST_ROOM    8 /* a box narrower than this is treated as this wide */

static const char *const colour_codes[] = {
	[LAYOUT_NONE] = "",          [LAYOUT_BOLD] = "\033[1m",
	[LAYOUT_DIM] = "\033[2m",    [LAYOUT_RED] = "\033[31m",
	[LAYOUT_GREEN] = "\033[32m", [LAYOUT_YELLOW] = "\033[33m",
};

void layout_colour(struct str *out, unsigned flags, enum layout_colour colour)
{
	if (flags & REPORT_COLOUR)
		str_puts(out, colour_codes[colour]);
}

void layout_plain(struct str *out, unsigned flags)
{
	if (flags & REPORT_COLOUR)
		str_puts(out, "\033[0m");
}

static void escape_byte(struct str *out, unsigned char byte)
{
	if (byte == '\n')
		str_puts(out, "\\n");
	else if (byte == '\t')
		str_puts(out, "\\t");
	else
		str_printf(out, "\\x%02x", byte);
}

void layout_escape(struct str *out, const char *text, unsigned flags)
{
	while (*text) {
		size_t size;
		uint32_t code_point = utf8_decode(text, &size);
		bool is_foreign = (flags & REPORT_ASCII) && code_point > 0x7f;
		if (code_point == UTF8_INVALID ||
		    (size == 1 && utf8_is_hidden(code_point)))
			escape_byte(out, (unsigned char)*text);
		else if (is_foreign || utf8_is_hidden(code_point))
			str_printf(out, "\\u{%" PRIx32 "}", code_point);
		else
			str_append(out, text, size);
		text += size;
	}
}

unsigned layout_columns(const char *text)
{
	unsigned columns = 0;
	for (size_t size; *text; text += size, columns++)
		utf8_decode(text, &size);
	return columns;
}

void layout_spaces(struct str *out, unsigned nr)
{
	str_printf(out, "%*s", (int)nr, "");
}

void layout_right(struct str *out, const char *text, unsigned width)
{
	unsigned columns = layout_columns(text);
	layout_spaces(out, columns < width ? width - columns : 0);
	str_puts(out, text);
}

/* A line being filled. */
struct filler {
	struct str *out;
	unsigned indent, width;
	unsigned column;
	bool is_empty; /* nothing but the indent stands on this line */
};

static void filler_new_line(struct filler *filler)
{
	str_puts(filler->out, "\n");
	filler->column = 0;
	filler->is_empty = true;
}

static void filler_indent(struct filler *filler)
{
	if (filler->column < filler->indent) {
		layout_spaces(filler->out, filler->indent - filler->column);
		filler->column = filler->indent;
	}
}

static unsigned word_columns(const char *word, size_t length)
{
	unsigned columns = 0;
	for (size_t at = 0, size; at < length; at += size, columns++)
		utf8_decode(word + at, &size);
	return columns;
}

/* How much of a long word goes into `room` columns: up to the last punctuation in the second
   half of the room, where names are best broken, or all that fits. */
static size_t piece_length(const char *word, size_t length, unsigned room)
{
	size_t at = 0, best = 0, size;
	for (unsigned column = 0; at < length && column < room; column++, at += size) {
		utf8_decode(word + at, &size);
		if (column + 1 >= room / 2 && strchr("<>,:/`(", word[at]))
			best = at + size;
	}
	return at == length || !best ? at : best;
}

/* Appends a word that fits no line, in pieces. */
static void filler_put_long(struct filler *filler, const char *word, size_t length)
{
	while (length) {
		size_t piece = piece_length(word, length, filler->width - filler->column);
		str_append(filler->out, word, piece);
		filler->column += word_columns(word, piece);
		word += piece;
		length -= piece;
		if (length) {
			filler_new_line(filler);
			filler_indent(filler);
		}
	}
	filler->is_empty = false;
}

static void filler_put(struct filler *filler, const char *word, size_t length)
{
	unsigned columns = word_columns(word, length);
	unsigned gap = filler->is_empty ? 0 : 1;
	bool is_long = columns > filler->width - filler->indent;
	bool fits = filler->column + gap + columns <= filler->width;
	bool worth_starting = filler->column + gap + LEAST_ROOM <= filler->width;
	if (!filler->is_empty && !fits && !(is_long && worth_starting)) {
		filler_new_line(filler);
		gap = 0;
	}
	filler_indent(filler);
	layout_spaces(filler->out, gap);
	filler->column += gap;
	if (is_long) {
		filler_put_long(filler, word, length);
		return;
	}
	str_append(filler->out, word, length);
	filler->column += columns;
	filler->is_empty = false;
}

/* Whether the space at text[at] stands between a number and its unit. */
static bool joins_unit(const char *text, size_t at)
{
	static const char *const units[] = { "B",  "kB", "MB", "GB", "TB",
					     "PB", "EB", "ms", "%" };
	if (!at || !isdigit((unsigned char)text[at - 1]))
		return false;
	const char *unit = text + at + 1;
	size_t length = strcspn(unit, " \n,;:.()");
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strlen(units[i]) == length && !strncmp(units[i], unit, length))
			return true;
	return false;
}

/* How much of the text must stay on one line. */
static size_t word_length(const char *text)
{
	size_t length = strcspn(text, " \n");
	while (text[length] == ' ' && joins_unit(text, length))
		length += 1 + strcspn(text + length + 1, " \n");
	return length;
}

void layout_wrap(struct str *out, const char *text, struct layout_box box)
{
	unsigned width = box.width ? box.width : DEFAULT_WIDTH;
	if (width < box.indent + LEAST_ROOM)
		width = box.indent + LEAST_ROOM;
	struct filler filler = {
		.out = out,
		.indent = box.indent,
		.width = width,
		.column = box.column,
		.is_empty = true,
	};
	if (box.column >= width)
		filler_new_line(&filler);
	while (*text) {
		size_t length = word_length(text);
		if (length)
			filler_put(&filler, text, length);
		text += length;
		if (*text == '\n')
			filler_new_line(&filler);
		if (*text)
			text++;
	}
	str_puts(out, "\n");
}

void layout_wrap_coloured(struct str *out, const char *text, struct layout_box box,
			  unsigned flags, enum layout_colour colour)
{
	struct str lines = { 0 };
	layout_wrap(&lines, text, box);
	for (const char *line = str_text(&lines); *line;) {
		size_t length = strcspn(line, "\n");
		layout_colour(out, flags, colour);
		str_append(out, line, length);
		layout_plain(out, flags);
		str_puts(out, "\n");
		line += length + (line[length] == '\n');
	}
	out->failed |= lines.failed;
	str_deinit(&lines);
}

void layout_bytes(struct str *out, uint64_t bytes)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
	if (bytes < 1000) {
		str_printf(out, "%" PRIu64 " B", bytes);
		return;
	}
	double value = (double)bytes / 1000;
	size_t unit = 0;
	for (; value >= 999.5 && unit + 1 < ARRAY_SIZE(units); unit++)
		value /= 1000;
	str_printf(out, value < 99.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

void layout_count(struct str *out, uint64_t count)
{
	if (count >= 1000) {
		layout_count(out, count / 1000);
		str_printf(out, ",%03" PRIu64, count % 1000);
	} else {
		str_printf(out, "%" PRIu64, count);
	}
}

void layout_plural(struct str *out, uint64_t count, const char *noun)
{
	if (count)
		layout_count(out, count);
	else
		str_puts(out, "no");
	str_printf(out, " %s%s", noun, count == 1 ? "" : "s");
}
