/* sentences: see sentences.h. */
#include "base/sentences.h"

#include <stdio.h>
#include <string.h>

struct error *sentences_vadd(struct sentence_vec *sentences, const char *format,
			     va_list args)
{
	char *sentence = NULL;
	if (vasprintf(&sentence, format, args) < 0)
		return error_no_memory();
	if (sentence_vec_push(sentences, sentence))
		return NULL;
	free(sentence);
	return error_no_memory();
}

struct error *sentences_add(struct sentence_vec *sentences, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct error *error = sentences_vadd(sentences, format, args);
	va_end(args);
	return error;
}

struct error *sentences_copy(struct sentence_vec *sentences,
			     const struct sentence_vec *more)
{
	struct error *error = NULL;
	for (size_t i = 0; !error && i < more->nr; i++)
		error = sentences_add(sentences, "%s", more->items[i]);
	return error;
}

/* --- alike ---------------------------------------------------------------------------- */

/* Steps over a number, decimal or with 0x; stays where there is none. */
static const char *past_number(const char *at)
{
	if (at[0] == '0' && at[1] == 'x')
		return at + 2 + strspn(at + 2, "0123456789abcdef");
	return at + strspn(at, "0123456789");
}

static bool is_alike(const char *a, const char *b)
{
	while (*a && *b) {
		const char *a_end = past_number(a), *b_end = past_number(b);
		if ((a_end == a) != (b_end == b) || (a_end == a && *a != *b))
			return false;
		a = a_end == a ? a + 1 : a_end;
		b = b_end == b ? b + 1 : b_end;
	}
	return *a == *b;
}

static struct error *say_how_many(char **sentence, size_t more)
{
	char *longer = NULL;
	if (!more)
		return NULL;
	if (asprintf(&longer, "%s (and %zu more like this)", *sentence, more) < 0)
		return error_no_memory();
	free(*sentence);
	*sentence = longer;
	return NULL;
}

/* Takes those like the i-th out from behind it; gives how many there were. */
static size_t drop_alike(struct sentence_vec *sentences, size_t i)
{
	size_t kept = i + 1;
	for (size_t k = kept; k < sentences->nr; k++) {
		if (is_alike(sentences->items[i], sentences->items[k]))
			free(sentences->items[k]);
		else
			sentences->items[kept++] = sentences->items[k];
	}
	size_t dropped = sentences->nr - kept;
	sentences->nr = kept;
	return dropped;
}

struct error *sentences_group(struct sentence_vec *sentences)
{
	struct error *error = NULL;
	for (size_t i = 0; !error && i + 1 < sentences->nr; i++)
		error = say_how_many(&sentences->items[i], drop_alike(sentences, i));
	return error;
}

void sentences_deinit(struct sentence_vec *sentences)
{
	for (size_t i = 0; i < sentences->nr; i++)
		free(sentences->items[i]);
	sentence_vec_deinit(sentences);
}

struct error *sentences_take(struct sentence_vec *sentences, char ***list)
{
	*list = NULL;
	if (sentences->nr == 0)
		return NULL;
	if (!sentence_vec_push(sentences, NULL))
		return error_no_memory();
	*list = sentences->items;
	*sentences = (struct sentence_vec){ 0 };
	return NULL;
}
