/*
 * What C makes of blocks: structs that lead to structs, arrays with and without numbers, unions, and
 * pointers that say too little, or something wrong.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "structs.h"
#include "truth.h"

#define NEW(wanted, type) ((type *)truth(calloc(1, sizeof(type)), wanted, #type))
#define NEW_ARRAY(wanted, type, nr)                                                      \
	((type *)truth(calloc(nr, sizeof(type)), wanted, #type "[]"))

/* --- a list, from a global ------------------------------------------------------------ */

struct item {
	long numbers[5];
	struct item *next;
	struct payload *payload;
};
struct payload {
	double weights[9];
	bool is_full;
};

struct item *items;

static void make_list(void)
{
	for (int i = 0; i < 50; i++) {
		struct item *item = NEW("told", struct item);
		item->payload = NEW("told", struct payload);
		item->next = items;
		items = item;
	}
}

/* --- structs in structs ----------------------------------------------------------------- */

typedef struct {
	short colour[30];
} leaf; /* has no name but this one */

struct branch {
	int number;
	struct {
		leaf *left;
		leaf *right[3];
	} leaves;
	struct branch *branches[4];
	char *label;
	void *anything;
	leaf **lined_up;
	leaf *const *volatile *deep;
};

static struct branch *tree(int depth)
{
	struct branch *branch = NEW("told", struct branch);
	branch->leaves.left = NEW("told", leaf);
	for (int i = 0; i < 3; i++)
		branch->leaves.right[i] = NEW("told", leaf);
	for (int i = 0; depth && i < 4; i++)
		branch->branches[i] = tree(depth - 1);
	branch->label = truth(calloc(1, 70), "open", "char[]");
	branch->anything = NEW("open", leaf);
	branch->lined_up = NEW_ARRAY("told", leaf *, 12);
	for (int i = 0; i < 12; i++)
		branch->lined_up[i] = NEW("told", leaf);
	return branch;
}

/* --- arrays --------------------------------------------------------------------------- */

struct point {
	double x, y;
};
struct polygon {
	struct point *points;
	size_t nr_points;
	unsigned colour;
};
struct bag {
	struct point **points;
	unsigned nr, capacity;
};
struct table {
	struct row **rows;
	size_t size, used;
};
struct row {
	struct row *next;
	uint32_t hash;
	char text[40];
};
struct text {
	size_t length;
	struct point *origin;
	char bytes[];
};
struct old_text {
	int length;
	struct point *origin;
	char bytes[1];
};
/* Behind it comes what no type says. */
struct header {
	struct point *origin;
	size_t length;
};

static struct {
	struct polygon polygon;
	struct bag bag;
	struct table table;
	struct text *text;
	struct old_text *old_text;
	struct header *header;
	double *numbers;
	int *just_one;
} shapes;

static void make_arrays(void)
{
	shapes.polygon.nr_points = 37;
	shapes.polygon.points = NEW_ARRAY("told", struct point, 37);
	/* Not all of them are in use; what is beyond is left from before. */
	shapes.bag.capacity = 32;
	shapes.bag.nr = 10;
	shapes.bag.points = NEW_ARRAY("told", struct point *, 32);
	for (int i = 0; i < 10; i++)
		shapes.bag.points[i] = NEW("told", struct point);
	for (int i = 10; i < 20; i++) {
		free(shapes.bag.points[i] = calloc(1, 20));
		truth(shapes.bag.points[i] == malloc(20) ? (void *)shapes.bag.points[i]
							 : NULL,
		      "open", "char[]");
	}
	shapes.table.size = 64;
	shapes.table.used = 20;
	shapes.table.rows = NEW_ARRAY("told", struct row *, 64);
	for (int i = 0; i < 20; i++) {
		struct row *row = NEW("told", struct row);
		row->next = shapes.table.rows[i * 7 % 64];
		shapes.table.rows[i * 7 % 64] = row;
	}
	shapes.text = truth(calloc(1, sizeof(struct text) + 333), "told", "struct text");
	shapes.text->length = 333;
	shapes.text->origin = NEW("told", struct point);
	shapes.old_text = truth(calloc(1, sizeof(struct old_text) + 222), "told",
				"struct old_text");
	shapes.header = truth(calloc(1, sizeof(struct header) + 160), "open",
			      "struct header + text");
	shapes.header->length = 160;
	shapes.header->origin = NEW("told", struct point);
	strcpy((char *)(shapes.header + 1), "what comes behind");
	shapes.numbers = NEW_ARRAY("told", double, 1000);
}

/* --- unions --------------------------------------------------------------------------- */

struct value {
	int kind;
	union {
		struct apple *apple;
		struct pear *pear;
	} fruit;
	union {
		struct pear *pear;
		uint64_t bits;
	} either;
	union {
		struct pear *pear;
		void *raw;
	} any;
};
struct apple {
	int seeds[20];
};
struct pear {
	float stems[17];
};

struct value *value;

static void make_unions(void)
{
	value = NEW("told", struct value);
	value->fruit.apple = NEW("open", struct apple);
	value->either.pear = NEW("told", struct pear);
	value->any.raw = NEW("open", struct apple);
}

/* --- pointers to less than there is ----------------------------------------------------- */

struct shape { /* what all shapes begin with */
	int kind;
	struct shape *next;
};
struct circle {
	struct shape shape;
	double radius;
};
struct square {
	struct shape shape;
	float side;
};
/* The same, by the same members. */
struct kind {
	int tag;
	long flags;
};
struct special_kind {
	int tag;
	long flags;
	int extra;
};
struct wheel {
	struct pear *hub;
	long spokes[5];
};

struct shape *all_shapes;
struct kind *some_kind;
int *first_member;
struct wheel *wheel_that_was;
struct wheel *too_large;
static struct apple *apple_by_one;
struct pear *pear_by_other;

static void make_heirs(void)
{
	for (int i = 0; i < 10; i++) {
		struct shape *shape = i % 2 ? &NEW("open", struct circle)->shape
					    : &NEW("open", struct square)->shape;
		shape->next = all_shapes;
		all_shapes = shape;
	}
	some_kind = (struct kind *)NEW("open", struct special_kind);
	first_member = &NEW("open", struct special_kind)->tag;
	/* Freed, and something else stands there now. */
	wheel_that_was = calloc(1, sizeof(struct wheel));
	free(wheel_that_was);
	unsigned char *bytes = truth(malloc(sizeof(struct wheel)), "open", "char[]");
	memset(bytes, 0xa5, sizeof(struct wheel));
	too_large = truth(calloc(1, sizeof(struct wheel) - 24), "open", "char[]");
	/* Two opinions. */
	void *both = NEW("open", struct apple);
	apple_by_one = both;
	pear_by_other = both;
}

/* --- other places ----------------------------------------------------------------------- */

static void make_statics(void)
{
	static struct apple *in_function;
	in_function = NEW("told", struct apple);
	__asm__ volatile("" : : "r"(&in_function) : "memory");
}

__thread struct pear *of_thread;

int main(void)
{
	make_list();
	static struct branch *root;
	root = tree(3);
	__asm__ volatile("" : : "r"(&root) : "memory");
	make_arrays();
	make_unions();
	make_heirs();
	make_statics();
	of_thread = NEW("told", struct pear);
	make_elsewhere();
	__asm__ volatile("" : : "r"(&shapes), "r"(&apple_by_one) : "memory");
	truth_tell();
	return 0;
}
