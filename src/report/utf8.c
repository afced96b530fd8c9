/* utf8: see utf8_priv.h. */
#include "report/utf8_priv.h"

#include "base/vec.h"

/* Lead bytes by the bits that mark them; `least` rules out overlong forms. */
static const struct utf8_form {
	unsigned char mask, mark;
	size_t size;
	uint32_t least;
} utf8_forms[] = {
	{ 0x80, 0x00, 1, 0 },
	{ 0xe0, 0xc0, 2, 0x80 },
	{ 0xf0, 0xe0, 3, 0x800 },
	{ 0xf8, 0xf0, 4, 0x10000 },
};

/* Code points that must not reach a terminal as they are, ascending. */
static const struct code_range {
	uint32_t first, last;
} hidden_ranges[] = {
	{ 0x00, 0x1f },       /* C0 controls */
	{ 0x7f, 0x9f },       /* delete and C1 controls */
	{ 0xad, 0xad },       /* soft hyphen */
	{ 0x61c, 0x61c },     /* Arabic letter mark */
	{ 0x180e, 0x180e },   /* Mongolian vowel separator */
	{ 0x200b, 0x200f },   /* zero-width characters, direction marks */
	{ 0x2028, 0x202e },   /* line separators, direction overrides */
	{ 0x2060, 0x206f },   /* invisible operators, direction isolates */
	{ 0xd800, 0xdfff },   /* surrogates */
	{ 0xfeff, 0xfeff },   /* byte order mark */
	{ 0xfff9, 0xfffb },   /* interlinear annotation */
	{ 0xe0000, 0xe0fff }, /* tags, variation selectors */
	{ 0x110000, UINT32_MAX },
};

static const struct utf8_form *utf8_form(unsigned char lead)
{
	for (size_t i = 0; i < ARRAY_SIZE(utf8_forms); i++)
		if ((lead & utf8_forms[i].mask) == utf8_forms[i].mark)
			return &utf8_forms[i];
	return NULL;
}

uint32_t utf8_decode(const char *text, size_t *size)
{
	const unsigned char *bytes = (const unsigned char *)text;
	const struct utf8_form *form = utf8_form(bytes[0]);
	*size = 1;
	if (!form)
		return UTF8_INVALID;
	uint32_t code_point = bytes[0] & (unsigned char)~form->mask;
	/* A NUL is no continuation byte, so this stays inside the text. */
	for (size_t i = 1; i < form->size; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return UTF8_INVALID;
		code_point = code_point << 6 | (bytes[i] & 0x3f);
	}
	bool is_surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
	if (code_point < form->least || code_point > 0x10ffff || is_surrogate)
		return UTF8_INVALID;
	*size = form->size;
	return code_point;
}

bool utf8_is_hidden(uint32_t code_point)
{
	for (size_t i = 0; i < ARRAY_SIZE(hidden_ranges); i++)
		if (code_point <= hidden_ranges[i].last)
			return code_point >= hidden_ranges[i].first;
	return false;
}
