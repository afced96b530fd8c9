/*
 * vm_look: one process's mappings as the kernel counts them, and what each is for.
 */
#ifndef SEEP_ANALYSE_VM_LOOK_H
#define SEEP_ANALYSE_VM_LOOK_H

#include "base/sentences.h"
#include "heap/heap.h"
#include "vma/account.h"

struct vm_look {
	struct target *target; /* owned */
	struct symbols *symbols;
	struct heap *heap; /* NULL: its blocks are not known */
	char *unread;      /* then: why not; owned */
	struct vma_account account;
	struct vma_hint_vec hints;
	uint64_t
		tls_bytes; /* where the heap is read: thread-local variables, by the modules */
	pid_t via;         /* a thread that has not ended; 0: not a process */
	uint64_t pause_ns; /* the longest */
	uint64_t
		deadline_ns; /* of CLOCK_MONOTONIC: it stands still until then; 0: it runs */
	bool stood_still;
};

/* How to look at a process. */
struct vm_looking {
	const char *command; /* "vm", "why": for remedies */
	unsigned max_pause_ms;
	/* All of its heap will be read, for which it or a copy of it has to stand still; else it may
	   be looked at as it runs. */
	bool reads_heap;
	/* Where its heap is read: */
	enum target_freeze freeze;
	uint64_t max_copy_bytes;
	/* NULL, or called while it stands still, if it does. ERROR_BUSY has the heap read again, from
	   the beginning. */
	struct error *(*while_still)(void *context, struct vm_look *look);
	void *context;
	struct sentence_vec *warnings; /* gets what makes the look less certain */
};

/* Fills a zeroed look; vm_look_deinit() is due also when it fails. */
struct error *vm_look_at_process(pid_t pid, const struct vm_looking *looking,
				 struct vm_look *look) MUST_CHECK;
struct error *vm_look_at_file(const char *path, const char *sysroot,
			      struct vm_look *look) MUST_CHECK;
/* Waits until nothing of the look is left in the process; the longest pause of all. */
uint64_t vm_look_settle(struct vm_look *look);
void vm_look_deinit(struct vm_look *look);

/* Of the i-th mapping of the account. */
enum vma_kind vm_look_kind(const struct vm_look *look, size_t i);

#endif
