/*
 * json_writer: writes one JSON document, two spaces per level, commas where they belong.
 *
 * Every value takes a key, NULL inside arrays. Objects and arrays are opened and closed by
 * the caller; nesting deeper than JSON_WRITER_DEPTH is our own mistake and asserted.
 * Strings may be anything: bytes that are no UTF-8 become U+FFFD, and characters that could
 * steer a terminal are written as \u escapes.
 */
#ifndef SEEP_REPORT_JSON_WRITER_PRIV_H
#define SEEP_REPORT_JSON_WRITER_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define JSON_WRITER_DEPTH 16

struct json_writer {
	struct str out; /* the caller takes it when all is closed */
	unsigned depth;
	char closers[JSON_WRITER_DEPTH];
	bool has_items; /* the innermost object or array is not empty */
	bool one_line;  /* for streams of documents: no line breaks but the last */
};

void json_open_object(struct json_writer *json, const char *key);
void json_open_array(struct json_writer *json, const char *key);
/* Ends the innermost object or array; the outermost with a newline. */
void json_close(struct json_writer *json);

/* text NULL: null */
void json_string(struct json_writer *json, const char *key, const char *text);
/* A string like "0x00005581a2b3c4d0"; `digits` is the least number of digits. */
void json_hex(struct json_writer *json, const char *key, uint64_t value, unsigned digits);
void json_integer(struct json_writer *json, const char *key, uint64_t value);
void json_signed(struct json_writer *json, const char *key, int64_t value);
/* With `decimals` digits after the point; what is no number is null. */
void json_number(struct json_writer *json, const char *key, double value,
		 unsigned decimals);
/* With as many digits as it takes to read back the same; what is no number is null. */
void json_real(struct json_writer *json, const char *key, double value);
void json_bool(struct json_writer *json, const char *key, bool value);
void json_null(struct json_writer *json, const char *key);

#endif
