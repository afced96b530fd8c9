/* options: see options.h. */
#include "cmd/options.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "cmd/suggest.h"

#define MAX_COUNT       1000000000u
#define MAX_DURATION_MS (3600u * 1000)

static const struct option help_option = {
	.name = "help",
	.letter = 'h',
	.kind = OPTION_HELP,
	.help = "show this text",
};

const struct option *options_at(const struct syntax *syntax, size_t i)
{
	size_t nr = 0;
	while (syntax->options && syntax->options[nr].name)
		nr++;
	if (i < nr)
		return &syntax->options[i];
	return i == nr ? &help_option : NULL;
}

/* --- values ------------------------------------------------------------------------- */

static void list_words(struct str *out, const struct option_word *words)
{
	for (size_t i = 0; words[i].word; i++)
		str_printf(out, "%s%s",
			   !i                  ? ""
			   : words[i + 1].word ? ", "
					       : " or ",
			   words[i].word);
}

static struct error *bad_word(const struct option *option, const char *text,
			      size_t length)
{
	struct str all = { 0 };
	list_words(&all, option->words);
	struct error *error =
		error_remedy(error_create(ERROR_USAGE, "--%s does not know \"%.*s\"",
					  option->name, (int)length, text),
			     "use %s", str_text(&all));
	str_deinit(&all);
	return error;
}

static const struct option_word *find_word(const struct option_word *words,
					   const char *text, size_t length)
{
	for (; words && words->word; words++)
		if (strlen(words->word) == length && !strncmp(words->word, text, length))
			return words;
	return NULL;
}

static struct error *set_word(const struct option *option, const char *text, void *field)
{
	const struct option_word *word = find_word(option->words, text, strlen(text));
	if (!word)
		return bad_word(option, text, strlen(text));
	*(unsigned *)field = word->value;
	return NULL;
}

static struct error *set_words(const struct option *option, const char *text, void *field)
{
	unsigned values = 0;
	for (;;) {
		size_t length = strcspn(text, ",");
		const struct option_word *word = find_word(option->words, text, length);
		if (!word)
			return bad_word(option, text, length);
		values |= word->value;
		if (!text[length])
			break;
		text += length + 1;
	}
	*(unsigned *)field = values;
	return NULL;
}

/* False unless text begins with a number of at most `most`; *rest is what follows it. */
static bool parse_number(const char *text, unsigned long most, unsigned *number,
			 const char **rest)
{
	char *end;
	errno = 0;
	unsigned long value = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || errno || value > most)
		return false;
	*number = (unsigned)value;
	*rest = end;
	return true;
}

static struct error *set_count(const struct option *option, const char *text, void *field)
{
	const struct option_word *word = find_word(option->words, text, strlen(text));
	if (word) {
		*(unsigned *)field = word->value;
		return NULL;
	}
	unsigned number;
	const char *rest;
	if (parse_number(text, MAX_COUNT, &number, &rest) && number && !*rest) {
		*(unsigned *)field = number;
		return NULL;
	}
	struct error *error = error_create(ERROR_USAGE, "--%s needs a number, not \"%s\"",
					   option->name, text);
	if (!option->words)
		return error_remedy(error, "give 1 or more");
	return error_remedy(error, "give 1 or more, or %s", option->words->word);
}

struct time_unit {
	const char *name;
	unsigned ms;
};

/* Sets *ms; digits alone are of the first unit. */
static bool parse_time(const char *text, const struct time_unit *units, size_t nr_units,
		       unsigned *ms)
{
	unsigned number;
	const char *rest;
	if (!parse_number(text, MAX_DURATION_MS, &number, &rest))
		return false;
	for (size_t i = 0; i < nr_units; i++) {
		unsigned long product = (unsigned long)number * units[i].ms;
		if (strcmp(rest, units[i].name) || !product || product > MAX_DURATION_MS)
			continue;
		*ms = (unsigned)product;
		return true;
	}
	return false;
}

static struct error *set_duration(const struct option *option, const char *text,
				  void *field)
{
	static const struct time_unit units[] = { { "", 1 }, { "ms", 1 }, { "s", 1000 } };
	if (parse_time(text, units, ARRAY_SIZE(units), field))
		return NULL;
	return error_remedy(error_create(ERROR_USAGE, "--%s needs a duration, not \"%s\"",
					 option->name, text),
			    "give milliseconds or a unit, up to an hour: 200, 200ms, 2s");
}

static struct error *set_size(const struct option *option, const char *text, void *field)
{
	static const struct unit {
		const char *name;
		uint64_t bytes;
	} units[] = {
		{ "", 1 },        { "k", 1000 },       { "K", 1000 },
		{ "M", 1000000 }, { "G", 1000000000 }, { "T", 1000000000000 },
	};
	unsigned number;
	const char *rest;
	if (parse_number(text, MAX_COUNT, &number, &rest) && number) {
		for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
			if (strcmp(rest, units[i].name))
				continue;
			*(uint64_t *)field = number * units[i].bytes;
			return NULL;
		}
	}
	return error_remedy(error_create(ERROR_USAGE, "--%s needs a size, not \"%s\"",
					 option->name, text),
			    "give bytes or a unit of thousands: 4096, 500k, 20M, 2G");
}

static struct error *set_interval(const struct option *option, const char *text,
				  void *field)
{
	static const struct time_unit units[] = {
		{ "", 1000 }, { "s", 1000 }, { "ms", 1 }, { "m", 60000 }, { "h", 3600000 }
	};
	if (parse_time(text, units, ARRAY_SIZE(units), field))
		return NULL;
	return error_remedy(error_create(ERROR_USAGE, "--%s needs a time, not \"%s\"",
					 option->name, text),
			    "give seconds or a unit, up to an hour: 10, 500ms, 5m");
}

static struct error *set_file(const struct option *option, const char *text, void *field)
{
	if (!*text)
		return error_create(ERROR_USAGE, "--%s needs a file name", option->name);
	*(const char **)field = text;
	return NULL;
}

static struct error *set_text(const struct option *option, const char *text, void *field)
{
	if (!*text)
		return error_create(ERROR_USAGE, "--%s needs a value", option->name);
	*(const char **)field = text;
	return NULL;
}

static struct error *add_text(const struct option *option, const char *text, void *field)
{
	const char *what = option->kind == OPTION_FILES ? "file name" : "pattern";
	if (!*text)
		return error_create(ERROR_USAGE, "--%s needs a %s", option->name, what);
	return text_vec_push(field, text) ? NULL : error_no_memory();
}

static struct error *set_flag(const struct option *option, const char *text, void *field)
{
	(void)option;
	(void)text;
	*(bool *)field = true;
	return NULL;
}

static struct error *(*const setters[])(const struct option *option, const char *text,
					void *field) = {
	[OPTION_FLAG] = set_flag,         [OPTION_WORD] = set_word,
	[OPTION_WORDS] = set_words,       [OPTION_COUNT] = set_count,
	[OPTION_DURATION] = set_duration, [OPTION_SIZE] = set_size,
	[OPTION_FILE] = set_file,         [OPTION_FILES] = add_text,
	[OPTION_TEXT] = set_text,         [OPTION_TEXTS] = add_text,
	[OPTION_INTERVAL] = set_interval,
};

/* --- parsing ------------------------------------------------------------------------ */

struct parser {
	const struct syntax *syntax;
	char **at; /* the next word */
	char *values;
	struct operands *operands;
};

/* A word that looks like an option, taken apart: "--max-pause=2s". */
struct option_use {
	const char *word;
	const char *name; /* without dashes */
	size_t name_length;
	const char *value; /* after "=", or NULL */
};

static struct option_use take_apart(const char *word)
{
	struct option_use use = { .word = word };
	use.name = word + strspn(word, "-");
	use.name_length = strcspn(use.name, "=");
	if (use.name[use.name_length] == '=')
		use.value = use.name + use.name_length + 1;
	return use;
}

static bool is_used(const struct option *option, const struct option_use *use)
{
	if (use->name_length == 1 && use->name == use->word + 1)
		return option->letter == *use->name;
	return strlen(option->name) == use->name_length &&
	       !strncmp(option->name, use->name, use->name_length);
}

static struct error *unknown_option(const struct syntax *syntax,
				    const struct option_use *use)
{
	const char *names[64];
	size_t nr = 0;
	const struct option *option;
	while (nr < ARRAY_SIZE(names) && (option = options_at(syntax, nr)))
		names[nr++] = option->name;
	CLEANUP_FREE char *name = strndup(use->name, use->name_length);
	if (!name)
		return error_no_memory();
	const char *nearest = suggest_nearest(name, names, nr);
	struct error *error =
		error_create(ERROR_USAGE, "seep %s has no option %.*s", syntax->name,
			     (int)(use->name + use->name_length - use->word), use->word);
	if (nearest)
		return error_remedy(error, "--%s", nearest);
	return error_remedy(error, "seep %s --help", syntax->name);
}

static struct error *missing_value(const struct option *option)
{
	struct error *error = error_create(ERROR_USAGE, "--%s needs a value: --%s %s",
					   option->name, option->name, option->argument);
	if (!option->words)
		return error;
	struct str all = { 0 };
	list_words(&all, option->words);
	error = error_remedy(error, "use %s", str_text(&all));
	str_deinit(&all);
	return error;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

static struct error *parse_option(struct parser *parser)
{
	struct option_use use = take_apart(*parser->at++);
	const struct option *option;
	for (size_t i = 0; (option = options_at(parser->syntax, i)); i++)
		if (is_used(option, &use))
			break;
	if (!option)
		return unknown_option(parser->syntax, &use);
	if (option->kind == OPTION_HELP) {
		parser->operands->wants_help = true;
		return NULL;
	}
	if (!option->argument && use.value)
		return error_create(ERROR_USAGE, "--%s takes no value", option->name);
	if (option->argument && !use.value) {
		/* What looks like an option is taken for a value only after "=". */
		if (!*parser->at || is_option(*parser->at))
			return missing_value(option);
		use.value = *parser->at++;
	}
	return setters[option->kind](option, use.value, parser->values + option->field);
}

struct error *options_parse(const struct syntax *syntax, char **argv, void *values,
			    struct operands *operands)
{
	struct parser parser = { syntax, argv + 1, values, operands };
	*operands = (struct operands){ .items = argv + 1 };
	while (*parser.at && !operands->has_separator && !operands->wants_help) {
		if (!strcmp(*parser.at, "--")) {
			operands->has_separator = true;
			operands->nr_before = operands->nr;
			parser.at++;
		} else if (is_option(*parser.at)) {
			struct error *error = parse_option(&parser);
			if (error)
				return error;
		} else {
			operands->items[operands->nr++] = *parser.at++;
		}
	}
	if (!operands->has_separator)
		operands->nr_before = operands->nr;
	while (*parser.at)
		operands->items[operands->nr++] = *parser.at++;
	operands->items[operands->nr] = NULL;
	return NULL;
}
