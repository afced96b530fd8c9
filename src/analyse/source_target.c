/* source_target: looks at a target's memory. */
#include <time.h>

#include "analyse/source_priv.h"

#include <string.h>

#include "heap/allocators.h"
#include "target/own_pages.h"

/* So often a look that met the allocator at a bad instant is tried again. */
#define TRIES 12u

struct target_source {
	struct source base; /* first */
	struct heap *heap;
};

static struct error *open_target(const struct source_options *options,
				 struct target **target)
{
	uint64_t max_pause_ns = (uint64_t)options->max_pause_ms * 1000000;
	if (options->command) {
		const struct source_recording *recording = options->recording;
		const struct target_exit_options exit_options = {
			.max_pause_ns = max_pause_ns,
			.status = options->command_status,
			.child = recording ? recording->child : 0,
			.go = recording ? recording->go : NULL,
			.context = recording ? recording->context : NULL,
		};
		return target_exit_start(options->command, &exit_options, target);
	}
	if (options->file) {
		const struct target_file_options file_options = {
			.sysroot = options->sysroot,
		};
		return target_file_open(options->file, &file_options, target);
	}
	const struct target_frozen_options frozen_options = {
		.max_pause_ns = max_pause_ns,
		.freeze = (enum target_freeze)options->freeze,
		.max_copy_bytes = options->max_copy_bytes,
		.command = options->asker,
		.keeps_instant = options->counts_mappings,
		.is_slow = options->finds_types,
	};
	return target_frozen_open(options->pid, &frozen_options, target);
}

/* A busy allocator is left alone for a moment that grows: 0.5 ms, 1 ms, … */
static struct error *take_look(struct source *source, const struct look_options *options,
			       struct look *look)
{
	struct target_source *self = (struct target_source *)source;
	struct error *error = NULL;
	uint64_t pause_ns = 0;
	unsigned nr_looks = 0;
	struct look_options wanted = *options;
	wanted.excluded = &source->excluded;
	/* What files say is read while the target runs. */
	if ((options->flags & LOOK_TYPES) && !source->types)
		error = types_create(source->target, source->symbols, &source->types);
	if (error)
		return error;
	wanted.types = source->types;
	wanted.symbols = source->symbols;
	for (unsigned i = 0; i < TRIES; i++) {
		self->heap->last_try = i + 1 == TRIES;
		error = look_take(source->target, self->heap, &wanted, look);
		pause_ns = look->pause_ns > pause_ns ? look->pause_ns : pause_ns;
		look->pause_ns = pause_ns;
		look->nr_looks = ++nr_looks;
		if (!error && source->repeatable)
			target_identify(source->target->pid, &look->subject.identity);
		if (!error || error->code != ERROR_BUSY)
			return error;
		if (i + 1 == TRIES)
			break;
		error_destroy(error);
		struct timespec wait = { .tv_nsec = 500000 * (i + 1) };
		nanosleep(&wait, NULL);
	}
	return error_remedy(error,
			    "%u looks in a row met it so; try again, or when the program "
			    "allocates less",
			    TRIES);
}

/* Lost blocks keep their contents and can be classified after the look. */
static struct error *name_natures(struct source *source, struct look *look,
				  const uint32_t *ranks, uint32_t nr)
{
	struct error *error = NULL;
	if (!look->classified)
		error = look_classify(look, source->target, ranks, nr);
	return error ? error : natures_name(look->natures, source->symbols);
}

static void close_target(struct source *source)
{
	struct target_source *self = (struct target_source *)source;
	heap_destroy(self->heap);
	types_destroy(source->types);
	symbols_destroy(source->symbols);
	target_destroy(source->target);
	free(self);
}

static const struct source_ops target_source_ops = {
	.look = take_look,
	.name = name_natures,
	.close = close_target,
};

/* --- a recorded command ------------------------------------------------------------- */

static bool exclude(struct source *source, uint64_t start, uint64_t end)
{
	struct heap_span range = { .start = start, .end = end };
	return heap_span_vec_push(&source->excluded, range);
}

/* What the runtime shares with seep, and its own data. */
static bool is_runtimes(const struct source *source, const struct region *region)
{
	const struct module *module = symbols_module_at(source->symbols, region->start);
	return !strncmp(region->name, "/memfd:seep-session", 19) ||
	       (module && allocator_is_runtime(module));
}

static struct error *exclude_runtime(struct source *source)
{
	const struct region_vec *regions = &source->target->regions;
	struct extent_vec pages = { 0 };
	struct error *error = own_pages_find(source->target->pid, &pages);
	bool good = true;
	for (size_t i = 0; good && i < pages.nr; i++)
		good = exclude(source, pages.items[i].start, pages.items[i].end);
	for (size_t i = 0; good && i < regions->nr; i++)
		if (is_runtimes(source, &regions->items[i]))
			good = exclude(source, regions->items[i].start,
				       regions->items[i].end);
	extent_vec_deinit(&pages);
	return error || good ? error : error_no_memory();
}

/* The allocator's own records are truer than what was seen of it, where they can be read. */
static struct error *open_heap(struct target_source *self,
			       const struct source_options *options)
{
	struct source *source = &self->base;
	const struct source_recording *recording = options->recording;
	struct error *error = heap_open(source->target, source->symbols, &self->heap);
	if (!error || error->code != ERROR_REFUSED || !recording || !recording->heap)
		return error;
	error_destroy(error);
	return recorded_open(source->target, source->symbols, recording->heap,
			     &self->heap);
}

static struct error *settle_recording(struct source *source,
				      const struct source_options *options)
{
	struct error *error = options->recording->settle(options->recording->context);
	return error ? error : exclude_runtime(source);
}

/* --- opening ------------------------------------------------------------------------ */

struct error *source_open_target(const struct source_options *options,
				 struct source **result)
{
	struct target_source *self = calloc(1, sizeof(*self));
	if (!self)
		return error_no_memory();
	struct source *source = &self->base;
	source->ops = &target_source_ops;
	source->repeatable = !options->command && !options->file;
	struct error *error = open_target(options, &source->target);
	if (!error)
		error = symbols_create(source->target, &source->symbols);
	if (!error && options->recording)
		error = settle_recording(source, options);
	if (!error)
		error = places_of_symbols(source->symbols, &source->places);
	if (!error)
		error = open_heap(self, options);
	if (error) {
		source_close(source);
		return error;
	}
	*result = source;
	return NULL;
}
