/* source: see source.h. */
#include "analyse/source.h"

#include "analyse/snapshot_load.h"
#include "analyse/source_priv.h"

static bool holds_look(const struct source_options *options)
{
	return options->file && !options->from_memory && snapshot_is_file(options->file);
}

static bool is_any(const struct source_options *options)
{
	(void)options;
	return true;
}

/* The first row that applies. */
static const struct source_kind {
	bool (*is)(const struct source_options *options);
	struct error *(*open)(const struct source_options *options,
			      struct source **source);
} kinds[] = {
	{ holds_look, source_open_snapshot },
	{ is_any, source_open_target },
};

struct error *source_open(const struct source_options *options, struct source **source)
{
	const struct source_kind *kind = kinds;
	if (options->trace && holds_look(options))
		return error_remedy(
			error_create(ERROR_USAGE,
				     "a recording goes with a process that "
				     "is being recorded, or the core that it left, "
				     "not with a snapshot"),
			"leave out --recording; seep snapshot --recording stores what it "
			"tells");
	while (!kind->is(options))
		kind++;
	struct error *error = kind->open(options, source);
	if (!error)
		(*source)->trace = options->trace;
	return error;
}

void source_close(struct source *source)
{
	if (!source)
		return;
	places_destroy(source->places);
	heap_span_vec_deinit(&source->excluded);
	source->ops->close(source);
}
