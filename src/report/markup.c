/* markup: see markup_priv.h. */
#include "report/markup_priv.h"

#include "report/layout.h"
#include "report/utf8_priv.h"

static void put_character(struct str *out, const char *text, size_t size,
			  uint32_t code_point)
{
	if (code_point == '<')
		str_puts(out, "&lt;");
	else if (code_point == '>')
		str_puts(out, "&gt;");
	else if (code_point == '&')
		str_puts(out, "&amp;");
	else if (code_point == '"')
		str_puts(out, "&quot;");
	else if (code_point == '\'')
		str_puts(out, "&#39;");
	else if (code_point == UTF8_INVALID || utf8_is_hidden(code_point) ||
		 code_point == 0xfffe || code_point == 0xffff)
		str_puts(out, "\ufffd");
	else
		str_append(out, text, size);
}

void markup_put_text(struct str *out, const char *text)
{
	for (size_t size; *text; text += size) {
		uint32_t code_point = utf8_decode(text, &size);
		put_character(out, text, size, code_point);
	}
}

void markup_put_start(struct str *out, const char *text, size_t nr)
{
	bool is_whole = layout_columns(text) <= nr;
	size_t most = is_whole || nr < 2 ? nr : nr - 2;
	size_t size;
	for (size_t i = 0; i < most && *text; i++, text += size) {
		uint32_t code_point = utf8_decode(text, &size);
		put_character(out, text, size, code_point);
	}
	str_puts(out, is_whole ? "" : "..");
}
