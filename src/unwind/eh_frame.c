/* .eh_frame_hdr is a sorted table of code and entry; an entry (FDE) names what it has in common
   with others (CIE). */
#include "unwind/eh_frame.h"

enum {
	HEADER_VERSION = 1,
	TABLE_ENCODING = 0x3b, /* datarel, sdata4: the only one that linkers write */
	TABLE_ROW_BYTES = 8,
};

/* A record in .eh_frame, from its length on. */
struct record {
	struct cursor body; /* after the id */
	uint64_t id_position;
	uint64_t id; /* 0: a CIE; else the way back to one */
	uint64_t next;
};

/* False at the end of the section, and for what is none. */
static bool read_record(const struct bytes *module, uint64_t position,
			struct record *record)
{
	if (position >= module->size)
		return false;
	struct cursor all = cursor_at(module, position, module->size - position);
	uint64_t length = cursor_unsigned(&all, 4);
	if (length == UINT32_MAX)
		length = cursor_unsigned(&all, 8);
	if (all.bad || length == 0)
		return false;
	*record = (struct record){ .body = cursor_at(module, all.position, length) };
	record->id_position = record->body.position;
	record->next = record->body.end;
	record->id = cursor_unsigned(&record->body, 4);
	return !record->body.bad;
}

/* What the letters after 'z' announce. */
static void read_augmentation(struct cursor *letters, struct cursor *data,
			      struct eh_entry *entry)
{
	for (uint8_t letter; (letter = cursor_u8(letters)) != 0;) {
		switch (letter) {
		case 'L': /* how the entries give their language's data */
			cursor_u8(data);
			break;
		case 'P': { /* the personality routine, of which only the size matters */
			uint8_t encoding = cursor_u8(data);
			cursor_pointer(data, encoding & 0x0f, 0);
			break;
		}
		case 'R':
			entry->encoding = cursor_u8(data);
			break;
		case 'S':
			entry->is_signal_frame = true;
			break;
		case 'B': /* arm64: signed with the B key, which is nothing to us */
		case 'G': /* arm64: its stack is tagged */
			break;
		default:
			data->bad = true;
		}
	}
}

/* What is common to many entries. */
static bool read_common(const struct bytes *module, uint64_t position,
			struct eh_entry *entry, bool *has_augmentation)
{
	struct record record;
	if (!read_record(module, position, &record) || record.id != 0)
		return false;
	struct cursor *body = &record.body;
	uint8_t version = cursor_u8(body);
	struct cursor letters = *body;
	while (cursor_u8(body) != 0)
		continue;
	if (version == 4)
		cursor_skip(body, 2); /* sizes of addresses and selectors */
	entry->code_align = cursor_uleb(body);
	entry->data_align = cursor_sleb(body);
	entry->return_column = version == 1 ? cursor_u8(body) : cursor_uleb(body);

	struct cursor data = { .bytes = module };
	uint8_t first = cursor_u8(&letters);
	*has_augmentation = first == 'z';
	if (*has_augmentation) {
		uint64_t size = cursor_uleb(body);
		data = cursor_at(module, body->position, size);
		cursor_skip(body, size);
		read_augmentation(&letters, &data, entry);
	}
	entry->common = (struct eh_program){ body->position, body->end - body->position };
	return (version == 1 || version == 3 || version == 4) &&
	       (first == 'z' || first == 0) && !body->bad && !letters.bad && !data.bad;
}

/* An entry; false if it is none that can be used. */
static bool read_entry(const struct bytes *module, const struct record *record,
		       struct eh_entry *entry)
{
	*entry = (struct eh_entry){ 0 };
	bool has_augmentation;
	if (record->id == 0 || record->id > record->id_position ||
	    !read_common(module, record->id_position - record->id, entry,
			 &has_augmentation))
		return false;
	struct cursor body = record->body;
	entry->start = cursor_pointer(&body, entry->encoding, 0);
	entry->end = entry->start + cursor_pointer(&body, entry->encoding & 0x0f, 0);
	if (has_augmentation)
		cursor_skip(&body, cursor_uleb(&body));
	entry->own = (struct eh_program){ body.position, body.end - body.position };
	return !body.bad && entry->start < entry->end;
}

static bool is_about(const struct eh_entry *entry, uint64_t pc)
{
	return pc - entry->start < entry->end - entry->start;
}

bool eh_frame_find_in_order(const struct bytes *module, uint64_t section, uint64_t pc,
			    struct eh_entry *entry)
{
	uint64_t position = section - module->address;
	for (struct record record; read_record(module, position, &record);
	     position = record.next)
		if (read_entry(module, &record, entry) && is_about(entry, pc))
			return true;
	return false;
}

/* The last row of the table that starts at or before `pc`: the offset of its entry. */
static bool find_row(const struct bytes *module, uint64_t table, uint64_t nr_rows,
		     uint64_t header, uint64_t pc, uint64_t *position)
{
	uint64_t low = 0;
	for (uint64_t high = nr_rows; low < high;) {
		uint64_t middle = low + (high - low) / 2;
		struct cursor row = cursor_at(module, table + middle * TABLE_ROW_BYTES,
					      TABLE_ROW_BYTES);
		if (header + (uint64_t)cursor_signed(&row, 4) <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return false;
	struct cursor row =
		cursor_at(module, table + (low - 1) * TABLE_ROW_BYTES, TABLE_ROW_BYTES);
	cursor_skip(&row, 4);
	*position = header + (uint64_t)cursor_signed(&row, 4) - module->address;
	return !row.bad;
}

bool eh_frame_find(const struct bytes *module, uint64_t header, uint64_t pc,
		   struct eh_entry *entry)
{
	uint64_t offset = header - module->address;
	if (offset >= module->size)
		return false;
	struct cursor cursor = cursor_at(module, offset, module->size - offset);
	uint8_t version = cursor_u8(&cursor);
	uint8_t section_encoding = cursor_u8(&cursor);
	uint8_t count_encoding = cursor_u8(&cursor);
	uint8_t table_encoding = cursor_u8(&cursor);
	uint64_t section = cursor_pointer(&cursor, section_encoding, header);
	uint64_t nr_rows = cursor_pointer(&cursor, count_encoding, header);
	if (cursor.bad || version != HEADER_VERSION)
		return false;
	if (count_encoding == CURSOR_OMITTED || table_encoding != TABLE_ENCODING)
		return eh_frame_find_in_order(module, section, pc, entry);

	uint64_t room = (cursor.end - cursor.position) / TABLE_ROW_BYTES;
	uint64_t position;
	struct record record;
	return find_row(module, cursor.position, nr_rows < room ? nr_rows : room, header,
			pc, &position) &&
	       read_record(module, position, &record) &&
	       read_entry(module, &record, entry) && is_about(entry, pc);
}
