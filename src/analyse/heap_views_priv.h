/* heap_views_priv: what the views of heap_views.c share. */
#ifndef SEEP_ANALYSE_HEAP_VIEWS_PRIV_H
#define SEEP_ANALYSE_HEAP_VIEWS_PRIV_H

#include "analyse/block_table.h"
#include "analyse/heap_views.h"
#include "analyse/inspection.h"
#include "base/str.h"
#include "graph/dominators.h"
#include "graph/removal.h"

/* What a view is asked with. */
struct heap_question {
	const struct analyse_heap_options *options;
	struct inspection inspection;
	const struct graph *graph; /* of its look */
	struct places *places;
	struct lost lost; /* also what only unread memory may hold */
	struct entries entries;
	struct dominators dominators;
	struct block_table table;
	struct heap_report *report;
};

struct heap_view {
	const char *name;
	const struct heap_column *columns;
	size_t nr_columns;
	bool is_tree;
	bool takes_asked; /* an address, a type, a symbol */
	struct error *(*answer)(struct heap_question *question);
	const char *next, *next_purpose;
};

extern const struct heap_view heap_histogram;
extern const struct heap_view heap_dominators;

/* --- answers ------------------------------------------------------------------------- */

/* One more row at the end of the table; NULL: no memory. Valid until the next one. */
struct heap_row *heap_row_add(struct heap_report *report, unsigned depth);

/* The next cell of a row, by column. */
static inline void heap_put(struct heap_row *row, size_t column, uint64_t number)
{
	row->cells[column] = (struct heap_cell){ .is_known = true, .number = number };
}

/* Takes the text over; NULL: no memory. */
struct error *heap_put_text(struct heap_row *row, size_t column, char *text) MUST_CHECK;

/* Sets the verdict. */
struct error *heap_say(struct heap_report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3))) MUST_CHECK;

/* Whether a block is live: held by a root, not lost. */
bool heap_is_live(const struct heap_question *question, uint32_t rank);

/* Per cent, in hundredths, of part in whole. */
uint64_t heap_share(uint64_t part, uint64_t whole);

/* "1.2 MB", for sentences. */
void heap_put_bytes(struct str *out, uint64_t bytes);

#endif
