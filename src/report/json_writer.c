/* json_writer: see json_writer_priv.h. */
#include "report/json_writer_priv.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h> /* isfinite */
#include <string.h>

#include "report/layout.h"
#include "report/utf8_priv.h"

static void json_escape_code_point(struct str *out, uint32_t code_point)
{
	if (code_point < 0x10000) {
		str_printf(out, "\\u%04" PRIx32, code_point);
		return;
	}
	uint32_t rest = code_point - 0x10000;
	str_printf(out, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xd800 + (rest >> 10),
		   0xdc00 + (rest & 0x3ff));
}

static void json_quote(struct str *out, const char *text)
{
	str_puts(out, "\"");
	for (size_t size; *text; text += size) {
		uint32_t code_point = utf8_decode(text, &size);
		if (code_point == UTF8_INVALID)
			str_puts(out, "\\ufffd");
		else if (code_point == '"' || code_point == '\\')
			str_printf(out, "\\%c", *text);
		else if (utf8_is_hidden(code_point))
			json_escape_code_point(out, code_point);
		else
			str_append(out, text, size);
	}
	str_puts(out, "\"");
}

/* A new line at the present depth. */
static void json_break(struct json_writer *json)
{
	if (json->one_line)
		return;
	str_puts(&json->out, "\n");
	layout_spaces(&json->out, 2 * json->depth);
}

/* Comma, line, indent and key: all that stands before a value. */
static void json_begin(struct json_writer *json, const char *key)
{
	if (json->has_items)
		str_puts(&json->out, json->one_line ? ", " : ",");
	if (json->depth)
		json_break(json);
	if (key) {
		json_quote(&json->out, key);
		str_puts(&json->out, ": ");
	}
	json->has_items = true;
}

static void json_open(struct json_writer *json, const char *key, const char *opener,
		      char closer)
{
	assert(json->depth < JSON_WRITER_DEPTH);
	json_begin(json, key);
	str_puts(&json->out, opener);
	json->closers[json->depth++] = closer;
	json->has_items = false;
}

void json_open_object(struct json_writer *json, const char *key)
{
	json_open(json, key, "{", '}');
}

void json_open_array(struct json_writer *json, const char *key)
{
	json_open(json, key, "[", ']');
}

void json_close(struct json_writer *json)
{
	assert(json->depth > 0);
	json->depth--;
	if (json->has_items)
		json_break(json);
	str_append(&json->out, &json->closers[json->depth], 1);
	if (!json->depth)
		str_puts(&json->out, "\n");
	json->has_items = true;
}

void json_string(struct json_writer *json, const char *key, const char *text)
{
	if (!text) {
		json_null(json, key);
		return;
	}
	json_begin(json, key);
	json_quote(&json->out, text);
}

void json_hex(struct json_writer *json, const char *key, uint64_t value, unsigned digits)
{
	json_begin(json, key);
	str_printf(&json->out, "\"0x%0*" PRIx64 "\"", (int)digits, value);
}

void json_integer(struct json_writer *json, const char *key, uint64_t value)
{
	json_begin(json, key);
	str_printf(&json->out, "%" PRIu64, value);
}

void json_signed(struct json_writer *json, const char *key, int64_t value)
{
	json_begin(json, key);
	str_printf(&json->out, "%" PRId64, value);
}

void json_number(struct json_writer *json, const char *key, double value,
		 unsigned decimals)
{
	if (!isfinite(value)) {
		json_null(json, key);
		return;
	}
	json_begin(json, key);
	str_printf(&json->out, "%.*f", (int)decimals, value);
}

void json_real(struct json_writer *json, const char *key, double value)
{
	if (!isfinite(value)) {
		json_null(json, key);
		return;
	}
	json_begin(json, key);
	str_printf(&json->out, "%.17g", value);
}

void json_bool(struct json_writer *json, const char *key, bool value)
{
	json_begin(json, key);
	str_puts(&json->out, value ? "true" : "false");
}

void json_null(struct json_writer *json, const char *key)
{
	json_begin(json, key);
	str_puts(&json->out, "null");
}
