/*
 * process: what /proc tells of a process without touching it, and whether it may be
 * inspected at all.
 */
#ifndef SEEP_TARGET_PROCESS_H
#define SEEP_TARGET_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/str.h"

/* The few lines of /proc/PID/status that decide. */
struct process_status {
	pid_t via; /* the thread whose files in /proc tell of the process: not yet ended */
	char comm[64];
	char state;       /* R S D T t Z X … */
	pid_t group;      /* Tgid */
	pid_t tracer;     /* TracerPid, 0: none */
	uid_t uid;        /* real */
	gid_t gid;        /* real */
	unsigned seccomp; /* 0 none, 1 strict, 2 filter */
	bool has_memory;  /* VmSize is there: neither a kernel thread nor a zombie */
	bool kernel_thread;
	uint64_t pending, caught, blocked; /* signals; pending: thread's and process' */
	uint64_t resident_bytes, anonymous_bytes; /* the latter are of the former */
	uint64_t private_bytes; /* of mappings that may be written, resident or not */
	uint64_t hugetlb_bytes;
	uint64_t capabilities; /* effective */
};

/*
 * tid 0: of the process, that is, of its main thread, or of another that still runs when that
 * one has ended; its name stays the main thread's. ERROR_REFUSED when it does not exist.
 */
struct error *process_status(pid_t pid, pid_t tid,
			     struct process_status *status) MUST_CHECK;

/* There is none, or it has no memory any more: what was read of it last may be of neither state. */
bool process_has_ended(pid_t pid);

/* Reads a whole file of /proc/PID (`name` relative to it) into `text`. */
struct error *process_file(pid_t pid, const char *name, struct str *text) MUST_CHECK;

/* NULL when the process may be stopped and read; the cause and its remedy otherwise, which names
   seep's command that asks ("leaks" if NULL). */
struct error *process_check(pid_t pid, const struct process_status *status,
			    const char *command) MUST_CHECK;

#endif
