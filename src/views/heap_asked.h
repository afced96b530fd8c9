/*
 * heap_asked: what a word on the command line means in a heap: a block by an address in it, all
 * blocks of a type, or what a variable, a stack or a mapping holds.
 */
#ifndef SEEP_VIEWS_HEAP_ASKED_H
#define SEEP_VIEWS_HEAP_ASKED_H

#include "views/heap_views_priv.h"

enum heap_asked_kind { ASKED_BLOCK, ASKED_TYPE, ASKED_ROOT };

struct heap_asked {
	enum heap_asked_kind kind;
	uint32_t rank;       /* of the block */
	uint64_t distance;   /* of the address into it */
	struct area blocks;  /* bitmap by rank: the block, or those of the type */
	struct area entries; /* bitmap by place among the entries: those that are left */
	uint64_t nr_blocks, bytes; /* of them; of a root: what it holds itself */
	char *name;                /* "class Node" */
};

/* ERROR_REFUSED if nothing is called so. heap_asked_deinit() is due in any case. */
struct error *heap_asked_find(struct heap_question *question, const char *word,
			      struct heap_asked *asked) MUST_CHECK;
/* "0x55d0c0a82b0" */
bool heap_asked_address(const char *word, uint64_t *address);
/* The same where only an address will do. */
struct error *heap_asked_block(struct heap_question *question, const char *word,
			       struct heap_asked *asked) MUST_CHECK;
void heap_asked_deinit(struct heap_asked *asked);

/* What goes with it. */
static inline struct removal heap_asked_removal(const struct heap_asked *asked)
{
	if (asked->kind == ASKED_ROOT)
		return (struct removal){ .entries = asked->entries.memory };
	return (struct removal){ .blocks = asked->blocks.memory };
}

#endif
