/* call_sites: see call_sites.h. */
#include "analyse/call_sites.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/map.h"
#include "sym/source.h"

/* Lines of source that are shown before and behind a site's. */
#define EXCERPT_AROUND 1u

DEFINE_VEC(call_site_vec, struct call_site *);

struct call_sites {
	const struct trace *trace;
	const struct heap_block_vec *blocks;
	struct recording_places places;
	struct recording_frames *frames;
	struct call_site_vec sites;
	struct map numbers; /* of sites plus one, by node */
};

/* --- names -------------------------------------------------------------------------- */

static const struct recording_frame *frame_at(const struct call_sites *sites,
					      uint32_t frame)
{
	return &sites->places.frames.items[frame];
}

static const char *function_of(const struct call_sites *sites,
			       const struct recording_frame *frame)
{
	return sites->places.functions.items[frame->function].name;
}

static const struct recording_module *module_of(const struct call_sites *sites,
						const struct recording_frame *frame)
{
	uint32_t module = sites->places.functions.items[frame->function].module;
	return module == RECORDING_NONE ? NULL : &sites->places.modules.items[module];
}

static const char *file_of(const struct call_sites *sites,
			   const struct recording_frame *frame)
{
	return frame->file == RECORDING_NONE ? NULL
					     : sites->places.files.items[frame->file];
}

/* --- making a site ------------------------------------------------------------------ */

static void site_destroy(struct call_site *site)
{
	if (!site)
		return;
	free(site->frames);
	free(site->calls);
	free(site);
}

/* Where distributions install the headers whose code compilers inline. */
static bool is_system_header(const char *file)
{
	return file && !strncmp(file, "/usr/", 5);
}

/* Of the frames of a call in the program's file, the innermost that is its own code. */
static size_t own_frame(const struct call_sites *sites, uint32_t first, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++)
		if (!is_system_header(file_of(sites, frame_at(sites, first + i))))
			return i;
	return SIZE_MAX;
}

/* Sets *own to the innermost frame of the program's own code; SIZE_MAX: there is none. */
static struct error *collect_frames(struct call_sites *sites, uint32_t node,
				    struct recording_number_vec *stack, size_t *own)
{
	const struct trace_node_vec *nodes = &sites->trace->nodes;
	struct error *error = NULL;
	*own = SIZE_MAX;
	while (!error && node && node < nodes->nr) {
		uint32_t first, nr, module = recording_frames_module(sites->frames, node);
		error = recording_frames_of(sites->frames, node, &first, &nr);
		if (error)
			break;
		size_t at = recording_frames_is_program(sites->frames, module)
				    ? own_frame(sites, first, nr)
				    : SIZE_MAX;
		if (*own == SIZE_MAX && at != SIZE_MAX)
			*own = stack->nr + at;
		for (uint32_t i = 0; !error && i < nr; i++)
			if (!recording_number_vec_push(stack, first + i))
				error = error_no_memory();
		/* Callers come before those whom they call. */
		node = nodes->items[node].parent < node ? nodes->items[node].parent : 0;
	}
	return error;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return hash_bytes(hash, text ? text : "", text ? strlen(text) + 1 : 1);
}

/* What has no name goes by its module. */
static void hash_site(const struct call_sites *sites, struct call_site *site)
{
	site->functions = HASH_SEED;
	for (size_t i = 0; i < site->nr; i++) {
		const struct recording_frame *frame = frame_at(sites, site->frames[i]);
		const struct recording_module *module = module_of(sites, frame);
		const char *name = function_of(sites, frame);
		const char *path = module && module->path ? module->path : "";
		const char *slash = strrchr(path, '/');
		site->functions = hash_text(site->functions, name    ? name
							     : slash ? slash + 1
								     : path);
	}
	site->lines = site->functions;
	for (size_t i = 0; i < site->nr; i++) {
		const struct recording_frame *frame = frame_at(sites, site->frames[i]);
		uint64_t place = frame->line ? frame->line : frame->offset;
		site->lines = hash_text(site->lines, file_of(sites, frame));
		site->lines = hash_bytes(site->lines, &place, sizeof(place));
	}
}

/* The texts do not move any more, as the vecs that they are in may. */
static bool make_calls(const struct call_sites *sites, struct call_site *site)
{
	site->calls = calloc(site->nr + 1, sizeof(*site->calls));
	for (size_t i = 0; site->calls && i < site->nr; i++) {
		const struct recording_frame *frame = frame_at(sites, site->frames[i]);
		const struct recording_module *module = module_of(sites, frame);
		site->calls[i] = (struct suppression_call){
			.function = function_of(sites, frame),
			.module = module ? module->path : NULL,
			.source = file_of(sites, frame),
		};
	}
	return site->calls;
}

static struct error *make_site(struct call_sites *sites, uint32_t node,
			       struct call_site **result)
{
	struct recording_number_vec stack = { 0 };
	struct call_site *site = calloc(1, sizeof(*site));
	size_t own;
	if (!site)
		return error_no_memory();
	struct error *error = collect_frames(sites, node, &stack, &own);
	site->frames = stack.items;
	site->nr = stack.nr;
	if (!error && !make_calls(sites, site))
		error = error_no_memory();
	if (error) {
		site_destroy(site);
		return error;
	}
	site->site = own < site->nr ? own : 0;
	hash_site(sites, site);
	*result = site;
	return NULL;
}

/* --- public ------------------------------------------------------------------------- */

struct error *call_sites_of_node(struct call_sites *sites, uint32_t node,
				 const struct call_site **site)
{
	struct call_site *made;
	*site = NULL;
	if (!node || node >= sites->trace->nodes.nr)
		return NULL;
	uint64_t *number = map_at(&sites->numbers, node);
	if (!number)
		return error_no_memory();
	if (!*number) {
		struct error *error = make_site(sites, node, &made);
		if (error)
			return error;
		if (!call_site_vec_push(&sites->sites, made)) {
			site_destroy(made);
			return error_no_memory();
		}
		*number = sites->sites.nr;
	}
	*site = sites->sites.items[*number - 1];
	return NULL;
}

struct error *call_sites_of_block(struct call_sites *sites, uint64_t address,
				  const struct call_site **site)
{
	const struct heap_block *block = heap_block_at(sites->blocks, address);
	return call_sites_of_node(sites, block ? block->node : 0, site);
}

static bool copy(const char *text, char **result)
{
	*result = text ? strdup(text) : NULL;
	return *result || !text;
}

static struct error *tell_frame(const struct call_sites *sites,
				const struct recording_frame *frame,
				struct call_stack *stack)
{
	const struct recording_module *module = module_of(sites, frame);
	struct stack_frame told = {
		.line = frame->line,
		.offset = frame->offset,
		.is_inlined = frame->is_inlined,
	};
	bool good = copy(function_of(sites, frame), &told.function) &&
		    copy(file_of(sites, frame), &told.file) &&
		    copy(module ? module->path : NULL, &told.module) &&
		    copy(module ? module->build_id : NULL, &told.build_id);
	/* What was copied is the stack's, and ended with it. */
	if (stack_frame_vec_push(&stack->frames, told))
		return good ? NULL : error_no_memory();
	free(told.function);
	free(told.file);
	free(told.module);
	free(told.build_id);
	return error_no_memory();
}

struct error *call_sites_tell(const struct call_sites *sites,
			      const struct call_site *site, struct call_stack *stack)
{
	struct error *error = NULL;
	for (size_t i = 0; !error && i < site->nr; i++)
		error = tell_frame(sites, frame_at(sites, site->frames[i]), stack);
	if (error || !site->nr)
		return error;
	stack->site = site->site;
	const struct stack_frame *frame = call_stack_site(stack);
	if (!frame->file || !frame->line)
		return NULL;
	return source_excerpt(frame->file, frame->line, EXCERPT_AROUND, &stack->excerpt,
			      &stack->excerpt_line);
}

struct error *call_sites_warn(const struct call_sites *sites,
			      struct sentence_vec *warnings)
{
	return recording_frames_warn(sites->frames, warnings);
}

/* --- life --------------------------------------------------------------------------- */

struct error *call_sites_create(const struct trace *trace,
				const struct heap_block_vec *blocks,
				struct call_sites **result)
{
	struct call_sites *sites = calloc(1, sizeof(*sites));
	if (!sites)
		return error_no_memory();
	sites->trace = trace;
	sites->blocks = blocks;
	struct error *error =
		recording_frames_create(trace, &sites->places, &sites->frames);
	if (error) {
		call_sites_destroy(sites);
		return error;
	}
	*result = sites;
	return NULL;
}

void call_sites_destroy(struct call_sites *sites)
{
	if (!sites)
		return;
	for (size_t i = 0; i < sites->sites.nr; i++)
		site_destroy(sites->sites.items[i]);
	call_site_vec_deinit(&sites->sites);
	map_deinit(&sites->numbers);
	recording_frames_destroy(sites->frames);
	recording_places_deinit(&sites->places);
	free(sites);
}
