/* block_filter: see block_filter.h. */
#include "views/block_filter.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/wildcard.h"

enum value_kind { VALUE_NAME, VALUE_NUMBER, VALUE_TIME, VALUE_NONE };

static const struct {
	const char *word;
	enum filter_field field;
	enum value_kind value;
} fields[] = {
	{ "type", FILTER_TYPE, VALUE_NAME },
	{ "root", FILTER_ROOT, VALUE_NAME },
	{ "site", FILTER_SITE, VALUE_NAME },
	{ "size", FILTER_SIZE, VALUE_NUMBER },
	{ "requested", FILTER_REQUESTED, VALUE_NUMBER },
	{ "age", FILTER_AGE, VALUE_TIME },
	{ "retained", FILTER_RETAINED, VALUE_NUMBER },
	{ "address", FILTER_ADDRESS, VALUE_NUMBER },
	{ "lost", FILTER_LOST, VALUE_NONE },
	{ "live", FILTER_LIVE, VALUE_NONE },
};

/* Longer ones come before those that they begin with. */
static const struct {
	const char *word;
	enum filter_operator op;
	enum value_kind value;
} operators[] = {
	{ "!=", FILTER_UNEQUAL, VALUE_NONE /* either */ },
	{ "!~", FILTER_UNMATCH, VALUE_NAME },
	{ "<=", FILTER_LESS_EQUAL, VALUE_NUMBER },
	{ ">=", FILTER_MORE_EQUAL, VALUE_NUMBER },
	{ "=", FILTER_EQUAL, VALUE_NONE /* either */ },
	{ "~", FILTER_MATCH, VALUE_NAME },
	{ "<", FILTER_LESS, VALUE_NUMBER },
	{ ">", FILTER_MORE, VALUE_NUMBER },
};

/* What is left of the text. */
struct parser {
	const char *at;
	struct block_filter *filter;
};

static struct error *nonsense(const char *what, const char *where)
{
	return error_remedy(error_create(ERROR_USAGE, "the filter %s at \"%.40s\"", what,
					 where),
			    "conditions like type~^Node size>1k retained>=1M "
			    "root=app:cache lost, with \"or\" between alternatives");
}

static size_t word_length(const char *text)
{
	size_t length = 0;
	while (isalpha((unsigned char)text[length]))
		length++;
	return length;
}

static bool is_word(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && !strncmp(text, word, length);
}

/* --- values -------------------------------------------------------------------------- */

/* Up to the next space, or what stands between quotes. */
static struct error *take_value(struct parser *parser, char **value)
{
	const char *start = parser->at;
	if (*start == '"') {
		const char *end = strchr(start + 1, '"');
		if (!end)
			return nonsense("has a quote that does not end", start);
		*value = strndup(start + 1, (size_t)(end - start - 1));
		parser->at = end + 1;
	} else {
		size_t length = strcspn(start, " \t\n");
		if (!length)
			return nonsense("lacks a value", start - 1);
		*value = strndup(start, length);
		parser->at = start + length;
	}
	return *value ? NULL : error_no_memory();
}

struct value_unit {
	const char *word;
	uint64_t factor;
};

static const struct value_unit number_units[] = {
	{ "", 1 }, { "k", 1000 }, { "M", 1000000 }, { "G", 1000000000 }, { 0 }
};
/* Milliseconds. */
static const struct value_unit time_units[] = { { "ms", 1 },       { "s", 1000 },
						{ "m", 60000 },    { "h", 3600000 },
						{ "d", 86400000 }, { 0 } };

static struct error *parse_number(const char *text, const struct value_unit *unit,
				  uint64_t *number)
{
	char *end = NULL;
	assert(text);
	errno = 0;
	*number = strtoull(text, &end, strncmp(text, "0x", 2) ? 10 : 16);
	if (!isdigit((unsigned char)text[0]) || errno)
		return nonsense("has no number", text);
	while (unit->word && strcmp(end, unit->word) != 0)
		unit++;
	if (!unit->word || __builtin_mul_overflow(*number, unit->factor, number))
		return nonsense(unit->factor ? "has too large a number"
					     : "has a number of no unit that is known",
				text);
	return NULL;
}

/* glibc takes ages, and all memory, for repetitions of repetitions. */
#define REPETITIONS_MAX 16u

static bool repeats_too_often(const char *pattern)
{
	static const char repetitions[] = "*+?{";
	unsigned nr = 0;
	for (const char *at = pattern; *at; at++) {
		if (!strchr(repetitions, *at))
			continue;
		if (at > pattern && at[-1] != '\\' && strchr("*+?}", at[-1]))
			return true;
		if (++nr > REPETITIONS_MAX)
			return true;
	}
	return false;
}

static struct error *compile(struct filter_condition *condition)
{
	assert(condition->text);
	if (strlen(condition->text) > BLOCK_PATTERN_BYTES)
		return nonsense("has a pattern that is too long", condition->text);
	if (repeats_too_often(condition->text))
		return nonsense("repeats what is repeated, or too often,",
				condition->text);
	if (regcomp(&condition->regex, condition->text, REG_EXTENDED | REG_NOSUB))
		return nonsense("has no regular expression", condition->text);
	condition->has_regex = true;
	return NULL;
}

static struct error *parse_value(struct parser *parser, enum value_kind kind,
				 struct filter_condition *condition)
{
	struct error *error = take_value(parser, &condition->text);
	if (!error && kind != VALUE_NAME)
		error = parse_number(condition->text,
				     kind == VALUE_TIME ? time_units : number_units,
				     &condition->number);
	bool is_pattern = condition->op == FILTER_MATCH ||
			  condition->op == FILTER_UNMATCH;
	return error || !is_pattern ? error : compile(condition);
}

/* --- conditions ---------------------------------------------------------------------- */

static struct error *parse_operator(struct parser *parser, enum value_kind kind,
				    struct filter_condition *condition)
{
	kind = kind == VALUE_TIME ? VALUE_NUMBER : kind;
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		size_t length = strlen(operators[i].word);
		if (strncmp(parser->at, operators[i].word, length) != 0)
			continue;
		if (operators[i].value != VALUE_NONE && operators[i].value != kind)
			return nonsense("compares in a way that its field does not know",
					parser->at);
		condition->op = operators[i].op;
		parser->at += length;
		return NULL;
	}
	return nonsense("lacks an operator", parser->at);
}

static struct error *parse_condition(struct parser *parser,
				     struct filter_condition *condition)
{
	size_t length = word_length(parser->at);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!is_word(parser->at, length, fields[i].word))
			continue;
		condition->field = fields[i].field;
		condition->op = FILTER_IS;
		parser->at += length;
		if (fields[i].value == VALUE_NONE)
			return NULL;
		struct error *error = parse_operator(parser, fields[i].value, condition);
		return error ? error : parse_value(parser, fields[i].value, condition);
	}
	return nonsense("has no field", parser->at);
}

static void condition_deinit(struct filter_condition *condition)
{
	free(condition->text);
	if (condition->has_regex)
		regfree(&condition->regex);
}

static void skip_spaces(struct parser *parser)
{
	parser->at += strspn(parser->at, " \t\n");
}

/* Whether "or" stands here; it is passed. */
static bool take_or(struct parser *parser)
{
	if (!is_word(parser->at, word_length(parser->at), "or"))
		return false;
	parser->at += 2;
	skip_spaces(parser);
	return true;
}

static struct error *parse(struct parser *parser)
{
	struct block_filter *filter = parser->filter;
	skip_spaces(parser);
	while (*parser->at) {
		struct filter_condition condition = {
			.alternative = filter->nr_alternatives - 1,
		};
		struct error *error = parse_condition(parser, &condition);
		if (!error && *parser->at && !strchr(" \t\n", *parser->at))
			error = nonsense("lacks a space", parser->at);
		if (!error && !filter_condition_vec_push(&filter->conditions, condition))
			error = error_no_memory();
		if (error) {
			condition_deinit(&condition);
			return error;
		}
		skip_spaces(parser);
		if (!take_or(parser))
			continue;
		filter->nr_alternatives++;
		if (!*parser->at)
			return nonsense("ends", "or");
	}
	return filter->conditions.nr ? NULL : nonsense("is empty", "");
}

struct error *block_filter_parse(const char *text, struct block_filter *filter)
{
	*filter = (struct block_filter){ .nr_alternatives = 1 };
	struct parser parser = { .at = text, .filter = filter };
	if (strlen(text) > BLOCK_FILTER_BYTES)
		return nonsense("is too long", text);
	struct error *error = parse(&parser);
	if (error)
		block_filter_deinit(filter);
	return error;
}

void block_filter_deinit(struct block_filter *filter)
{
	for (size_t i = 0; i < filter->conditions.nr; i++)
		condition_deinit(&filter->conditions.items[i]);
	filter_condition_vec_deinit(&filter->conditions);
	*filter = (struct block_filter){ 0 };
}

/* --- what holds ---------------------------------------------------------------------- */

/* "class Node" is called "Node" too, and so are patterns asked. */
static const char *short_name(const char *name)
{
	static const char class[] = "class ";
	return !strncmp(name, class, sizeof(class) - 1) ? name + sizeof(class) - 1 : NULL;
}

static bool is_named(const struct filter_condition *condition, const char *name)
{
	if (condition->has_regex)
		return !regexec(&condition->regex, name, 0, NULL, 0);
	return wildcard_matches(condition->text, name);
}

bool filter_condition_names(const struct filter_condition *condition, const char *name)
{
	bool negated = condition->op == FILTER_UNEQUAL || condition->op == FILTER_UNMATCH;
	const char *other = name ? short_name(name) : NULL;
	bool matches = name && (is_named(condition, name) ||
				(other && is_named(condition, other)));
	return matches != negated;
}

static bool compare(enum filter_operator op, uint64_t left, uint64_t right)
{
	switch (op) {
	case FILTER_EQUAL:
		return left == right;
	case FILTER_UNEQUAL:
		return left != right;
	case FILTER_LESS:
		return left < right;
	case FILTER_LESS_EQUAL:
		return left <= right;
	case FILTER_MORE:
		return left > right;
	case FILTER_MORE_EQUAL:
		return left >= right;
	default:
		return false;
	}
}

bool filter_condition_holds(const struct filter_condition *condition,
			    const struct filter_subject *subject)
{
	switch (condition->field) {
	case FILTER_SIZE:
		return compare(condition->op, subject->size, condition->number);
	case FILTER_REQUESTED:
		return subject->has_request &&
		       compare(condition->op, subject->requested, condition->number);
	case FILTER_AGE:
		return subject->has_age &&
		       compare(condition->op, subject->age_ms, condition->number);
	case FILTER_RETAINED:
		return compare(condition->op, subject->retained, condition->number);
	case FILTER_ADDRESS:
		return compare(condition->op, subject->address, condition->number);
	case FILTER_LOST:
		return !subject->is_live;
	case FILTER_LIVE:
		return subject->is_live;
	default:
		return false;
	}
}
