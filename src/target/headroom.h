/*
 * headroom: how much more memory, and how many more processes, a process may have before it
 * or something around it is full: the limits of its cgroups (v1 and v2, the whole way up),
 * and the machine's own.
 *
 * What a cgroup's page cache holds and could give back counts as free; how much that is gets
 * read once, since asking is slow. The rest is read at each question.
 */
#ifndef SEEP_TARGET_HEADROOM_H
#define SEEP_TARGET_HEADROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/vec.h"

#define HEADROOM_UNLIMITED UINT64_MAX

/* One limit, and what is counted against it. */
struct headroom_gauge {
	char *limit_path, *usage_path; /* owned */
	uint64_t reclaimable;
};
DEFINE_VEC(headroom_gauge_vec, struct headroom_gauge);

struct headroom {
	struct headroom_gauge_vec memory, pids;
};

struct error *headroom_init(struct headroom *headroom, pid_t pid) MUST_CHECK;
void headroom_deinit(struct headroom *headroom);

/* Bytes that may still be used; *tightest names the limit, until headroom_deinit(). */
uint64_t headroom_bytes(const struct headroom *headroom, const char **tightest);
/* Bytes that the kernel may still promise, where it promises no more than it has
   (vm.overcommit_memory 2); HEADROOM_UNLIMITED elsewhere. */
uint64_t headroom_promises(void);
/* Processes that may still be started. */
uint64_t headroom_pids(const struct headroom *headroom, const char **tightest);

/* The parser alone: from the text of /proc/PID/cgroup and of /proc/self/mountinfo to the
   folder of one controller ("memory", "pids"), NULL if it has none. The caller frees it. */
char *headroom_folder(const char *cgroups, const char *mounts, const char *controller,
		      bool *is_v2, size_t *root_length);

#endif
