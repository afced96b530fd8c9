/*
 * block_filter: which blocks count: "type~^Node size>1k or root=cache".
 *
 * A filter is conditions side by side, all of which must hold; "or" stands between alternatives. A condition is
 * a field, an operator and a value, without spaces unless the value is in double quotes:
 *
 *	type root site	= != (whole names, * for any letters), ~ !~ (extended regular expressions)
 *	size requested retained address	= != < <= > >= (1k is 1000, 1M, 1G; addresses 0x…)
 *	age	the same (10s, 5m, 2h, 100ms)
 *	lost live	alone
 */
#ifndef SEEP_VIEWS_BLOCK_FILTER_H
#define SEEP_VIEWS_BLOCK_FILTER_H

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"

/* What a filter may say in all, and one regular expression. */
#define BLOCK_FILTER_BYTES  4096u
#define BLOCK_PATTERN_BYTES 256u

enum filter_field {
	FILTER_TYPE,
	FILTER_ROOT,
	FILTER_SITE,
	FILTER_SIZE,
	FILTER_REQUESTED,
	FILTER_AGE, /* milliseconds */
	FILTER_RETAINED,
	FILTER_ADDRESS,
	FILTER_LOST,
	FILTER_LIVE,
};

enum filter_operator {
	FILTER_EQUAL,
	FILTER_UNEQUAL,
	FILTER_MATCH,
	FILTER_UNMATCH,
	FILTER_LESS,
	FILTER_LESS_EQUAL,
	FILTER_MORE,
	FILTER_MORE_EQUAL,
	FILTER_IS, /* of a word alone */
};

struct filter_condition {
	enum filter_field field;
	enum filter_operator op;
	unsigned alternative; /* counted from 0 */
	uint64_t number;
	char *text; /* owned */
	regex_t regex;
	bool has_regex;
};
DEFINE_VEC(filter_condition_vec, struct filter_condition);

struct block_filter {
	struct filter_condition_vec conditions;
	unsigned nr_alternatives;
};

/* What a condition may be about. */
struct filter_subject {
	uint64_t size, retained, address;
	bool is_live;
	/* Where they are not known no condition of them holds. */
	bool has_request, has_age;
	uint64_t requested, age_ms;
};

struct error *block_filter_parse(const char *text,
				 struct block_filter *filter) MUST_CHECK;
void block_filter_deinit(struct block_filter *filter);

/* Of type, root and site: by the name (NULL: it has none). Whoever asks may remember the answers. */
bool filter_condition_names(const struct filter_condition *condition, const char *name);
/* Of the other fields. */
bool filter_condition_holds(const struct filter_condition *condition,
			    const struct filter_subject *subject);

static inline bool filter_condition_is_of_name(const struct filter_condition *condition)
{
	return condition->field == FILTER_TYPE || condition->field == FILTER_ROOT ||
	       condition->field == FILTER_SITE;
}

#endif
