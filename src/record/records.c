/* records: see records.h. */
#include "record/records.h"

#include <stdbool.h>
#include <string.h>

/* Of every type that has always as many; 0: it has not, or is no type. */
static const unsigned char nr_words[EVENT_NR_TYPES] = {
	[EVENT_ALLOCATION] = 3, [EVENT_BIG_ALLOCATION] = 4,
	[EVENT_FREE] = 2,       [EVENT_REALLOCATION] = 5,
	[EVENT_MAP] = 4,        [EVENT_UNMAP] = 3,
	[EVENT_THREAD] = 2,     [EVENT_THREAD_END] = 2,
	[EVENT_GAP] = 2,        [EVENT_UNLOAD] = 3,
	[EVENT_FORK] = 2,       [EVENT_EXEC] = 2,
};

/* Types whose value is the address of a block. */
#define OF_BLOCKS                                                                        \
	(1u << EVENT_ALLOCATION | 1u << EVENT_BIG_ALLOCATION | 1u << EVENT_FREE |        \
	 1u << EVENT_REALLOCATION)

static bool is_block(uint64_t address)
{
	return address - 1 < EVENT_BLOCK_MASK;
}

/* A LOAD's words before its texts. */
#define LOAD_WORDS 7u

struct words {
	const struct ring *ring;
	uint64_t position;
};

static uint64_t word(const struct words *words, unsigned i)
{
	return record_word(words->ring, words->position + i);
}

/* --- a load's texts ----------------------------------------------------------------- */

static unsigned char byte_of(const struct words *words, size_t i)
{
	return (unsigned char)(word(words, LOAD_WORDS + (unsigned)(i / 8)) >> i % 8 * 8);
}

static void read_texts(const struct words *words, size_t path_size, size_t id_size,
		       struct record_load *load)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < path_size; i++)
		load->path[i] = (char)byte_of(words, i);
	load->path[path_size] = '\0';
	for (size_t i = 0; i < id_size; i++) {
		unsigned char byte = byte_of(words, path_size + i);
		load->build_id[2 * i] = digits[byte >> 4];
		load->build_id[2 * i + 1] = digits[byte & 15];
	}
	load->build_id[2 * id_size] = '\0';
}

static unsigned decode_load(const struct words *words, uint64_t nr, uint32_t nr_nodes,
			    struct record *record, struct record_load *load)
{
	if (record->address < LOAD_WORDS || record->address > EVENT_MAX_WORDS ||
	    record->address > nr)
		return 0;
	uint64_t first_node = word(words, 5), sizes = word(words, 6);
	size_t path_size = sizes >> 32, id_size = sizes & UINT32_MAX;
	load->start = word(words, 2);
	load->end = word(words, 3);
	load->bias = word(words, 4);
	load->first_node = (uint32_t)first_node;
	if (path_size >= sizeof(load->path) || id_size > sizeof(load->build_id) / 2 ||
	    LOAD_WORDS + (path_size + id_size + 7) / 8 != record->address ||
	    first_node > nr_nodes || load->start > load->end)
		return 0;
	read_texts(words, path_size, id_size, load);
	return (unsigned)record->address;
}

/* --- records of a fixed length ------------------------------------------------------ */

static bool decode_fixed(const struct words *words, struct record *record)
{
	uint64_t node = 0;
	switch (record->type) {
	case EVENT_REALLOCATION:
		record->new_address = word(words, 4);
		if (!is_block(record->new_address))
			return false;
		/* fallthrough */
	case EVENT_BIG_ALLOCATION:
	case EVENT_MAP:
		node = word(words, 2);
		record->size = word(words, 3);
		break;
	case EVENT_UNMAP:
		record->size = word(words, 2);
		break;
	case EVENT_UNLOAD:
		node = word(words, 2) << 32;
		break;
	default:
		break;
	}
	record->node = (uint32_t)(node >> 32);
	return record->size <= EVENT_VALUE_MASK;
}

/* All but a LOAD. */
static unsigned decode_short(const struct words *words, uint64_t nr, uint32_t nr_nodes,
			     struct record *record)
{
	unsigned length = record->type < EVENT_NR_TYPES ? nr_words[record->type] : 0;
	if (!length || length > nr || !decode_fixed(words, record))
		return 0;
	if (OF_BLOCKS >> record->type & 1 && !is_block(record->address))
		return 0;
	/* What is unloaded may end with the last node that there is. */
	bool is_known = record->node < nr_nodes ||
			(record->type == EVENT_UNLOAD && record->node == nr_nodes);
	return is_known ? length : 0;
}

unsigned record_decode(const struct ring *ring, uint64_t position, uint64_t nr,
		       uint32_t nr_nodes, struct record *record, struct record_load *load)
{
	const struct words words = { ring, position };
	uint64_t first = word(&words, 0);
	const unsigned nr_times = !(first & EVENT_AGAIN);
	*record = (struct record){
		.type = event_type(first),
		.address = event_value(first),
	};
	/* Nearly all are one of two, and nobody can say which: no branch depends on that. */
	if (record->type == EVENT_ALLOCATION || record->type == EVENT_FREE) {
		const uint64_t is_allocation = record->type == EVENT_ALLOCATION;
		uint64_t third = word(&words, 1 + nr_times) & -is_allocation;
		record->size = (uint32_t)third;
		record->node = (uint32_t)(third >> 32);
		unsigned length = 1 + nr_times + (unsigned)is_allocation;
		bool is_fine = nr >= length && record->node < nr_nodes &&
			       is_block(record->address);
		return is_fine ? length : 0;
	}
	if (!nr_times)
		return 0;
	if (record->type == EVENT_LOAD)
		return decode_load(&words, nr, nr_nodes, record, load);
	return decode_short(&words, nr, nr_nodes, record);
}
