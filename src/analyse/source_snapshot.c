/* source_snapshot: the look that a snapshot file holds. */
#include <stdlib.h>
#include <string.h>

#include "analyse/snapshot_load.h"
#include "analyse/source_priv.h"

struct snapshot_source {
	struct source base; /* first */
	char *path;
};

/* Of the contents that the file has, too. */
static struct error *read_contents(const char *path, const struct look *look,
				   struct block_bytes *bytes)
{
	const struct target_file_options options = { 0 };
	struct target *target = NULL;
	struct error *error = target_file_open(path, &options, &target);
	if (!error)
		error = look_read_block(&look->graph.space, target, bytes);
	target_destroy(target);
	return error;
}

static struct error *load_look(struct source *source, const struct look_options *options,
			       struct look *look)
{
	struct snapshot_source *self = (struct snapshot_source *)source;
	*look = (struct look){ 0 };
	struct error *error =
		snapshot_load(self->path, options->flags, look, source->places);
	if (!error && options->bytes && look->has_contents)
		error = read_contents(self->path, look, options->bytes);
	return error;
}

/* All names were stored. */
static struct error *name_nothing(struct source *source, struct look *look,
				  const uint32_t *ranks, uint32_t nr)
{
	(void)source, (void)look, (void)ranks, (void)nr;
	return NULL;
}

static void close_snapshot(struct source *source)
{
	struct snapshot_source *self = (struct snapshot_source *)source;
	free(self->path);
	free(self);
}

static const struct source_ops snapshot_source_ops = {
	.look = load_look,
	.name = name_nothing,
	.close = close_snapshot,
};

struct error *source_open_snapshot(const struct source_options *options,
				   struct source **result)
{
	struct snapshot_source *self = calloc(1, sizeof(*self));
	if (!self)
		return error_no_memory();
	self->base.ops = &snapshot_source_ops;
	self->path = strdup(options->file);
	struct error *error = self->path ? places_listed(&self->base.places)
					 : error_no_memory();
	if (error) {
		source_close(&self->base);
		return error;
	}
	*result = &self->base;
	return NULL;
}
