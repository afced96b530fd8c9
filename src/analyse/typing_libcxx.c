/*
 * typing_libcxx: the blocks of the containers of LLVM's C++ library. See typing_containers_priv.h.
 *
 * Members are called as in its headers (<vector>, <__tree>, <__hash_table>, …) of version 14. What
 * stood in a __compressed_pair there has been a member of its own since version 20, some by other
 * names; the words are in the same order.
 */
#include "analyse/typing_containers_priv.h"

/* The first of two names that there is: of now, or of before. */
static bool place_of(const struct container *container, const char *name,
		     const char *other, uint64_t *address)
{
	return container_address_of(container, name, address) ||
	       container_address_of(container, other, address);
}

static bool number_of(const struct container *container, const char *name,
		      const char *other, uint64_t *number)
{
	uint64_t address;
	return place_of(container, name, other, &address) &&
	       container_word_at(container, address, number);
}

/* A pointer, or the pair in which it is. */
static uint32_t pointer_in(const struct container *container, uint32_t type)
{
	struct type_member member;
	struct types *types = container->run->types;
	if (types_get(types, type)->kind == TYPE_POINTER)
		return type;
	return types_find(types, type, "__value_", &member) ? member.type : TYPE_NONE;
}

/* --- arrays ------------------------------------------------------------------------- */

void libcxx_follow_vector(struct container *container)
{
	struct type_member start;
	struct types *types = container->run->types;
	uint64_t begin, end, limit;
	struct met met;
	if (!types_find(types, container->type, "__begin_", &start) ||
	    !container_word_of(container, "__begin_", &begin) ||
	    !container_word_of(container, "__end_", &end) ||
	    !number_of(container, "__end_cap_", "__cap_", &limit))
		return;
	uint32_t element = types_pointed(types, start.type);
	uint64_t size = container_size_of(container, element);
	if (size && begin && begin <= end && end <= limit && (end - begin) % size == 0 &&
	    (limit - begin) % size == 0 &&
	    container_meets_block(container, begin, limit - begin, &met)) {
		container_claim_array(container, &met, element, 0, (end - begin) / size);
		container_note_spare(container, &met, limit - end);
	}
}

/* Three words; the capacity is the first, with a bit at its lower end that says that there is a block,
   or the last, with the bit at its upper end (_LIBCPP_ABI_ALTERNATE_STRING_LAYOUT). */
static bool read_string(const struct container *container, uint64_t *text,
			uint64_t *length, uint64_t *room)
{
	struct type_member parts, data, size;
	const struct types *types = container->run->types;
	if (!types_find(types, container->type, "__l", &parts) ||
	    !types_find(types, parts.type, "__data_", &data) ||
	    !types_find(types, parts.type, "__size_", &size))
		return false;
	uint64_t start = container->address + parts.offset;
	bool is_first = data.offset == 2 * WORD;
	if (size.offset != WORD || (!is_first && data.offset != 0) ||
	    !container_word_at(container, start + data.offset, text) ||
	    !container_word_at(container, start + size.offset, length) ||
	    !container_word_at(container, start + (is_first ? 0 : 2 * WORD), room))
		return false;
	bool is_long = is_first ? *room & 1 : *room >> 63;
	*room = is_first ? *room & ~UINT64_C(1) : *room << 1 >> 1;
	return is_long;
}

void libcxx_follow_string(struct container *container)
{
	uint64_t text, length, room;
	struct met met;
	uint32_t letter = types_argument(container->run->types, container->type, 0);
	uint64_t size = container_size_of(container, letter);
	if (size && read_string(container, &text, &length, &room) && length < room &&
	    room < UINT32_MAX &&
	    container_meets_block(container, text, room * size, &met)) {
		container_claim_array(container, &met, letter, 0, 0);
		container_note_spare(container, &met, (room - 1 - length) * size);
	}
}

/* --- lists -------------------------------------------------------------------------- */

static bool walk_list(struct container *container)
{
	uint64_t head, at, nr, back, before;
	if (!container_address_of(container, "__end_", &head) ||
	    !number_of(container, "__size_alloc_", "__size_", &nr) ||
	    !container_word_at(container, head + WORD, &at))
		return false;
	for (before = head; at != head; nr--) {
		if (nr == 0 || !container_take_node(container, at) ||
		    !container_word_at(container, at, &back) || back != before)
			return false;
		before = at;
		if (!container_word_at(container, at + WORD, &at))
			return false;
	}
	return nr == 0;
}

void libcxx_follow_list(struct container *container)
{
	if (container_find_node(container, "std::__1::__list_node", 0, 2 * WORD, 0) &&
	    walk_list(container))
		container_claim_nodes(container);
}

static bool walk_chain(struct container *container, uint64_t at)
{
	while (at)
		if (!container_take_node(container, at) ||
		    !container_word_at(container, at, &at))
			return false;
	return true;
}

void libcxx_follow_forward_list(struct container *container)
{
	uint64_t first;
	if (container_find_node(container, "std::__1::__forward_list_node", 0, WORD, 0) &&
	    container_word_of(container, "__before_begin_", &first) &&
	    walk_chain(container, first))
		container_claim_nodes(container);
}

/* --- trees -------------------------------------------------------------------------- */

/* A node's links, and whether it is black; what it holds may begin at once behind that. */
enum { TREE_RIGHT = WORD, TREE_PARENT = 2 * WORD, TREE_VALUE = 3 * WORD + 1 };

static bool leftmost(const struct container *container, uint64_t *at)
{
	uint64_t next;
	for (unsigned i = 0; i < TREE_HEIGHT_MAX; i++) {
		if (!container_word_at(container, *at, &next))
			return false;
		if (!next)
			return true;
		*at = next;
	}
	return false;
}

/* The next node in order; after the last one the head, whose left is the root. */
static bool next_in_tree(const struct container *container, uint64_t *at)
{
	uint64_t right, parent, left;
	if (!container_word_at(container, *at + TREE_RIGHT, &right))
		return false;
	if (right) {
		*at = right;
		return leftmost(container, at);
	}
	for (unsigned i = 0; i < TREE_HEIGHT_MAX; i++) {
		if (!container_word_at(container, *at + TREE_PARENT, &parent) ||
		    !container_word_at(container, parent, &left))
			return false;
		bool was_left = left == *at;
		*at = parent;
		if (was_left)
			return true;
	}
	return false;
}

static bool walk_tree(struct container *container)
{
	uint64_t head, nr, at, root;
	if (!place_of(container, "__pair1_", "__end_node_", &head) ||
	    !number_of(container, "__pair3_", "__size_", &nr) ||
	    !container_word_of(container, "__begin_node_", &at) ||
	    !container_word_at(container, head, &root) || !root || !nr ||
	    !leftmost(container, &root) || root != at)
		return false;
	for (; nr && at != head; nr--)
		if (!container_take_node(container, at) || !next_in_tree(container, &at))
			return false;
	return nr == 0 && at == head;
}

void libcxx_follow_tree(struct container *container)
{
	if (container_find_node(container, "std::__1::__tree_node", 0, TREE_VALUE, 0) &&
	    walk_tree(container))
		container_claim_nodes(container);
}

/* --- hash tables ----------------------------------------------------------------------- */

/* The buckets, and how many there are. */
static void claim_buckets(const struct container *container)
{
	struct type_member list, member;
	struct types *types = container->run->types;
	uint64_t buckets, nr, address;
	struct met met;
	if (!types_find(types, container->type, "__bucket_list_", &list) ||
	    !types_find(types, list.type, "__ptr_", &member))
		return;
	address = container->address + list.offset;
	uint32_t bucket = types_pointed(types, pointer_in(container, member.type));
	if (bucket && container_word_at(container, address, &buckets) &&
	    container_word_at(container, address + WORD, &nr) && nr <= UINT32_MAX &&
	    container_meets_block(container, buckets, nr * WORD, &met))
		container_claim_array(container, &met, bucket, 0, 0);
}

void libcxx_follow_hash(struct container *container)
{
	uint64_t first, nr;
	if (!container_find_node(container, "std::__1::__hash_node", 0, 2 * WORD, 0) ||
	    !number_of(container, "__p1_", "__first_node_", &first) ||
	    !number_of(container, "__p2_", "__size_", &nr) ||
	    !walk_chain(container, first) || container->nodes.nr != nr)
		return;
	container_claim_nodes(container);
	claim_buckets(container);
}

/* --- deques ------------------------------------------------------------------------- */

/* A chunk has 4096 bytes, or 16 elements of what is large (__deque_block_size). */
#define CHUNK_BYTES 4096u
#define CHUNK_LARGE 256u
#define CHUNK_LEAST 16u

struct deque {
	uint64_t map, begin, end, limit; /* of its table of chunks */
	uint64_t start, nr;              /* elements */
	uint32_t slot, element;
	uint64_t size, chunk; /* bytes of an element, elements of a chunk */
	struct met table;
};

static bool find_deque(const struct container *container, struct deque *deque)
{
	struct type_member map, first;
	struct types *types = container->run->types;
	if (!types_find(types, container->type, "__map_", &map) ||
	    !types_find(types, map.type, "__first_", &first) ||
	    !number_of(container, "__start_", "__start_", &deque->start) ||
	    !number_of(container, "__size_", "__size_", &deque->nr))
		return false;
	const struct container table = { .run = container->run,
					 .type = map.type,
					 .address = container->address + map.offset };
	if (!container_word_of(&table, "__first_", &deque->map) ||
	    !container_word_of(&table, "__begin_", &deque->begin) ||
	    !container_word_of(&table, "__end_", &deque->end) ||
	    !number_of(&table, "__end_cap_", "__cap_", &deque->limit))
		return false;
	deque->slot = types_pointed(types, first.type);
	deque->element = types_pointed(types, deque->slot);
	deque->size = container_size_of(container, deque->element);
	if (!deque->size || deque->map > deque->begin || deque->begin > deque->end ||
	    deque->end > deque->limit || (deque->end - deque->begin) % WORD)
		return false;
	deque->chunk = deque->size < CHUNK_LARGE ? CHUNK_BYTES / deque->size
						 : CHUNK_LEAST;
	uint64_t room = (deque->end - deque->begin) / WORD * deque->chunk;
	return deque->start <= room && deque->nr <= room - deque->start &&
	       container_meets_block(container, deque->map, deque->limit - deque->map,
				     &deque->table);
}

static bool walk_deque(struct container *container, const struct deque *deque)
{
	for (uint64_t at = deque->begin; at < deque->end; at += WORD) {
		uint64_t chunk;
		struct met met;
		if (!run_step(container->run) ||
		    !container_word_at(container, at, &chunk) ||
		    !container_meets_block(container, chunk, deque->chunk * deque->size,
					   &met))
			return false;
		if (!met_vec_push(&container->nodes, met)) {
			container->run->out_of_memory = true;
			return false;
		}
	}
	return true;
}

void libcxx_follow_deque(struct container *container)
{
	struct deque deque;
	if (!find_deque(container, &deque) || !walk_deque(container, &deque))
		return;
	container_claim_array(container, &deque.table, deque.slot, 0, 0);
	const uint64_t end = deque.start + deque.nr;
	for (size_t i = 0; i < container->nodes.nr; i++) {
		uint64_t low = i * deque.chunk, high = low + deque.chunk;
		uint64_t first = deque.start > low ? deque.start : low;
		uint64_t last = end < high ? end : high;
		container_claim_array(container, &container->nodes.items[i],
				      deque.element, first - low,
				      last > first ? last - first : 0);
	}
}
