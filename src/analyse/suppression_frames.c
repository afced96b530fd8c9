/* suppression_frames: the frames of a rule, and whether a call stack has them. */
#include <stdlib.h>
#include <string.h>

#include "analyse/suppressions_priv.h"
#include "base/wildcard.h"
#include "sym/symbols.h"

static const struct part_word {
	const char *word;
	enum suppression_part part;
} part_words[] = {
	{ "fun:", PART_FUNCTION },
	{ "obj:", PART_MODULE },
	{ "src:", PART_SOURCE },
};

/* Stacks have readable names; Valgrind's rules have the linker's. A pattern can be read only when it
   is a whole name. */
static char *readable_pattern(enum suppression_part part, const char *pattern)
{
	bool is_name = part == PART_FUNCTION && !strncmp(pattern, "_Z", 2) &&
		       !strpbrk(pattern, "*?");
	return is_name ? symbols_demangle(pattern) : strdup(pattern);
}

struct error *suppression_push_frame(struct suppression *rule, enum suppression_part part,
				     const char *pattern)
{
	struct suppression_frame frame = { part, pattern ? readable_pattern(part, pattern)
							 : NULL };
	if ((!pattern || frame.pattern) &&
	    suppression_frame_vec_push(&rule->frames, frame))
		return NULL;
	free(frame.pattern);
	return error_no_memory();
}

struct error *suppression_add_frame(struct suppression *rule,
				    const struct suppression_lines *lines,
				    const char *text)
{
	if (rule->frames.nr == SUPPRESSION_FRAMES_MAX)
		return error_remedy(suppression_line_error(lines,
							   "this is the frame "
							   "after the %uth",
							   SUPPRESSION_FRAMES_MAX),
				    "leave out the outer ones");
	if (!strcmp(text, "..."))
		return suppression_push_frame(rule, PART_FRAMES, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(part_words); i++) {
		size_t length = strlen(part_words[i].word);
		if (!strncmp(text, part_words[i].word, length) && text[length])
			return suppression_push_frame(rule, part_words[i].part,
						      text + length);
	}
	return error_remedy(suppression_line_error(
				    lines, "\"%.60s\" is no frame of a call stack", text),
			    "use fun:FUNCTION, obj:MODULE, src:FILE or ...");
}

struct error *suppression_check_frames(const struct suppression *rule)
{
	for (size_t i = 0; i < rule->frames.nr; i++)
		if (rule->frames.items[i].part != PART_FRAMES)
			return NULL;
	return error_remedy(
		suppression_error(rule->told.file, rule->told.line,
				  "the suppression names no frame, so it would "
				  "match every call stack"),
		"add fun:FUNCTION or obj:MODULE");
}

static bool matches_name(const char *pattern, const char *name)
{
	return name && wildcard_matches(pattern, name);
}

static bool matches_call(const struct suppression_frame *frame,
			 const struct suppression_call *call)
{
	const char *const names[] = {
		[PART_FUNCTION] = call->function,
		[PART_MODULE] = call->module,
		[PART_SOURCE] = call->source,
	};
	if (frame->part != PART_ANY)
		return matches_name(frame->pattern, names[frame->part]);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (matches_name(frame->pattern, names[i]))
			return true;
	return false;
}

/* What allocates, as Valgrind names it: frames of its own, which our stacks do not have. */
static const char *const allocators[] = {
	"malloc",
	"calloc",
	"realloc",
	"reallocarray",
	"memalign",
	"aligned_alloc",
	"posix_memalign",
	"valloc",
	"pvalloc",
	"_Znwm",
	"_Znam",
	"_ZnwmRKSt9nothrow_t",
	"_ZnamRKSt9nothrow_t",
	"_ZnwmSt11align_val_t",
	"_ZnamSt11align_val_t",
	"operator new(unsigned long)",
	"operator new[](unsigned long)",
};

static bool names_allocator(const struct suppression_frame *frame)
{
	for (size_t i = 0; frame->part == PART_FUNCTION && i < ARRAY_SIZE(allocators);
	     i++)
		if (wildcard_matches(frame->pattern, allocators[i]))
			return true;
	return false;
}

/* As wildcard_matches(), with frames for characters and "..." for the star; but outer calls
   that the rule says nothing of do not matter. */
static bool match_from(const struct suppression_frame_vec *frames, size_t frame,
		       const struct suppression_call *calls, size_t nr)
{
	size_t call = 0, retry = 0;
	size_t after_any = SIZE_MAX; /* the frame behind the last "..." */
	while (frame < frames->nr) {
		if (frames->items[frame].part == PART_FRAMES) {
			after_any = ++frame;
			retry = call;
		} else if (call < nr &&
			   matches_call(&frames->items[frame], &calls[call])) {
			frame++;
			call++;
		} else if (call < nr && after_any != SIZE_MAX) {
			frame = after_any;
			call = ++retry;
		} else {
			return false;
		}
	}
	return nr > 0;
}

bool suppression_frames_match(const struct suppression_frame_vec *frames,
			      const struct suppression_call *calls, size_t nr)
{
	if (match_from(frames, 0, calls, nr))
		return true;
	return frames->nr > 1 && names_allocator(&frames->items[0]) &&
	       match_from(frames, 1, calls, nr);
}
