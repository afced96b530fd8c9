/*
 * target: one address space that can be read. The only door to another program's memory.
 *
 * A target is opened (which checks that it may be inspected, without touching it), frozen
 * (so that memory, registers and maps belong to one instant), read, and thawed. All lists
 * belong to the target and live until target_destroy(); freezing refreshes them.
 *
 * Addresses are the target's own; sizes are bytes. Memory is never written; a
 * page that is mapped for the purpose while a copy is made (copy.h) is the one exception.
 *
 * To add a kind of target: fill a target_ops, embed struct target first in your own struct,
 * fill `regions`, and call regions_find_modules(). fake.c is the smallest one.
 */
#ifndef SEEP_TARGET_TARGET_H
#define SEEP_TARGET_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/await.h"
#include "base/error.h"
#include "base/sentences.h"
#include "base/vec.h"

enum region_flags {
	REGION_READ = 1 << 0,
	REGION_WRITE = 1 << 1,
	REGION_EXEC = 1 << 2,
	REGION_SHARED = 1 << 3,
};

/* One mapping, as a line of /proc/PID/maps tells it. */
struct region {
	uint64_t start, end;
	uint64_t offset; /* into the file */
	uint64_t inode;  /* 0: anonymous */
	uint32_t major, minor;
	unsigned flags; /* enum region_flags */
	char *name; /* path, "[heap]", "[stack]", … or ""; owned; " (deleted)" kept */
};
DEFINE_VEC(region_vec, struct region);

/* A file that is mapped with code: the program, a shared library, the loader. */
struct module {
	char *path;          /* as the target sees it, without " (deleted)"; owned */
	uint64_t start, end; /* from its first mapping to the end of its last */
	size_t first_region; /* index into regions */
	size_t nr_regions;   /* of the same file, gaps by other regions included */
	bool deleted;
};
DEFINE_VEC(module_vec, struct module);

struct thread {
	pid_t tid;
	uint64_t pc, sp;
	uint64_t thread_pointer; /* fs_base */
	uint64_t *words;         /* every register word that may hold a pointer; owned */
	size_t nr_words;
	size_t nr_general; /* the first so many of `words` are general registers */
	/* The same as the kernel lays them out, NULL where there are none (a fake's). */
	unsigned char *general; /* struct user_regs_struct; owned */
	unsigned char *vectors; /* an XSAVE or FXSAVE area; owned */
	size_t vectors_size;
};
DEFINE_VEC(thread_vec, struct thread);

/* A word that the kernel keeps for the target and will hand back: epoll data, timers. */
struct held_word {
	uint64_t value;
	const char *keeper; /* "epoll", "timer" */
};
DEFINE_VEC(held_word_vec, struct held_word);

/* A run of pages of one region that have contents of their own. */
struct extent {
	uint64_t start, end;
	bool swapped; /* contents exist, but cannot be read: ops->unread says why */
};
DEFINE_VEC(extent_vec, struct extent);

struct target;
struct instant;

/* How the last freeze went. */
struct target_freezing {
	bool copied;       /* through a copy; else stopped and read */
	char *why_stopped; /* why there was no copy; NULL: nobody asked for one; owned */
	uint64_t copy_bytes; /* private pages that the copy came to have */
};

struct target_ops {
	const char *name;
	const char *unread; /* why an extent may be `swapped`: "swapped out" */
	struct error *(*freeze)(struct target *target);
	/* Gives the pause in nanoseconds, 0 when there was none. Never fails. */
	uint64_t (*thaw)(struct target *target);
	/* Reads up to `size` bytes; *nr_read may be short only at an unreadable page. */
	struct error *(*read)(struct target *target, uint64_t address, void *buffer,
			      size_t size, size_t *nr_read);
	/* Appends the extents of [start, end), ascending; file pages that the target never
	   wrote (private mappings) and absent pages are left out. */
	struct error *(*extents)(struct target *target, const struct region *region,
				 uint64_t start, uint64_t end,
				 struct extent_vec *extents);
	/* A read-only descriptor of the module's file; the caller closes it. */
	struct error *(*open_module)(struct target *target, const struct module *module,
				     int *fd);
	/* NULL, or waits until nothing of the last freeze is left in the target; gives the
	   longest pause that this took. */
	uint64_t (*settle)(struct target *target);
	void (*destroy)(struct target *target);
};

struct target {
	const struct target_ops *ops;
	pid_t pid;                 /* 0: not a process */
	int signal;                /* of a core: what ended the process; 0: nothing did */
	char *name;                /* for people: "redis-server (412)"; owned */
	char *path;                /* the file that it is read from; NULL: none; owned */
	struct region_vec regions; /* ascending, disjoint */
	struct module_vec modules;
	struct thread_vec threads;
	struct held_word_vec held;
	bool held_incomplete; /* the kernel holds words that cannot be read (io_uring) */
	struct target_freezing freezing;
	const struct instant
		*instant;             /* of the copy, where it was asked for; else NULL */
	char *sysroot;                /* folder that its paths begin in; NULL: /; owned */
	struct sentence_vec warnings; /* what makes an answer less certain */
	struct sentence_vec notes;    /* what is good to know, and changes nothing */
};

struct error *target_freeze(struct target *target) MUST_CHECK;
uint64_t target_thaw(struct target *target);
uint64_t target_settle(struct target *target);
void target_destroy(struct target *target);

/* All or an error that names the first address that could not be read. */
struct error *target_read(struct target *target, uint64_t address, void *buffer,
			  size_t size) MUST_CHECK;
struct error *target_read_word(struct target *target, uint64_t address,
			       uint64_t *word) MUST_CHECK;
struct error *target_extents(struct target *target, const struct region *region,
			     uint64_t start, uint64_t end,
			     struct extent_vec *extents) MUST_CHECK;
struct error *target_open_module(struct target *target, const struct module *module,
				 int *fd) MUST_CHECK;

/* The region or module that holds an address, or NULL. */
const struct region *target_region(const struct target *target, uint64_t address);
const struct module *target_module(const struct target *target, uint64_t address);

/* The first module whose file name (no folders) starts with `prefix`, or NULL. */
const struct module *target_module_named(const struct target *target, const char *prefix);

/* Frees what the thread owns. */
void thread_deinit(struct thread *thread);

/* For implementations: empties the lists; derives the modules from the regions. */
void target_forget(struct target *target);
struct error *target_find_modules(struct target *target) MUST_CHECK;

/* --- the implementations ------------------------------------------------------------ */

struct target_live_options {
	uint64_t max_pause_ns;
	const char *command; /* of seep, that a refusal's remedy names; NULL: "leaks" */
	bool few_reads; /* not all of its memory will be read: its size is no reason not to stop */
};

/*
 * A running process. Refuses, with cause and remedy and without having touched it, what
 * cannot be inspected: no such process, kernel threads, zombies, foreign architectures,
 * missing rights, a process traced by another.
 */
struct error *target_live_open(pid_t pid, const struct target_live_options *options,
			       struct target **target) MUST_CHECK;

struct target_file_options {
	const char *sysroot; /* folder that the target's own paths begin in; NULL: / */
};

/*
 * A file that holds a process's memory, of a kind that its first bytes tell (file.c). What
 * is no such file is refused with what it is instead.
 */
struct error *target_file_open(const char *path,
			       const struct target_file_options *options,
			       struct target **target) MUST_CHECK;

/* How to freeze a running process. */
enum target_freeze {
	TARGET_FREEZE_AUTO, /* a copy where that pays and nothing speaks against it */
	TARGET_FREEZE_COPY, /* a copy, or an error that says why not */
	TARGET_FREEZE_STOP, /* stop it and read */
};

struct target_frozen_options {
	uint64_t max_pause_ns;
	const char *command; /* of seep, that a refusal's remedy names; NULL: "leaks" */
	enum target_freeze freeze;
	uint64_t
		max_copy_bytes; /* private pages of the copy; 0: what there is room for */
	bool is_slow;           /* to be read for so long that a copy pays earlier */
	/* Where a copy is made, also keep what the kernel counts at its instant (instant.h). */
	bool keeps_instant;
};

/* The same, looked at through a frozen copy of it (copy.h) while it runs on. */
struct error *target_frozen_open(pid_t pid, const struct target_frozen_options *options,
				 struct target **target) MUST_CHECK;

/* A program that we start and catch at its exit, see exit.c. */
struct target_exit_options {
	uint64_t max_pause_ns;
	int *status; /* the wait status of the program, set by target_destroy() */
	/* Not 0: instead of being started by us, the command waits already, as this child of ours,
	   and go() lets it run or says why it cannot. It must wait as it is told, since we have to
	   pass on the command's signals. */
	pid_t child;
	struct error *(*go)(void *context, const struct await *await);
	void *context;
};
struct error *target_exit_start(char *const *command,
				const struct target_exit_options *options,
				struct target **target) MUST_CHECK;

/* Bytes that a test wrote. */
struct target_fake;
struct error *target_fake_create(struct target **target) MUST_CHECK;
/* Copies `bytes` in as a region; size is rounded up to pages with zeros. */
struct error *target_fake_add(struct target *target, uint64_t address, const void *bytes,
			      size_t size, unsigned flags, const char *name) MUST_CHECK;
/* What becomes of whole pages of regions that were added before. */
enum target_fake_pages {
	FAKE_PAGES_PRESENT,
	FAKE_PAGES_SWAPPED,
	FAKE_PAGES_ABSENT, /* never written: they read as zeros, and are zeroed now */
};
struct error *target_fake_mark(struct target *target, uint64_t start, uint64_t end,
			       enum target_fake_pages pages) MUST_CHECK;
struct error *target_fake_add_thread(struct target *target, pid_t tid, uint64_t sp,
				     const uint64_t *words, size_t nr_words) MUST_CHECK;

#endif
