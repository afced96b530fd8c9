/*
 * typing_reader: a target's contents, read when they are first asked for, in pieces. See
 * typing_priv.h.
 *
 * Pointers lead anywhere in the heap, so its pieces are kept where there is memory for that: none is
 * read twice. Pieces of all else, and of a heap that is too large, are kept until another needs the
 * place. Pages that the target has not touched, or has swapped out, are not read: that would
 * change it.
 */
#include "analyse/typing_priv.h"

#include <string.h>
#include <unistd.h>

#include "target/headroom.h"

#define PAGE_BYTES  4096u
#define PIECE_PAGES 16u
#define PIECE_BYTES (PAGE_BYTES * PIECE_PAGES)
#define NR_LINES    512u /* 32 MiB */
/* The heap may take this part of the memory that there is. */
#define HEADROOM_PART 3u

enum {
	PIECE_ALL_PAGES = (1u << PIECE_PAGES) - 1, /* which of them are known */
	PIECE_READ = 1u << 31,
};

/* A piece that is kept for now. */
struct line {
	uint64_t address; /* plus one; 0: none */
	uint32_t state;
};

/* --- where pieces are kept ------------------------------------------------------------- */

static uint64_t piece_of(uint64_t address)
{
	return address & ~(uint64_t)(PIECE_BYTES - 1);
}

static uint64_t room_for_heap(void)
{
	struct headroom headroom = { 0 };
	const char *tightest;
	uint64_t bytes = 0;
	struct error *error = headroom_init(&headroom, getpid());
	if (!error)
		bytes = headroom_bytes(&headroom, &tightest) / HEADROOM_PART;
	error_destroy(error);
	headroom_deinit(&headroom);
	return bytes;
}

/* Lays the spans' pieces end to end. */
static bool lay_out(struct reader *reader)
{
	const struct space_span_vec *spans = &reader->space->spans;
	uint64_t bytes = 0;
	if (!area_reserve(&reader->bases, (spans->nr + 1) * sizeof(uint64_t)))
		return false;
	uint64_t *bases = reader->bases.memory;
	for (size_t i = 0; i < spans->nr; i++) {
		const struct space_span *span = &spans->items[i];
		bases[i] = bytes;
		bytes += piece_of(span->end - 1) + PIECE_BYTES - piece_of(span->start);
	}
	if (!bytes || bytes > room_for_heap())
		return true;
	const struct space_span *biggest = &spans->items[reader->space->biggest];
	reader->biggest_start = biggest->start;
	reader->biggest_size = biggest->end - biggest->start;
	reader->biggest_delta = piece_of(biggest->start) - bases[reader->space->biggest];
	reader->is_kept = true;
	return area_reserve(&reader->heap, bytes) &&
	       area_reserve(&reader->states, bytes / PIECE_BYTES * sizeof(uint32_t));
}

bool reader_init(struct reader *reader, struct target *target, const struct space *space)
{
	*reader = (struct reader){ .target = target, .space = space };
	return lay_out(reader) &&
	       area_reserve(&reader->lines, (size_t)NR_LINES * PIECE_BYTES) &&
	       area_reserve(&reader->tags, NR_LINES * sizeof(struct line));
}

void reader_deinit(struct reader *reader)
{
	struct area *const areas[] = { &reader->bases, &reader->heap, &reader->states,
				       &reader->lines, &reader->tags };
	for (size_t i = 0; i < ARRAY_SIZE(areas); i++)
		area_release(areas[i]);
	extent_vec_deinit(&reader->extents);
	error_destroy(reader->error);
	reader->error = NULL;
}

/* --- pieces are read ------------------------------------------------------------------ */

/* Bits of the pages between two addresses of a piece. */
static uint32_t pages_between(uint64_t piece, uint64_t start, uint64_t end)
{
	uint32_t first = (uint32_t)((start - piece) / PAGE_BYTES);
	uint32_t last = (uint32_t)((end - piece + PAGE_BYTES - 1) / PAGE_BYTES);
	return ((1u << last) - 1) & ~((1u << first) - 1);
}

static uint64_t clip(uint64_t value, uint64_t low, uint64_t high)
{
	return value < low ? low : value > high ? high : value;
}

static uint32_t read_extent(struct reader *reader, uint64_t piece, char *bytes,
			    uint64_t start, uint64_t end)
{
	size_t nr_read = 0;
	struct target *target = reader->target;
	reader->error = target->ops->read(target, start, bytes + (start - piece),
					  end - start, &nr_read);
	return pages_between(piece, start, start + nr_read / PAGE_BYTES * PAGE_BYTES);
}

/* What nobody can have written is as it is in the file, which is read instead of the target. */
static uint32_t read_file(struct reader *reader, const struct region *region,
			  uint64_t piece, char *bytes, uint64_t start, uint64_t end)
{
	int fd = -1;
	const struct module *module = target_module(reader->target, region->start);
	if (!module || (region->flags & (REGION_WRITE | REGION_SHARED)))
		return 0;
	struct error *error = target_open_module(reader->target, module, &fd);
	error_destroy(error);
	if (error)
		return 0;
	ssize_t nr_read = pread(fd, bytes + (start - piece), end - start,
				(off_t)(region->offset + (start - region->start)));
	close(fd);
	return nr_read > 0 ? pages_between(piece, start,
					   start + (uint64_t)nr_read / PAGE_BYTES *
							   PAGE_BYTES)
			   : 0;
}

/* What a region has of [start, end): memory that was never touched is zeros, or in a file. */
static uint32_t read_region(struct reader *reader, const struct region *region,
			    uint64_t piece, char *bytes)
{
	uint64_t start = clip(region->start, piece, piece + PIECE_BYTES);
	uint64_t end = clip(region->end, piece, piece + PIECE_BYTES);
	uint32_t known = region->inode
				 ? read_file(reader, region, piece, bytes, start, end)
				 : pages_between(piece, start, end);
	reader->extents.nr = 0;
	reader->error =
		target_extents(reader->target, region, start, end, &reader->extents);
	for (size_t i = 0; i < reader->extents.nr && !reader->error; i++) {
		const struct extent *extent = &reader->extents.items[i];
		uint64_t from = clip(extent->start, start, end);
		uint64_t to = clip(extent->end, start, end);
		known &= ~pages_between(piece, from, to);
		if (!extent->swapped && from < to)
			known |= read_extent(reader, piece, bytes, from, to);
	}
	return known;
}

static uint32_t read_piece(struct reader *reader, uint64_t piece, char *bytes)
{
	uint32_t state = PIECE_READ;
	const struct region_vec *regions = &reader->target->regions;
	size_t low = 0, high = regions->nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (regions->items[middle].end <= piece)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < regions->nr && regions->items[low].start < piece + PIECE_BYTES &&
	       !reader->error;
	     low++)
		if (regions->items[low].flags & REGION_READ)
			state |= read_region(reader, &regions->items[low], piece, bytes);
	return state;
}

/* --- bytes ------------------------------------------------------------------------------ */

/* Where a byte of the heap is kept; UINT64_MAX: it is none. */
static uint64_t offset_anywhere(const struct reader *reader, uint64_t address)
{
	const struct space_span_vec *spans = &reader->space->spans;
	const uint64_t *bases = reader->bases.memory;
	size_t low = 0, high = spans->nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (spans->items[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == spans->nr || address < spans->items[low].start)
		return UINT64_MAX;
	return address - piece_of(spans->items[low].start) + bases[low];
}

static uint64_t offset_of(const struct reader *reader, uint64_t address)
{
	if (!reader->is_kept)
		return UINT64_MAX;
	if (address - reader->biggest_start < reader->biggest_size)
		return address - reader->biggest_delta;
	return offset_anywhere(reader, address);
}

void reader_prefetch(const struct reader *reader, uint64_t address)
{
	uint64_t offset = offset_of(reader, address);
	if (offset != UINT64_MAX)
		__builtin_prefetch((const char *)reader->heap.memory + offset);
}

/* A piece of the heap, or one that takes another's place. */
static const char *piece_at(struct reader *reader, uint64_t address, uint32_t *state)
{
	uint64_t offset = offset_of(reader, address), piece = piece_of(address);
	if (offset != UINT64_MAX) {
		uint64_t number = offset / PIECE_BYTES;
		char *bytes = (char *)reader->heap.memory + number * PIECE_BYTES;
		uint32_t *known = (uint32_t *)reader->states.memory + number;
		if (!*known)
			*known = read_piece(reader, piece, bytes);
		*state = *known;
		return bytes;
	}
	uint64_t number = piece / PIECE_BYTES % NR_LINES;
	char *bytes = (char *)reader->lines.memory + number * PIECE_BYTES;
	struct line *line = (struct line *)reader->tags.memory + number;
	if (line->address != piece + 1) {
		if (line->address)
			memset(bytes, 0, PIECE_BYTES);
		*line = (struct line){ .address = piece + 1 };
		line->state = read_piece(reader, piece, bytes);
	}
	*state = line->state;
	return bytes;
}

bool reader_bytes(struct reader *reader, uint64_t address, void *bytes, size_t size)
{
	while (size) {
		uint32_t state;
		const char *piece = piece_at(reader, address, &state);
		uint64_t offset = address % PIECE_BYTES;
		size_t there = state == (PIECE_READ | PIECE_ALL_PAGES)
				       ? PIECE_BYTES - offset
				       : PAGE_BYTES - offset % PAGE_BYTES;
		if (!(state >> (offset / PAGE_BYTES) & 1) || reader->error)
			return false;
		if (there > size)
			there = size;
		memcpy(bytes, piece + offset, there);
		bytes = (char *)bytes + there;
		address += there;
		size -= there;
	}
	return true;
}
