/* heap_views_priv: what the views of heap_views.c share. */
#ifndef SEEP_VIEWS_HEAP_VIEWS_PRIV_H
#define SEEP_VIEWS_HEAP_VIEWS_PRIV_H

#include <assert.h>

#include "analyse/block_table.h"
#include "analyse/inspection.h"
#include "analyse/root_groups.h"
#include "base/bitmap.h"
#include "base/str.h"
#include "graph/dominators.h"
#include "graph/removal.h"
#include "views/heap_views.h"

struct heap_view;

/* What a view is asked with. */
struct heap_question {
	const struct analyse_heap_options *options;
	const struct heap_view *view;
	struct inspection inspection;
	const struct graph *graph; /* of its look */
	struct places *places;
	struct lost lost; /* also what only unread memory may hold */
	struct root_groups groups;
	struct entries entries;
	struct dominators dominators;
	struct block_table table;
	struct block_bytes bytes; /* of the block asked for, if the view reads it */
	struct area filtered;     /* the memory of: */
	const uint64_t *
		unwanted; /* bitmap by rank: blocks that the filter leaves out; NULL: none */
	struct heap_report *report;
};

/* Looks, and finds dominators and types; heap_question_deinit() is due in any case. */
struct error *heap_question_look(struct heap_question *question) MUST_CHECK;
void heap_question_deinit(struct heap_question *question);

struct heap_view {
	const char *name;
	const struct heap_column *columns;
	size_t nr_columns;
	bool is_tree;
	bool takes_asked;  /* an address, a type, a symbol */
	bool takes_others; /* earlier snapshots */
	bool takes_by;     /* what its rows are is asked for */
	bool takes_one;    /* what is asked of is one block, of which no filter chooses */
	bool needs_hashes; /* of contents */
	bool needs_edge_places; /* where pointers stand in their blocks */
	bool reads_block;       /* what stands in the block asked for */
	struct error *(*answer)(struct heap_question *question);
	const char *next, *next_purpose;
};

extern const struct heap_view heap_histogram;
extern const struct heap_view heap_dominators;
extern const struct heap_view heap_retained;
extern const struct heap_view heap_roots;
extern const struct heap_view heap_holders;
extern const struct heap_view heap_paths;
extern const struct heap_view heap_refs;
extern const struct heap_view heap_cycles;
extern const struct heap_view heap_suspects;
extern const struct heap_view heap_diff;
extern const struct heap_view heap_abandoned;
extern const struct heap_view heap_dups;
extern const struct heap_view heap_waste;
extern const struct heap_view heap_inspect;

/* What keeps each block alive alone: *roots becomes uint32_t by node, the group of roots + 1, 0
   for none. */
struct error *heap_find_roots(const struct heap_question *question,
			      struct area *roots) MUST_CHECK;

/* Asks the filter, if one was given: heap_filter.c. */
struct error *heap_filter(struct heap_question *question) MUST_CHECK;

/* --- answers ------------------------------------------------------------------------- */

/* One more row at the end of the table; NULL: no memory. Valid until the next one. */
struct heap_row *heap_row_add(struct heap_report *report, unsigned depth);

/* The next cell of a row, by column. */
static inline void heap_put(struct heap_row *row, size_t column, uint64_t number)
{
	assert(row->cells);
	row->cells[column] = (struct heap_cell){ .is_known = true, .number = number };
}

/* Takes the text over; NULL: no memory. */
struct error *heap_put_text(struct heap_row *row, size_t column, char *text) MUST_CHECK;

/* The same of a copy; NULL: it is not known. */
struct error *heap_put_copy(struct heap_row *row, size_t column,
			    const char *text) MUST_CHECK;

/* How many of so many rows are told; the others are counted as left out. */
size_t heap_rows_shown(struct heap_question *question, size_t nr);

/* Sets the verdict. */
struct error *heap_say(struct heap_report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3))) MUST_CHECK;

/* ERROR_USAGE where nobody recorded what allocated the blocks, of which `what` is to be told. */
struct error *heap_needs_sites(const struct heap_question *question,
			       const char *what) MUST_CHECK;

/* ERROR_USAGE: what is asked of is one block. */
struct error *heap_refuse_filter(const struct heap_view *view) MUST_CHECK;

/* Of a block's contents; 0: not known. */
uint32_t heap_hash(const struct heap_question *question, uint32_t rank);
/* ERROR_REFUSED where they are of none. */
struct error *heap_needs_hashes(const struct heap_question *question) MUST_CHECK;

/* Whether a block is live: held by a root, not lost. */
bool heap_is_live(const struct heap_question *question, uint32_t rank);

static inline bool heap_is_wanted(const struct heap_question *question, uint32_t rank)
{
	return !question->unwanted || !bitmap_test(question->unwanted, rank);
}

/* A group of roots among the nodes of the dominator tree. */
static inline uint32_t heap_group_node(const struct heap_question *question,
				       uint32_t group)
{
	return question->dominators.nr_blocks + group;
}

static inline uint64_t heap_address(const struct heap_question *question, uint32_t rank)
{
	uint64_t address = 0, size = 0;
	space_block(&question->graph->space, rank, &address, &size);
	return address;
}

/* "class Node"; owned by the caller; NULL: no memory. */
char *heap_block_name(const struct heap_question *question, uint32_t rank);

/* Appends which word of a block it is: ".next", or "+8" where no type tells its name. */
void heap_put_word(const struct heap_question *question, struct str *out, uint32_t rank,
		   uint64_t offset);
/* Puts the name of the field alone, "next", where there is one. */
struct error *heap_put_field(struct heap_question *question, struct heap_row *row,
			     size_t column, uint32_t rank, uint64_t offset) MUST_CHECK;

/* "Node" of "class Node"; other names as they are. */
const char *heap_short_name(const char *name);

/* Per cent, in hundredths, of part in whole. */
uint64_t heap_share(uint64_t part, uint64_t whole);

/* "1 word", "3 words", for sentences. */
void heap_put_plural(struct str *out, uint64_t nr, const char *noun);

/* "1.2 MB", for sentences. */
void heap_put_bytes(struct str *out, uint64_t bytes);

#endif
