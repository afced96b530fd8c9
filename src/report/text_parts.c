/* text_parts: see text_parts_priv.h. */
#include "report/text_parts_priv.h"

#include <string.h>

#define MAX_NAME_BYTES 400 /* of a name in text; JSON has it whole */
#define MAX_WARNINGS   5   /* unless all are asked for */

void text_put_name(struct str *out, const char *name, unsigned flags)
{
	struct str visible = { 0 };
	layout_escape(&visible, name, flags);
	if (visible.length <= MAX_NAME_BYTES) {
		str_puts(out, str_text(&visible));
	} else {
		size_t head = MAX_NAME_BYTES / 2, tail = visible.length - head;
		while ((visible.text[head] & 0xc0) == 0x80)
			head--;
		while ((visible.text[tail] & 0xc0) == 0x80)
			tail++;
		str_append(out, visible.text, head);
		str_puts(out, " ... ");
		str_puts(out, visible.text + tail);
	}
	out->failed |= visible.failed;
	str_deinit(&visible);
}

void text_put_short_name(struct str *out, const char *name, unsigned flags,
			 unsigned columns)
{
	struct str visible = { 0 };
	const char *cut = flags & REPORT_ASCII ? "..." : "\xe2\x80\xa6";
	text_put_name(&visible, name, flags);
	if (layout_columns(str_text(&visible)) <= columns) {
		str_puts(out, str_text(&visible));
	} else {
		size_t end = 0;
		for (unsigned room = columns - layout_columns(cut); room > 0; room--)
			do
				end++;
			while ((visible.text[end] & 0xc0) == 0x80);
		str_append(out, visible.text, end);
		str_puts(out, cut);
	}
	out->failed |= visible.failed;
	str_deinit(&visible);
}

void text_put_verdict(struct str *out, struct str *verdict, unsigned flags,
		      unsigned width)
{
	const struct layout_box box = { .indent = 2, .width = width, .column = 2 };
	layout_wrap_coloured(out, str_text(verdict), box, flags, LAYOUT_BOLD);
	out->failed |= verdict->failed;
	str_deinit(verdict);
}

void text_put_sentence(struct str *out, const struct text_title *title,
		       const char *sentence, unsigned flags, unsigned width)
{
	const unsigned indent = (unsigned)strlen(title->text);
	struct str visible = { 0 };
	layout_escape(&visible, sentence, flags);
	layout_colour(out, flags, title->colour);
	str_puts(out, title->text);
	layout_plain(out, flags);
	layout_wrap(out, str_text(&visible),
		    (struct layout_box){ indent, width, indent });
	out->failed |= visible.failed;
	str_deinit(&visible);
}

void text_put_warnings(struct str *out, char *const *warnings, unsigned flags,
		       unsigned width)
{
	static const struct text_title title = { "warning: ", LAYOUT_YELLOW };
	size_t nr = 0, nr_shown = 0;
	while (warnings && warnings[nr])
		nr++;
	bool all = flags & REPORT_VERBOSE || nr <= MAX_WARNINGS + 1;
	for (; nr_shown < (all ? nr : MAX_WARNINGS); nr_shown++)
		text_put_sentence(out, &title, warnings[nr_shown], flags, width);
	if (nr_shown < nr)
		str_printf(out, "         and %zu more (all of them: -v)\n",
			   nr - nr_shown);
}

void text_put_next(struct str *out, const struct text_next *next, unsigned flags,
		   unsigned width)
{
	struct str line = { 0 };
	str_printf(&line, "next: seep %s ", next->words);
	layout_escape(&line, next->target, flags);
	str_puts(out, str_text(&line));
	if (layout_columns(str_text(&line)) + strlen(next->purpose) + 4 <= width) {
		layout_colour(out, flags, LAYOUT_DIM);
		str_printf(out, "  # %s", next->purpose);
		layout_plain(out, flags);
	}
	str_puts(out, "\n");
	out->failed |= line.failed;
	str_deinit(&line);
}
