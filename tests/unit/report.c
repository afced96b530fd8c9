/* Tests of report/: what text and JSON promise, over samples made by hand. */
#include "report/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "golden/samples.h"
#include "report/layout.h"
#include "report/utf8_priv.h"

static struct str render(const char *renderer, const char *sample,
			 struct report_options options)
{
	struct leaks_report *report = leaks_sample(sample);
	struct str text = report_renderer(renderer)->leaks(report, &options);
	leaks_report_destroy(report);
	assert_false(text.failed);
	return text;
}

static struct str render_doctor(const char *renderer, const char *sample,
				struct report_options options)
{
	struct doctor_report *report = doctor_sample(sample);
	struct str text = report_renderer(renderer)->doctor(report, &options);
	doctor_report_destroy(report);
	assert_false(text.failed);
	return text;
}

static void assert_contains(const struct str *text, const char *part)
{
	if (!strstr(str_text(text), part))
		fail_msg("\"%s\" is not in:\n%s", part, str_text(text));
}

static void assert_lacks(const struct str *text, const char *part)
{
	if (strstr(str_text(text), part))
		fail_msg("\"%s\" is in:\n%s", part, str_text(text));
}

/* The n-th line from the start, or from the end when negative (-1 is the last). */
static void assert_line(const struct str *text, int n, const char *expected)
{
	char *copy = strdup(str_text(text)), *lines[1000] = { 0 }, *rest = NULL;
	int nr = 0;
	for (char *line = strtok_r(copy, "\n", &rest); line && nr < 1000;
	     line = strtok_r(NULL, "\n", &rest))
		lines[nr++] = line;
	int at = n < 0 ? nr + n : n;
	assert_in_range(at, 0, nr - 1);
	assert_string_equal(lines[at], expected);
	free(copy);
}

/* --- layout ------------------------------------------------------------------------- */

static void bytes_count_in_thousands(void **state)
{
	(void)state;
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 B" },
		{ 999, "999 B" },
		{ 1000, "1.0 kB" },
		{ 1049, "1.0 kB" },
		{ 1050, "1.1 kB" },
		{ 99949, "99.9 kB" },
		{ 99950, "100 kB" },
		{ 999499, "999 kB" },
		{ 999500, "1.0 MB" },
		{ 1000000, "1.0 MB" },
		{ 1234567890, "1.2 GB" },
		{ 123456789012345, "123 TB" },
		{ UINT64_MAX, "18.4 EB" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct str text = { 0 };
		layout_bytes(&text, cases[i].bytes);
		assert_string_equal(str_text(&text), cases[i].text);
		str_deinit(&text);
	}
}

static void counts_have_commas(void **state)
{
	(void)state;
	struct str text = { 0 };
	layout_count(&text, 7);
	str_puts(&text, " ");
	layout_count(&text, 1000);
	str_puts(&text, " ");
	layout_count(&text, UINT64_MAX);
	assert_string_equal(str_text(&text), "7 1,000 18,446,744,073,709,551,615");
	str_deinit(&text);
}

static void escapes_what_steers_a_terminal(void **state)
{
	(void)state;
	static const struct {
		const char *raw, *visible;
	} cases[] = {
		{ "", "" },
		{ "class Node", "class Node" },
		{ "a\nb\tc\x1b[0m\x7f", "a\\nb\\tc\\x1b[0m\\x7f" },
		{ "\xc2\x9b"
		  "31m",
		  "\\u{9b}31m" },
		{ "M\xc3\xbcller", "M\xc3\xbcller" },
		{ "\xe2\x80\xae", "\\u{202e}" },
		{ "\xf3\xa0\x80\x81", "\\u{e0001}" },
		{ "\xff\xc3", "\\xff\\xc3" },
		{ "\xc0\xaf", "\\xc0\\xaf" },                   /* overlong */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },          /* a surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* past the last one */
		{ "\xe2\x82", "\\xe2\\x82" },                   /* cut off */
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct str text = { 0 };
		layout_escape(&text, cases[i].raw, 0);
		assert_string_equal(str_text(&text), cases[i].visible);
		str_deinit(&text);
	}
}

static void ascii_readers_get_ascii(void **state)
{
	(void)state;
	struct str text = { 0 };
	layout_escape(&text, "M\xc3\xbcller", REPORT_ASCII);
	assert_string_equal(str_text(&text), "M\\u{fc}ller");
	str_deinit(&text);
}

static void every_single_byte_becomes_visible(void **state)
{
	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		char raw[] = { (char)byte, '\0' };
		struct str text = { 0 };
		layout_escape(&text, raw, 0);
		for (size_t i = 0; i < text.length; i++)
			assert_in_range(text.text[i], ' ', '~');
		str_deinit(&text);
	}
}

static void assert_wrapped(const char *text, struct layout_box box, const char *expected)
{
	struct str out = { 0 };
	layout_wrap(&out, text, box);
	assert_string_equal(str_text(&out), expected);
	str_deinit(&out);
}

static void wraps_at_spaces(void **state)
{
	(void)state;
	const struct layout_box box = { .indent = 2, .width = 12 };
	assert_wrapped("", box, "\n");
	assert_wrapped("one", box, "  one\n");
	assert_wrapped("one two three four", box, "  one two\n  three four\n");
	assert_wrapped("one\ntwo", box, "  one\n  two\n");
	assert_wrapped("12.3 MB 12.3 MB, 4 kB", box, "  12.3 MB\n  12.3 MB,\n  4 kB\n");
	/* A line that somebody began goes on where they stopped. */
	assert_wrapped("one two", (struct layout_box){ 2, 12, 9 }, "one\n  two\n");
}

static void breaks_words_longer_than_a_line(void **state)
{
	(void)state;
	const struct layout_box box = { .indent = 2, .width = 12 };
	assert_wrapped("abcdefghijklmno", box, "  abcdefghij\n  klmno\n");
	assert_wrapped(
		"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
		"\xc3\xbc\xc3\xbc",
		box,
		"  \xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
		"\xc3\xbc\n  \xc3\xbc\n");
	assert_wrapped("std::map<key,value>", box, "  std::map<\n  key,value>\n");
	assert_wrapped("abcdefghijkl", (struct layout_box){ 2, 12, 12 },
		       "\n  abcdefghij\n  kl\n");
	assert_wrapped("abcdefghijkl", (struct layout_box){ 2, 12, 400 },
		       "\n  abcdefghij\n  kl\n");
	/* No box is too narrow. */
	assert_wrapped("abcdefghi", (struct layout_box){ .indent = 20, .width = 4 },
		       "                    abcdefgh\n                    i\n");
}

/* --- text --------------------------------------------------------------------------- */

static void verdict_is_the_first_line(void **state)
{
	(void)state;
	static const struct {
		const char *sample, *line;
	} cases[] = {
		{ "none", "no leaks in redis-server (412)" },
		{ "some", "3 leaks: 1.1 MB lost in 3,485 blocks of redis-server (412)" },
		{ "strict",
		  "4 leaks: 1.1 MB lost and 6.1 kB possibly lost in 3,497 blocks of "
		  "redis-server (412)" },
		{ "left-out",
		  "at least 3 leaks: 36.6 kB lost in 412 blocks of redis-server (412)" },
		{ "partly-read",
		  "no leaks found in redis-server (412), but only 98.99 % of "
		  "its heap could be read" },
		{ "reachable", "no leaks in redis-server (412)" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct str text = render("text", cases[i].sample,
					 (struct report_options){ .width = 200 });
		assert_line(&text, 0, cases[i].line);
		str_deinit(&text);
	}
}

static void next_command_is_the_last_line(void **state)
{
	(void)state;
	static const struct {
		const char *sample;
		unsigned flags;
		const char *line;
	} cases[] = {
		{ "none", 0,
		  "next: seep leaks --kinds reachable --group-by type 412  # what is still "
		  "held" },
		{ "some", 0,
		  "next: seep leaks --kinds definite,indirect 412  # what the lost blocks hold" },
		{ "left-out", 0,
		  "next: seep leaks --max-findings all 412  # the whole list" },
		{ "partly-read", 0,
		  "next: seep doctor 412  # why not all of the heap could be read" },
		{ "partly-read", REPORT_ENDED,
		  "next: seep leaks --kinds reachable --group-by type 412  # what is still "
		  "held" },
		{ "reachable", 0,
		  "next: seep leaks --kinds reachable --group-by root 412  # who holds it" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct str text =
			render("text", cases[i].sample,
			       (struct report_options){ .flags = cases[i].flags });
		assert_line(&text, -1, cases[i].line);
		str_deinit(&text);
	}
}

static void next_command_repeats_the_target(void **state)
{
	(void)state;
	struct str text = render("text", "none",
				 (struct report_options){ .width = 100,
							  .again = "--at-exit -- ./a "
								   "'b c'" });
	assert_contains(&text, "--group-by type --at-exit -- ./a 'b c'  #");
	str_deinit(&text);
}

static void kinds_are_sections(void **state)
{
	(void)state;
	struct str text = render("text", "strict", (struct report_options){ 0 });
	assert_contains(&text, "definitely lost\n");
	assert_contains(&text, "possibly lost\n");
	assert_contains(&text, "kept by redis-server`server+0x1f8\n");
	assert_contains(&text, "suppressed 3 (96 B)");
	assert_contains(&text, "warning: 2 pages are swapped out and were not read\n");
	assert_lacks(&text, "fingerprint");
	str_deinit(&text);
}

static void many_warnings_are_counted(void **state)
{
	(void)state;
	struct str text = render("text", "damaged", (struct report_options){ 0 });
	assert_contains(&text, "0x55d0c3b00080");
	assert_lacks(&text, "0x55d0c3b000a0");
	assert_contains(&text, "and 7 more (all of them: -v)\n");
	str_deinit(&text);
	text = render("text", "damaged",
		      (struct report_options){ .flags = REPORT_VERBOSE });
	assert_contains(&text, "0x55d0c3b00160");
	str_deinit(&text);
}

static void verbose_adds_fingerprints(void **state)
{
	(void)state;
	struct str text = render("text", "some",
				 (struct report_options){ 0, REPORT_VERBOSE, NULL });
	assert_contains(&text, "fingerprint 0x0123456789abcdef\n");
	assert_contains(&text, "20,311 roots");
	str_deinit(&text);
}

static void lines_keep_within_the_width(void **state)
{
	(void)state;
	static const unsigned widths[] = { 40, 60, 80, 160, 200 };
	for (size_t s = 0; s < nr_leaks_samples; s++) {
		for (size_t w = 0; w < ARRAY_SIZE(widths); w++) {
			/* Numbers of 26 digits and the command to copy are never broken. */
			if (!strcmp(leaks_samples[s].name, "huge") && widths[w] < 80)
				continue;
			struct str text =
				render("text", leaks_samples[s].name,
				       (struct report_options){ .width = widths[w] });
			char *rest = NULL;
			for (char *line = strtok_r(text.text, "\n", &rest); line;
			     line = strtok_r(NULL, "\n", &rest)) {
				if (layout_columns(line) > widths[w] &&
				    strncmp(line, "next:", 5) != 0)
					fail_msg("%s at %u: %s", leaks_samples[s].name,
						 widths[w], line);
			}
			str_deinit(&text);
		}
	}
}

/* Nothing but newlines and what a reader sees may come out. */
static void assert_harmless(const struct str *text)
{
	for (size_t at = 0, size; at < text->length; at += size) {
		uint32_t code_point = utf8_decode(text->text + at, &size);
		assert_int_not_equal(code_point, UTF8_INVALID);
		if (code_point != '\n')
			assert_false(utf8_is_hidden(code_point));
	}
}

static void hostile_names_are_harmless(void **state)
{
	(void)state;
	static const char *const renderers[] = { "text", "json" };
	for (size_t i = 0; i < ARRAY_SIZE(renderers); i++) {
		for (unsigned width = 0; width < 100; width += 7) {
			struct str text =
				render(renderers[i], "hostile",
				       (struct report_options){ .width = width });
			assert_harmless(&text);
			str_deinit(&text);
		}
		struct str text = render_doctor(renderers[i], "hostile",
						(struct report_options){ 0 });
		assert_harmless(&text);
		str_deinit(&text);
	}
}

static void hostile_names_make_no_lines(void **state)
{
	(void)state;
	struct str text =
		render("text", "hostile", (struct report_options){ .width = 200 });
	assert_lacks(&text, "\nseep: no leaks");
	assert_contains(&text, "nobody\\n\\nseep: no leaks");
	str_deinit(&text);
}

static void colour_only_when_asked(void **state)
{
	(void)state;
	for (size_t s = 0; s < nr_leaks_samples; s++) {
		struct str plain = render("text", leaks_samples[s].name,
					  (struct report_options){ 0 });
		assert_lacks(&plain, "\033");
		str_deinit(&plain);
	}
	struct str colour =
		render("text", "some", (struct report_options){ 0, REPORT_COLOUR, NULL });
	assert_contains(&colour, "\033[31mdefinitely lost\033[0m");
	str_deinit(&colour);
}

static void huge_numbers_are_whole(void **state)
{
	(void)state;
	struct str text = render("text", "huge", (struct report_options){ .width = 200 });
	assert_contains(&text, "18,446,744,073,709,551,615");
	assert_contains(&text, " ... ");
	assert_contains(&text, "an unknown part");
	str_deinit(&text);
}

/* --- JSON --------------------------------------------------------------------------- */

static void json_has_exact_numbers(void **state)
{
	(void)state;
	struct str text = render("json", "huge", (struct report_options){ 0 });
	assert_contains(&text, "\"bytes\": 18446744073709551615");
	assert_contains(&text, "\"coverage_percent\": null");
	assert_contains(&text, "\"fingerprint\": \"0xffffffffffffffff\"");
	assert_contains(&text, "\"address\": \"0xffffffffffffffff\"");
	str_deinit(&text);
}

static void json_says_null_for_unknown(void **state)
{
	(void)state;
	struct str text = render("json", "bare", (struct report_options){ 0 });
	assert_contains(&text, "\"allocator\": null");
	assert_contains(&text, "\"type\": null");
	assert_contains(&text, "\"root\": null");
	assert_contains(&text, "\"site\": null");
	assert_contains(&text, "\"warnings\": []");
	str_deinit(&text);
}

static void json_separates_name_and_pid(void **state)
{
	(void)state;
	struct str text = render("json", "some", (struct report_options){ 0 });
	assert_contains(&text, "\"pid\": 412,\n    \"name\": \"redis-server\",");
	assert_contains(&text, "\"last_holder\": \"the stack of thread 415\"");
	str_deinit(&text);
}

static void json_replaces_what_is_no_utf8(void **state)
{
	(void)state;
	struct str text = render("json", "hostile", (struct report_options){ 0 });
	assert_contains(&text, "\\u202etxet\\u007f \\ufffd( \xf0\x9f\xa6\x80");
	assert_contains(&text, "\\udb40\\udc01");
	assert_contains(&text, "M\xc3\xbcller\\u0009<\\\"x\\\">");
	str_deinit(&text);
}

/* --- doctor ------------------------------------------------------------------------- */

static void doctor_tells_its_worst_check_first(void **state)
{
	(void)state;
	struct str text = render_doctor("text", "refused", (struct report_options){ 0 });
	assert_line(&text, 0, "seep cannot inspect redis-server (412)");
	assert_line(&text, -1, "next: follow the lines \"try:\", then seep doctor 412");
	str_deinit(&text);
	text = render_doctor("text", "machine", (struct report_options){ 0 });
	assert_line(&text, 0, "this machine lets seep inspect programs");
	str_deinit(&text);
}

static void doctor_json_says_the_state(void **state)
{
	(void)state;
	struct str text = render_doctor("json", "refused", (struct report_options){ 0 });
	assert_contains(&text, "\"schema\": \"seep.doctor/1\"");
	assert_contains(&text, "\"state\": \"refused\"");
	str_deinit(&text);
	text = render_doctor("json", "machine", (struct report_options){ 0 });
	assert_contains(&text, "\"target\": null");
	str_deinit(&text);
}

static void unknown_renderers_are_null(void **state)
{
	(void)state;
	assert_null(report_renderer("xml"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_count_in_thousands),
		cmocka_unit_test(counts_have_commas),
		cmocka_unit_test(escapes_what_steers_a_terminal),
		cmocka_unit_test(ascii_readers_get_ascii),
		cmocka_unit_test(every_single_byte_becomes_visible),
		cmocka_unit_test(wraps_at_spaces),
		cmocka_unit_test(breaks_words_longer_than_a_line),
		cmocka_unit_test(verdict_is_the_first_line),
		cmocka_unit_test(next_command_is_the_last_line),
		cmocka_unit_test(next_command_repeats_the_target),
		cmocka_unit_test(kinds_are_sections),
		cmocka_unit_test(many_warnings_are_counted),
		cmocka_unit_test(verbose_adds_fingerprints),
		cmocka_unit_test(lines_keep_within_the_width),
		cmocka_unit_test(hostile_names_are_harmless),
		cmocka_unit_test(hostile_names_make_no_lines),
		cmocka_unit_test(colour_only_when_asked),
		cmocka_unit_test(huge_numbers_are_whole),
		cmocka_unit_test(json_has_exact_numbers),
		cmocka_unit_test(json_says_null_for_unknown),
		cmocka_unit_test(json_separates_name_and_pid),
		cmocka_unit_test(json_replaces_what_is_no_utf8),
		cmocka_unit_test(doctor_tells_its_worst_check_first),
		cmocka_unit_test(doctor_json_says_the_state),
		cmocka_unit_test(unknown_renderers_are_null),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
