/*
 * render: prints one hand-made report as a renderer shows it, for golden outputs.
 *
 *	render leaks|doctor|snapshot|vm|why|heap text|json SAMPLE [WIDTH] [FLAG]...
 *	render leaks|doctor|snapshot|vm|why|heap		lists the samples
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
	{ "rules", REPORT_RULES },     { "brief", REPORT_BRIEF },
	{ "regions", REPORT_REGIONS }, { "pages", REPORT_PAGES },
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

static struct str render_snapshot(const struct report_renderer *renderer,
				  const char *sample,
				  const struct report_options *options)
{
	struct snapshot_report *report = snapshot_sample(sample);
	struct str text = renderer->snapshot(report, options);
	snapshot_report_destroy(report);
	return text;
}

static struct str render_vm(const struct report_renderer *renderer, const char *sample,
			    const struct report_options *options)
{
	struct vm_report *report = vm_sample(sample);
	struct str text = renderer->vm(report, options);
	vm_report_destroy(report);
	return text;
}

static struct str render_why(const struct report_renderer *renderer, const char *sample,
			     const struct report_options *options)
{
	struct why_report *report = why_sample(sample);
	struct str text = renderer->why(report, options);
	why_report_destroy(report);
	return text;
}

static struct str render_heap(const struct report_renderer *renderer, const char *sample,
			      const struct report_options *options)
{
	struct report_options style = *options;
	style.again = "412";
	struct heap_report *report = heap_sample(sample);
	struct str text = renderer->heap(report, &style);
	heap_report_destroy(report);
	return text;
}

static const char *leaks_name(size_t i)
{
	return i < nr_leaks_samples ? leaks_samples[i].name : NULL;
}

static const char *doctor_name(size_t i)
{
	return i < nr_doctor_samples ? doctor_samples[i].name : NULL;
}

static const char *snapshot_name(size_t i)
{
	return i < nr_snapshot_samples ? snapshot_samples[i].name : NULL;
}

static const char *vm_name(size_t i)
{
	return i < nr_vm_samples ? vm_samples[i].name : NULL;
}

static const char *why_name(size_t i)
{
	return i < nr_why_samples ? why_samples[i].name : NULL;
}

static const char *heap_name(size_t i)
{
	return i < nr_heap_samples ? heap_samples[i].name : NULL;
}

static const struct kind {
	const char *word;
	struct str (*render)(const struct report_renderer *renderer, const char *sample,
			     const struct report_options *options);
	const char *(*name)(size_t i); /* of a sample; NULL past the last */
} kinds[] = {
	{ "leaks", render_leaks, leaks_name },
	{ "doctor", render_doctor, doctor_name },
	{ "snapshot", render_snapshot, snapshot_name },
	{ "vm", render_vm, vm_name },
	{ "why", render_why, why_name },
	{ "heap", render_heap, heap_name },
};

static const struct kind *kind_named(const char *word)
{
	for (size_t i = 0; word && i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].word, word))
			return &kinds[i];
	return NULL;
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
	const struct kind *kind = kind_named(argc > 1 ? argv[1] : NULL);
	for (size_t i = 0; kind && argc == 2 && kind->name(i); i++)
		puts(kind->name(i));
	if (kind && argc == 2)
		return 0;
	const struct report_renderer *renderer = argc > 3 ? report_renderer(argv[2])
							  : NULL;
	if (!kind || !renderer) {
		fputs("usage: render leaks|doctor|snapshot|vm|why|heap [text|json SAMPLE [WIDTH] "
		      "[FLAG]...]\n",
		      stderr);
		return 2;
	}
	struct report_options options = { 0 };
	for (int i = 4; i < argc; i++)
		add_option(&options, argv[i]);
	struct str text = kind->render(renderer, argv[3], &options);
	fputs(str_text(&text), stdout);
	bool failed = text.failed;
	str_deinit(&text);
	return failed;
}
