/* functions: see functions.h. */
#include "query/functions.h"

#include <inttypes.h>
#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/vec.h"

static void tell_address(sqlite3_context *out, int nr, sqlite3_value **values)
{
	(void)nr;
	char text[32];
	if (sqlite3_value_numeric_type(values[0]) != SQLITE_INTEGER)
		return;
	snprintf(text, sizeof(text), "0x%" PRIx64,
		 (uint64_t)sqlite3_value_int64(values[0]));
	sqlite3_result_text(out, text, -1, SQLITE_TRANSIENT);
}

static void free_expression(void *expression)
{
	regfree(expression);
	free(expression);
}

/* NULL: what is wrong is said. */
static regex_t *compile(sqlite3_context *out, const char *text)
{
	regex_t *expression = malloc(sizeof(*expression));
	if (!expression) {
		sqlite3_result_error_nomem(out);
		return NULL;
	}
	int wrong = regcomp(expression, text, REG_EXTENDED | REG_NOSUB);
	if (!wrong)
		return expression;
	char why[128];
	regerror(wrong, expression, why, sizeof(why));
	free(expression);
	char *message = sqlite3_mprintf("\"%s\" is no regular expression: %s", text, why);
	sqlite3_result_error(out, message ? message : "out of memory", -1);
	sqlite3_free(message);
	return NULL;
}

/* "x REGEXP y" calls regexp(y, x). SQLite keeps the compiled expression while y is the same. */
static void match(sqlite3_context *out, int nr, sqlite3_value **values)
{
	(void)nr;
	const char *pattern = (const char *)sqlite3_value_text(values[0]);
	const char *text = (const char *)sqlite3_value_text(values[1]);
	if (!pattern || !text)
		return;
	regex_t *kept = sqlite3_get_auxdata(out, 0);
	regex_t *expression = kept ? kept : compile(out, pattern);
	if (!expression)
		return;
	sqlite3_result_int(out, regexec(expression, text, 0, NULL, 0) == 0);
	if (!kept)
		sqlite3_set_auxdata(out, 0, expression, free_expression);
}

static const struct {
	const char *name;
	int nr_arguments;
	void (*call)(sqlite3_context *out, int nr, sqlite3_value **values);
} functions[] = {
	{ "address", 1, tell_address },
	{ "regexp", 2, match },
};

struct error *query_functions_open(sqlite3 *database)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (sqlite3_create_function_v2(
			    database, functions[i].name, functions[i].nr_arguments,
			    SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL,
			    functions[i].call, NULL, NULL, NULL) != SQLITE_OK)
			return error_no_memory();
	return NULL;
}
