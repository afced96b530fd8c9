/*
 * why: the plain result of asking why a process has so much memory resident.
 */
#ifndef SEEP_MODEL_WHY_H
#define SEEP_MODEL_WHY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/vec.h"

/* What resident bytes are, in the order of the report. */
enum why_kind {
	WHY_LIVE,     /* blocks that the program has not given back */
	WHY_FREE,     /* freed, and kept by the allocator */
	WHY_METADATA, /* the allocator's own */
	WHY_SLACK,    /* of the allocator's pages, in no chunk */
	WHY_STACK,
	WHY_DEAD_STACK, /* below a stack pointer, or of a thread that has ended */
	WHY_GLOBALS,
	WHY_TLS,
	WHY_NAMED,
	WHY_FILE,
	WHY_SHARED_MEMORY,
	WHY_DEVICE,
	WHY_KERNEL,
	WHY_OPAQUE, /* nobody is known to manage it */
	WHY_NR_KINDS
};

/* "live blocks", "free chunks", … */
extern const char *const why_kind_names[WHY_NR_KINDS];
/* How it is known. */
extern const char *const why_kind_evidence[WHY_NR_KINDS];

struct why_part {
	enum why_kind kind;
	char *name;     /* of what: a type, an arena, a file; owned */
	uint64_t bytes; /* resident */
	uint64_t count; /* blocks, chunks, mappings */
};
DEFINE_VEC(why_part_vec, struct why_part);

/* Sizes as the allocator counts them, with its headers, resident or not. */
struct why_arena {
	uint64_t address;
	bool is_main;
	uint64_t threads;
	uint64_t system_bytes;
	uint64_t live_bytes, live_blocks;
	uint64_t tcache_bytes, fast_bytes, binned_bytes, top_bytes;
	uint64_t trim_bytes; /* resident, that malloc_trim would give back */
};
DEFINE_VEC(why_arena_vec, struct why_arena);

/* Blocks of a type that stand on pages at least half of which is free. */
struct why_pin {
	char *type;             /* owned */
	uint64_t blocks, bytes; /* that stand there */
	uint64_t pages;         /* that blocks of the type stand on */
	uint64_t pages_alone;   /* of these, without blocks of another type */
	uint64_t
		free_bytes; /* that they keep: each page's, divided by their bytes on it */
};
DEFINE_VEC(why_pin_vec, struct why_pin);

struct why_report {
	pid_t pid;
	char *target;    /* owned */
	char *allocator; /* "glibc 2.36"; NULL: not known; owned */
	char *unknown;   /* why not; NULL: it is known; owned */
	uint64_t rss_bytes;
	uint64_t explained_bytes; /* what is not opaque */
	uint64_t opaque_bytes;
	int64_t residual_bytes;       /* what the page tables do not show, or too much */
	struct why_part_vec parts;    /* by kind, then largest first */
	uint64_t kinds[WHY_NR_KINDS]; /* sums */
	/* Not in what is resident. */
	uint64_t page_table_bytes, kernel_stack_bytes, swapped_bytes;
	struct why_arena_vec arenas;
	uint64_t arena_limit; /* most arenas that there can be */
	bool is_limit_set;    /* by the program or its environment */
	uint64_t processors, threads;
	uint64_t mapped_blocks,
		mapped_bytes; /* with mappings of their own, in no arena */
	bool is_trim_known;   /* all of the heap parses */
	uint64_t trim_bytes;
	uint64_t pinned_pages, pinned_bytes; /* at least half free; bytes free on them */
	struct why_pin_vec pins;             /* most free bytes first */
	double pause_ms;                     /* the longest */
	bool copied;         /* read through a frozen copy; else stopped and read */
	uint64_t copy_bytes; /* private pages that the copy came to have */
	char *why_stopped;   /* why there was no copy; NULL: none was asked for; owned */
	char **warnings, **notes;
};

void why_report_destroy(struct why_report *report);

#endif
