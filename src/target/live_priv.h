/*
 * live_priv: what the two kinds of running targets share: the process that is stopped when
 * asked (live.c) and the one that is caught at its exit (exit.c).
 */
#ifndef SEEP_TARGET_LIVE_PRIV_H
#define SEEP_TARGET_LIVE_PRIV_H

#include "target/freezer.h"
#include "target/target.h"

struct live {
	struct target base;
	pid_t via; /* a thread that has not ended; the main one may have */
	int pagemap_fd;
	uint64_t max_pause_ns;
	bool few_reads;
	uint64_t frozen_at_ns; /* 0: not frozen */
	struct freezer freezer;
};

/* Opens /proc/VIA/pagemap and fills the name. On an error live_deinit() is still due. */
struct error *live_init(struct live *live, const struct target_ops *ops, pid_t pid,
			pid_t via, uint64_t max_pause_ns) MUST_CHECK;
void live_deinit(struct live *live);

/* (Re)reads regions, modules and what the kernel holds. */
struct error *live_load(struct live *live) MUST_CHECK;

/* Checks that the process may be looked at, and fills `live`, which begins a zeroed struct
   of `size` bytes. */
struct error *live_open(pid_t pid, const struct target_ops *ops, size_t size,
			uint64_t max_pause_ns, const char *command,
			struct live **result) MUST_CHECK;

/* target_ops */
struct error *live_freeze(struct target *target) MUST_CHECK;
uint64_t live_thaw(struct target *target);
void live_destroy(struct target *target);
struct error *live_read(struct target *target, uint64_t address, void *buffer,
			size_t size, size_t *nr_read) MUST_CHECK;
struct error *live_extents(struct target *target, const struct region *region,
			   uint64_t start, uint64_t end,
			   struct extent_vec *extents) MUST_CHECK;
struct error *live_open_module(struct target *target, const struct module *module,
			       int *fd) MUST_CHECK;

#endif
