/* Tests of cmd/options and cmd/suggest: what a command line may say. */
#include "cmd/options.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "cmd/suggest.h"

struct values {
	unsigned kinds, group, pause, count;
	bool strict;
	const char *output;
	struct text_vec excludes;
};

static const struct option_word kinds[] = {
	{ "one", 1, NULL }, { "two", 2, NULL }, { "all", 3, NULL }, { 0 }
};
static const struct option_word everything[] = { { "all", 0, NULL }, { 0 } };

#define FIELD(name) offsetof(struct values, name)

static const struct option options[] = {
	{ "kinds", 0, OPTION_WORDS, FIELD(kinds), "LIST", "h", kinds },
	{ "group-by", 'g', OPTION_WORD, FIELD(group), "WHAT", "h", kinds },
	{ "max-pause", 0, OPTION_DURATION, FIELD(pause), "TIME", "h", NULL },
	{ "count", 'n', OPTION_COUNT, FIELD(count), "N", "h", everything },
	{ "strict", 's', OPTION_FLAG, FIELD(strict), NULL, "h", NULL },
	{ "output", 'o', OPTION_FILE, FIELD(output), "FILE", "h", NULL },
	{ "exclude", 0, OPTION_TEXTS, FIELD(excludes), "PATTERN", "h", NULL },
	{ 0 },
};

static const struct syntax syntax = { .name = "try", .options = options };

#define MAX_WORDS 16

/* A command line and what became of it. */
struct outcome {
	char *argv[MAX_WORDS + 2];
	struct values values;
	struct operands operands;
	struct error *error;
};

static void parse(struct outcome *outcome, const char *const *words)
{
	*outcome = (struct outcome){ .values.count = 7 };
	outcome->argv[0] = (char *)"try";
	for (size_t i = 0; words[i]; i++) {
		assert_in_range(i, 0, MAX_WORDS - 1);
		outcome->argv[i + 1] = (char *)words[i];
	}
	outcome->error = options_parse(&syntax, outcome->argv, &outcome->values,
				       &outcome->operands);
}

#define PARSE(outcome, ...) parse(outcome, (const char *const[]){ __VA_ARGS__, NULL })

static void done(struct outcome *outcome)
{
	error_destroy(outcome->error);
	text_vec_deinit(&outcome->values.excludes);
}

static void defaults_stay(void **state)
{
	(void)state;
	struct outcome outcome;
	PARSE(&outcome, "412");
	assert_null(outcome.error);
	assert_int_equal(outcome.values.count, 7);
	assert_false(outcome.values.strict);
	assert_int_equal(outcome.operands.nr, 1);
	assert_string_equal(outcome.operands.items[0], "412");
	done(&outcome);
}

static void every_way_to_write_an_option(void **state)
{
	(void)state;
	static const char *const ways[][2] = {
		{ "--output=x", NULL }, { "--output", "x" }, { "-output", "x" },
		{ "-output=x", NULL },  { "-o", "x" },       { "-o=x", NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct outcome outcome;
		PARSE(&outcome, ways[i][0], ways[i][1]);
		assert_null(outcome.error);
		assert_string_equal(outcome.values.output, "x");
		assert_int_equal(outcome.operands.nr, 0);
		done(&outcome);
	}
}

static void options_and_operands_mix(void **state)
{
	(void)state;
	struct outcome outcome;
	PARSE(&outcome, "412", "--strict", "413", "--exclude", "a", "--exclude=b");
	assert_null(outcome.error);
	assert_true(outcome.values.strict);
	assert_int_equal(outcome.operands.nr, 2);
	assert_string_equal(outcome.operands.items[1], "413");
	assert_null(outcome.operands.items[2]);
	assert_int_equal(outcome.values.excludes.nr, 2);
	assert_string_equal(outcome.values.excludes.items[1], "b");
	done(&outcome);
}

static void separator_ends_options(void **state)
{
	(void)state;
	struct outcome outcome;
	PARSE(&outcome, "--strict", "--", "ls", "--strict", "--", "-o");
	assert_null(outcome.error);
	assert_true(outcome.operands.has_separator);
	assert_int_equal(outcome.operands.nr_before, 0);
	assert_int_equal(outcome.operands.nr, 4);
	assert_string_equal(outcome.operands.items[0], "ls");
	assert_string_equal(outcome.operands.items[2], "--");
	assert_null(outcome.values.output);
	done(&outcome);
}

static void a_dash_is_an_operand(void **state)
{
	(void)state;
	struct outcome outcome;
	PARSE(&outcome, "-", "");
	assert_null(outcome.error);
	assert_int_equal(outcome.operands.nr, 2);
	done(&outcome);
}

static void words_join(void **state)
{
	(void)state;
	struct outcome outcome;
	PARSE(&outcome, "--kinds", "one,two", "-g", "two");
	assert_null(outcome.error);
	assert_int_equal(outcome.values.kinds, 3);
	assert_int_equal(outcome.values.group, 2);
	done(&outcome);
}

static void durations_have_units(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned ms;
	} cases[] = {
		{ "1", 1 },     { "200", 200 },       { "200ms", 200 },
		{ "2s", 2000 }, { "3600s", 3600000 }, { "3600000", 3600000 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct outcome outcome;
		PARSE(&outcome, "--max-pause", cases[i].text);
		assert_null(outcome.error);
		assert_int_equal(outcome.values.pause, cases[i].ms);
		done(&outcome);
	}
}

static void counts_have_words(void **state)
{
	(void)state;
	struct outcome outcome;
	PARSE(&outcome, "-n", "all");
	assert_null(outcome.error);
	assert_int_equal(outcome.values.count, 0);
	done(&outcome);
	PARSE(&outcome, "-count", "1000000000");
	assert_null(outcome.error);
	assert_int_equal(outcome.values.count, 1000000000);
	done(&outcome);
}

static void bad_lines_are_refused_with_a_reason(void **state)
{
	(void)state;
	static const struct {
		const char *words[3];
		const char *sentence, *remedy;
	} cases[] = {
		{ { "--stict" }, "seep try has no option --stict", "--strict" },
		{ { "--exclud=x" }, "seep try has no option --exclud", "--exclude" },
		{ { "--zzzzzzz" },
		  "seep try has no option --zzzzzzz",
		  "seep try --help" },
		{ { "-x" }, "seep try has no option -x", "seep try --help" },
		{ { "---" }, "seep try has no option ---", "seep try --help" },
		{ { "--=1" }, "seep try has no option --", "seep try --help" },
		{ { "-ns" }, "seep try has no option -ns", "seep try --help" },
		{ { "--kinds" },
		  "--kinds needs a value: --kinds LIST",
		  "use one, two or all" },
		{ { "-o", "--strict" }, "--output needs a value: --output FILE", NULL },
		{ { "-o", "" }, "--output needs a file name", NULL },
		{ { "--strict=1" }, "--strict takes no value", NULL },
		{ { "--kinds", "one,tow" },
		  "--kinds does not know \"tow\"",
		  "use one, two or all" },
		{ { "--kinds", "one," },
		  "--kinds does not know \"\"",
		  "use one, two or all" },
		{ { "--kinds", "" },
		  "--kinds does not know \"\"",
		  "use one, two or all" },
		{ { "-g", "one,two" },
		  "--group-by does not know \"one,two\"",
		  "use one, two or all" },
		{ { "-n", "0" },
		  "--count needs a number, not \"0\"",
		  "give 1 or more, or all" },
		{ { "-n", "4x" },
		  "--count needs a number, not \"4x\"",
		  "give 1 or more, or all" },
		{ { "-n", " 4" },
		  "--count needs a number, not \" 4\"",
		  "give 1 or more, or all" },
		{ { "-n", "99999999999999999999" },
		  "--count needs a number, not \"99999999999999999999\"",
		  "give 1 or more, or all" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct outcome outcome;
		parse(&outcome, cases[i].words);
		assert_non_null(outcome.error);
		assert_int_equal(outcome.error->code, ERROR_USAGE);
		assert_string_equal(outcome.error->sentence, cases[i].sentence);
		if (cases[i].remedy)
			assert_string_equal(outcome.error->remedy, cases[i].remedy);
		else
			assert_null(outcome.error->remedy);
		done(&outcome);
	}
}

static void bad_durations_are_refused(void **state)
{
	(void)state;
	static const char *const cases[] = { "0",   "0s",   "-1",    "1m",   "ms",
					     "1 s", "1.5s", "3601s", "2sec", "" };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct str word = { 0 };
		str_printf(&word, "--max-pause=%s", cases[i]);
		struct outcome outcome;
		PARSE(&outcome, str_text(&word));
		assert_non_null(outcome.error);
		assert_string_equal(
			outcome.error->remedy,
			"give milliseconds or a unit, up to an hour: 200, 200ms, "
			"2s");
		done(&outcome);
		str_deinit(&word);
	}
}

static void help_ends_parsing(void **state)
{
	(void)state;
	static const char *const ways[] = { "--help", "-help", "-h" };
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct outcome outcome;
		PARSE(&outcome, "412", ways[i], "--nonsense");
		assert_null(outcome.error);
		assert_true(outcome.operands.wants_help);
		done(&outcome);
	}
}

static void suggests_the_nearest(void **state)
{
	(void)state;
	static const char *const names[] = { "leaks", "doctor", "completion", "help" };
	static const struct {
		const char *word, *nearest;
	} cases[] = {
		{ "leak", "leaks" },      { "lekas", "leaks" },
		{ "laeks", "leaks" },     { "docter", "doctor" },
		{ "comp", "completion" }, { "hlep", "help" },
		{ "xyz", NULL },          { "", NULL },
		{ "snapshot", NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *nearest =
			suggest_nearest(cases[i].word, names, ARRAY_SIZE(names));
		if (cases[i].nearest)
			assert_string_equal(nearest, cases[i].nearest);
		else
			assert_null(nearest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_stay),
		cmocka_unit_test(every_way_to_write_an_option),
		cmocka_unit_test(options_and_operands_mix),
		cmocka_unit_test(separator_ends_options),
		cmocka_unit_test(a_dash_is_an_operand),
		cmocka_unit_test(words_join),
		cmocka_unit_test(durations_have_units),
		cmocka_unit_test(counts_have_words),
		cmocka_unit_test(bad_lines_are_refused_with_a_reason),
		cmocka_unit_test(bad_durations_are_refused),
		cmocka_unit_test(help_ends_parsing),
		cmocka_unit_test(suggests_the_nearest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
