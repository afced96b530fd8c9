/*
 * frame_table: which call of which thread each part of a stack belongs to, by address; found in a look,
 * or loaded with a snapshot.
 */
#ifndef SEEP_ANALYSE_FRAME_TABLE_H
#define SEEP_ANALYSE_FRAME_TABLE_H

#include <sys/types.h>

#include "base/error.h"
#include "base/map.h"
#include "base/vec.h"
#include "sym/symbols.h"

/* The code that frames are of; texts are owned. */
struct frame_code {
	char *module;
	char *function;  /* NULL: not known */
	uint64_t offset; /* without a name: of where it begins, in its module */
};
DEFINE_VEC(frame_code_vec, struct frame_code);

struct frame_part {
	uint64_t start, end; /* of the stack */
	pid_t tid;
	uint32_t code; /* number */
};
DEFINE_VEC(frame_part_vec, struct frame_part);

struct frame_table {
	struct frame_code_vec codes;
	struct frame_part_vec parts; /* ascending by start, once sorted */
	struct map numbers; /* of codes, plus one, by hash of what they are called */
};

/* The number of such a code: the same for all of a name. */
struct error *frame_table_code(struct frame_table *table, const struct symbol_name *name,
			       uint32_t *number) MUST_CHECK;
struct error *frame_table_add(struct frame_table *table,
			      const struct frame_part *part) MUST_CHECK;
/* When all are there. */
void frame_table_sort(struct frame_table *table);
/* The part that an address is in; NULL: not known. */
const struct frame_part *frame_table_at(const struct frame_table *table,
					uint64_t address);
void frame_table_deinit(struct frame_table *table);

#endif
