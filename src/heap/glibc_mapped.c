/*
 * glibc_mapped: chunks that are mappings of their own.
 *
 * malloc keeps no list of them, only their number and sum (mp_.n_mmaps, mp_.mmapped_mem).
 * Such a chunk begins its mapping, so its header stands at the start of a page: a previous
 * size of 0, a size of whole pages with only CHUNK_IS_MMAPPED set. memalign moves the header
 * up to just before the aligned block and stores the distance as the previous size. The
 * kernel joins neighbouring mappings into one region, so each page that is not inside a
 * known chunk is looked at. What is found counts only if number and sum agree with malloc's.
 */
#include <inttypes.h>
#include <string.h>

#include "heap/glibc_priv.h"

#define PAGE_BYTES 4096u

struct mapped_chunk {
	uint64_t start; /* of the mapping */
	uint64_t total; /* bytes of the mapping */
	uint64_t user;  /* of the block */
};
DEFINE_VEC(mapped_chunk_vec, struct mapped_chunk);

struct search {
	struct glibc *glibc;
	struct mapped_chunk_vec found;
	uint64_t bytes; /* the sum of `total` */
};

static bool complete(const struct search *search)
{
	return search->found.nr == search->glibc->n_mmaps &&
	       search->bytes == search->glibc->mmapped_mem;
}

static bool is_mapped_header(const uint64_t header[2], uint64_t lead, uint64_t room)
{
	uint64_t size = header[1] & ~(uint64_t)CHUNK_FLAGS;
	return (header[1] & CHUNK_FLAGS) == CHUNK_IS_MMAPPED && header[0] == lead &&
	       size >= CHUNK_MIN_SIZE && size <= room - lead &&
	       (size + lead) % PAGE_BYTES == 0;
}

/* memalign leaves the first header as it was and writes a second one before the aligned
   block; which alignment was asked for is not stored, so each power of two is tried. */
static struct error *find_aligned(struct search *search, struct mapped_chunk *chunk)
{
	for (uint64_t alignment = 32; alignment < chunk->total; alignment *= 2) {
		uint64_t user = (chunk->start + CHUNK_HEADER + alignment - 1) &
				~(alignment - 1);
		uint64_t lead = user - CHUNK_HEADER - chunk->start;
		if (lead == 0 || user + CHUNK_HEADER > chunk->start + chunk->total)
			continue;
		uint64_t header[2];
		bool readable = false;
		struct error *error = peek_words(search->glibc->peek, user - CHUNK_HEADER,
						 header, 2, &readable);
		if (error)
			return error;
		if (readable && is_mapped_header(header, lead, chunk->total) &&
		    lead + (header[1] & ~(uint64_t)CHUNK_FLAGS) == chunk->total) {
			chunk->user = user;
			return NULL;
		}
	}
	return NULL;
}

/* Looks at one page; *length is the size of the mapping when a chunk begins there. */
static struct error *look_at(struct search *search, const struct region *region,
			     uint64_t address, const uint64_t header[2], uint64_t *length)
{
	*length = 0;
	if (!is_mapped_header(header, 0, region->end - address))
		return NULL;
	struct mapped_chunk chunk = {
		.start = address,
		.total = header[1] & ~(uint64_t)CHUNK_FLAGS,
		.user = address + CHUNK_HEADER,
	};
	struct error *error = find_aligned(search, &chunk);
	if (error)
		return error;
	if (!mapped_chunk_vec_push(&search->found, chunk))
		return error_no_memory();
	search->bytes += chunk.total;
	*length = chunk.total;
	return NULL;
}

static struct error *look_through(struct search *search, const struct region *region,
				  const struct extent *extent, uint64_t *at)
{
	if (*at < extent->start)
		*at = extent->start;
	while (*at < extent->end && !complete(search)) {
		uint64_t header[2];
		bool readable = false;
		struct error *error =
			peek_words(search->glibc->peek, *at, header, 2, &readable);
		uint64_t length = 0;
		if (!error && readable)
			error = look_at(search, region, *at, header, &length);
		if (error)
			return error;
		*at += length ? length : PAGE_BYTES;
	}
	return NULL;
}

static struct error *search_region(struct search *search, const struct region *region)
{
	struct extent_vec extents = { 0 };
	struct error *error = target_extents(search->glibc->base.target, region,
					     region->start, region->end, &extents);
	uint64_t at = region->start;
	for (size_t i = 0; !error && i < extents.nr; i++)
		if (!extents.items[i].swapped)
			error = look_through(search, region, &extents.items[i], &at);
	extent_vec_deinit(&extents);
	return error;
}

static bool can_hold_mapped(const struct glibc *glibc, const struct region *region)
{
	unsigned wanted = REGION_READ | REGION_WRITE;
	if (region->inode || (region->flags & (wanted | REGION_SHARED)) != wanted ||
	    region->name[0] == '[')
		return false;
	for (size_t i = 0; i < glibc->base.spans.nr; i++)
		if (glibc->base.spans.items[i].start >= region->start &&
		    glibc->base.spans.items[i].start < region->end)
			return false;
	return true;
}

static struct error *add_spans(struct search *search)
{
	struct error *error = NULL;
	for (size_t i = 0; !error && i < search->found.nr; i++) {
		const struct mapped_chunk *chunk = &search->found.items[i];
		struct heap_span span = {
			.start = chunk->user,
			.end = chunk->start + chunk->total,
			.single = true,
		};
		search->glibc->surveyed_bytes += chunk->total;
		error = glibc_add_span(search->glibc, span,
				       (struct glibc_chain){ .limit = span.end });
	}
	return error;
}

struct error *glibc_find_mapped(struct glibc *glibc)
{
	struct search search = { .glibc = glibc };
	const struct region_vec *regions = &glibc->base.target->regions;
	glibc->base.totals.mapped_bytes += glibc->mmapped_mem;
	struct error *error = NULL;
	for (size_t i = 0; !error && i < regions->nr && !complete(&search); i++)
		if (can_hold_mapped(glibc, &regions->items[i]))
			error = search_region(&search, &regions->items[i]);
	if (!error && complete(&search))
		error = add_spans(&search);
	else if (!error && glibc->base.nr_threads_inside && !glibc->base.last_try)
		error = heap_inconsistent(&glibc->base,
					  "a mapped chunk that comes or goes",
					  glibc->state.params);
	else if (!error)
		error = heap_note_damage(
			&glibc->base,
			"of %" PRIu64 " mapped chunks (%" PRIu64 " bytes) %zu (%" PRIu64
			" bytes) were found; their memory is taken for roots",
			glibc->n_mmaps, glibc->mmapped_mem, search.found.nr,
			search.bytes);
	mapped_chunk_vec_deinit(&search.found);
	return error;
}
