/*
 * tracer: a small process beside seep that makes a frozen copy of a target (copy.h), holds and
 * guards it, and takes it away again.
 *
 * It is a process of its own, in its own session, so that whatever ends seep does not end it:
 * it then takes the copy away and ends, too. Should it be killed itself, the copy ends with it,
 * and seep takes away what is left (left_copy.h). While it holds the copy it watches how much
 * memory is left around the target, and drops the copy before that gets scarce, or when the
 * target ends.
 */
#ifndef SEEP_TARGET_TRACER_H
#define SEEP_TARGET_TRACER_H

#include "target/copy.h"
#include "target/instant.h"
#include "target/target.h"

struct tracer_task {
	pid_t pid;
	uint64_t max_pause_ns;
	uint64_t
		max_copy_bytes; /* private pages of the copy; 0: as many as there is room for */
	bool keeps_instant; /* what the kernel counts of it is wanted, too */
};

struct tracer {
	pid_t pid; /* 0: there is none */
	int socket;
	pid_t target;
	struct copy *copy; /* as the tracer knows it; NULL: there is no tracer */
};

/* What was there at the instant of the copy, and the way into it. */
struct tracer_moment {
	uint64_t pause_ns;
	char *maps,
		*copy_maps; /* the texts of /proc/…/maps of the target and of its copy */
	struct thread_vec threads;
	struct held_word_vec held;
	bool held_incomplete;
	struct instant instant; /* zeroed unless it was wanted */
	int mem_fd, pagemap_fd; /* of the copy */
};

/* How the copy ended. */
struct tracer_end {
	uint64_t pause_ns;      /* of the second stop */
	uint64_t private_bytes; /* pages that the copy did not share with the target */
	char *dropped;          /* why, when it was not asked to; owned */
};

/* ERROR_REFUSED, ERROR_BUDGET: no copy was made, and the target runs on. */
struct error *tracer_start(const struct tracer_task *task, struct tracer *tracer,
			   struct tracer_moment *moment) MUST_CHECK;
void tracer_moment_deinit(struct tracer_moment *moment);

/* Asks for the end of the copy, without waiting for it. */
void tracer_let_go(const struct tracer *tracer);
/* Waits until target and tracer are done with each other. */
void tracer_stop(struct tracer *tracer, struct tracer_end *end);

#endif
