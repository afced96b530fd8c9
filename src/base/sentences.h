/*
 * sentences: a list of things worth telling, each a whole sentence without its full stop.
 */
#ifndef SEEP_BASE_SENTENCES_H
#define SEEP_BASE_SENTENCES_H

#include <stdarg.h>

#include "base/error.h"
#include "base/vec.h"

DEFINE_VEC(sentence_vec, char *); /* owned */

/* Appends one; the only error is that memory ran out. */
struct error *sentences_add(struct sentence_vec *sentences, const char *format, ...)
	__attribute__((format(printf, 2, 3))) MUST_CHECK;
struct error *sentences_vadd(struct sentence_vec *sentences, const char *format,
			     va_list args)
	__attribute__((format(printf, 2, 0))) MUST_CHECK;

/* Appends copies of all of `more`. */
struct error *sentences_copy(struct sentence_vec *sentences,
			     const struct sentence_vec *more) MUST_CHECK;

/* Leaves of those that differ in numbers alone the first, which then says how many more there
   were: "… (and 12 more like this)". */
struct error *sentences_group(struct sentence_vec *sentences) MUST_CHECK;

void sentences_deinit(struct sentence_vec *sentences);

/* Hands over the array of sentences, ended by NULL and owned by the caller; *list is NULL
   when there are none. */
struct error *sentences_take(struct sentence_vec *sentences, char ***list) MUST_CHECK;

#endif
