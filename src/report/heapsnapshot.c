/*
 * heapsnapshot: a heap in the format of V8's heap snapshots, which Chrome's DevTools and memlab read.
 *
 * Both find dominators themselves. So that what they say a block retains is what seep says, the first node, where
 * they begin, leads to the groups of roots, to entries of no group, and to a node that holds what is lost; and a pointer
 * from a lost block to a live one, which keeps nothing, is a weak edge. Memlab keeps 32 bits of a node's id, so it is
 * not the address but made of the block's rank; ids of others are odd.
 *
 * Of the format: src/profiler/heap-snapshot-generator.cc of V8, and its fields as
 * front_end/entrypoints/heap_snapshot_worker/HeapSnapshot.ts of DevTools reads them.
 */
#include "report/heap_export.h"

#include <inttypes.h>

#include "base/bitmap.h"
#include "report/json_writer_priv.h"

#define FLUSH_BYTES (1u << 20)

/* Numbers of a node, and of an edge. */
#define NODE_FIELDS 7u
enum { NODE_OBJECT = 3, NODE_SYNTHETIC = 9 };
enum { EDGE_ELEMENT = 1, EDGE_PROPERTY = 2, EDGE_WEAK = 6 };

static const char head[] =
	"{\"snapshot\":{\"meta\":{"
	"\"node_fields\":[\"type\",\"name\",\"id\",\"self_size\",\"edge_count\","
	"\"trace_node_id\",\"detachedness\"],"
	"\"node_types\":[[\"hidden\",\"array\",\"string\",\"object\",\"code\","
	"\"closure\",\"regexp\",\"number\",\"native\",\"synthetic\","
	"\"concatenated string\",\"sliced string\",\"symbol\",\"bigint\","
	"\"object shape\"],\"string\",\"number\",\"number\",\"number\",\"number\","
	"\"number\"],"
	"\"edge_fields\":[\"type\",\"name_or_index\",\"to_node\"],"
	"\"edge_types\":[[\"context\",\"element\",\"property\",\"internal\",\"hidden\","
	"\"shortcut\",\"weak\"],\"string_or_number\",\"node\"],"
	"\"trace_function_info_fields\":[\"function_id\",\"name\",\"script_name\","
	"\"script_id\",\"line\",\"column\"],"
	"\"trace_node_fields\":[\"id\",\"function_info_index\",\"count\",\"size\","
	"\"children\"],"
	"\"sample_fields\":[\"timestamp_us\",\"last_assigned_id\"],"
	"\"location_fields\":[\"object_index\",\"script_id\",\"line\",\"column\"]},";

struct writer {
	const struct heap_export *heap;
	const struct heap_export_sink *sink;
	struct str text;
	struct error *error;
	bool has_items; /* of the array at hand */
	/* Numbers of nodes: the first, groups, what is lost, blocks. */
	uint64_t lost_node, first_block;
	/* Numbers of strings: the fixed ones, types, groups, fields. */
	size_t first_type, first_group, first_field;
};

enum { STRING_ROOT, STRING_LOST, NR_STRINGS };
static const char *const fixed_strings[NR_STRINGS] = {
	[STRING_ROOT] = "",
	[STRING_LOST] = "(lost)",
};

static void flush(struct writer *writer, size_t at_least)
{
	if (writer->error || writer->text.length < at_least)
		return;
	writer->error = writer->text.failed
				? error_no_memory()
				: writer->sink->put(writer->sink->context, &writer->text);
}

/* One more number of an array; printf would take most of the time. */
static void put(struct writer *writer, uint64_t number)
{
	char digits[24];
	size_t at = sizeof(digits);
	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	if (writer->has_items)
		digits[--at] = ',';
	writer->has_items = true;
	str_append(&writer->text, digits + at, sizeof(digits) - at);
}

static void begin_array(struct writer *writer, const char *name)
{
	str_printf(&writer->text, "\"%s\":[", name);
	writer->has_items = false;
}

static void end_array(struct writer *writer)
{
	str_puts(&writer->text, "],\n");
}

/* --- nodes ------------------------------------------------------------------------------- */

static uint64_t nr_lost_leaders(const struct entries *entries)
{
	return entries->nr - entries->nr_live;
}

static bool is_without_group(const struct entries *entries, uint32_t entry)
{
	return !entries->nr_groups || !bitmap_test(entries->is_grouped.memory, entry);
}

static uint64_t nr_root_edges(const struct entries *entries)
{
	uint64_t nr = entries->nr_groups + (nr_lost_leaders(entries) ? 1 : 0);
	for (uint32_t i = 0; i < entries->nr_live; i++)
		nr += is_without_group(entries, i);
	return nr;
}

static uint64_t nr_edges_of(const struct edge_run *run)
{
	uint64_t nr = 0;
	for (uint64_t i = 0; i < run->nr; i++)
		nr += run->edges[i] != EDGE_NONE;
	return nr;
}

static void put_node(struct writer *writer, unsigned type, uint64_t name, uint64_t id,
		     uint64_t size, uint64_t nr_edges)
{
	const uint64_t fields[NODE_FIELDS] = { type, name, id, size, nr_edges, 0, 0 };
	for (size_t i = 0; i < NODE_FIELDS; i++)
		put(writer, fields[i]);
	flush(writer, FLUSH_BYTES);
}

static void put_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	struct writer *writer = context;
	struct edge_run run = { 0 };
	run.edges = graph_edges(writer->heap->graph, rank, &run.nr);
	if (!writer->error)
		put_node(writer, NODE_OBJECT,
			 writer->first_type + writer->heap->types[rank],
			 2 * (uint64_t)rank + 2, size, nr_edges_of(&run));
}

static void put_nodes(struct writer *writer)
{
	const struct entries *entries = writer->heap->entries;
	begin_array(writer, "nodes");
	put_node(writer, NODE_SYNTHETIC, STRING_ROOT, 1, 0, nr_root_edges(entries));
	for (uint32_t group = 0; group < entries->nr_groups; group++) {
		struct edge_run run = entries_of_group(entries, group);
		put_node(writer, NODE_SYNTHETIC, writer->first_group + group,
			 2 * (uint64_t)group + 5, 0, run.nr);
	}
	if (nr_lost_leaders(entries))
		put_node(writer, NODE_SYNTHETIC, STRING_LOST, 3, 0,
			 nr_lost_leaders(entries));
	space_each(&writer->heap->graph->space, put_block, writer);
	end_array(writer);
}

/* --- edges --------------------------------------------------------------------------------- */

static void put_edge(struct writer *writer, unsigned type, uint64_t name, uint64_t node)
{
	put(writer, type);
	put(writer, name);
	put(writer, node * NODE_FIELDS);
	flush(writer, FLUSH_BYTES);
}

static void put_root_edges(struct writer *writer)
{
	const struct entries *entries = writer->heap->entries;
	uint64_t nr = 0;
	for (uint32_t group = 0; group < entries->nr_groups; group++)
		put_edge(writer, EDGE_ELEMENT, nr++, 1 + (uint64_t)group);
	if (nr_lost_leaders(entries))
		put_edge(writer, EDGE_ELEMENT, nr++, writer->lost_node);
	for (uint32_t i = 0; i < entries->nr_live; i++)
		if (is_without_group(entries, i))
			put_edge(writer, EDGE_ELEMENT, nr++,
				 writer->first_block + entries_ranks(entries)[i]);
}

static void put_group_edges(struct writer *writer)
{
	const struct entries *entries = writer->heap->entries;
	for (uint32_t group = 0; group < entries->nr_groups; group++) {
		struct edge_run run = entries_of_group(entries, group);
		for (uint64_t i = 0; i < run.nr; i++)
			put_edge(writer, EDGE_ELEMENT, i,
				 writer->first_block + edge_rank(run.edges[i]));
	}
	for (uint32_t i = entries->nr_live; i < entries->nr; i++)
		put_edge(writer, EDGE_ELEMENT, i - entries->nr_live,
			 writer->first_block + entries_ranks(entries)[i]);
}

static void put_block_edges(struct writer *writer, uint32_t rank)
{
	const struct heap_export *heap = writer->heap;
	struct edge_walk walk = graph_walk(heap->graph, rank);
	struct edge_at at;
	bool is_live = bitmap_test(heap->live, rank);
	for (uint64_t nr = 0; edge_walk_next(&walk, &at); nr++) {
		uint32_t to = edge_rank(at.edge);
		bool has_place = heap->graph->places.edges_are_kept;
		size_t field = has_place ? heap->field_at(heap->context, rank, at.offset)
					 : SIZE_MAX;
		uint64_t node = writer->first_block + to;
		if (!is_live && bitmap_test(heap->live, to))
			put_edge(writer, EDGE_WEAK, STRING_LOST, node);
		else if (field != SIZE_MAX)
			put_edge(writer, EDGE_PROPERTY, writer->first_field + field,
				 node);
		else
			put_edge(writer, EDGE_ELEMENT, has_place ? at.offset : nr, node);
	}
}

static void put_edges(struct writer *writer)
{
	begin_array(writer, "edges");
	put_root_edges(writer);
	put_group_edges(writer);
	for (uint64_t rank = 0; !writer->error && rank < writer->heap->graph->nr_blocks;
	     rank++)
		put_block_edges(writer, (uint32_t)rank);
	end_array(writer);
}

static uint64_t count_edges(const struct heap_export *heap)
{
	const struct entries *entries = heap->entries;
	const struct edge_run all = {
		.edges = heap->graph->edges.memory,
		.nr = heap->graph->nr_edges,
	};
	uint64_t nr = nr_root_edges(entries) + nr_lost_leaders(entries);
	for (uint32_t group = 0; group < entries->nr_groups; group++)
		nr += entries_of_group(entries, group).nr;
	return nr + nr_edges_of(&all);
}

/* --- all of it -------------------------------------------------------------------------------- */

static void put_strings(struct writer *writer)
{
	const struct heap_export *heap = writer->heap;
	const struct {
		const char *const *texts;
		size_t nr;
	} parts[] = {
		{ fixed_strings, NR_STRINGS },
		{ heap->type_names, heap->nr_types },
		{ heap->group_names, heap->entries->nr_groups },
		{ heap->field_names, heap->nr_fields },
	};
	struct json_writer json = { .one_line = true };
	json_open_array(&json, NULL);
	for (size_t part = 0; part < ARRAY_SIZE(parts); part++)
		for (size_t i = 0; i < parts[part].nr; i++)
			json_string(&json, NULL, parts[part].texts[i]);
	json_close(&json);
	writer->text.failed |= json.out.failed;
	str_puts(&writer->text, "\"strings\":");
	str_append(&writer->text, str_text(&json.out), json.out.length);
	str_deinit(&json.out);
}

struct error *heap_export_snapshot(const struct heap_export *heap,
				   const struct heap_export_sink *sink)
{
	struct writer writer = { .heap = heap, .sink = sink };
	writer.lost_node = 1 + (uint64_t)heap->entries->nr_groups;
	writer.first_block = writer.lost_node + (nr_lost_leaders(heap->entries) ? 1 : 0);
	writer.first_type = NR_STRINGS;
	writer.first_group = writer.first_type + heap->nr_types;
	writer.first_field = writer.first_group + heap->entries->nr_groups;
	const uint64_t nr_nodes = writer.first_block + heap->graph->nr_blocks;
	str_puts(&writer.text, head);
	str_printf(&writer.text,
		   "\"node_count\":%" PRIu64 ",\"edge_count\":%" PRIu64
		   ",\"trace_function_count\":0},\n",
		   nr_nodes, (uint64_t)count_edges(heap));
	put_nodes(&writer);
	put_edges(&writer);
	str_puts(&writer.text, "\"trace_function_infos\":[],\"trace_tree\":[],"
			       "\"samples\":[],\"locations\":[],\n");
	put_strings(&writer);
	str_puts(&writer.text, "}\n");
	flush(&writer, 0);
	str_deinit(&writer.text);
	return writer.error;
}
