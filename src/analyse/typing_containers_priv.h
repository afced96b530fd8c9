/*
 * typing_containers_priv: what the followers of the C++ libraries' containers share.
 *
 * A container is believed only as a whole: as many nodes as it says, each a block of the right size
 * that links back where it must. What was never constructed, or has been destroyed, is none.
 */
#ifndef SEEP_ANALYSE_TYPING_CONTAINERS_PRIV_H
#define SEEP_ANALYSE_TYPING_CONTAINERS_PRIV_H

#include "analyse/typing_priv.h"

#define WORD 8u
/* A tree of as many nodes as there are addresses is no higher. */
#define TREE_HEIGHT_MAX 128u

DEFINE_VEC(met_vec, struct met);

struct container {
	struct run *run;
	uint32_t type;
	uint64_t address;
	uint32_t node; /* what its blocks are */
	struct met_vec nodes;
};

/* Of its members, by name; false: there is none, or it cannot be read. */
bool container_word_of(const struct container *container, const char *name,
		       uint64_t *word);
bool container_address_of(const struct container *container, const char *name,
			  uint64_t *address);

bool container_word_at(const struct container *container, uint64_t address,
		       uint64_t *word);
uint64_t container_size_of(const struct container *container, uint32_t type);

/* The block that begins there, of so many bytes. */
bool container_meets_block(const struct container *container, uint64_t word,
			   uint64_t bytes, struct met *met);
/* A block of many, of which `nr` from the first one on are in use. */
void container_claim_array(const struct container *container, const struct met *met,
			   uint32_t type, uint64_t first, uint64_t nr);

/* So many bytes of the block are for elements that are not there yet. */
void container_note_spare(const struct container *container, const struct met *met,
			  uint64_t bytes);

/* The type of its nodes, made of one of its template's arguments. */
bool container_find_node(struct container *container, const char *name, unsigned argument,
			 uint64_t before, uint64_t behind);
/* The next node, if it can be one. */
bool container_take_node(struct container *container, uint64_t address);
void container_claim_nodes(const struct container *container);

void libcxx_follow_vector(struct container *container);
void libcxx_follow_string(struct container *container);
void libcxx_follow_list(struct container *container);
void libcxx_follow_forward_list(struct container *container);
void libcxx_follow_tree(struct container *container);
void libcxx_follow_hash(struct container *container);
void libcxx_follow_deque(struct container *container);

#endif
