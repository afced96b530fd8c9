/* format: see format.h. */
#include "snap/format.h"

#include <xxhash.h>

#include "snap/trace.h"

static const char *const type_names[] = {
	[SNAP_META] = "meta",
	[SNAP_REGIONS] = "regions",
	[SNAP_MODULES] = "modules",
	[SNAP_THREADS] = "threads",
	[SNAP_DOUBTED] = "doubted",
	[SNAP_TYPES] = "types",
	[SNAP_PLACES] = "places",
	[SNAP_ROOTS] = "roots",
	[SNAP_STALE] = "stale",
	[SNAP_BLOCKS] = "blocks",
	[SNAP_EDGES] = "edges",
	[SNAP_HASHES] = "hashes",
	[SNAP_CORE] = "core",
	[SNAP_END] = "end",
	[SNAP_SITES] = "sites",
	[SNAP_BLOCK_SITES] = "sites of blocks",
	[SNAP_ARENAS] = "arenas",
	[SNAP_FIELDS] = "fields",
	[SNAP_EDGE_PLACES] = "places of edges",
	[SNAP_FAR_PLACES] = "far places",
	[SNAP_EVERY_ROOT] = "every root",
	[SNAP_ARRAYS] = "arrays",
	[SNAP_FRAMES] = "frames",
	[SNAP_SPARE] = "spare",
	[SNAP_COUNTS] = "counts",
	[TRACE_RUN] = "run",
	[TRACE_MODULES] = "code",
	[TRACE_NODES] = "nodes",
	[TRACE_REQUESTS] = "requests",
	[TRACE_THREADS] = "recorded threads",
	[TRACE_EVENTS] = "events",
	[TRACE_ADDRESSES] = "addresses",
	[TRACE_NAMES] = "names",
	[TRACE_SUMMARY] = "summary",
	[TRACE_DEATHS] = "deaths",
};

const char *snap_type_name(uint32_t type)
{
	size_t nr = sizeof(type_names) / sizeof(type_names[0]);
	if (type >= SNAP_ARRAY_FIRST && type <= SNAP_ARRAY_LAST)
		return "array";
	return type < nr && type_names[type] ? type_names[type] : "unknown";
}

uint64_t snap_checksum(const void *bytes, size_t size)
{
	return XXH3_64bits(bytes, size);
}
