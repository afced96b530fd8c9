/*
 * options: what a command accepts, as one table, from which parsing, --help and shell
 * completion are made.
 *
 * An option is given as --name, --name VALUE or --name=VALUE; one dash will do as well as
 * two (-name). A single letter has a form of its own (-o FILE); letters are not clustered
 * and names are not abbreviated. Options and operands may be mixed; "--" ends the options.
 *
 * To add an option: add a field to the command's struct and a row to its table.
 */
#ifndef SEEP_CMD_OPTIONS_H
#define SEEP_CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"

/* What an option sets, and the type of its field. */
enum option_kind {
	OPTION_FLAG,     /* bool: true */
	OPTION_WORD,     /* unsigned: the value of one word */
	OPTION_WORDS,    /* unsigned: the values of a comma-separated list, joined */
	OPTION_COUNT,    /* unsigned: 1 and more; or the value of one word */
	OPTION_DURATION, /* unsigned: milliseconds; "200", "200ms", "2s" */
	OPTION_SIZE,     /* uint64_t: bytes; "4096", "500k", "20M", "2G", in thousands */
	OPTION_INTERVAL, /* unsigned: milliseconds; "5" and "5s" are seconds */
	OPTION_FILE,     /* const char * */
	OPTION_TEXT,     /* const char *, of what is no file */
	OPTION_FILES,    /* struct text_vec: every use adds one */
	OPTION_TEXTS,    /* the same for what is no file */
	OPTION_HELP,     /* no field: ends parsing */
};

struct option_word {
	const char *word;
	unsigned value;
	const char *help; /* NULL: the word says it */
};

struct option {
	const char *name; /* without dashes */
	char letter;      /* 0: none */
	enum option_kind kind;
	size_t field;         /* its offset in the command's struct */
	const char *argument; /* "LIST"; NULL: takes none */
	const char *help;     /* lower case, no full stop */
	const struct option_word
		*words; /* allowed ones, ended by a NULL word; NULL: any */
};

DEFINE_VEC(text_vec, const char *);

/* What the operands of a command are, for completion. */
enum operand_kind {
	OPERAND_NONE,
	OPERAND_PROCESS,
	OPERAND_TARGET, /* a process or a file */
	OPERAND_FILE,
	OPERAND_COMMAND,
	OPERAND_WORD,
	OPERAND_PROGRAM, /* after "--" */
};

struct example {
	const char *words; /* after "seep " */
	const char *purpose;
};

/* All that a command's help says. Lists end with a zeroed row. */
struct syntax {
	const char *name;             /* "leaks" */
	const char *summary;          /* for the list of commands */
	const char *const *usage;     /* after "seep " */
	const char *about;            /* paragraphs */
	const struct option *options; /* --help is added to them */
	enum operand_kind operand;
	const struct option_word *operand_words; /* for OPERAND_WORD */
	const struct example *examples;
	const struct exit_code {
		int code;
		const char *meaning;
	} * exit_codes;
};

/* What was on a command line besides options; points into argv. */
struct operands {
	char **items; /* before and after "--", in order */
	size_t nr;
	size_t nr_before; /* so many of them stood before "--" */
	bool has_separator;
	bool wants_help;
};

/*
 * Sets fields of `values` (the command's struct, holding its defaults) from argv[1…].
 * Operands are moved to the front of argv; the caller frees nothing but the text_vecs.
 */
struct error *options_parse(const struct syntax *syntax, char **argv, void *values,
			    struct operands *operands) MUST_CHECK;

/* The i-th option, --help last; NULL past the end. */
const struct option *options_at(const struct syntax *syntax, size_t i);

#endif
