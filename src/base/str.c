/* str: see str.h. */
#include "base/str.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool str_reserve(struct str *str, size_t extra)
{
	if (str->failed || extra > SIZE_MAX / 2 - str->length - 1) {
		str->failed = true;
		return false;
	}
	size_t needed = str->length + extra + 1;
	if (needed <= str->capacity)
		return true;
	size_t capacity = str->capacity ? str->capacity : 64;
	while (capacity < needed)
		capacity *= 2;
	char *text = realloc(str->text, capacity);
	if (!text) {
		str->failed = true;
		return false;
	}
	str->text = text;
	str->capacity = capacity;
	return true;
}

void str_append(struct str *str, const char *text, size_t length)
{
	if (!str_reserve(str, length))
		return;
	assert(str->text);
	if (length)
		memcpy(str->text + str->length, text, length);
	str->length += length;
	str->text[str->length] = '\0';
}

void str_puts(struct str *str, const char *text)
{
	str_append(str, text, strlen(text));
}

void str_printf(struct str *str, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0 || !str_reserve(str, (size_t)length)) {
		str->failed = true;
		return;
	}
	va_start(args, format);
	vsnprintf(str->text + str->length, (size_t)length + 1, format, args);
	va_end(args);
	str->length += (size_t)length;
}

void str_deinit(struct str *str)
{
	free(str->text);
	*str = (struct str){ 0 };
}

const char *str_text(const struct str *str)
{
	return str->text ? str->text : "";
}

char *str_take(struct str *str)
{
	if (!str->failed && !str->text)
		str_append(str, "", 0);
	char *text = str->failed ? NULL : str->text;
	if (str->failed)
		free(str->text);
	*str = (struct str){ 0 };
	return text;
}
