/*
 * typing_priv: what the parts of typing share: typing.c (rounds), typing_evidence.c (what a block
 * is said to be), typing_follow.c (where the pointers of a type lead), typing_containers.c (those of containers),
 * typing_threads.c (threads' variables), typing_reader.c (contents).
 */
#ifndef SEEP_ANALYSE_TYPING_PRIV_H
#define SEEP_ANALYSE_TYPING_PRIV_H

#include "analyse/typing.h"
#include "base/map.h"

/* --- contents ----------------------------------------------------------------------- */

struct reader {
	struct target *target;
	const struct space *space;
	struct error *error; /* the target cannot be read any more */
	/* The heap: where its spans' pieces begin, the pieces, what is known of each. */
	bool is_kept;
	struct area bases, heap, states;
	uint64_t biggest_start, biggest_size, biggest_delta; /* of its biggest span */
	/* All else. */
	struct area lines, tags;
	struct extent_vec extents;
};

bool reader_init(struct reader *reader, struct target *target, const struct space *space);
void reader_deinit(struct reader *reader);
/* False: it cannot be read. */
bool reader_bytes(struct reader *reader, uint64_t address, void *bytes, size_t size);
/* Brings near what will be asked for, if that costs nothing else. */
void reader_prefetch(const struct reader *reader, uint64_t address);

static inline bool reader_word(struct reader *reader, uint64_t address, uint64_t *word)
{
	return reader_bytes(reader, address, word, sizeof(*word));
}

/* --- one run ------------------------------------------------------------------------ */

/* The parts of a block's code. */
enum {
	CODE_EVIDENCE_SHIFT = TYPING_TYPE_BITS,
	CODE_ARRAY = 1 << 27,
	CODE_NO_POINTER = 1 << 28,   /* what pointers say of it is not believed */
	CODE_NO_CONTAINER = 1 << 29, /* nor what containers do */
	CODE_COOKIE = 1 << 30, /* the elements come behind their number, see new[] */
	CODE_BARS = CODE_NO_POINTER | CODE_NO_CONTAINER,
};

/* A block whose pointers are to be followed: those of `nr` elements from the first one on;
   UINT32_MAX: of all. */
struct typing_item {
	uint64_t address;
	uint32_t rank, code; /* what was known of it */
	uint32_t first, nr;
};
DEFINE_VEC(typing_item_vec, struct typing_item);
DEFINE_VEC(types_local_vec, struct types_local);

/* What a pointer says of the block that it leads to. `counts`: integers that stand beside the
   pointer, one of which may say how many there are. */
struct counts {
	uint64_t numbers[8];
	unsigned nr;
};

/* Pointers are followed some time after they were met, when what they lead to has come near: most
   of the time would be spent waiting for memory otherwise. */
#define POINTERS_AHEAD 32u
struct pointer {
	uint64_t word;
	uint32_t type; /* what it points to */
	bool is_counted;
	struct counts counts;
};

struct run {
	const struct typing_task *task;
	struct types *types;
	struct reader reader;
	uint32_t *codes, *spare;       /* of the typing */
	struct types_local_vec locals; /* of the calls that threads are in */
	struct typing_item_vec items;  /* blocks whose pointers are to be followed */
	struct pointer pointers[POINTERS_AHEAD]; /* a ring */
	uint64_t nr_met, nr_followed;            /* of those that went through it */
	struct map tls_modules;                  /* see typing_threads.c */
	bool again;                              /* something was contradicted */
	bool out_of_memory;
	uint64_t steps; /* nodes of containers, and members of types, of this round */
	uint64_t steps_max;
};

/* False: damaged debug information, or hostile contents, have led round and round. */
static inline bool run_step(struct run *run)
{
	return ++run->steps < run->steps_max;
}

/* A block that a word leads to. */
struct met {
	uint32_t rank;
	uint64_t address, size; /* usable bytes */
	uint64_t slack;         /* so many of them nobody may have asked for */
	uint64_t distance;      /* of the word from its start */
};
/* False: it leads to none. */
bool run_meets(const struct run *run, uint64_t word, struct met *met);
/* Whether a block of that size may have been asked for as one of so many bytes. */
bool met_fits(const struct met *met, uint64_t bytes);

struct claim {
	uint32_t type;
	bool is_array, has_cookie;
	enum typing_evidence evidence;
	/* Which elements' pointers are followed; nr UINT32_MAX: of all. */
	uint32_t first, nr;
};
/* Says what a block is. */
void run_claim(struct run *run, const struct met *met, const struct claim *claim);
struct typing_answer run_known(const struct run *run, uint32_t rank);

void run_push(struct run *run, const struct typing_item *item);

/* A pointer was met; counts NULL: without any. */
void run_point(struct run *run, uint64_t word, uint32_t type,
	       const struct counts *counts);
/* Follows the pointer that was met first; false: there is none. */
bool run_follow_pointer(struct run *run);

/* Whether what stands there can be of a type; *nr_pointers: so many lead somewhere. */
bool run_is_plausible(struct run *run, uint32_t type, uint64_t address,
		      unsigned *nr_pointers);

/* Follows a container of the C++ library; false: what it has in it is to be followed as of any
   record. */
bool run_follow_container(struct run *run, uint32_t type, uint64_t address);

/* Objects of CPython, if that is in the target. */
void run_begin_with_python(struct run *run);

/* Follows a thread-local variable in every thread. */
void run_follow_in_threads(struct run *run, uint32_t type,
			   const struct types_variable *variable);

/* Finds variables of calls, once; and begins with them, in each round. */
struct error *run_find_locals(struct run *run) MUST_CHECK;
void run_begin_with_locals(struct run *run);

/* Follows the pointers of what stands at an address. */
void run_follow(struct run *run, uint32_t number, uint64_t address, unsigned depth);

#endif
