/*
 * render: prints one hand-made report as a renderer shows it, for golden outputs.
 *
 *	render leaks|doctor text|json SAMPLE [WIDTH] [FLAG]...
 *	render leaks|doctor			lists the samples
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden/samples.h"
#include "report/report.h"

static const struct flag {
	const char *word;
	unsigned flag;
} flags[] = {
	{ "colour", REPORT_COLOUR },   { "ascii", REPORT_ASCII },
	{ "verbose", REPORT_VERBOSE }, { "ended", REPORT_ENDED },
	{ "rules", REPORT_RULES },
};

static struct str render_leaks(const struct report_renderer *renderer, const char *sample,
			       const struct report_options *options)
{
	struct leaks_report *report = leaks_sample(sample);
	struct str text = renderer->leaks(report, options);
	leaks_report_destroy(report);
	return text;
}

static struct str render_doctor(const struct report_renderer *renderer,
				const char *sample, const struct report_options *options)
{
	struct doctor_report *report = doctor_sample(sample);
	struct str text = renderer->doctor(report, options);
	doctor_report_destroy(report);
	return text;
}

static void list(bool is_leaks)
{
	for (size_t i = 0; is_leaks && i < nr_leaks_samples; i++)
		puts(leaks_samples[i].name);
	for (size_t i = 0; !is_leaks && i < nr_doctor_samples; i++)
		puts(doctor_samples[i].name);
}

static void add_option(struct report_options *options, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (!strcmp(flags[i].word, word))
			options->flags |= flags[i].flag;
	if (strtoul(word, NULL, 10))
		options->width = (unsigned)strtoul(word, NULL, 10);
}

int main(int argc, char **argv)
{
	bool is_leaks = argc > 1 && !strcmp(argv[1], "leaks");
	if (argc == 2) {
		list(is_leaks);
		return 0;
	}
	const struct report_renderer *renderer = argc > 3 ? report_renderer(argv[2])
							  : NULL;
	if (!renderer) {
		fputs("usage: render leaks|doctor [text|json SAMPLE [WIDTH] [FLAG]...]\n",
		      stderr);
		return 2;
	}
	struct report_options options = { 0 };
	for (int i = 4; i < argc; i++)
		add_option(&options, argv[i]);
	struct str text = is_leaks ? render_leaks(renderer, argv[3], &options)
				   : render_doctor(renderer, argv[3], &options);
	fputs(str_text(&text), stdout);
	bool failed = text.failed;
	str_deinit(&text);
	return failed;
}
