/* sentences: see sentences.h. */
#include "base/sentences.h"

#include <stdio.h>

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
