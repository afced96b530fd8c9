/*
 * leak_choice: which leaks are told, and how many: options that the commands share which
 * look for leaks.
 */
#ifndef SEEP_CMD_LEAK_CHOICE_H
#define SEEP_CMD_LEAK_CHOICE_H

#include <limits.h>

#include "cmd/options.h"
#include "seep/leaks.h"

/* Part of a command's struct, from LEAK_CHOICE_INIT to leak_choice_deinit(). */
struct leak_choice {
	unsigned kinds, max_findings, examples;
	bool strict, gen_suppressions;
	/* Each ends with NULL after leak_choice_complete(). */
	struct text_vec excludes, suppressions;
};

#define LEAK_CHOICE_UNSAID UINT_MAX /* an option that was not given */
#define LEAK_CHOICE_INIT                                                                 \
	{                                                                                \
		.max_findings = LEAK_CHOICE_UNSAID                                       \
	}

/* False when memory ran out. */
bool leak_choice_complete(struct leak_choice *choice);
void leak_choice_deinit(struct leak_choice *choice);

/* How many findings are to be listed, 0 for all, in text or in a form for programs. */
unsigned leak_choice_listed(const struct leak_choice *choice, bool is_for_programs);

/* For --kinds; `reachable` is what that kind means. */
#define LEAK_KIND_WORDS(reachable)                                                       \
	{                                                                                \
		{ "definite", SEEP_KIND_DEFINITE, "nothing points at the block" },       \
			{ "indirect", SEEP_KIND_INDIRECT,                                \
			  "only lost blocks point at it" },                              \
			{ "possible", SEEP_KIND_POSSIBLE,                                \
			  "only doubtful pointers lead to it" },                         \
			{ "reachable", SEEP_KIND_REACHABLE, (reachable) },               \
			{ "all",                                                         \
			  SEEP_KIND_DEFINITE | SEEP_KIND_INDIRECT | SEEP_KIND_POSSIBLE | \
				  SEEP_KIND_REACHABLE,                                   \
			  "every kind" },                                                \
			{ 0 },                                                           \
	}

extern const struct option_word leak_choice_all[]; /* for --max-findings */

/* Rows of a command's table of options; `base` is the offset of its choice. */
#define LEAK_OPTION_KINDS(base, kind_words)                                              \
	{                                                                                \
		.name = "kinds", .kind = OPTION_WORDS,                                   \
		.field = (base) + offsetof(struct leak_choice, kinds),                   \
		.argument = "LIST", .words = (kind_words),                               \
		.help = "kinds to list, joined by commas; definite,possible unless said" \
	}
#define LEAK_OPTION_STRICT(base)                                                                   \
	{                                                                                          \
		.name = "strict", .kind = OPTION_FLAG,                                             \
		.field = (base) + offsetof(struct leak_choice, strict),                            \
		.help = "a pointer into the middle of a block makes it only possibly lost, as in " \
			"Memcheck; unless said, such a block counts as reachable"                  \
	}
#define LEAK_OPTION_EXCLUDE(base)                                                                \
	{                                                                                        \
		.name = "exclude", .kind = OPTION_TEXTS,                                         \
		.field = (base) + offsetof(struct leak_choice, excludes),                        \
		.argument = "PATTERN",                                                           \
		.help = "suppress leaks whose type matches, with * and ? as in file names; may " \
			"be repeated"                                                            \
	}
#define LEAK_OPTION_SUPPRESSIONS(base)                                                             \
	{                                                                                          \
		.name = "suppressions", .kind = OPTION_FILES,                                      \
		.field = (base) + offsetof(struct leak_choice, suppressions),                      \
		.argument = "FILE",                                                                \
		.help = "suppress the leaks that a file names, in seep's own form, Valgrind's or " \
			"LeakSanitizer's; may be repeated"                                         \
	}
#define LEAK_OPTION_GEN_SUPPRESSIONS(base)                                                    \
	{                                                                                     \
		.name = "gen-suppressions", .kind = OPTION_FLAG,                              \
		.field = (base) + offsetof(struct leak_choice, gen_suppressions),             \
		.help = "make such a file from what is found: rules after the report, which " \
			"becomes a comment in it"                                             \
	}
#define LEAK_OPTION_MAX_FINDINGS(base, text)                                             \
	{                                                                                \
		.name = "max-findings", .kind = OPTION_COUNT,                            \
		.field = (base) + offsetof(struct leak_choice, max_findings),            \
		.argument = "N", .words = leak_choice_all, .help = (text)                \
	}
#define LEAK_OPTION_EXAMPLES(base)                                                       \
	{                                                                                \
		.name = "examples", .kind = OPTION_COUNT,                                \
		.field = (base) + offsetof(struct leak_choice, examples),                \
		.argument = "N",                                                         \
		.help = "addresses to show of each finding; 3 unless said"               \
	}

#endif
