/* block_sites: see block_sites.h. */
#include "analyse/block_sites.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "analyse/call_sites.h"
#include "analyse/leaks.h"
#include "base/map.h"
#include "snap/trace_reader.h"

/* So many calls of a stack are told. */
#define LABEL_CALLS 8u

struct reading {
	const struct space *space;
	struct block_sites *sites;
	struct trace_reader *reader;
	bool is_paused;
};

/* --- which blocks -------------------------------------------------------------------- */

static uint32_t *requests_of(const struct block_sites *sites)
{
	return sites->requests.memory;
}

/* What is known of the block that begins at an address; NULL: there was none in the look. */
static uint32_t *request_at(const struct reading *reading, uint64_t address)
{
	uint64_t offset = space_offset(reading->space, address);
	if (offset == SPACE_NONE)
		return NULL;
	struct space_hit hit = space_find(reading->space, offset);
	return hit.rank == RANK_NONE || hit.distance
		       ? NULL
		       : &requests_of(reading->sites)[hit.rank];
}

static void forget_all(const struct reading *reading, uint64_t nr_blocks)
{
	memset(requests_of(reading->sites), 0, nr_blocks * sizeof(uint32_t));
}

/* A death of another request is of the block before, whose address was given out again before
   that was told. After the look that is no help: then all at the address is doubtful. */
static void end_block(const struct reading *reading, uint64_t address, uint32_t request,
		      bool is_later)
{
	uint32_t *known = request_at(reading, address);
	if (known && (is_later || *known == request + 1))
		*known = 0;
}

static void begin_block(const struct reading *reading, uint64_t address, uint32_t request,
			bool is_later)
{
	uint32_t *known = request_at(reading, address);
	if (known)
		*known = is_later || reading->is_paused ? 0 : request + 1;
}

/* What is freed in a pause is not told. */
static void pause_or_go_on(struct reading *reading, bool is_paused, uint64_t nr_blocks)
{
	reading->is_paused = is_paused;
	forget_all(reading, nr_blocks);
}

static void take_event(struct reading *reading, const struct trace_happening *event,
		       uint64_t nr_blocks)
{
	bool is_later = trace_reader_offset(reading->reader) >= reading->sites->looked_at;
	switch (event->kind) {
	case TRACE_ALLOCATED:
		begin_block(reading, event->address, event->request, is_later);
		break;
	case TRACE_FREED:
		end_block(reading, event->old_address, event->death->request, is_later);
		break;
	case TRACE_RESIZED:
		end_block(reading, event->old_address, event->death->request, is_later);
		begin_block(reading, event->address, event->request, is_later);
		break;
	case TRACE_PAUSED:
	case TRACE_RESUMED:
		pause_or_go_on(reading, event->kind == TRACE_PAUSED, nr_blocks);
		break;
	case TRACE_LOST:
	case TRACE_EXECUTED:
		forget_all(reading, nr_blocks);
		break;
	default:
		break;
	}
}

static struct error *read_events(struct reading *reading, uint64_t nr_blocks)
{
	struct trace_happening event = { .kind = TRACE_ALLOCATED };
	struct error *error = trace_reader_keep_addresses(reading->reader);
	while (!error && event.kind != TRACE_ENDED) {
		error = trace_reader_next(reading->reader, &event);
		if (!error)
			take_event(reading, &event, nr_blocks);
	}
	return error;
}

/* --- their sites --------------------------------------------------------------------- */

struct naming {
	const struct trace *trace;
	struct call_sites *stacks;
	struct block_sites *sites;
	struct map by_stack; /* numbers of sites by the hash of their lines */
	struct error *error;
};

static void put_call(struct str *label, const struct stack_frame *frame)
{
	const char *slash = frame->file ? strrchr(frame->file, '/') : NULL;
	const char *module = frame->module ? strrchr(frame->module, '/') : NULL;
	if (frame->function)
		str_puts(label, frame->function);
	else
		str_printf(label, "%s+0x%" PRIx64, module ? module + 1 : "unknown code",
			   frame->offset);
	if (frame->file && frame->line)
		str_printf(label, " (%s:%u)", slash ? slash + 1 : frame->file,
			   frame->line);
}

/* From the program's own code on outwards. */
static char *label_of(const struct call_stack *stack)
{
	struct str label = { 0 };
	for (size_t i = stack->site; i < stack->frames.nr; i++) {
		if (i - stack->site == LABEL_CALLS) {
			str_puts(&label, " < …");
			break;
		}
		str_puts(&label, i > stack->site ? " < " : "");
		put_call(&label, &stack->frames.items[i]);
	}
	char *text = label.failed ? NULL : strdup(str_text(&label));
	str_deinit(&label);
	return text;
}

/* Takes the label over. */
static struct error *add_site(struct block_sites *sites, char *label)
{
	if (label && block_label_vec_push(&sites->labels, label))
		return block_row_vec_push(&sites->table.rows, (struct block_row){ 0 })
			       ? NULL
			       : error_no_memory();
	free(label);
	return error_no_memory();
}

/* Nodes with one stack of functions and lines are one site. */
static struct error *site_of_node(struct naming *naming, uint32_t node, uint32_t *site)
{
	const struct call_site *named = NULL;
	struct error *error = call_sites_of_node(naming->stacks, node, &named);
	*site = 0;
	if (error || !named)
		return error;
	uint64_t *number = map_at(&naming->by_stack, named->lines);
	if (!number)
		return error_no_memory();
	if (!*number) {
		struct call_stack stack = { 0 };
		error = call_sites_tell(naming->stacks, named, &stack);
		if (!error)
			error = add_site(naming->sites, label_of(&stack));
		call_stack_deinit(&stack);
		*number = naming->sites->labels.nr - 1;
	}
	*site = (uint32_t)*number;
	return error;
}

/* An address may have been given out by who is not recorded. */
static bool is_possible(uint64_t size, uint64_t requested)
{
	uint64_t slack = size - requested;
	return requested <= size &&
	       (slack <= 64 || slack <= size / 4 || (slack <= 4096 && size >= 65536));
}

static void name_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	struct naming *naming = context;
	struct block_sites *sites = naming->sites;
	uint32_t *request = &requests_of(sites)[rank];
	uint32_t *site = &((uint32_t *)sites->table.numbers.memory)[rank];
	*site = 0;
	if (naming->error || !*request)
		return;
	const struct trace_request *told = &naming->trace->requests.items[*request - 1];
	if (is_possible(size, told->size))
		naming->error = site_of_node(naming, told->node, site);
	else
		*request = 0;
	sites->nr_blocks += *site != 0;
	sites->bytes += *site ? size : 0;
}

static struct error *name_sites(const struct trace *trace, const struct look *look,
				struct block_sites *sites, struct sentence_vec *warnings)
{
	const struct heap_block_vec none = { 0 };
	struct naming naming = { .trace = trace, .sites = sites };
	struct error *error = call_sites_create(trace, &none, &naming.stacks);
	if (error)
		return error;
	error = add_site(sites, strdup("site not known"));
	if (!error)
		space_each(&look->graph.space, name_block, &naming);
	if (!error)
		error = naming.error;
	if (!error)
		error = call_sites_warn(naming.stacks, warnings);
	sites->table.labels = (const char *const *)sites->labels.items;
	map_deinit(&naming.by_stack);
	call_sites_destroy(naming.stacks);
	return error;
}

/* --- all ------------------------------------------------------------------------------ */

static void add_bytes(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)rank, (void)address;
	*(uint64_t *)context += size;
}

static struct error *tell_coverage(const struct look *look,
				   const struct block_sites *sites,
				   struct sentence_vec *warnings)
{
	uint64_t bytes = 0, nr = look->graph.nr_blocks;
	space_each(&look->graph.space, add_bytes, &bytes);
	return sentences_add(warnings,
			     "sites are known for %" PRIu64 " %% of bytes, "
			     "%" PRIu64 " %% of blocks",
			     bytes ? sites->bytes * 100 / bytes : 0,
			     nr ? sites->nr_blocks * 100 / nr : 0);
}

struct error *block_sites_begin(const struct source_trace *trace, pid_t pid,
				struct block_sites *sites)
{
	struct stat status;
	struct error *error = trace->flush(pid, trace->path);
	if (error)
		return error;
	if (stat(trace->path, &status) != 0)
		return error_create(ERROR_SYSTEM, "cannot read %s: %s", trace->path,
				    strerror(errno));
	sites->looked_at = (uint64_t)status.st_size;
	return NULL;
}

struct error *block_sites_finish(const struct source_trace *trace,
				 const struct look *look, struct block_sites *sites,
				 struct sentence_vec *warnings)
{
	uint64_t nr = look->graph.nr_blocks;
	struct reading reading = { .space = &look->graph.space, .sites = sites };
	sites->table = (struct block_table){ .natures = look->natures,
					     .group_by = GROUP_BY_TYPE };
	if (!area_reserve(&sites->requests, (nr + 1) * sizeof(uint32_t)) ||
	    !area_reserve(&sites->table.numbers, (nr + 1) * sizeof(uint32_t)))
		return error_no_memory();
	forget_all(&reading, nr);
	struct error *error = trace->flush(look->subject.pid, trace->path);
	if (!error)
		error = trace_reader_open(trace->path, &reading.reader);
	if (!error)
		error = read_events(&reading, nr);
	if (!error)
		error = name_sites(trace_reader_trace(reading.reader), look, sites,
				   warnings);
	trace_reader_close(reading.reader);
	return error ? error : tell_coverage(look, sites, warnings);
}

void block_sites_deinit(struct block_sites *sites)
{
	for (size_t i = 0; i < sites->labels.nr; i++)
		free(sites->labels.items[i]);
	block_label_vec_deinit(&sites->labels);
	block_table_deinit(&sites->table);
	area_release(&sites->requests);
	*sites = (struct block_sites){ 0 };
}
