/* layout: see layout.h. */
#include "unit/layout.h"

#include <stdlib.h>

#include "base/hash.h"

static void must(bool good)
{
	if (!good)
		abort();
}

uint64_t layout_random(struct layout *layout, uint64_t limit)
{
	return hash_mix(++layout->seed) % limit;
}

static bool one_in(struct layout *layout, uint64_t nr)
{
	return layout_random(layout, nr) == 0;
}

static void add_chunk(struct layout *layout, uint64_t address, uint64_t size,
		      enum builder_kind kind)
{
	struct layout_chunk chunk = {
		.chunk = { .address = address, .size = size, .kind = kind, .source = 7 },
		.rank = kind == BUILDER_BLOCK ? layout->nr_blocks++ : RANK_NONE,
	};
	must(layout_chunk_vec_push(&layout->chunks, chunk));
	layout->spans.items[layout->spans.nr - 1].nr++;
}

static uint64_t draw_size(struct layout *layout, unsigned flags)
{
	if ((flags & LAYOUT_HUGE) && one_in(layout, 300))
		return ((uint64_t)1 << 30) + 16 * layout_random(layout, 1u << 26) + 8;
	if (one_in(layout, 10))
		return 24 + 16 * layout_random(layout, 5000);
	return 24 + 16 * layout_random(layout, one_in(layout, 3) ? 120 : 6);
}

/* Chunks from header to header, and one that ends the chain. */
static uint64_t fill_span(struct layout *layout, uint64_t at, unsigned flags)
{
	static const enum builder_kind kinds[] = { BUILDER_BLOCK, BUILDER_BLOCK,
						   BUILDER_BLOCK, BUILDER_GAP };
	uint64_t nr = one_in(layout, 4) ? layout_random(layout, 3)
					: layout_random(layout, 200);
	for (uint64_t i = 0; i < nr; i++) {
		uint64_t size = draw_size(layout, flags);
		add_chunk(layout, at + LAYOUT_HEADER, size,
			  kinds[layout_random(layout, ARRAY_SIZE(kinds))]);
		at += size + 8;
	}
	if (!(flags & LAYOUT_UNKNOWN) || !one_in(layout, 3)) {
		add_chunk(layout, at + LAYOUT_HEADER, 0, BUILDER_GAP);
		return at + (uint64_t)2 * LAYOUT_HEADER;
	}
	uint64_t rest = 32 + 16 * layout_random(layout, 300);
	add_chunk(layout, at + LAYOUT_HEADER, rest - LAYOUT_HEADER, BUILDER_UNKNOWN);
	return at + rest;
}

static uint64_t draw_span(struct layout *layout, uint64_t at, unsigned flags)
{
	struct layout_span span = {
		.start = at,
		.single = one_in(layout, 3),
		.first = layout->chunks.nr,
	};
	must(layout_span_vec_push(&layout->spans, span));
	uint64_t end = at + 16 * (1 + layout_random(layout, 100));
	if (span.single) {
		if (flags & LAYOUT_HUGE)
			end = at + (16 + layout_random(layout, 1u << 18)) * 4096 * 4;
		/* A mapped chunk that its survey gave up has no block. */
		if (!one_in(layout, 8))
			add_chunk(layout, at, end - at, BUILDER_BLOCK);
	} else if (!one_in(layout, 8)) {
		end = fill_span(layout, at, flags);
	}
	layout->spans.items[layout->spans.nr - 1].end = end;
	return end;
}

struct layout layout_draw(uint64_t seed, unsigned flags)
{
	struct layout layout = { .seed = hash_mix(seed) };
	uint64_t at = 0x555500000000 + 16 * layout_random(&layout, 1000);
	uint64_t nr = 1 + layout_random(&layout, 12);
	for (uint64_t i = 0; i < nr; i++) {
		at = draw_span(&layout, at, flags);
		/* Touching, in one group, or far away. */
		uint64_t apart = layout_random(&layout, 4);
		if (apart == 1)
			at += 16 * layout_random(&layout, 64);
		else if (apart > 1)
			at += 16 * layout_random(&layout, apart == 2 ? 10000 : 1u << 28);
	}
	return layout;
}

void layout_deinit(struct layout *layout)
{
	layout_span_vec_deinit(&layout->spans);
	layout_chunk_vec_deinit(&layout->chunks);
}

uint64_t layout_address(struct layout *layout)
{
	const struct layout_span *span =
		&layout->spans.items[layout_random(layout, layout->spans.nr)];
	uint64_t choice = layout_random(layout, 8);
	if (choice == 0 || span->nr == 0)
		return span->start - 16 +
		       layout_random(layout, span->end - span->start + 32);
	if (choice == 1)
		return one_in(layout, 2) ? span->start : span->end;
	const struct builder_chunk *chunk =
		&layout->chunks.items[span->first + layout_random(layout, span->nr)]
			 .chunk;
	switch (choice) {
	case 2:
		return chunk->address + chunk->size;
	case 3:
		return chunk->address + chunk->size - 8;
	case 4:
		return chunk->address - 1 - layout_random(layout, 16);
	case 5:
		return chunk->address + layout_random(layout, chunk->size + 16);
	default:
		return chunk->address;
	}
}

struct space_hit layout_find(const struct layout *layout, uint64_t address)
{
	for (size_t i = 0; i < layout->spans.nr; i++) {
		const struct layout_span *span = &layout->spans.items[i];
		for (size_t k = 0;
		     address - span->start < span->end - span->start && k < span->nr;
		     k++) {
			const struct layout_chunk *chunk =
				&layout->chunks.items[span->first + k];
			uint64_t distance = address - chunk->chunk.address;
			if (chunk->rank != RANK_NONE && distance < chunk->chunk.size)
				return (struct space_hit){ .rank = chunk->rank,
							   .distance = distance };
		}
	}
	return (struct space_hit){ .rank = RANK_NONE };
}
