/* stack_text: call stacks for people, with the source around where the program's own code stands. */
#include "report/stack_parts_priv.h"

#include <inttypes.h>
#include <string.h>

#include "report/json_writer_priv.h"
#include "report/layout.h"

#define MAX_FRAMES 8 /* unless all are asked for */
/* Long C++ names say most at their beginning here: what follows is arguments. */
#define MAX_FUNCTION_BYTES 120

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}

static void put_cut(struct str *out, const char *text, size_t most, unsigned flags)
{
	struct str visible = { 0 };
	layout_escape(&visible, text, flags);
	size_t length = visible.length;
	if (length > most && !(flags & REPORT_VERBOSE)) {
		length = most;
		while (length && (visible.text[length] & 0xc0) == 0x80)
			length--;
	}
	str_append(out, str_text(&visible), length);
	str_puts(out, length < visible.length ? "..." : "");
	out->failed |= visible.failed;
	str_deinit(&visible);
}

void stack_put_frame(struct str *out, const struct stack_frame *frame, unsigned flags)
{
	put_cut(out, frame->function ? frame->function : "???", MAX_FUNCTION_BYTES,
		flags);
	str_puts(out, " (");
	if (frame->file) {
		put_cut(out,
			flags & REPORT_VERBOSE ? frame->file : base_name(frame->file),
			MAX_FUNCTION_BYTES, flags);
		str_printf(out, ":%" PRIu32, frame->line);
	} else if (frame->module) {
		put_cut(out, base_name(frame->module), MAX_FUNCTION_BYTES, flags);
		if (!frame->function)
			str_printf(out, "+0x%" PRIx64, frame->offset);
	} else {
		str_printf(out, "0x%" PRIx64, frame->offset);
	}
	str_puts(out, frame->is_inlined ? ", inlined)" : ")");
}

/* The line number and what is before and behind it. */
#define SOURCE_LEAD 9u

static void put_excerpt(struct str *out, const struct call_stack *stack, unsigned indent,
			unsigned width, unsigned flags)
{
	unsigned room =
		width > indent + SOURCE_LEAD + 3 ? width - indent - SOURCE_LEAD - 3 : 1;
	uint32_t line = call_stack_site(stack)->line;
	for (size_t i = 0; i < stack->excerpt.nr; i++) {
		uint32_t number = stack->excerpt_line + (uint32_t)i;
		const char *text = stack->excerpt.items[i];
		struct str spaced = { 0 };
		for (const char *c = text; *c; c++)
			str_append(&spaced, *c == '\t' ? "    " : c, *c == '\t' ? 4 : 1);
		layout_spaces(out, indent);
		layout_colour(out, flags, number == line ? LAYOUT_BOLD : LAYOUT_DIM);
		str_printf(out, "%s %5" PRIu32 "  ", number == line ? ">" : " ", number);
		put_cut(out, str_text(&spaced), room, flags);
		layout_plain(out, flags);
		str_puts(out, "\n");
		str_deinit(&spaced);
	}
}

/* What started main() is the same for all. */
static size_t nr_worth_showing(const struct call_stack *stack, unsigned flags)
{
	size_t nr = stack->frames.nr;
	if (flags & REPORT_VERBOSE)
		return nr;
	for (size_t i = 0; i < nr; i++) {
		const char *function = stack->frames.items[i].function;
		if (function && !strcmp(function, "main"))
			nr = i + 1;
	}
	if (nr <= MAX_FRAMES + 1)
		return nr;
	return stack->site >= MAX_FRAMES ? stack->site + 1 : MAX_FRAMES;
}

void stack_put(struct str *out, const struct call_stack *stack, unsigned indent,
	       unsigned width, unsigned flags)
{
	size_t nr = nr_worth_showing(stack, flags);
	for (size_t i = 0; i < nr; i++) {
		struct str line = { 0 };
		str_puts(&line, i ? "by " : "in ");
		stack_put_frame(&line, &stack->frames.items[i], flags);
		layout_spaces(out, indent);
		layout_wrap(out, str_text(&line),
			    (struct layout_box){ indent + 3, width, indent });
		out->failed |= line.failed;
		str_deinit(&line);
		if (i == stack->site)
			put_excerpt(out, stack, indent, width, flags);
	}
	if (nr == stack->frames.nr || flags & REPORT_VERBOSE)
		return;
	const char *last = nr ? stack->frames.items[nr - 1].function : NULL;
	if (last && !strcmp(last, "main"))
		return;
	layout_spaces(out, indent);
	layout_colour(out, flags, LAYOUT_DIM);
	str_printf(out, "and %zu calls around that (all of them: -v)\n",
		   stack->frames.nr - nr);
	layout_plain(out, flags);
}

/* --- for programs ------------------------------------------------------------------- */

static void json_frame(struct json_writer *json, const char *key,
		       const struct stack_frame *frame)
{
	if (!frame) {
		json_null(json, key);
		return;
	}
	json_open_object(json, key);
	json_string(json, "function", frame->function);
	json_string(json, "file", frame->file);
	if (frame->line)
		json_integer(json, "line", frame->line);
	else
		json_null(json, "line");
	json_string(json, "module", frame->module);
	json_string(json, "build_id", frame->build_id);
	json_hex(json, "offset", frame->offset, 1);
	json_bool(json, "inlined", frame->is_inlined);
	json_close(json);
}

void stack_json(struct json_writer *json, const struct call_stack *stack)
{
	json_frame(json, "site", call_stack_site(stack));
	json_open_array(json, "stack");
	for (size_t i = 0; i < stack->frames.nr; i++)
		json_frame(json, NULL, &stack->frames.items[i]);
	json_close(json);
}
