/*
 * cases: runs a file of graphs with what is to be found in them.
 *
 * Usage: graph-cases FILE
 *
 * Cases are separated by blank lines. Each begins with comments (#) that say what it is,
 * then draws a graph, then tells the analysis of it:
 *
 *	blocks A B:40 C         usable bytes: 24 if not said otherwise
 *	free F:40               a free chunk among them
 *	mapped M:4080           a block in a mapping of its own
 *	counted B               begins with a count: B+8 stands for B
 *	string B                an old std::string: B+24 stands for B
 *	object B+16             a second vtable pointer: B+16 stands for B
 *	edges R>A A>B A>C+8     R: the roots; +8: not to the start
 *
 *	default A=reachable …   Memcheck's kinds, by our rules for interior pointers…
 *	strict A=possible …     …and by Memcheck's
 *	both …                  when the two agree
 *	leak A: 2 blocks, 48 bytes
 *	leak A: cycle of 2, 3 blocks, 72 bytes
 *	shared C D              lost, and held by several leaks
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bitmap.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "graph/lost.h"
#include "graph/plan.h"
#include "graph/reach.h"

#define NAMES_MAX 64u

struct test_case {
	unsigned line; /* where it begins */
	struct str title, expected;
	struct plan plan;
	char *names[NAMES_MAX];
};

/* --- reading --------------------------------------------------------------------------- */

__attribute__((noreturn)) static void give_up(const struct test_case *test,
					      const char *what)
{
	fprintf(stderr, "the case at line %u: %s\n", test->line, what);
	exit(2);
}

static uint32_t block_named(const struct test_case *test, const char *name)
{
	for (uint32_t i = 0; i < test->plan.blocks.nr; i++)
		if (!strcmp(test->names[i], name))
			return i;
	give_up(test, name);
}

/* "B" or "B:40". */
static void add_block(struct test_case *test, char *word, unsigned flags)
{
	char *colon = strchr(word, ':');
	if (colon)
		*colon = '\0';
	uint64_t size = colon ? strtoull(colon + 1, NULL, 10) : 24;
	if (test->plan.blocks.nr == NAMES_MAX)
		give_up(test, "too many blocks");
	uint32_t block = plan_block(&test->plan,
				    (struct plan_block){ .size = size, .flags = flags });
	test->names[block] = strdup(word);
}

static void take_block(struct test_case *test, char *word)
{
	add_block(test, word, 0);
}

static void take_free(struct test_case *test, char *word)
{
	add_block(test, word, PLAN_FREE);
}

static void take_mapped(struct test_case *test, char *word)
{
	add_block(test, word, PLAN_MAPPED);
}

/* Cuts "B+8" into B and 8. */
static uint32_t take_place(const struct test_case *test, char *word, uint64_t *distance)
{
	char *plus = strchr(word, '+');
	if (plus)
		*plus = '\0';
	*distance = plus ? strtoull(plus + 1, NULL, 10) : 0;
	return block_named(test, word);
}

static void take_counted(struct test_case *test, char *word)
{
	test->plan.blocks.items[block_named(test, word)].hints |= 1u << HINT_LENGTH_WORD;
}

static void take_string(struct test_case *test, char *word)
{
	test->plan.blocks.items[block_named(test, word)].hints |= 1u << HINT_STDSTRING;
}

static void take_object(struct test_case *test, char *word)
{
	uint64_t distance = 0;
	uint32_t block = take_place(test, word, &distance);
	test->plan.blocks.items[block].subobject = distance;
}

static void take_edge(struct test_case *test, char *word)
{
	char *arrow = strchr(word, '>');
	if (!arrow)
		give_up(test, word);
	*arrow = '\0';
	uint64_t distance = 0;
	uint32_t to = take_place(test, arrow + 1, &distance);
	uint32_t from = strcmp(word, "R") ? block_named(test, word) : PLAN_ROOT;
	plan_edge(&test->plan, from, to, distance);
}

static const struct {
	const char *keyword;
	void (*take)(struct test_case *test, char *word);
} keywords[] = {
	{ "blocks", take_block },    { "free", take_free },     { "mapped", take_mapped },
	{ "counted", take_counted }, { "string", take_string }, { "object", take_object },
	{ "edges", take_edge },
};

/* A line of a case: part of the graph, or of what is expected. */
static void take_line(struct test_case *test, char *line)
{
	if (line[0] == '#') {
		str_puts(&test->title, line + 1);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
		size_t length = strlen(keywords[i].keyword);
		if (strncmp(line, keywords[i].keyword, length) != 0 ||
		    line[length] != ' ')
			continue;
		char *rest = NULL;
		for (char *word = strtok_r(line + length, " ", &rest); word;
		     word = strtok_r(NULL, " ", &rest))
			keywords[i].take(test, word);
		return;
	}
	str_printf(&test->expected, "%s\n", line);
}

/* --- what is found --------------------------------------------------------------------- */

struct analysis {
	const struct test_case *test;
	struct graph graph;
	struct reach reach[2]; /* default, strict */
	struct lost lost;
};

static const char *name_of(const struct analysis *analysis, uint32_t rank)
{
	const struct plan *plan = &analysis->test->plan;
	for (size_t i = 0; i < plan->blocks.nr; i++)
		if (plan->blocks.items[i].rank == rank)
			return analysis->test->names[i];
	return "?";
}

static bool is_leader(const struct analysis *analysis, uint32_t rank)
{
	for (size_t i = 0; i < analysis->lost.roots.nr; i++)
		if (analysis->lost.roots.items[i].leader == rank)
			return true;
	return false;
}

static const char *kind_of(const struct analysis *analysis, bool strict, uint32_t rank)
{
	const struct reach *reach = &analysis->reach[strict];
	if (bitmap_test(reach_sure(reach), rank))
		return "reachable";
	if (bitmap_test(reach->any.memory, rank))
		return "possible";
	return is_leader(analysis, rank) ? "definite" : "indirect";
}

static void print_kinds(const struct analysis *analysis, bool strict, struct str *text)
{
	const struct plan *plan = &analysis->test->plan;
	for (size_t i = 0; i < plan->blocks.nr; i++)
		if (plan->blocks.items[i].rank != RANK_NONE)
			str_printf(text, " %s=%s", analysis->test->names[i],
				   kind_of(analysis, strict, plan->blocks.items[i].rank));
	str_puts(text, "\n");
}

static void print_leaks(const struct analysis *analysis, struct str *text)
{
	for (size_t i = 0; i < analysis->lost.roots.nr; i++) {
		const struct lost_root *root = &analysis->lost.roots.items[i];
		str_printf(text, "leak %s: ", name_of(analysis, root->leader));
		if (root->members > 1)
			str_printf(text, "cycle of %u, ", root->members);
		str_printf(text, "%" PRIu64 " block%s, %" PRIu64 " bytes\n", root->blocks,
			   root->blocks == 1 ? "" : "s", root->bytes);
	}
	struct str shared = { 0 };
	const uint32_t *owners = analysis->lost.owners.memory;
	const uint32_t *ranks = analysis->lost.ranks.memory;
	for (uint32_t i = 0; i < analysis->lost.nr; i++)
		if (owners[i] == LOST_SHARED)
			str_printf(&shared, " %s", name_of(analysis, ranks[i]));
	if (shared.length)
		str_printf(text, "shared%s\n", str_text(&shared));
	str_deinit(&shared);
}

static void print_analysis(const struct analysis *analysis, struct str *text)
{
	struct str kinds[2] = { 0 };
	print_kinds(analysis, false, &kinds[0]);
	print_kinds(analysis, true, &kinds[1]);
	if (!strcmp(str_text(&kinds[0]), str_text(&kinds[1])))
		str_printf(text, "both%s", str_text(&kinds[0]));
	else
		str_printf(text, "default%sstrict%s", str_text(&kinds[0]),
			   str_text(&kinds[1]));
	str_deinit(&kinds[0]);
	str_deinit(&kinds[1]);
	print_leaks(analysis, text);
}

static void analyse(struct test_case *test, struct str *text)
{
	struct analysis analysis = { .test = test };
	plan_build(&test->plan, &analysis.graph);
	struct error *error = reach_mark(&analysis.graph, false, 1, &analysis.reach[0]);
	if (!error)
		error = reach_mark(&analysis.graph, true, 1, &analysis.reach[1]);
	if (!error)
		error = lost_find(&analysis.graph, analysis.reach[0].any.memory,
				  &analysis.lost);
	if (error)
		give_up(test, error->sentence);
	print_analysis(&analysis, text);
	lost_deinit(&analysis.lost);
	reach_deinit(&analysis.reach[0]);
	reach_deinit(&analysis.reach[1]);
	graph_deinit(&analysis.graph);
}

/* --- running --------------------------------------------------------------------------- */

static bool run(struct test_case *test)
{
	struct str found = { 0 };
	analyse(test, &found);
	bool good = !strcmp(str_text(&found), str_text(&test->expected));
	printf("%s:%s\n", good ? "ok" : "WRONG", str_text(&test->title));
	if (!good)
		printf("  expected at line %u:\n%s  found:\n%s", test->line,
		       str_text(&test->expected), str_text(&found));
	str_deinit(&found);
	return good;
}

static void end_case(struct test_case *test)
{
	for (size_t i = 0; i < test->plan.blocks.nr; i++)
		free(test->names[i]);
	plan_deinit(&test->plan);
	str_deinit(&test->title);
	str_deinit(&test->expected);
	*test = (struct test_case){ 0 };
}

int main(int argc, char **argv)
{
	CLEANUP_FCLOSE FILE *file = argc == 2 ? fopen(argv[1], "re") : NULL;
	if (!file) {
		fprintf(stderr, "usage: graph-cases FILE\n");
		return 2;
	}
	struct test_case test = { 0 };
	unsigned line_number = 0, nr = 0, nr_wrong = 0;
	char line[1024];
	bool more = true;
	while (more) {
		more = fgets(line, sizeof(line), file);
		line_number++;
		line[more ? strcspn(line, "\n") : 0] = '\0';
		if (line[0]) {
			test.line = test.line ? test.line : line_number;
			take_line(&test, line);
		} else if (test.plan.blocks.nr) {
			nr++;
			nr_wrong += !run(&test);
			end_case(&test);
		} else {
			end_case(&test);
		}
	}
	printf("%u cases, %u wrong\n", nr, nr_wrong);
	return nr == 0 || nr_wrong > 0;
}
