/*
 * typing_containers: the blocks of the C++ library's containers: what all have in common, and
 * libstdc++'s; libc++'s are in typing_libcxx.c. See typing_priv.h.
 *
 * A container is believed only as a whole: as many nodes as it says, each a block of the right size
 * that links back where it must. What was never constructed, or has been destroyed, is none.
 */
#include "analyse/typing_containers_priv.h"

#include <string.h>

/* A tree of as many nodes as there are addresses is no higher. */
#define TREE_HEIGHT_MAX 128u
#define DEQUE_CHUNK     512u

bool container_word_at(const struct container *container, uint64_t address,
		       uint64_t *word)
{
	return reader_word(&container->run->reader, address, word);
}

/* The word that a member holds. */
bool container_word_of(const struct container *container, const char *name,
		       uint64_t *word)
{
	struct type_member member;
	return types_find(container->run->types, container->type, name, &member) &&
	       container_word_at(container, container->address + member.offset, word);
}

bool container_address_of(const struct container *container, const char *name,
			  uint64_t *address)
{
	struct type_member member;
	if (!types_find(container->run->types, container->type, name, &member))
		return false;
	*address = container->address + member.offset;
	return true;
}

uint64_t container_size_of(const struct container *container, uint32_t type)
{
	return types_get(container->run->types, type)->size;
}

/* The block that begins there, of so many bytes. */
bool container_meets_block(const struct container *container, uint64_t word,
			   uint64_t bytes, struct met *met)
{
	return run_meets(container->run, word, met) && met->distance == 0 &&
	       met_fits(met, bytes);
}

/* --- arrays ------------------------------------------------------------------------- */

void container_claim_array(const struct container *container, const struct met *met,
			   uint32_t type, uint64_t first, uint64_t nr)
{
	const struct claim said = {
		.type = type,
		.is_array = true,
		.evidence = TYPING_CONTAINER,
		.first = first < UINT32_MAX ? (uint32_t)first : UINT32_MAX - 1,
		.nr = nr < UINT32_MAX ? (uint32_t)nr : UINT32_MAX - 1,
	};
	run_claim(container->run, met, &said);
}

void container_note_spare(const struct container *container, const struct met *met,
			  uint64_t bytes)
{
	container->run->spare[met->rank] = bytes < UINT32_MAX ? (uint32_t)bytes
							      : UINT32_MAX;
}

static void follow_vector(struct container *container)
{
	struct type_member start;
	struct types *types = container->run->types;
	uint64_t begin, end, limit;
	struct met met;
	if (!types_find(types, container->type, "_M_start", &start) ||
	    !container_word_of(container, "_M_start", &begin) ||
	    !container_word_of(container, "_M_finish", &end) ||
	    !container_word_of(container, "_M_end_of_storage", &limit))
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

static void follow_string(struct container *container)
{
	struct types *types = container->run->types;
	uint32_t letter = types_argument(types, container->type, 0);
	uint64_t size = container_size_of(container, letter), text, length, capacity,
		 local;
	struct met met;
	if (!size || !container_word_of(container, "_M_p", &text) ||
	    !container_word_of(container, "_M_string_length", &length) ||
	    !container_address_of(container, "_M_string_length", &local) ||
	    !container_word_at(container, local + WORD, &capacity) ||
	    text == local + WORD || length > capacity || capacity > UINT32_MAX)
		return;
	if (container_meets_block(container, text, (capacity + 1) * size, &met)) {
		container_claim_array(container, &met, letter, 0, 0);
		container_note_spare(container, &met, (capacity - length) * size);
	}
}

/* --- nodes -------------------------------------------------------------------------- */

/* The next node, if it can be one. */
bool container_take_node(struct container *container, uint64_t address)
{
	struct run *run = container->run;
	struct met met;
	if (!run_step(run) ||
	    !container_meets_block(container, address,
				   container_size_of(container, container->node), &met))
		return false;
	if (met_vec_push(&container->nodes, met))
		return true;
	run->out_of_memory = true;
	return false;
}

void container_claim_nodes(const struct container *container)
{
	const struct claim said = {
		.type = container->node,
		.evidence = TYPING_CONTAINER,
		.nr = UINT32_MAX,
	};
	for (size_t i = 0; i < container->nodes.nr; i++)
		run_claim(container->run, &container->nodes.items[i], &said);
}

/* The type of its nodes, made of one of its template's arguments. */
bool container_find_node(struct container *container, const char *name, unsigned argument,
			 uint64_t before, uint64_t behind)
{
	struct types *types = container->run->types;
	uint32_t value = types_argument(types, container->type, argument);
	container->node = types_node(types, name, value, before, behind);
	return container->node != TYPE_NONE;
}

static bool walk_list(struct container *container)
{
	uint64_t head, at, nr, back, before;
	if (!container_address_of(container, "_M_node", &head) ||
	    !container_word_at(container, head + 2 * WORD, &nr) ||
	    !container_word_at(container, head, &at))
		return false;
	for (before = head; at != head; nr--) {
		if (nr == 0 || !container_take_node(container, at) ||
		    !container_word_at(container, at + WORD, &back) || back != before)
			return false;
		before = at;
		if (!container_word_at(container, at, &at))
			return false;
	}
	return nr == 0;
}

static void follow_list(struct container *container)
{
	if (container_find_node(container, "std::_List_node", 0, 2 * WORD, 0) &&
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

static void follow_forward_list(struct container *container)
{
	uint64_t first;
	if (container_find_node(container, "std::_Fwd_list_node", 0, WORD, 0) &&
	    container_word_of(container, "_M_head", &first) &&
	    walk_chain(container, first))
		container_claim_nodes(container);
}

/* --- trees -------------------------------------------------------------------------- */

enum { TREE_PARENT = WORD, TREE_LEFT = 2 * WORD, TREE_RIGHT = 3 * WORD };

static bool leftmost(const struct container *container, uint64_t *at)
{
	uint64_t next;
	for (unsigned i = 0; i < TREE_HEIGHT_MAX; i++) {
		if (!container_word_at(container, *at + TREE_LEFT, &next))
			return false;
		if (!next)
			return true;
		*at = next;
	}
	return false;
}

/* The next node in order; the head after the last. */
static bool next_in_tree(const struct container *container, uint64_t head, uint64_t *at)
{
	uint64_t right, parent;
	if (!container_word_at(container, *at + TREE_RIGHT, &right))
		return false;
	if (right) {
		*at = right;
		return leftmost(container, at);
	}
	for (unsigned i = 0; i < TREE_HEIGHT_MAX; i++) {
		if (!container_word_at(container, *at + TREE_PARENT, &parent))
			return false;
		/* The head's parent is the root, whose parent is the head. */
		if (parent == head) {
			*at = head;
			return true;
		}
		if (!container_word_at(container, parent + TREE_RIGHT, &right))
			return false;
		bool was_right = right == *at;
		*at = parent;
		if (!was_right)
			return true;
	}
	return false;
}

static bool walk_tree(struct container *container)
{
	uint64_t head, nr, at, root;
	if (!container_address_of(container, "_M_header", &head) ||
	    !container_word_at(container, head + 4 * WORD, &nr) ||
	    !container_word_at(container, head + TREE_PARENT, &root) || !root || !nr)
		return false;
	at = root;
	if (!leftmost(container, &at))
		return false;
	for (; nr && at != head; nr--)
		if (!container_take_node(container, at) ||
		    !next_in_tree(container, head, &at))
			return false;
	return nr == 0 && at == head;
}

static void follow_tree(struct container *container)
{
	if (container_find_node(container, "std::_Rb_tree_node", 1, 4 * WORD, 0) &&
	    walk_tree(container))
		container_claim_nodes(container);
}

/* --- hash tables ----------------------------------------------------------------------- */

/* Whether nodes keep the hash of what they hold is said by one of the arguments. */
static bool keeps_hashes(const struct container *container)
{
	const char *name = types_get(container->run->types, container->type)->name;
	return strstr(name, "_Hashtable_traits<true") != NULL;
}

/* A table grows before it has more nodes than buckets times this. */
static bool read_load_factor(const struct container *container, float *most)
{
	uint64_t address;
	return container_address_of(container, "_M_max_load_factor", &address) &&
	       reader_bytes(&container->run->reader, address, most, sizeof(*most)) &&
	       *most > 0;
}

/* Buckets that its nodes do not need yet. */
static uint64_t spare_buckets(const struct container *container, uint64_t nr)
{
	float most;
	if (!read_load_factor(container, &most))
		return 0;
	double needed = (double)container->nodes.nr / (double)most;
	return needed < (double)nr ? (uint64_t)((double)nr - needed) : 0;
}

static void claim_buckets(const struct container *container, uint64_t nr)
{
	struct type_member member;
	struct types *types = container->run->types;
	uint64_t buckets;
	struct met met;
	if (!types_find(types, container->type, "_M_buckets", &member) ||
	    !container_word_at(container, container->address + member.offset, &buckets) ||
	    nr > UINT32_MAX)
		return;
	uint32_t bucket = types_pointed(types, member.type);
	if (!bucket || !container_meets_block(container, buckets, nr * WORD, &met))
		return;
	container_claim_array(container, &met, bucket, 0, 0);
	container_note_spare(container, &met, spare_buckets(container, nr) * WORD);
}

static void follow_hash(struct container *container)
{
	uint64_t first, nr, nr_buckets;
	bool keeps = keeps_hashes(container);
	if (!container_find_node(container, "std::__detail::_Hash_node", 1, WORD,
				 keeps ? WORD : 0) ||
	    !container_word_of(container, "_M_before_begin", &first) ||
	    !container_word_of(container, "_M_element_count", &nr) ||
	    !container_word_of(container, "_M_bucket_count", &nr_buckets) ||
	    !walk_chain(container, first) || container->nodes.nr != nr)
		return;
	container_claim_nodes(container);
	claim_buckets(container, nr_buckets);
}

/* --- deques ------------------------------------------------------------------------- */

/* The parts of an iterator. */
struct deque_end {
	uint64_t current, first, last, node;
};

static bool find_end(const struct container *container, const char *name,
		     struct deque_end *end)
{
	uint64_t address;
	return container_address_of(container, name, &address) &&
	       reader_bytes(&container->run->reader, address, end, sizeof(*end)) &&
	       end->first <= end->current && end->current <= end->last;
}

struct deque {
	struct deque_end begin, end;
	struct met map;
	uint64_t nr_slots;
	uint32_t slot, element;
	uint64_t size, chunk; /* bytes of an element, of a chunk */
};

static bool find_deque(const struct container *container, struct deque *deque)
{
	struct type_member member;
	struct types *types = container->run->types;
	uint64_t map;
	if (!types_find(types, container->type, "_M_map", &member) ||
	    !container_word_of(container, "_M_map", &map) ||
	    !container_word_of(container, "_M_map_size", &deque->nr_slots) ||
	    deque->nr_slots > UINT32_MAX ||
	    !find_end(container, "_M_start", &deque->begin) ||
	    !find_end(container, "_M_finish", &deque->end))
		return false;
	deque->slot = types_pointed(types, member.type);
	deque->element = types_pointed(types, deque->slot);
	deque->size = container_size_of(container, deque->element);
	if (!deque->size)
		return false;
	deque->chunk = deque->size < DEQUE_CHUNK ? DEQUE_CHUNK / deque->size * deque->size
						 : deque->size;
	return container_meets_block(container, map, deque->nr_slots * WORD,
				     &deque->map) &&
	       deque->begin.node >= map && deque->begin.node <= deque->end.node &&
	       deque->end.node < map + deque->nr_slots * WORD;
}

/* The chunks between its ends. */
static bool walk_deque(struct container *container, const struct deque *deque)
{
	for (uint64_t at = deque->begin.node; at <= deque->end.node; at += WORD) {
		uint64_t chunk;
		struct met met;
		if (!container_word_at(container, at, &chunk) ||
		    !container_meets_block(container, chunk, deque->chunk, &met))
			return false;
		if (!met_vec_push(&container->nodes, met)) {
			container->run->out_of_memory = true;
			return false;
		}
	}
	return true;
}

static void follow_deque(struct container *container)
{
	struct deque deque;
	if (!find_deque(container, &deque) || !walk_deque(container, &deque))
		return;
	container_claim_array(container, &deque.map, deque.slot, 0, 0);
	container_note_spare(container, &deque.map,
			     (deque.nr_slots - container->nodes.nr) * WORD);
	for (size_t i = 0; i < container->nodes.nr; i++) {
		const struct met *met = &container->nodes.items[i];
		uint64_t first = met->address, end = met->address + deque.chunk;
		if (i == 0)
			first = deque.begin.current;
		if (i + 1 == container->nodes.nr)
			end = deque.end.current;
		if (first < met->address || end < first ||
		    end > met->address + deque.chunk)
			continue;
		container_claim_array(container, met, deque.element,
				      (first - met->address) / deque.size,
				      (end - first) / deque.size);
		container_note_spare(container, met, deque.chunk - (end - first));
	}
}

/* --- what may be there ------------------------------------------------------------------- */

/* When nobody shares it any more, it is destroyed, though its block may stay. libc++ counts the
   owners beside the first, in the word behind the vtable pointer (__shared_count); clang describes
   that class only where it is inlined. */
static bool is_shared(const struct container *container)
{
	struct type_member member;
	const struct types *types = container->run->types;
	struct reader *reader = &container->run->reader;
	uint64_t more;
	int32_t nr;
	if (types_find(types, container->type, "_M_use_count", &member))
		return reader_bytes(reader, container->address + member.offset, &nr,
				    sizeof(nr)) &&
		       nr > 0;
	return (types_find(types, container->type, "__storage_", &member) ||
		types_find(types, container->type, "__data_", &member)) &&
	       container_word_at(container, container->address + WORD, &more) &&
	       more <= INT64_MAX;
}

static bool is_engaged(const struct container *container)
{
	struct type_member member;
	const struct types *types = container->run->types;
	unsigned char byte;
	return (types_find(types, container->type, "_M_engaged", &member) ||
		types_find(types, container->type, "__engaged_", &member)) &&
	       reader_bytes(&container->run->reader, container->address + member.offset,
			    &byte, 1) &&
	       byte == 1;
}

bool run_follow_container(struct run *run, uint32_t type, uint64_t address)
{
	static void (*const followers[])(struct container *) = {
		[CONTAINER_VECTOR] = follow_vector,
		[CONTAINER_STRING] = follow_string,
		[CONTAINER_LIST] = follow_list,
		[CONTAINER_TREE] = follow_tree,
		[CONTAINER_HASH] = follow_hash,
		[CONTAINER_DEQUE] = follow_deque,
		[CONTAINER_FORWARD_LIST] = follow_forward_list,
		[CONTAINER_LIBCXX_VECTOR] = libcxx_follow_vector,
		[CONTAINER_LIBCXX_STRING] = libcxx_follow_string,
		[CONTAINER_LIBCXX_LIST] = libcxx_follow_list,
		[CONTAINER_LIBCXX_FORWARD_LIST] = libcxx_follow_forward_list,
		[CONTAINER_LIBCXX_TREE] = libcxx_follow_tree,
		[CONTAINER_LIBCXX_HASH] = libcxx_follow_hash,
		[CONTAINER_LIBCXX_DEQUE] = libcxx_follow_deque,
	};
	struct container container = { .run = run, .type = type, .address = address };
	unsigned kind = types_get(run->types, type)->container;
	if (kind == CONTAINER_SHARED)
		return !is_shared(&container);
	if (kind == CONTAINER_OPTIONAL)
		return !is_engaged(&container);
	if (kind < ARRAY_SIZE(followers) && followers[kind])
		followers[kind](&container);
	met_vec_deinit(&container.nodes);
	return true;
}
