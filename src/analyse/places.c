/* places: see places.h. */
#include "analyse/places.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

void places_destroy(struct places *places)
{
	if (places)
		places->destroy(places);
}

/* --- of symbols --------------------------------------------------------------------- */

struct symbol_places {
	struct places base; /* first */
	struct symbols *symbols;
};

static struct symbol_name name_by_symbols(struct places *places, uint64_t address)
{
	return symbols_name(((struct symbol_places *)places)->symbols, address);
}

static void destroy_symbol_places(struct places *places)
{
	free(places);
}

struct error *places_of_symbols(struct symbols *symbols, struct places **result)
{
	struct symbol_places *places = calloc(1, sizeof(*places));
	if (!places)
		return error_no_memory();
	places->base = (struct places){ name_by_symbols, destroy_symbol_places };
	places->symbols = symbols;
	*result = &places->base;
	return NULL;
}

/* --- listed ------------------------------------------------------------------------- */

struct listed_place {
	uint64_t address;
	struct symbol_name name; /* its texts are in `texts` */
};
DEFINE_VEC(listed_place_vec, struct listed_place);
DEFINE_VEC(place_text_vec, char *);

struct listed_places {
	struct places base; /* first */
	struct listed_place_vec list;
	struct place_text_vec texts;
	bool is_sorted;
};

static int by_address(const void *a, const void *b)
{
	const struct listed_place *left = a, *right = b;
	return left->address < right->address ? -1 : left->address > right->address;
}

static struct symbol_name name_by_list(struct places *base, uint64_t address)
{
	struct listed_places *places = (struct listed_places *)base;
	struct listed_place_vec *list = &places->list;
	if (!places->is_sorted && list->nr)
		qsort(list->items, list->nr, sizeof(list->items[0]), by_address);
	places->is_sorted = true;
	const struct listed_place wanted = { .address = address };
	const struct listed_place *found = list->nr ? bsearch(&wanted, list->items,
							      list->nr, sizeof(wanted),
							      by_address)
						    : NULL;
	return found ? found->name : (struct symbol_name){ 0 };
}

static void destroy_listed_places(struct places *base)
{
	struct listed_places *places = (struct listed_places *)base;
	for (size_t i = 0; i < places->texts.nr; i++)
		free(places->texts.items[i]);
	place_text_vec_deinit(&places->texts);
	listed_place_vec_deinit(&places->list);
	free(places);
}

struct error *places_listed(struct places **result)
{
	struct listed_places *places = calloc(1, sizeof(*places));
	if (!places)
		return error_no_memory();
	places->base = (struct places){ name_by_list, destroy_listed_places };
	*result = &places->base;
	return NULL;
}

/* A text that lasts: the last place's if it is the same, as it is for all of one variable. */
static bool keep_text(struct listed_places *places, const char *last, const char **text)
{
	if (!*text || (last && !strcmp(last, *text))) {
		*text = *text ? last : NULL;
		return true;
	}
	char *copy = strdup(*text);
	if (!copy || !place_text_vec_push(&places->texts, copy)) {
		free(copy);
		return false;
	}
	*text = copy;
	return true;
}

struct error *places_add(struct places *base, uint64_t address,
			 const struct symbol_name *name)
{
	struct listed_places *places = (struct listed_places *)base;
	const struct listed_place_vec *list = &places->list;
	struct symbol_name last = { 0 };
	if (list->nr)
		last = list->items[list->nr - 1].name;
	struct listed_place place = { .address = address, .name = *name };
	places->is_sorted = false;
	return keep_text(places, last.module, &place.name.module) &&
			       keep_text(places, last.function, &place.name.function) &&
			       listed_place_vec_push(&places->list, place)
		       ? NULL
		       : error_no_memory();
}
