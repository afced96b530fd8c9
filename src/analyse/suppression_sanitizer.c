/*
 * suppression_sanitizer: the rules of LeakSanitizer and its siblings, one per line.
 *
 *	leak:PATTERN
 *
 * The pattern may match any part of a frame's function, source file or module; * stands for
 * any characters, ^ and $ for the beginning and the end. (No name has a ?, which would stand
 * for any one character here.) Lines for other sanitizers match nothing.
 */
#include <string.h>

#include "analyse/suppressions_priv.h"
#include "base/str.h"

static const char leak[] = "leak";

/* The other words that sanitizers know, each its own; UBSan's are those of its checks. */
static const char *const other_words[] = {
	/* address */
	"interceptor_name",
	"interceptor_via_fun",
	"interceptor_via_lib",
	"odr_violation",
	"alloc_dealloc_mismatch",
	/* thread */
	"race",
	"race_top",
	"mutex",
	"thread",
	"signal",
	"deadlock",
	"called_from_lib",
	/* realtime */
	"call-stack-contains",
	"function-name-matches",
	/* undefined behaviour */
	"undefined",
	"alignment",
	"array-bounds",
	"bool",
	"bounds",
	"builtin",
	"cfi",
	"enum",
	"float-cast-overflow",
	"float-divide-by-zero",
	"function",
	"implicit-bitfield-conversion",
	"implicit-conversion",
	"implicit-integer-sign-change",
	"implicit-signed-integer-truncation",
	"implicit-unsigned-integer-truncation",
	"integer",
	"integer-divide-by-zero",
	"invalid-builtin-use",
	"invalid-objc-cast",
	"local-bounds",
	"nonnull-attribute",
	"null",
	"nullability-arg",
	"nullability-assign",
	"nullability-return",
	"object-size",
	"objc-cast",
	"pointer-overflow",
	"return",
	"returns-nonnull-attribute",
	"shift",
	"shift-base",
	"shift-exponent",
	"signed-integer-overflow",
	"unreachable",
	"unsigned-integer-overflow",
	"unsigned-shift-base",
	"vla-bound",
	"vptr",
	"vptr_check",
};

static bool is_word(const char *line, const char *word)
{
	size_t length = strlen(word);
	return !strncmp(line, word, length) && line[length] == ':';
}

static bool is_for_others(const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(other_words); i++)
		if (is_word(line, other_words[i]))
			return true;
	return false;
}

/* Their pattern for a part of a name becomes one of ours for the whole. */
static struct error *add_pattern(struct suppression *rule, const char *pattern)
{
	size_t length = strlen(pattern);
	bool at_start = *pattern == '^', at_end = length && pattern[length - 1] == '$';
	struct str whole = { 0 };
	str_puts(&whole, at_start ? "" : "*");
	if (length > (size_t)at_start + at_end)
		str_append(&whole, pattern + at_start, length - at_start - at_end);
	str_puts(&whole, at_end ? "" : "*");
	struct error *error = suppression_push_frame(rule, PART_FRAMES, NULL);
	if (!error)
		error = whole.failed ? error_no_memory()
				     : suppression_push_frame(rule, PART_ANY,
							      str_text(&whole));
	str_deinit(&whole);
	return error;
}

struct error *suppression_parse_sanitizer(struct suppressions *set,
					  struct suppression_lines *lines)
{
	const char *line = lines->line;
	struct suppression rule;
	bool is_leak = is_word(line, leak);
	if (!is_leak && !is_for_others(line))
		return error_remedy(suppression_line_error(lines,
							   "no sanitizer suppresses "
							   "\"%.*s:\"",
							   (int)strcspn(line, ":"), line),
				    "for a leak, write leak:PATTERN");
	struct error *error = suppression_init(&rule, lines, line);
	if (error)
		return error;
	if (is_leak)
		error = add_pattern(&rule, line + sizeof(leak));
	else
		rule.told.state = SUPPRESSION_NOT_ABOUT_LEAKS;
	if (error) {
		suppression_deinit(&rule);
		return error;
	}
	suppression_lines_next(lines);
	return suppressions_add(set, &rule);
}
