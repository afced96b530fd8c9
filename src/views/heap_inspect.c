/*
 * heap_inspect: one block, word by word: its fields, where its pointers lead, what is zero. What else stands there is
 * told only if that was asked for: memory is private.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "views/heap_asked.h"

#define WORD_BYTES 8u

enum { OFFSET, BYTES, INTO, ADDRESS, FIELD, VALUE, TOLD, NR_COLUMNS };

static const struct heap_column columns[] = {
	[OFFSET] = { "offset", "at", HEAP_COUNT },
	[BYTES] = { "bytes", "bytes", HEAP_BYTES },
	[INTO] = { "target_offset", NULL, HEAP_COUNT },
	[ADDRESS] = { "target", "leads to", HEAP_ADDRESS },
	[FIELD] = { "field", NULL, HEAP_TEXT },
	[VALUE] = { "value", NULL, HEAP_TEXT },
	[TOLD] = { "told", "what it is", HEAP_TEXT },
};

enum what { UNKNOWN, ZERO, DATA, SYMBOL, POINTER };

/* Neighbouring bytes of the block that are one thing. */
struct piece {
	uint64_t offset, size;
	enum what what;
	size_t field;  /* number of its field; SIZE_MAX: of none */
	uint64_t word; /* what stands there, where that is known */
	struct edge_at edge;
	struct symbol_name symbol;
};

struct inspecting {
	struct heap_question *question;
	struct heap_asked asked;
	uint64_t size;
	struct edge_walk walk;
	struct edge_at edge; /* the next one */
	bool has_edge;
};

static size_t field_number(const struct inspecting *inspecting, uint64_t offset)
{
	const struct look *look = &inspecting->question->inspection.look;
	return fields_number(&look->fields,
			     natures_get(look->natures, inspecting->asked.rank), offset);
}

static bool read_bytes(const struct inspecting *inspecting, uint64_t offset,
		       uint64_t size, uint64_t *word)
{
	const struct block_bytes *bytes = &inspecting->question->bytes;
	*word = 0;
	if (offset + size > bytes->nr)
		return false;
	memcpy(word, (const char *)bytes->memory.memory + offset, size);
	return true;
}

/* Up to the next field or word. */
static struct piece next_piece(struct inspecting *inspecting, uint64_t offset)
{
	struct piece piece = { .offset = offset, .size = 1 };
	piece.field = field_number(inspecting, offset);
	while ((offset + piece.size) % WORD_BYTES &&
	       offset + piece.size < inspecting->size &&
	       field_number(inspecting, offset + piece.size) == piece.field)
		piece.size++;
	while (inspecting->has_edge && inspecting->edge.offset < offset)
		inspecting->has_edge =
			edge_walk_next(&inspecting->walk, &inspecting->edge);
	bool is_known = read_bytes(inspecting, offset, piece.size, &piece.word);
	piece.what = !is_known ? UNKNOWN : piece.word ? DATA : ZERO;
	if (inspecting->has_edge && inspecting->edge.offset == offset) {
		piece.what = POINTER;
		piece.edge = inspecting->edge;
	} else if (piece.what == DATA && piece.size == WORD_BYTES) {
		piece.symbol = places_name(inspecting->question->places, piece.word);
		piece.what = piece.symbol.module ? SYMBOL : DATA;
	}
	return piece;
}

/* Whether both are told as one. */
static bool is_alike(const struct inspecting *inspecting, const struct piece *one,
		     const struct piece *other)
{
	bool tells = inspecting->question->options->contents;
	return one->what == other->what && one->field == other->field &&
	       (one->what == ZERO || one->what == UNKNOWN ||
		(one->what == DATA && !tells));
}

/* --- what is told ----------------------------------------------------------------------- */

static bool is_text(const struct piece *piece)
{
	for (uint64_t i = 0; i < piece->size; i++)
		if (!isprint((int)(piece->word >> 8 * i & 0xff)))
			return false;
	return piece->size > 2;
}

static void put_value(struct str *out, const struct piece *piece)
{
	str_printf(out, piece->size < WORD_BYTES ? "%" PRIu64 : "0x%" PRIx64,
		   piece->word);
	if (is_text(piece))
		str_printf(out, " \"%.*s\"", (int)piece->size,
			   (const char *)&piece->word);
}

static void put_what(const struct inspecting *inspecting, const struct piece *piece,
		     struct str *out)
{
	char *type = NULL;
	switch (piece->what) {
	case POINTER:
		type = heap_block_name(inspecting->question, edge_rank(piece->edge.edge));
		str_printf(out, "-> %s", type ? type : "");
		out->failed |= !type;
		if (piece->edge.distance)
			str_printf(out, ", %" PRIu64 " bytes in", piece->edge.distance);
		break;
	case SYMBOL:
		str_printf(out, "-> %s", piece->symbol.module);
		if (piece->symbol.function)
			str_printf(out, ":%s", piece->symbol.function);
		break;
	case ZERO:
		str_puts(out, "zeros");
		break;
	case DATA:
		if (inspecting->question->options->contents)
			put_value(out, piece);
		else
			str_puts(out, "data");
		break;
	case UNKNOWN:
		str_puts(out, "not known");
		break;
	}
	free(type);
}

static struct error *put_piece(struct inspecting *inspecting, const struct piece *piece)
{
	struct heap_question *question = inspecting->question;
	struct heap_row *row = heap_row_add(question->report, 0);
	struct str what = { 0 }, told = { 0 };
	if (!row)
		return error_no_memory();
	heap_put(row, OFFSET, piece->offset);
	heap_put(row, BYTES, piece->size);
	if (piece->what == POINTER) {
		uint64_t address = heap_address(question, edge_rank(piece->edge.edge));
		heap_put(row, ADDRESS, address + piece->edge.distance);
		heap_put(row, INTO, piece->edge.distance);
	} else if (piece->what == SYMBOL) {
		heap_put(row, ADDRESS, piece->word);
	}
	put_what(inspecting, piece, &what);
	struct error *error = heap_put_field(question, row, FIELD, inspecting->asked.rank,
					     piece->offset);
	if (!error && row->cells[FIELD].text)
		str_printf(&told, "%s: ", row->cells[FIELD].text);
	str_puts(&told, str_text(&what));
	if (!error)
		error = heap_put_text(row, VALUE, str_take(&what));
	if (!error)
		error = heap_put_text(row, TOLD, str_take(&told));
	str_deinit(&told);
	str_deinit(&what);
	return error;
}

/* --- all of the block ---------------------------------------------------------------------- */

static struct error *put_pieces(struct inspecting *inspecting)
{
	struct heap_question *question = inspecting->question;
	uint64_t max = question->options->max_rows, nr = 0;
	struct error *error = NULL;
	for (uint64_t offset = 0; !error && offset < inspecting->size;) {
		struct piece piece = next_piece(inspecting, offset);
		for (offset += piece.size; offset < inspecting->size;) {
			struct piece next = next_piece(inspecting, offset);
			if (!is_alike(inspecting, &piece, &next))
				break;
			piece.size += next.size;
			offset += next.size;
		}
		if (!max || nr++ < max)
			error = put_piece(inspecting, &piece);
	}
	question->report->rows_left_out = max && nr > max ? nr - max : 0;
	return error;
}

static struct error *say(const struct inspecting *inspecting)
{
	struct heap_question *question = inspecting->question;
	const struct heap_asked *asked = &inspecting->asked;
	struct str retained = { 0 };
	heap_put_bytes(&retained,
		       dominators_retained(&question->dominators, asked->rank));
	struct error *error = heap_say(
		question->report, "%s at 0x%llx has %llu bytes, and retains %s%s%s",
		asked->name, (unsigned long long)heap_address(question, asked->rank),
		(unsigned long long)inspecting->size, str_text(&retained),
		heap_is_live(question, asked->rank) ? "" : "; nothing holds it",
		question->bytes.nr < inspecting->size
			? "; not all of what stands in it is known"
			: "");
	str_deinit(&retained);
	return error;
}

static struct error *answer(struct heap_question *question)
{
	struct inspecting inspecting = { .question = question };
	uint64_t address = 0;
	struct error *error =
		heap_asked_block(question, question->options->asked, &inspecting.asked);
	if (!error && !question->graph->places.edges_are_kept)
		error = error_remedy(error_create(ERROR_REFUSED,
						  "%s does not tell where in blocks "
						  "pointers stand",
						  question->report->target),
				     "take a new snapshot");
	if (!error) {
		space_block(&question->graph->space, inspecting.asked.rank, &address,
			    &inspecting.size);
		inspecting.walk = graph_walk(question->graph, inspecting.asked.rank);
		inspecting.has_edge = edge_walk_next(&inspecting.walk, &inspecting.edge);
		error = put_pieces(&inspecting);
	}
	if (!error)
		error = say(&inspecting);
	heap_asked_deinit(&inspecting.asked);
	return error;
}

const struct heap_view heap_inspect = {
	.name = "inspect",
	.needs_edge_places = true,
	.columns = columns,
	.nr_columns = NR_COLUMNS,
	.takes_asked = true,
	.takes_one = true,
	.reads_block = true,
	.answer = answer,
};
