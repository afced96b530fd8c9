/* Tests of analyse/suppressions: the three sorts of files, what matches, and what is wrong. */
#include "analyse/suppressions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const unsigned today = 20260315;

/* Parses a text that must be right. */
static struct suppressions parse(const char *text, bool has_stacks)
{
	struct suppressions set = { .today = today, .has_stacks = has_stacks };
	char *copy = strdup(text);
	struct error *error = suppressions_parse(&set, "known.supp", copy, strlen(copy));
	if (error)
		fail_msg("%s", error->sentence);
	free(copy);
	return set;
}

/* Whether the first rule of the text matches. */
static bool matches(const char *text, struct suppression_subject subject)
{
	struct suppressions set = parse(text, subject.nr_calls > 0);
	bool found = suppressions_match(&set, &subject) == &set.rules.items[0];
	suppressions_deinit(&set);
	return found;
}

/* --- our own ------------------------------------------------------------------------ */

static const struct suppression_subject session = {
	.kind = LEAK_DEFINITE,
	.type = "class Session<int[3]>",
	.size = 64,
	.fingerprints = { 0x11, 0x22, 0x33 },
	.modules = { "libapp.so.1", NULL },
};

static const struct suppression_subject buffer = {
	.kind = LEAK_POSSIBLE,
	.type = "512-byte block of zeros",
	.size = 512,
	.fingerprints = { 0x44, 0x44, 0x55 },
	.root = "global server:state+8",
	.symbol = "state",
	.modules = { NULL, "server" },
};

static void reads_all_keys(void **state)
{
	(void)state;
	struct suppressions set = parse("# comment\n"
					"[ the cache [old] ]\r\n"
					"\ttype = class Session*  \n"
					"size=64..256\n"
					"   # another\n"
					"root = state\n"
					"module = lib*\n"
					"kind = definite, reachable\n"
					"fingerprint = 0x0123456789abcdef\n"
					"expires = 2026-12-31\n"
					"reason = bug #7 = [known]\n",
					false);
	assert_int_equal(set.rules.nr, 1);
	const struct suppression *rule = &set.rules.items[0];
	assert_string_equal(rule->told.name, "the cache [old]");
	assert_string_equal(rule->told.file, "known.supp");
	assert_int_equal(rule->told.line, 2);
	assert_string_equal(rule->type, "class Session*");
	assert_int_equal(rule->least_size, 64);
	assert_int_equal(rule->most_size, 256);
	assert_string_equal(rule->root, "state");
	assert_string_equal(rule->module, "lib*");
	assert_int_equal(rule->kinds, 1u << LEAK_DEFINITE | 1u << LEAK_REACHABLE);
	assert_int_equal(rule->fingerprint, 0x0123456789abcdef);
	assert_int_equal(rule->told.expires, 20261231);
	assert_string_equal(rule->told.reason, "bug #7 = [known]");
	assert_int_equal(rule->told.state, SUPPRESSION_UNUSED);
	suppressions_deinit(&set);
}

static void all_that_is_said_must_match(void **state)
{
	(void)state;
	assert_true(matches("[x]\ntype = class Session<int[3]>\n", session));
	assert_true(matches("[x]\ntype = *\nsize = 64\nmodule = libapp.so*\n", session));
	assert_false(matches("[x]\ntype = *\nsize = 65\n", session));
	assert_false(matches("[x]\ntype = Session*\n", session));
	assert_false(matches("[x]\ntype = *\nmodule = libapp\n", session));
	assert_false(matches("[x]\ntype = *\nroot = *\n", session));
	assert_true(matches("[x]\nroot = state\n", buffer));
	assert_true(matches("[x]\nroot = global server:*\nmodule = server\n", buffer));
	assert_false(matches("[x]\nroot = server\n", buffer));
}

static void sizes_are_ranges(void **state)
{
	(void)state;
	assert_true(matches("[x]\nsize = 64\n", session));
	assert_true(matches("[x]\nsize = 64..64\n", session));
	assert_true(matches("[x]\nsize = 1..\n", session));
	assert_true(matches("[x]\nsize = ..64\n", session));
	assert_false(matches("[x]\nsize = ..63\n", session));
	assert_false(matches("[x]\nsize = 65..\n", session));
}

static void kinds_are_leaks_unless_said(void **state)
{
	(void)state;
	struct suppression_subject block = session;
	static const bool is_leak[] = { true, false, true, false };
	for (unsigned kind = 0; kind < ARRAY_SIZE(is_leak); kind++) {
		block.kind = (enum leak_kind)kind;
		assert_int_equal(matches("[x]\ntype = *\n", block), is_leak[kind]);
		assert_true(matches("[x]\ntype = *\nkind = all\n", block));
	}
	assert_true(matches("[x]\nsize = 64\nkind = reachable\n", block));
	assert_false(matches("[x]\nsize = 64\nkind = indirect,possible\n", block));
}

static void fingerprints_of_all_groupings_match(void **state)
{
	(void)state;
	assert_true(matches("[x]\nfingerprint = 0x11\n", session));
	assert_true(matches("[x]\nfingerprint = 0x0000000000000022\n", session));
	assert_true(matches("[x]\nfingerprint = 0x33\n", session));
	assert_false(matches("[x]\nfingerprint = 0x44\n", session));
	assert_false(matches("[x]\nfingerprint = 0x0\n", session));
}

static void ends_after_its_last_day(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum leak_suppression_state state;
	} days[] = {
		{ "[x]\ntype = *\nexpires = 2026-03-15\n", SUPPRESSION_UNUSED },
		{ "[x]\ntype = *\nexpires = 2026-03-14\n", SUPPRESSION_EXPIRED },
		{ "[x]\nframe = fun:f\nexpires = 2026-03-14\n", SUPPRESSION_EXPIRED },
		{ "[x]\ntype = *\nexpires = 2024-02-29\n", SUPPRESSION_EXPIRED },
	};
	for (size_t i = 0; i < ARRAY_SIZE(days); i++) {
		struct suppressions set = parse(days[i].text, false);
		assert_int_equal(set.rules.items[0].told.state, days[i].state);
		assert_int_equal(suppressions_match(&set, &session) != NULL,
				 days[i].state == SUPPRESSION_UNUSED);
		suppressions_deinit(&set);
	}
}

static void the_first_that_matches_is_used(void **state)
{
	(void)state;
	struct suppressions set = parse("[a]\nsize = 1\n[b]\nsize = 64\n[c]\ntype = *\n"
					"[d]\ntype = *\nexpires = 2020-01-01\n"
					"[e]\ntype = *\nframe = ...\nframe = fun:f\n",
					false);
	static const struct leak_suppression expected[] = {
		{ .name = (char *)"a", .line = 1, .state = SUPPRESSION_UNUSED },
		{ .name = (char *)"b",
		  .line = 3,
		  .state = SUPPRESSION_USED,
		  .matched = { 2, 96 } },
		{ .name = (char *)"c", .line = 5, .state = SUPPRESSION_UNUSED },
		{ .name = (char *)"d", .line = 7, .state = SUPPRESSION_EXPIRED },
		{ .name = (char *)"e", .line = 10, .state = SUPPRESSION_NEEDS_STACKS },
	};
	struct suppression *rule = suppressions_match(&set, &session);
	assert_ptr_equal(rule, &set.rules.items[1]);
	suppression_use(rule, 64);
	suppression_use(rule, 32);
	struct leak_suppression_vec told = { 0 };
	assert_null(suppressions_tell(&set, &told));
	assert_int_equal(told.nr, ARRAY_SIZE(expected));
	for (size_t i = 0; i < told.nr; i++) {
		assert_string_equal(told.items[i].name, expected[i].name);
		assert_int_equal(told.items[i].line, expected[i].line);
		assert_int_equal(told.items[i].state, expected[i].state);
		assert_int_equal(told.items[i].matched.blocks,
				 expected[i].matched.blocks);
		assert_int_equal(told.items[i].matched.bytes, expected[i].matched.bytes);
		leak_suppression_deinit(&told.items[i]);
	}
	leak_suppression_vec_deinit(&told);
	suppressions_deinit(&set);
}

static void types_from_the_command_line_are_rules(void **state)
{
	(void)state;
	struct suppressions set = { .today = today };
	assert_null(suppressions_add_type(&set, "class S*"));
	assert_non_null(suppressions_match(&set, &session));
	assert_null(suppressions_match(&set, &buffer));
	assert_null(set.rules.items[0].told.file);
	assert_string_equal(set.rules.items[0].told.name, "class S*");
	assert_int_equal(suppressions_kinds(&set),
			 1u << LEAK_DEFINITE | 1u << LEAK_POSSIBLE);
	assert_int_equal(suppressions_held_kinds(&set), 0);
	suppressions_deinit(&set);
}

static void tells_which_kinds_are_asked_for(void **state)
{
	(void)state;
	struct suppressions set = parse("[a]\nroot = *\nkind = definite,possible\n"
					"[b]\nsize = 1\nkind = indirect\n"
					"[c]\nroot = *\nkind = reachable\n"
					"expires = 2020-01-01\n",
					false);
	assert_int_equal(suppressions_kinds(&set),
			 1u << LEAK_DEFINITE | 1u << LEAK_POSSIBLE | 1u << LEAK_INDIRECT);
	assert_int_equal(suppressions_held_kinds(&set), 1u << LEAK_POSSIBLE);
	suppressions_deinit(&set);
}

/* --- Valgrind's and sanitizers' ------------------------------------------------------- */

static void reads_valgrinds(void **state)
{
	(void)state;
	struct suppressions set = parse("{\n"
					"   a name: with colon\n"
					"   Memcheck:Leak\n"
					"   match-leak-kinds: possible,reachable\n"
					"   fun:malloc\n"
					"   ...\n"
					"   obj:*/libX11.so*\n"
					"   src:main.c:12\n"
					"}\n"
					"{\n"
					"   other\n"
					"   Memcheck:Param\n"
					"   ioctl(TCSETS)\n"
					"   fun:anything at all\n"
					"} \n"
					"{\n"
					"  two\n"
					"  drd,Memcheck:Leak\n"
					"  fun:f\n"
					"}\n"
					"{\n"
					"  not ours\n"
					"  Addrcheck,drd:Leak\n"
					"  fun:f\n"
					"}\n",
					false);
	static const struct {
		unsigned line;
		enum leak_suppression_state state;
	} expected[] = {
		{ 1, SUPPRESSION_NEEDS_STACKS },
		{ 10, SUPPRESSION_NOT_ABOUT_LEAKS },
		{ 16, SUPPRESSION_NEEDS_STACKS },
		{ 21, SUPPRESSION_NOT_ABOUT_LEAKS },
	};
	assert_int_equal(set.rules.nr, ARRAY_SIZE(expected));
	for (size_t i = 0; i < set.rules.nr; i++) {
		assert_int_equal(set.rules.items[i].told.line, expected[i].line);
		assert_int_equal(set.rules.items[i].told.state, expected[i].state);
	}
	assert_string_equal(set.rules.items[0].told.name, "a name: with colon");
	assert_int_equal(set.rules.items[0].kinds,
			 1u << LEAK_POSSIBLE | 1u << LEAK_REACHABLE);
	assert_int_equal(set.rules.items[0].frames.nr, 4);
	assert_null(suppressions_match(&set, &session));
	suppressions_deinit(&set);
}

static void reads_sanitizers(void **state)
{
	(void)state;
	struct suppressions set = parse("\xef\xbb\xbf# UTF-8\nleak:FooBar\n"
					"race:std::thread\n  leak:^lib*.so$\n"
					"signed-integer-overflow:x.c\nleak:\n",
					false);
	static const enum leak_suppression_state expected[] = {
		SUPPRESSION_NEEDS_STACKS, SUPPRESSION_NOT_ABOUT_LEAKS,
		SUPPRESSION_NEEDS_STACKS, SUPPRESSION_NOT_ABOUT_LEAKS,
		SUPPRESSION_NEEDS_STACKS,
	};
	assert_int_equal(set.rules.nr, ARRAY_SIZE(expected));
	for (size_t i = 0; i < set.rules.nr; i++)
		assert_int_equal(set.rules.items[i].told.state, expected[i]);
	assert_string_equal(set.rules.items[2].told.name, "leak:^lib*.so$");
	suppressions_deinit(&set);
}

static void one_file_may_hold_all_sorts(void **state)
{
	(void)state;
	struct suppressions set = parse("[own]\ntype = a\nleak:b\n{\nc\nMemcheck:Leak\n"
					"fun:d\n}\n[own too]\nsize = 1\n",
					false);
	assert_int_equal(set.rules.nr, 4);
	suppressions_deinit(&set);
}

/* --- call stacks ---------------------------------------------------------------------- */

static const struct suppression_call calls[] = {
	{ "malloc", "/lib/libc.so.6", NULL },
	{ "g_malloc", "/usr/lib/libglib-2.0.so.0", "gmem.c" },
	{ "load_icons", "/usr/bin/app", "icons.c" },
	{ "main", "/usr/bin/app", "main.c" },
};

static const struct {
	const char *text;
	bool matches;
} stack_cases[] = {
	{ "{\nx\nMemcheck:Leak\nfun:malloc\nfun:g_*\n}\n", true },
	{ "{\nx\nMemcheck:Leak\nfun:malloc\nobj:*glib*\nsrc:icons.?\n}\n", true },
	/* The allocator's own frame, which our stacks lack. */
	{ "{\nx\nMemcheck:Leak\nfun:calloc\nfun:malloc\n}\n", true },
	{ "{\nx\nMemcheck:Leak\nfun:_Znwm\nfun:malloc\nfun:g_*\n}\n", true },
	{ "{\nx\nMemcheck:Leak\nfun:other\nfun:malloc\n}\n", false },
	{ "{\nx\nMemcheck:Leak\nfun:g_malloc\n}\n", false },
	{ "{\nx\nMemcheck:Leak\n...\nfun:main\n}\n", true },
	{ "{\nx\nMemcheck:Leak\nfun:malloc\n...\nfun:main\n}\n", true },
	{ "{\nx\nMemcheck:Leak\nfun:malloc\n...\nfun:main\nfun:start\n}\n", false },
	{ "{\nx\nMemcheck:Leak\n...\nfun:g_malloc\nfun:main\n}\n", false },
	{ "{\nx\nMemcheck:Leak\n...\n...\nobj:*/app\nfun:main\n...\n}\n", true },
	{ "{\nx\nMemcheck:Leak\nsrc:*\n}\n", false },
	{ "leak:icons", true },
	{ "leak:glib-2.0", true },
	{ "leak:^main$", true },
	{ "leak:^icons$", false },
	{ "leak:^load*cons$", true },
	{ "leak:^/usr/bin/", true },
	{ "leak:.so.6$", true },
	{ "leak:load*x", false },
	{ "[x]\ntype = *\nframe = ...\nframe = fun:main\n", true },
	{ "[x]\ntype = none\nframe = fun:malloc\n", false },
};

static void frames_match_call_stacks(void **state)
{
	(void)state;
	struct suppression_subject subject = session;
	subject.calls = calls;
	subject.nr_calls = ARRAY_SIZE(calls);
	for (size_t i = 0; i < ARRAY_SIZE(stack_cases); i++)
		if (matches(stack_cases[i].text, subject) != stack_cases[i].matches)
			fail_msg("%s", stack_cases[i].text);
}

static void frames_match_nothing_without_stacks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(stack_cases); i++) {
		assert_false(matches(stack_cases[i].text, session));
		struct suppressions set = parse(stack_cases[i].text, true);
		assert_null(suppressions_match(&set, &session));
		suppressions_deinit(&set);
	}
}

/* --- what is wrong -------------------------------------------------------------------- */

static const struct {
	const char *text, *sentence;
} mistakes[] = {
	{ "hello\n", "x:1: no suppression begins with \"hello\"" },
	{ "type = a\n", "x:1: no suppression begins with \"type = a\"" },
	{ "[a]\n", "x:1: the suppression does not say what it is for" },
	{ "[a]\nkind = possible\n", "x:1: the suppression does not say what it is for" },
	{ "\n\n[a\ntype = b\n", "x:3: the name is not closed" },
	{ "[]\n", "x:1: the suppression has no name" },
	{ "[ ]\n", "x:1: the suppression has no name" },
	{ "[\n", "x:1: the name is not closed" },
	{ "[a]\ntype b\n", "x:2: \"type b\" is not KEY = VALUE" },
	{ "[a]\ntypo = b\n", "x:2: a suppression has no key \"typo\"" },
	{ "[a]\n= b\n", "x:2: a suppression has no key \"\"" },
	{ "[a]\ntype =\n", "x:2: the pattern is empty" },
	{ "[a]\ntype = b\n\ntype = c\n", "x:4: the suppression has a second \"type\"" },
	{ "[a]\nsize = 5..4\n", "x:2: \"5..4\" is no size" },
	{ "[a]\nsize = ..\n", "x:2: \"..\" is no size" },
	{ "[a]\nsize = -1\n", "x:2: \"-1\" is no size" },
	{ "[a]\nsize = 5k\n", "x:2: \"5k\" is no size" },
	{ "[a]\nsize = 99999999999999999999\n",
	  "x:2: \"99999999999999999999\" is no size" },
	{ "[a]\nkind = lost\n", "x:2: no kind of leak is named \"lost\"" },
	{ "[a]\nkind =\n", "x:2: no kind is named" },
	{ "[a]\nfingerprint = 12\n", "x:2: \"12\" is no fingerprint" },
	{ "[a]\nfingerprint = 0xg\n", "x:2: \"0xg\" is no fingerprint" },
	{ "[a]\nfingerprint = 0x11112222333344445\n",
	  "x:2: \"0x11112222333344445\" is no fingerprint" },
	{ "[a]\nexpires = tomorrow\n", "x:2: \"tomorrow\" is no date" },
	{ "[a]\nexpires = 2026-02-29\n", "x:2: \"2026-02-29\" is no date" },
	{ "[a]\nexpires = 2026-13-01\n", "x:2: \"2026-13-01\" is no date" },
	{ "[a]\nexpires = 2026-1-1\n", "x:2: \"2026-1-1\" is no date" },
	{ "[a]\nexpires = 0000-00-00\n", "x:2: \"0000-00-00\" is no date" },
	{ "[a]\nframe = main\n", "x:2: \"main\" is no frame of a call stack" },
	{ "[a]\nframe = fun:\n", "x:2: \"fun:\" is no frame of a call stack" },
	{ "[a]\ntype = b\nframe = ...\n",
	  "x:1: the suppression names no frame, so it would match every call stack" },
	{ "laek:foo\n", "x:1: no sanitizer suppresses \"laek:\"" },
	{ "{\n", "x:1: the block that begins here is not closed" },
	{ "{\na\n", "x:1: the block that begins here is not closed" },
	{ "{\na\nMemcheck:Cond\nfun:b\n",
	  "x:1: the block that begins here is not closed" },
	{ "{\na\nMemcheck:Cond\n{\nb\n",
	  "x:1: the block that begins here is not closed" },
	{ "{\na\nb\n}\n", "x:3: \"b\" is not TOOL:KIND" },
	{ "{\na\nMemcheck:\n}\n", "x:3: \"Memcheck:\" is not TOOL:KIND" },
	{ "{\na\nMemcheck:Leak\n}\n",
	  "x:1: the suppression names no frame, so it would match every call stack" },
	{ "{\na\nMemcheck:Leak\n...\n...\n}\n",
	  "x:1: the suppression names no frame, so it would match every call stack" },
	{ "{\na\nMemcheck:Leak\nmatch-leak-kinds: some\nfun:b\n}\n",
	  "x:4: no kind of leak is named \"some\"" },
	{ "{\na\nMemcheck:Leak\nfn:b\n}\n", "x:4: \"fn:b\" is no frame of a call stack" },
	{ "}\n", "x:1: no suppression begins with \"}\"" },
};

static void mistakes_are_told_with_their_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		struct suppressions set = { .today = today };
		char *copy = strdup(mistakes[i].text);
		struct error *error = suppressions_parse(&set, "x", copy, strlen(copy));
		if (!error)
			fail_msg("taken: %s", mistakes[i].text);
		assert_string_equal(error->sentence, mistakes[i].sentence);
		assert_int_equal(error->code, ERROR_USAGE);
		assert_non_null(error->remedy);
		error_destroy(error);
		suppressions_deinit(&set);
		free(copy);
	}
}

static void more_frames_than_sense_are_refused(void **state)
{
	(void)state;
	static char text[300 * 8] = "{\na\nMemcheck:Leak\n";
	for (int i = 0; i < 257; i++)
		strcat(text, "fun:b\n");
	struct suppressions set = { .today = today };
	struct error *error = suppressions_parse(&set, "x", text, strlen(text));
	assert_non_null(error);
	assert_string_equal(error->sentence, "x:260: this is the frame after the 256th");
	error_destroy(error);
	suppressions_deinit(&set);
}

static void long_patterns_are_refused(void **state)
{
	(void)state;
	static char text[1100] = "[a]\ntype = ";
	memset(text + strlen(text), 'b', 1001);
	struct suppressions set = { .today = today };
	struct error *error = suppressions_parse(&set, "x", text, strlen(text));
	assert_non_null(error);
	assert_string_equal(error->sentence, "x:2: the pattern has 1001 bytes");
	error_destroy(error);
	suppressions_deinit(&set);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
	(void)state;
	char text[] = "[a]\n\0type = b\n";
	struct suppressions set = { .today = today };
	struct error *error = suppressions_parse(&set, "x", text, sizeof(text) - 1);
	assert_non_null(error);
	assert_string_equal(error->sentence, "x is no text: its byte 4 is a NUL");
	error_destroy(error);
	suppressions_deinit(&set);
}

/* --- files ---------------------------------------------------------------------------- */

static void assert_unreadable(const char *path, const char *sentence)
{
	struct suppressions set = suppressions_begin();
	struct error *error = suppressions_read(&set, path);
	assert_non_null(error);
	assert_string_equal(error->sentence, sentence);
	assert_int_equal(error->code, ERROR_USAGE);
	error_destroy(error);
	suppressions_deinit(&set);
}

static void unreadable_files_are_named(void **state)
{
	(void)state;
	assert_unreadable("/no/such/file", "cannot read the suppressions in "
					   "/no/such/file: No such file or directory");
	assert_unreadable("/", "cannot read the suppressions in /: Is a directory");
	assert_unreadable("/dev/zero",
			  "/dev/zero is larger than any file of suppressions should be "
			  "(16 MiB)");
}

static void empty_files_have_no_rules(void **state)
{
	(void)state;
	struct suppressions set = suppressions_begin();
	assert_null(suppressions_read(&set, "/dev/null"));
	assert_int_equal(set.rules.nr, 0);
	assert_in_range(set.today, 20260101, 99991231);
	suppressions_deinit(&set);
}

/* Those that are installed: every rule of theirs must be understood. */
static void reads_files_of_others(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		size_t least_rules, least_leaks;
	} files[] = {
		{ "/usr/libexec/valgrind/default.supp", 150, 3 },
		{ "/usr/lib/valgrind/debian.supp", 4, 3 },
		{ "/usr/lib/valgrind/ncurses.supp", 20, 20 },
		{ "/usr/lib/valgrind/python3.supp", 40, 1 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct suppressions set = suppressions_begin();
		size_t leaks = 0;
		if (access(files[i].path, R_OK))
			continue;
		struct error *error = suppressions_read(&set, files[i].path);
		if (error)
			fail_msg("%s", error->sentence);
		for (size_t rule = 0; rule < set.rules.nr; rule++)
			leaks += set.rules.items[rule].told.state ==
				 SUPPRESSION_NEEDS_STACKS;
		assert_true(set.rules.nr >= files[i].least_rules);
		assert_true(leaks >= files[i].least_leaks);
		assert_null(suppressions_match(&set, &session));
		print_message("%s: %zu rules, %zu about leaks\n", files[i].path,
			      set.rules.nr, leaks);
		suppressions_deinit(&set);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_all_keys),
		cmocka_unit_test(all_that_is_said_must_match),
		cmocka_unit_test(sizes_are_ranges),
		cmocka_unit_test(kinds_are_leaks_unless_said),
		cmocka_unit_test(fingerprints_of_all_groupings_match),
		cmocka_unit_test(ends_after_its_last_day),
		cmocka_unit_test(the_first_that_matches_is_used),
		cmocka_unit_test(types_from_the_command_line_are_rules),
		cmocka_unit_test(tells_which_kinds_are_asked_for),
		cmocka_unit_test(reads_valgrinds),
		cmocka_unit_test(reads_sanitizers),
		cmocka_unit_test(one_file_may_hold_all_sorts),
		cmocka_unit_test(frames_match_call_stacks),
		cmocka_unit_test(frames_match_nothing_without_stacks),
		cmocka_unit_test(mistakes_are_told_with_their_place),
		cmocka_unit_test(more_frames_than_sense_are_refused),
		cmocka_unit_test(long_patterns_are_refused),
		cmocka_unit_test(bytes_that_are_no_text_are_refused),
		cmocka_unit_test(unreadable_files_are_named),
		cmocka_unit_test(empty_files_have_no_rules),
		cmocka_unit_test(reads_files_of_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
