/* why_pins: see why_pins.h. */
#include "analyse/why_pins.h"

#define PAGE_BYTES 4096u

static uint64_t page_of(uint64_t address)
{
	return address & ~(uint64_t)(PAGE_BYTES - 1);
}

static struct error *reserve_row(struct why_pins *pins, uint32_t type)
{
	while (pins->rows.nr <= type)
		if (!pin_row_vec_push(&pins->rows, (struct pin_row){ 0 }))
			return error_no_memory();
	return NULL;
}

static struct error *count_page(struct why_pins *pins)
{
	for (size_t i = 0; i < pins->nr_pieces; i++) {
		const struct pin_piece *piece = &pins->pieces[i];
		struct error *error = reserve_row(pins, piece->type);
		if (error)
			return error;
		struct pin_row *row = &pins->rows.items[piece->type];
		row->blocks += piece->blocks;
		row->bytes += piece->bytes;
		row->pages++;
		row->pages_alone += pins->nr_pieces == 1;
		row->free_bytes += (double)pins->free * piece->bytes / (double)pins->live;
	}
	pins->pages++;
	pins->free_bytes += pins->free;
	pins->last_pinned = pins->page;
	return NULL;
}

static struct error *end_page(struct why_pins *pins, struct resident *resident)
{
	bool is_pinned = pins->live && pins->free >= PAGE_BYTES / 2 &&
			 resident_bytes(resident, pins->page, pins->page + PAGE_BYTES);
	struct error *error = is_pinned ? count_page(pins) : NULL;
	pins->live = pins->free = 0;
	pins->nr_pieces = 0;
	return error;
}

static struct error *go_to(struct why_pins *pins, struct resident *resident,
			   uint64_t address)
{
	if (page_of(address) == pins->page)
		return NULL;
	struct error *error = end_page(pins, resident);
	pins->page = page_of(address);
	return error;
}

static struct pin_piece *piece_of(struct why_pins *pins, uint32_t type)
{
	for (size_t i = 0; i < pins->nr_pieces; i++)
		if (pins->pieces[i].type == type)
			return &pins->pieces[i];
	if (pins->nr_pieces == PIN_TYPES_MOST)
		return &pins->pieces[PIN_TYPES_MOST - 1];
	struct pin_piece *piece = &pins->pieces[pins->nr_pieces++];
	*piece = (struct pin_piece){ .type = type };
	return piece;
}

static void add_piece(struct why_pins *pins, uint32_t type, uint64_t bytes,
		      bool is_counted)
{
	struct pin_piece *piece = piece_of(pins, type);
	piece->bytes += (uint32_t)bytes;
	piece->blocks += !is_counted;
	pins->live += bytes;
}

/* Pages in the middle of something are all of one thing, and of no interest. */
struct error *why_pins_add_block(struct why_pins *pins, struct resident *resident,
				 uint32_t type, uint64_t start, uint64_t end)
{
	struct error *error = go_to(pins, resident, start);
	uint64_t first_end = page_of(start) + PAGE_BYTES;
	if (error || start >= end)
		return error;
	add_piece(pins, type, (end < first_end ? end : first_end) - start, false);
	if (end <= first_end)
		return NULL;
	error = go_to(pins, resident, end - 1);
	/* However many pages lie between: where the one that it began on counts, it was counted. */
	if (!error)
		add_piece(pins, type, end - page_of(end - 1),
			  pins->last_pinned == page_of(start));
	return error;
}

struct error *why_pins_add_free(struct why_pins *pins, struct resident *resident,
				uint64_t start, uint64_t end)
{
	struct error *error = go_to(pins, resident, start);
	uint64_t first_end = page_of(start) + PAGE_BYTES;
	if (error || start >= end)
		return error;
	pins->free += (end < first_end ? end : first_end) - start;
	if (end <= first_end)
		return NULL;
	error = go_to(pins, resident, end - 1);
	if (!error)
		pins->free += end - page_of(end - 1);
	return error;
}

struct error *why_pins_finish(struct why_pins *pins, struct resident *resident)
{
	return end_page(pins, resident);
}

void why_pins_deinit(struct why_pins *pins)
{
	pin_row_vec_deinit(&pins->rows);
}
