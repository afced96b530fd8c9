/* site_naming: see site_naming.h. */
#include "analyse/site_naming.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "base/str.h"

/* So many calls of a stack are told. */
#define LABEL_CALLS 8u

static void put_code(struct str *out, const struct stack_frame *frame)
{
	const char *module = frame->module ? strrchr(frame->module, '/') : NULL;
	if (frame->function)
		str_puts(out, frame->function);
	else
		str_printf(out, "%s+0x%" PRIx64, module ? module + 1 : "unknown code",
			   frame->offset);
}

static void put_call(struct str *label, const struct stack_frame *frame)
{
	const char *slash = frame->file ? strrchr(frame->file, '/') : NULL;
	put_code(label, frame);
	if (frame->file && frame->line)
		str_printf(label, " (%s:%u)", slash ? slash + 1 : frame->file,
			   frame->line);
}

static bool is_called(const struct stack_frame *frame, const char *const *names)
{
	for (; frame->function && *names; names++)
		if (!strcmp(frame->function, *names))
			return true;
	return false;
}

/* Whoever calls main, and what threads begin in, tells nothing. */
static size_t end_of(const struct call_stack *stack)
{
	static const char *const mains[] = { "main", NULL };
	static const char *const beginnings[] = { "start_thread", "__clone3", "clone3",
						  NULL };
	for (size_t i = stack->site; i < stack->frames.nr; i++) {
		if (is_called(&stack->frames.items[i], mains))
			return i + 1;
		if (i > stack->site && is_called(&stack->frames.items[i], beginnings))
			return i;
	}
	return stack->frames.nr;
}

char *site_label(const struct call_stack *stack)
{
	struct str label = { 0 };
	const size_t end = end_of(stack);
	for (size_t i = stack->site; i < end; i++) {
		if (i - stack->site == LABEL_CALLS) {
			str_puts(&label, " < …");
			break;
		}
		str_puts(&label, i > stack->site ? " < " : "");
		put_call(&label, &stack->frames.items[i]);
	}
	return str_take(&label);
}

/* --- who allocated for purposes of its own ---------------------------------------------- */

/* What allocates for others says so in its name. */
static bool is_for_others(const char *function)
{
	static const char *const words[] = { "alloc", "strdup", "strndup",
					     "operator new" };
	static const char *const starts[] = { "std::", "__gnu_cxx::", "void* std::" };
	for (size_t i = 0; function && i < ARRAY_SIZE(words); i++)
		if (strcasestr(function, words[i]))
			return true;
	for (size_t i = 0; function && i < ARRAY_SIZE(starts); i++)
		if (!strncmp(function, starts[i], strlen(starts[i])))
			return true;
	return false;
}

/* NULL: no memory. */
static char *function_of(const struct call_stack *stack)
{
	struct str name = { 0 };
	size_t i = stack->site;
	while (i + 1 < stack->frames.nr && is_for_others(stack->frames.items[i].function))
		i++;
	put_code(&name, &stack->frames.items[i]);
	return str_take(&name);
}

/* --- numbers -------------------------------------------------------------------------- */

/* What is told alike is one site. */
static struct error *number_stack(struct site_naming *naming,
				  const struct call_stack *stack, uint64_t *number)
{
	char *label = site_label(stack), *function = NULL;
	uint64_t *known = NULL;
	if (label)
		known = map_at(&naming->by_label,
			       hash_bytes(HASH_SEED, label, strlen(label)));
	if (known && !*known)
		function = function_of(stack);
	if (!known || *known || !function) {
		free(label);
		*number = known ? *known : 0;
		return *number ? NULL : error_no_memory();
	}
	struct error *error = block_sites_add(naming->sites, label, function);
	*number = *known = error ? 0 : naming->sites->sites.nr - 1;
	return error;
}

static struct error *add_site(struct site_naming *naming, const struct call_site *site,
			      uint64_t *number)
{
	struct call_stack stack = { 0 };
	struct error *error = call_sites_tell(naming->stacks, site, &stack);
	if (!error && stack.frames.nr)
		error = number_stack(naming, &stack, number);
	call_stack_deinit(&stack);
	return error;
}

static struct error *site_of_node(struct site_naming *naming, uint32_t node,
				  uint32_t *site)
{
	const struct call_site *named = NULL;
	struct error *error = call_sites_of_node(naming->stacks, node, &named);
	*site = 0;
	if (error || !named)
		return error;
	uint64_t *number = map_at(&naming->by_stack, named->lines);
	if (!number)
		return error_no_memory();
	if (!*number)
		error = add_site(naming, named, number);
	*site = (uint32_t)*number;
	return error;
}

static struct error *request_of(struct site_naming *naming, const struct site_fact *fact,
				uint32_t *number)
{
	uint64_t key = hash_mix(hash_mix(fact->requested) ^ fact->node);
	uint64_t *known = map_at(&naming->by_request, key);
	struct block_request request = { .size = fact->requested };
	struct error *error = NULL;
	if (!known)
		return error_no_memory();
	if (!*known) {
		error = site_of_node(naming, fact->node, &request.site);
		if (!error && !block_request_vec_push(&naming->sites->requests, request))
			error = error_no_memory();
		*known = error ? 0 : naming->sites->requests.nr - 1;
	}
	*number = (uint32_t)*known;
	return error;
}

struct error *site_naming_tell(struct site_naming *naming, const struct site_fact *fact)
{
	uint32_t request = 0;
	struct error *error = request_of(naming, fact, &request);
	if (!error)
		block_sites_set(naming->sites, fact->rank, request, fact->age_ms);
	return error;
}

void site_naming_deinit(struct site_naming *naming)
{
	map_deinit(&naming->by_stack);
	map_deinit(&naming->by_label);
	map_deinit(&naming->by_request);
}
