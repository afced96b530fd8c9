/*
 * snapshot_roots: what is around the graph: classes of objects, roots with their names, stale
 * words, and blocks that are doubted to be lost.
 */
#include "analyse/snapshot_priv.h"

#include <string.h>

/* Bytes that each takes at least. */
#define LEAST_ROOT  3
#define LEAST_PLACE 4

struct error *loader_nonsense(const struct loader *loader, const char *what)
{
	return snap_reader_nonsense(loader->reader, &loader->chunk, what);
}

/* --- types -------------------------------------------------------------------------- */

struct error *snapshot_save_types(const struct look *look, struct snap_writer *writer)
{
	const struct natures *natures = look->natures;
	struct pack payload = { 0 };
	uint64_t before = 0;
	for (size_t i = 0; i < natures->addresses.nr; i++) {
		uint64_t vtable = natures->addresses.items[i];
		pack_difference(&payload, vtable, before);
		pack_text(&payload, natures->names ? natures->names[i] : NULL);
		before = vtable;
	}
	struct error *error =
		snap_writer_chunk(writer, SNAP_TYPES, CHUNK_VERSION, &payload);
	pack_deinit(&payload);
	return error;
}

struct error *snapshot_load_types(struct loader *loader, struct unpack *payload)
{
	struct natures *natures = loader->look->natures;
	uint64_t vtable = 0;
	while (payload->at < payload->end) {
		vtable = unpack_difference(payload, vtable);
		char *name = unpack_text(payload);
		if (payload->bad || natures->addresses.nr == NATURES_MOST_OBJECTS) {
			free(name);
			return loader_nonsense(loader, "holds a type that cannot be");
		}
		struct error *error = natures_list(natures, vtable, name);
		if (error)
			return error;
	}
	return NULL;
}

/* --- places ------------------------------------------------------------------------- */

enum text_form { TEXT_NONE, TEXT_AS_BEFORE, TEXT_FOLLOWS };

static void pack_repeated(struct pack *payload, const char *text, const char *before)
{
	if (!text) {
		pack_number(payload, TEXT_NONE);
	} else if (before && !strcmp(text, before)) {
		pack_number(payload, TEXT_AS_BEFORE);
	} else {
		pack_number(payload, TEXT_FOLLOWS);
		pack_text(payload, text);
	}
}

static void pack_place(struct pack *payload, const struct symbol_name *name,
		       const struct symbol_name *before)
{
	pack_repeated(payload, name->module, before->module);
	pack_repeated(payload, name->function, before->function);
	pack_number(payload, name->offset);
}

struct place_saver {
	struct places *places;
	struct snap_writer *writer;
	struct pack payload;
	struct symbol_name before; /* the last one in the payload */
	uint64_t address;          /* its */
};

static struct error *write_places(struct place_saver *saver)
{
	saver->before = (struct symbol_name){ 0 };
	saver->address = 0;
	return snap_writer_chunk(saver->writer, SNAP_PLACES, CHUNK_VERSION,
				 &saver->payload);
}

static struct error *save_place(struct place_saver *saver, uint64_t address)
{
	struct symbol_name name = places_name(saver->places, address);
	if (!name.module)
		return NULL;
	pack_difference(&saver->payload, address, saver->address);
	pack_place(&saver->payload, &name, &saver->before);
	saver->address = address;
	saver->before = name;
	return saver->payload.size < FLUSH_BYTES ? NULL : write_places(saver);
}

/* Some variables are in mappings without a file (.bss). */
static bool is_named(const struct graph_root *root)
{
	uint32_t kind = graph_root_kind(root);
	return kind == ROOT_GLOBAL || kind == ROOT_MAPPING;
}

/* Of global variables that hold blocks, and of vtables. */
struct error *snapshot_save_places(const struct look *look, struct places *places,
				   struct snap_writer *writer)
{
	const struct graph *graph = &look->graph;
	const struct graph_root_vec *roots =
		graph->places.roots_are_kept ? &graph->places.roots : &graph->roots;
	const struct nature_address_vec *vtables = &look->natures->addresses;
	struct place_saver saver = { .places = places, .writer = writer };
	struct error *error = NULL;
	for (size_t i = 0; !error && i < roots->nr; i++)
		if (is_named(&roots->items[i]))
			error = save_place(&saver, roots->items[i].where);
	for (size_t i = 0; !error && i < vtables->nr; i++)
		if (vtables->items[i])
			error = save_place(&saver, vtables->items[i]);
	if (!error && saver.payload.size)
		error = write_places(&saver);
	pack_deinit(&saver.payload);
	return error;
}

/* `before` holds the text before, owned, and then this one; NULL when there is none. */
static const char *unpack_repeated(struct unpack *payload, char **before)
{
	uint64_t form = unpack_number(payload);
	payload->bad |= form > TEXT_FOLLOWS || (form == TEXT_AS_BEFORE && !*before);
	if (form == TEXT_FOLLOWS) {
		free(*before);
		*before = unpack_text(payload);
	}
	return form == TEXT_NONE ? NULL : *before;
}

struct error *snapshot_load_places(struct loader *loader, struct unpack *payload)
{
	char *module = NULL, *function = NULL;
	uint64_t address = 0;
	struct error *error = NULL;
	while (!error && payload->at < payload->end) {
		struct symbol_name name;
		address = unpack_difference(payload, address);
		name.module = unpack_repeated(payload, &module);
		name.function = unpack_repeated(payload, &function);
		name.offset = unpack_number(payload);
		error = payload->bad
				? loader_nonsense(loader, "holds a name that cannot be")
				: places_add(loader->places, address, &name);
	}
	free(module);
	free(function);
	return error;
}

/* --- roots and stale words ---------------------------------------------------------- */

static struct error *save_root_vec(const struct graph_root_vec *roots,
				   enum snap_type type, struct snap_writer *writer)
{
	struct pack payload = { 0 };
	struct error *error = NULL;
	struct graph_root before = { 0 };
	for (size_t i = 0; !error && i < roots->nr; i++) {
		const struct graph_root *root = &roots->items[i];
		uint64_t distance = pack_fold((uint64_t)edge_rank(root->edge) -
					      edge_rank(before.edge));
		pack_number(&payload, distance << 2 | edge_class(root->edge));
		pack_number(&payload, root->source);
		pack_difference(&payload, root->where, before.where);
		before = *root;
		if (payload.size < FLUSH_BYTES)
			continue;
		error = snap_writer_chunk(writer, type, CHUNK_VERSION, &payload);
		before = (struct graph_root){ 0 };
	}
	if (!error && payload.size)
		error = snap_writer_chunk(writer, type, CHUNK_VERSION, &payload);
	pack_deinit(&payload);
	return error;
}

struct error *snapshot_save_roots(const struct look *look, struct snap_writer *writer)
{
	struct error *error = save_root_vec(&look->graph.roots, SNAP_ROOTS, writer);
	return error ? error : save_root_vec(&look->graph.stale, SNAP_STALE, writer);
}

typedef struct error *take_root(struct rebuild *rebuild, struct graph_root root);

static struct error *load_root_vec(struct loader *loader, struct unpack *payload,
				   unsigned first_source, unsigned last_source,
				   take_root *take)
{
	uint64_t rank = 0, where = 0;
	struct error *error = NULL;
	while (!error && payload->at < payload->end) {
		uint64_t number = unpack_number(payload);
		uint64_t source = unpack_number(payload);
		rank += unpack_fold(number >> 2);
		where = unpack_difference(payload, where);
		if (payload->bad || rank > RANK_MAX || (number & 3) > EDGE_INTERIOR ||
		    source < first_source || source > last_source)
			return loader_nonsense(loader, "holds a root that cannot be");
		struct graph_root root = {
			.edge = edge_make((uint32_t)rank, (enum edge_class)(number & 3)),
			.source = (uint32_t)source,
			.where = where,
		};
		error = take(&loader->rebuild, root);
	}
	return error;
}

struct error *snapshot_load_roots(struct loader *loader, struct unpack *payload)
{
	return load_root_vec(loader, payload, ROOT_GLOBAL, ROOT_UNREADABLE, rebuild_root);
}

struct error *snapshot_load_stale(struct loader *loader, struct unpack *payload)
{
	return load_root_vec(loader, payload, STALE_FREED, STALE_STACK, rebuild_stale);
}

/* --- doubted ------------------------------------------------------------------------ */

struct error *snapshot_save_doubted(const struct look *look, struct snap_writer *writer)
{
	struct pack payload = { 0 };
	struct error *error = NULL;
	uint32_t before = 0;
	for (size_t i = 0; !error && i < look->doubted.nr; i++) {
		pack_number(&payload, look->doubted.items[i] - before);
		before = look->doubted.items[i];
		if (payload.size < FLUSH_BYTES)
			continue;
		error = snap_writer_chunk(writer, SNAP_DOUBTED, CHUNK_VERSION, &payload);
		before = 0;
	}
	if (!error && payload.size)
		error = snap_writer_chunk(writer, SNAP_DOUBTED, CHUNK_VERSION, &payload);
	pack_deinit(&payload);
	return error;
}

struct error *snapshot_load_doubted(struct loader *loader, struct unpack *payload)
{
	uint64_t rank = 0;
	while (payload->at < payload->end) {
		rank += unpack_number(payload);
		if (payload->bad || rank > RANK_MAX)
			return loader_nonsense(loader, "holds a rank that cannot be");
		if (!rank_vec_push(&loader->look->doubted, (uint32_t)rank))
			return error_no_memory();
	}
	return NULL;
}
