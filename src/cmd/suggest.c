/* suggest: see suggest.h. */
#include "cmd/suggest.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static size_t least(size_t one, size_t other)
{
	return one < other ? one : other;
}

/*
 * How many letters must be added, dropped, changed or swapped with their neighbour to get
 * from one word to the other (the restricted Damerau-Levenshtein distance); SIZE_MAX when
 * memory ran out.
 */
static size_t word_distance(const char *from, const char *to)
{
	size_t nr_from = strlen(from), width = strlen(to) + 1;
	CLEANUP_FREE size_t *rows = calloc(3 * width, sizeof(*rows));
	if (!rows)
		return SIZE_MAX;
	size_t *before = rows, *above = rows + width, *row = rows + 2 * width;
	for (size_t j = 0; j < width; j++)
		row[j] = j;
	for (size_t i = 1; i <= nr_from; i++) {
		size_t *spare = before;
		before = above;
		above = row;
		row = spare;
		row[0] = i;
		for (size_t j = 1; j < width; j++) {
			size_t change = from[i - 1] != to[j - 1];
			row[j] = least(above[j - 1] + change,
				       least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && from[i - 1] == to[j - 2] &&
			    from[i - 2] == to[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return row[width - 1];
}

const char *suggest_nearest(const char *word, const char *const *candidates, size_t nr)
{
	const char *nearest = NULL;
	size_t length = strlen(word);
	size_t best = length < 4 ? 2 : length / 3 + 1; /* that far is too far */
	if (length > 64)
		return NULL;
	for (size_t i = 0; i < nr; i++) {
		size_t distance = word_distance(word, candidates[i]);
		/* What was begun and not finished is near too. */
		if (length > 2 && !strncmp(candidates[i], word, length))
			distance = 1;
		if (distance < best) {
			best = distance;
			nearest = candidates[i];
		}
	}
	return nearest;
}
