/*
 * recording_pprof: a profile for pprof, gzipped.
 *
 * Field numbers are those of profile.proto of github.com/google/pprof. A location is a frame, and
 * inlined frames are locations of their own.
 */
#include "report/renderers_priv.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "report/recording_tree_priv.h"

enum wire_type { WIRE_NUMBER = 0, WIRE_BYTES = 2 };

enum profile_field {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE = 2,
	PROFILE_MAPPING = 3,
	PROFILE_LOCATION = 4,
	PROFILE_FUNCTION = 5,
	PROFILE_STRING = 6,
	PROFILE_TIME_NANOS = 9,
	PROFILE_DURATION_NANOS = 10,
	PROFILE_DEFAULT_TYPE = 14,
};

/* Strings 1 to …: what samples count; 0 is empty. */
static const struct value_type {
	const char *name, *unit;
	enum recording_order order; /* that this is the default for */
} value_types[] = {
	{ "inuse_objects", "count", RECORDING_NR_ORDERS },
	{ "inuse_space", "bytes", RECORDING_PERSISTENT },
	{ "alloc_objects", "count", RECORDING_ALLOCATIONS },
	{ "alloc_space", "bytes", RECORDING_TOTAL },
	{ "peak_objects", "count", RECORDING_NR_ORDERS },
	{ "peak_space", "bytes", RECORDING_PEAK },
	{ "temporary_objects", "count", RECORDING_TEMPORARY },
};

#define NR_TYPES ARRAY_SIZE(value_types)

/* --- protocol buffers --------------------------------------------------------------- */

static void put_varint(struct str *out, uint64_t value)
{
	char bytes[10];
	size_t nr = 0;
	for (; value >= 0x80; value >>= 7)
		bytes[nr++] = (char)(value | 0x80);
	bytes[nr++] = (char)value;
	str_append(out, bytes, nr);
}

static void put_number(struct str *out, unsigned field, uint64_t value)
{
	put_varint(out, field << 3 | WIRE_NUMBER);
	put_varint(out, value);
}

static void put_bytes(struct str *out, unsigned field, const char *bytes, size_t size)
{
	put_varint(out, field << 3 | WIRE_BYTES);
	put_varint(out, size);
	if (size)
		str_append(out, bytes, size);
}

/* Appends a message that was made, and empties it. */
static void put_message(struct str *out, unsigned field, struct str *message)
{
	put_bytes(out, field, str_text(message), message->length);
	out->failed |= message->failed;
	str_deinit(message);
}

/* --- strings ------------------------------------------------------------------------ */

/* The string table as it grows; written behind all that refers to it. */
struct profile {
	const struct recording_report *report;
	struct str out, strings;
	uint64_t nr_strings;
};

static uint64_t add_string(struct profile *profile, const char *text)
{
	put_bytes(&profile->strings, PROFILE_STRING, text ? text : "",
		  text ? strlen(text) : 0);
	return profile->nr_strings++;
}

/* --- parts -------------------------------------------------------------------------- */

static void put_types(struct profile *profile)
{
	add_string(profile, "");
	for (size_t i = 0; i < NR_TYPES; i++) {
		struct str message = { 0 };
		uint64_t name = add_string(profile, value_types[i].name);
		put_number(&message, 1, name);
		put_number(&message, 2, add_string(profile, value_types[i].unit));
		put_message(&profile->out, PROFILE_SAMPLE_TYPE, &message);
		if (value_types[i].order == profile->report->order)
			put_number(&profile->out, PROFILE_DEFAULT_TYPE, name);
	}
}

static void put_mappings(struct profile *profile)
{
	const struct recording_module_vec *modules = &profile->report->places.modules;
	for (size_t i = 0; i < modules->nr; i++) {
		struct str message = { 0 };
		put_number(&message, 1, i + 1);
		put_number(&message, 5, add_string(profile, modules->items[i].path));
		put_number(&message, 6, add_string(profile, modules->items[i].build_id));
		put_number(&message, 7, 1); /* functions are resolved */
		put_message(&profile->out, PROFILE_MAPPING, &message);
	}
}

static void put_functions(struct profile *profile)
{
	const struct recording_places *places = &profile->report->places;
	for (uint32_t i = 0; i < places->functions.nr; i++) {
		struct str message = { 0 }, name = { 0 };
		recording_put_function(&name, places, i);
		put_number(&message, 1, i + 1);
		put_number(&message, 2, add_string(profile, str_text(&name)));
		put_message(&profile->out, PROFILE_FUNCTION, &message);
		profile->out.failed |= name.failed;
		str_deinit(&name);
	}
}

static void put_locations(struct profile *profile)
{
	const struct recording_places *places = &profile->report->places;
	for (size_t i = 0; i < places->frames.nr; i++) {
		const struct recording_frame *frame = &places->frames.items[i];
		uint32_t module = places->functions.items[frame->function].module;
		struct str message = { 0 }, line = { 0 };
		put_number(&message, 1, i + 1);
		if (module != RECORDING_NONE)
			put_number(&message, 2, (uint64_t)module + 1);
		put_number(&message, 3, frame->offset);
		put_number(&line, 1, (uint64_t)frame->function + 1);
		put_number(&line, 2, frame->line);
		put_message(&message, 4, &line);
		put_message(&profile->out, PROFILE_LOCATION, &message);
	}
}

/* --- samples ------------------------------------------------------------------------ */

static void subtract(uint64_t *values, const uint64_t *other)
{
	for (size_t i = 0; i < NR_TYPES; i++)
		values[i] -= other[i];
}

static void values_of(const struct recording_counts *counts, uint64_t *values)
{
	const uint64_t all[NR_TYPES] = {
		counts->live_blocks, counts->live_bytes,  counts->allocations,
		counts->bytes,       counts->peak_blocks, counts->peak_bytes,
		counts->temporary,
	};
	memcpy(values, all, sizeof(all));
}

/* NR_TYPES values of each node, without what is below it. */
static uint64_t *own_values(const struct recording_node_vec *tree)
{
	uint64_t *own = calloc(tree->nr + 1, NR_TYPES * sizeof(*own));
	for (size_t i = 0; own && i < tree->nr; i++) {
		uint64_t values[NR_TYPES];
		values_of(&tree->items[i].counts, values);
		for (size_t v = 0; v < NR_TYPES; v++)
			own[i * NR_TYPES + v] += values[v];
		if (i)
			subtract(own + tree->items[i].parent * NR_TYPES, values);
	}
	return own;
}

static void put_sample(struct profile *profile, uint32_t node, const uint64_t *values)
{
	const struct recording_node_vec *tree = &profile->report->tree;
	struct str message = { 0 }, packed = { 0 };
	for (; node; node = tree->items[node].parent)
		put_varint(&packed, (uint64_t)tree->items[node].frame + 1);
	put_message(&message, 1, &packed);
	for (size_t i = 0; i < NR_TYPES; i++)
		put_varint(&packed, values[i]);
	put_message(&message, 2, &packed);
	put_message(&profile->out, PROFILE_SAMPLE, &message);
}

static void put_samples(struct profile *profile)
{
	const struct recording_node_vec *tree = &profile->report->tree;
	static const uint64_t nothing[NR_TYPES];
	uint64_t *own = own_values(tree);
	profile->out.failed |= !own;
	for (uint32_t node = 0; own && node < tree->nr; node++) {
		const uint64_t *values = own + node * NR_TYPES;
		if (memcmp(values, nothing, sizeof(nothing)) != 0)
			put_sample(profile, node, values);
	}
	free(own);
}

/* --- gzip --------------------------------------------------------------------------- */

#define GZIP_WINDOW  (15 + 16) /* zlib.h, deflateInit2(): with a gzip header */
#define MEMORY_LEVEL 8

static struct str packed(const struct str *plain)
{
	struct str out = { 0 };
	z_stream stream = { 0 };
	if (plain->failed ||
	    deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW,
			 MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
		out.failed = true;
		return out;
	}
	char buffer[16384];
	int state = Z_OK;
	stream.next_in = (Bytef *)plain->text;
	stream.avail_in = (uInt)plain->length;
	while (state == Z_OK) {
		stream.next_out = (Bytef *)buffer;
		stream.avail_out = sizeof(buffer);
		state = deflate(&stream, Z_FINISH);
		str_append(&out, buffer, sizeof(buffer) - stream.avail_out);
	}
	out.failed |= state != Z_STREAM_END;
	deflateEnd(&stream);
	return out;
}

struct str recording_pprof(const struct recording_report *report,
			   const struct report_options *options)
{
	struct profile profile = { .report = report };
	(void)options;
	put_types(&profile);
	put_mappings(&profile);
	put_functions(&profile);
	put_locations(&profile);
	put_samples(&profile);
	put_number(&profile.out, PROFILE_TIME_NANOS, report->start_ns);
	put_number(&profile.out, PROFILE_DURATION_NANOS,
		   (report->to_us - report->from_us) * 1000);
	str_append(&profile.out, str_text(&profile.strings), profile.strings.length);
	profile.out.failed |= profile.strings.failed;
	struct str gzipped = packed(&profile.out);
	str_deinit(&profile.out);
	str_deinit(&profile.strings);
	return gzipped;
}
