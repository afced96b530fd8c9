/* recording_frames: see recording_frames.h. */
#include "traces/recording_frames.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/sentences.h"
#include "base/wildcard.h"
#include "sym/lines.h"
#include "sym/module_file.h"

#define NO_CODE SIZE_MAX

/* The file of a module, of the same number in `places`. */
struct module_state {
	struct module_file *file;
	struct lines *lines; /* NULL: it has none */
	bool was_sought;
};
DEFINE_VEC(module_state_vec, struct module_state);

struct recording_frames {
	const struct trace *trace;
	struct recording_places *places;
	struct module_state_vec modules;
	struct recording_number_vec module_of_code;
	struct recording_number_vec is_allocator; /* by function */
	/* Values are numbers plus one; keys are hashes, except of symbols: addresses of names. */
	struct map calls; /* the first frame, and how many in the upper half */
	struct map functions, files, symbols, known_modules;
	struct map named; /* calls that the trace names, by number of name */
	size_t latest_code;
	struct recording_number_vec programs; /* modules */
};

/* Functions that only pass on what malloc gave. */
static const char *const allocators[] = {
	"operator new*",
	"malloc",
	"calloc",
	"realloc",
	"reallocarray",
	"aligned_alloc",
	"posix_memalign",
	"memalign",
	"valloc",
	"pvalloc",
	"std::allocator<*>::allocate*",
	"std::allocator_traits<*>::allocate*",
	"std::__new_allocator<*>::allocate*",
	"__gnu_cxx::new_allocator<*>::allocate*",
	"__rust_alloc*",
	"__rust_realloc*",
	"alloc::alloc::*",
	"<alloc::alloc::Global as *",
	"<alloc::alloc::Global>::*",
	"alloc::boxed::box_new_uninit*",
};

/* --- interning ---------------------------------------------------------------------- */

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return text ? hash_bytes(hash, text, strlen(text) + 1) : hash_mix(hash);
}

/* Both return RECORDING_NONE when memory ran out. */
static uint32_t intern_file(struct recording_frames *frames, const char *file)
{
	uint64_t *known = map_at(&frames->files, hash_text(HASH_SEED, file));
	if (!known)
		return RECORDING_NONE;
	if (*known)
		return (uint32_t)*known - 1;
	char *copy = strdup(file);
	if (!copy || !recording_text_vec_push(&frames->places->files, copy)) {
		free(copy);
		return RECORDING_NONE;
	}
	*known = frames->places->files.nr;
	return (uint32_t)*known - 1;
}

static bool names_allocator(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(allocators); i++)
		if (wildcard_matches(allocators[i], name))
			return true;
	return false;
}

/* `name` NULL: all of the module that has no name. */
static uint32_t intern_function(struct recording_frames *frames, const char *name,
				uint32_t module)
{
	struct recording_function_vec *functions = &frames->places->functions;
	uint64_t *known =
		map_at(&frames->functions, hash_text(hash_mix(module + 1), name));
	if (!known)
		return RECORDING_NONE;
	if (*known)
		return (uint32_t)*known - 1;
	struct recording_function function = { .module = module };
	function.name = name ? strdup(name) : NULL;
	if ((name && !function.name) ||
	    !recording_number_vec_push(&frames->is_allocator, names_allocator(name)) ||
	    !recording_function_vec_push(functions, function)) {
		free(function.name);
		return RECORDING_NONE;
	}
	*known = functions->nr;
	return (uint32_t)*known - 1;
}

/* --- modules ------------------------------------------------------------------------ */

/* The module that a piece of code is of, which may have been loaded before. */
static uint32_t intern_module(struct recording_frames *frames,
			      const struct trace_code *code)
{
	struct recording_module_vec *modules = &frames->places->modules;
	uint64_t hash = hash_text(HASH_SEED, code->path ? code->path : "");
	uint64_t *known = map_at(&frames->known_modules,
				 hash_text(hash, code->build_id ? code->build_id : ""));
	if (!known)
		return RECORDING_NONE;
	if (*known)
		return (uint32_t)*known - 1;
	struct recording_module module = { 0 };
	module.path = code->path ? strdup(code->path) : NULL;
	module.build_id = code->build_id ? strdup(code->build_id) : NULL;
	bool complete = !code->path == !module.path &&
			!code->build_id == !module.build_id;
	if (!complete ||
	    !module_state_vec_push(&frames->modules, (struct module_state){ 0 }) ||
	    !recording_module_vec_push(modules, module)) {
		free(module.path);
		free(module.build_id);
		return RECORDING_NONE;
	}
	*known = modules->nr;
	return (uint32_t)*known - 1;
}

static bool is_of_run(const struct trace *trace, const struct trace_code *code)
{
	return code->path && trace->run.path && !strcmp(code->path, trace->run.path);
}

static bool intern_modules(struct recording_frames *frames)
{
	const struct trace *trace = frames->trace;
	uint32_t program = RECORDING_NONE;
	for (size_t i = 0; i < trace->code.nr; i++) {
		uint32_t module = intern_module(frames, &trace->code.items[i]);
		if (module == RECORDING_NONE ||
		    !recording_number_vec_push(&frames->module_of_code, module))
			return false;
		if (program == RECORDING_NONE && is_of_run(trace, &trace->code.items[i]))
			program = module;
		if (trace->code.items[i].is_executed &&
		    !recording_frames_is_program(frames, module) &&
		    !recording_number_vec_push(&frames->programs, module))
			return false;
	}
	if (program == RECORDING_NONE && trace->code.nr)
		program = frames->module_of_code.items[0];
	return recording_number_vec_push(&frames->programs, program);
}

/* What stands in for a file that cannot be asked. */
static void remember_why_not(struct recording_frames *frames, uint32_t module,
			     struct error *error)
{
	frames->places->modules.items[module].why_not = strdup(error->sentence);
	error_destroy(error);
}

static struct module_file *file_of(struct recording_frames *frames, uint32_t module)
{
	struct module_state *state = &frames->modules.items[module];
	const struct recording_module *known = &frames->places->modules.items[module];
	if (state->was_sought || !known->path || known->path[0] != '/')
		return state->file;
	state->was_sought = true;
	struct error *error =
		module_file_open(known->path, known->build_id, &state->file);
	if (error)
		remember_why_not(frames, module, error);
	else /* That a file was built without lines is no news. */
		error_destroy(lines_open(known->path, known->build_id, &state->lines));
	return state->file;
}

/* The piece of code that a node is in. */
static size_t code_of(struct recording_frames *frames, uint32_t node)
{
	const struct trace_code_vec *code = &frames->trace->code;
	uint64_t address = frames->trace->nodes.items[node].address & ~TRACE_EXACT;
	for (size_t i = 0; i <= code->nr; i++) {
		size_t at = i ? code->nr - i : frames->latest_code;
		if (at >= code->nr)
			continue;
		const struct trace_code *piece = &code->items[at];
		if (address < piece->start || address > piece->end ||
		    node < piece->first_node || node >= piece->end_node)
			continue;
		frames->latest_code = at;
		return at;
	}
	return NO_CODE;
}

/* --- naming ------------------------------------------------------------------------- */

/* Return addresses are behind the call; it is the call that counts. */
static uint64_t call_address(const struct trace_node *node)
{
	return node->address & TRACE_EXACT ? node->address & ~TRACE_EXACT
					   : node->address - 1;
}

static bool push_frame(struct recording_frames *frames, struct recording_frame frame)
{
	return frame.function != RECORDING_NONE &&
	       recording_frame_vec_push(&frames->places->frames, frame);
}

static bool name_by_trace(struct recording_frames *frames, const struct trace_name *name,
			  struct recording_frame frame, uint32_t module)
{
	for (uint32_t i = 0; i < name->nr_frames; i++) {
		const struct trace_frame *known =
			&frames->trace->frames.items[name->first_frame + i];
		frame.function = intern_function(frames, known->function, module);
		frame.file = known->file ? intern_file(frames, known->file)
					 : RECORDING_NONE;
		frame.line = (uint32_t)known->line;
		frame.is_inlined = i + 1 < name->nr_frames;
		if ((known->file && frame.file == RECORDING_NONE) ||
		    !push_frame(frames, frame))
			return false;
	}
	return true;
}

static uint32_t function_of_symbol(struct recording_frames *frames,
				   const struct elf_symbol *symbol, uint32_t module)
{
	uint64_t *known = map_at(&frames->symbols, (uintptr_t)symbol->name);
	if (!known)
		return RECORDING_NONE;
	if (*known)
		return (uint32_t)*known - 1;
	char *readable = module_file_readable(symbol);
	uint32_t function = readable ? intern_function(frames, readable, module)
				     : RECORDING_NONE;
	free(readable);
	*known = (uint64_t)function + 1;
	return function;
}

static bool name_by_symbol(struct recording_frames *frames, struct recording_frame frame,
			   uint32_t module)
{
	struct module_file *file = module != RECORDING_NONE ? file_of(frames, module)
							    : NULL;
	const struct elf_symbol *symbol = file ? module_file_symbol(file, frame.offset)
					       : NULL;
	frame.function = symbol ? function_of_symbol(frames, symbol, module)
				: intern_function(frames, NULL, module);
	return push_frame(frames, frame);
}

/* What lines know; a function that they do not know may have a symbol. */
static bool name_by_file(struct recording_frames *frames, struct recording_frame frame,
			 uint32_t module)
{
	bool has_file = module != RECORDING_NONE && file_of(frames, module);
	struct lines *lines = has_file ? frames->modules.items[module].lines : NULL;
	const struct lines_frame *known = NULL;
	size_t nr = lines ? lines_at(lines, frame.offset, &known) : 0;
	bool good = nr || name_by_symbol(frames, frame, module);
	for (size_t i = 0; good && i < nr; i++) {
		frame.file = known[i].file ? intern_file(frames, known[i].file)
					   : RECORDING_NONE;
		frame.line = known[i].line;
		frame.is_inlined = known[i].is_inlined;
		if (known[i].file && frame.file == RECORDING_NONE)
			return false;
		if (!known[i].function) {
			good = name_by_symbol(frames, frame, module);
			continue;
		}
		frame.function = intern_function(frames, known[i].function, module);
		good = push_frame(frames, frame);
	}
	return good;
}

static uint64_t call_key(const struct trace_node *node, size_t code)
{
	return hash_mix(node->address) ^ hash_mix((uint64_t)code + 1);
}

struct error *recording_frames_of(struct recording_frames *frames, uint32_t node,
				  uint32_t *first, uint32_t *nr)
{
	const struct trace_node *known_node = &frames->trace->nodes.items[node];
	size_t code = code_of(frames, node);
	uint64_t key = call_key(known_node, code);
	uint64_t *known = map_at(&frames->calls, key);
	if (!known)
		return error_no_memory();
	if (!*known) {
		uint32_t module = code == NO_CODE ? RECORDING_NONE
						  : frames->module_of_code.items[code];
		uint64_t bias = code == NO_CODE ? 0
						: frames->trace->code.items[code].bias;
		struct recording_frame frame = {
			.file = RECORDING_NONE,
			.offset = call_address(known_node) - bias,
		};
		size_t before = frames->places->frames.nr;
		uint64_t *name = map_at(&frames->named, key);
		if (!name ||
		    !(*name ? name_by_trace(frames,
					    &frames->trace->names.items[*name - 1], frame,
					    module)
			    : name_by_file(frames, frame, module)))
			return error_no_memory();
		*known = (before + 1) | (frames->places->frames.nr - before) << 32;
	}
	*first = (uint32_t)(*known & UINT32_MAX) - 1;
	*nr = (uint32_t)(*known >> 32);
	return NULL;
}

uint32_t recording_frames_module(struct recording_frames *frames, uint32_t node)
{
	size_t code = code_of(frames, node);
	return code == NO_CODE ? RECORDING_NONE : frames->module_of_code.items[code];
}

/* A local function may have been folded unless debug information says that the compiler does not
   do that. */
static bool may_be_folded(struct recording_frames *frames, uint32_t module,
			  uint64_t address)
{
	struct module_file *file = file_of(frames, module);
	struct lines *lines = frames->modules.items[module].lines;
	const struct elf_symbol *symbol = file ? module_file_symbol(file, address) : NULL;
	const struct lines_frame *found;
	bool is_local = !symbol || !symbol->is_global;
	if (!file || module_file_has_twins(file, address))
		return file;
	if (!lines || !lines_at(lines, address, &found))
		return is_local;
	return found->may_be_folded || (is_local && found->may_be_folded_if_local);
}

bool recording_frames_is_folded(struct recording_frames *frames, uint32_t node)
{
	const struct trace_node *known = &frames->trace->nodes.items[node];
	size_t code = code_of(frames, node);
	if (code == NO_CODE)
		return false;
	return may_be_folded(frames, frames->module_of_code.items[code],
			     call_address(known) - frames->trace->code.items[code].bias);
}

bool recording_frames_is_program(const struct recording_frames *frames, uint32_t module)
{
	for (size_t i = 0; i < frames->programs.nr; i++)
		if (module == frames->programs.items[i])
			return module != RECORDING_NONE;
	return false;
}

bool recording_frames_is_allocator(const struct recording_frames *frames,
				   uint32_t function)
{
	return frames->is_allocator.items[function];
}

/* --- life --------------------------------------------------------------------------- */

/* A name counts for every node of the same call. */
static bool index_names(struct recording_frames *frames)
{
	const struct trace_name_vec *names = &frames->trace->names;
	for (size_t i = 0; i < names->nr; i++) {
		uint32_t node = names->items[i].node;
		if (!names->items[i].nr_frames)
			continue;
		uint64_t *name =
			map_at(&frames->named, call_key(&frames->trace->nodes.items[node],
							code_of(frames, node)));
		if (!name)
			return false;
		*name = i + 1;
	}
	return true;
}

struct error *recording_frames_create(const struct trace *trace,
				      struct recording_places *places,
				      struct recording_frames **result)
{
	struct recording_frames *frames = calloc(1, sizeof(*frames));
	if (!frames)
		return error_no_memory();
	frames->trace = trace;
	frames->places = places;
	frames->latest_code = NO_CODE;
	if (!intern_modules(frames) || !index_names(frames)) {
		recording_frames_destroy(frames);
		return error_no_memory();
	}
	*result = frames;
	return NULL;
}

void recording_frames_destroy(struct recording_frames *frames)
{
	if (!frames)
		return;
	for (size_t i = 0; i < frames->modules.nr; i++) {
		lines_close(frames->modules.items[i].lines);
		module_file_close(frames->modules.items[i].file);
	}
	module_state_vec_deinit(&frames->modules);
	recording_number_vec_deinit(&frames->module_of_code);
	recording_number_vec_deinit(&frames->is_allocator);
	recording_number_vec_deinit(&frames->programs);
	map_deinit(&frames->calls);
	map_deinit(&frames->functions);
	map_deinit(&frames->files);
	map_deinit(&frames->symbols);
	map_deinit(&frames->known_modules);
	map_deinit(&frames->named);
	free(frames);
}

struct error *recording_frames_warn(const struct recording_frames *frames,
				    struct sentence_vec *warnings)
{
	const struct recording_module_vec *modules = &frames->places->modules;
	for (size_t i = 0; i < modules->nr; i++) {
		const char *why_not = modules->items[i].why_not;
		struct error *error = why_not ? sentences_add(warnings,
							      "%s; its functions have no "
							      "names",
							      why_not)
					      : NULL;
		if (error)
			return error;
	}
	return NULL;
}
