/*
 * seep/vm.h: what the memory of processes is made of: regions, their types, and what the kernel
 * counts of each.
 *
 * A process is stopped while the kernel counts; nothing of its memory is written. Structs begin
 * with their size, as in seep/leaks.h.
 */
#ifndef SEEP_VM_H
#define SEEP_VM_H

#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vm_report; /* opaque here; src/model/vm.h */
struct error;     /* opaque here; src/base/error.h */

enum seep_vm_flags {
	SEEP_VM_CHILDREN = 1 << 0, /* also the processes that descend from these */
};

struct seep_vm_options {
	size_t size; /* sizeof(struct seep_vm_options) */
	const pid_t *pids;
	size_t nr_pids;
	const char *file; /* instead of processes: a core file or snapshot */
	const char
		*sysroot; /* with `file`: where the files of its machine are; NULL: / */
	unsigned flags;   /* enum seep_vm_flags */
	unsigned max_pause_ms; /* 0: 200 */
};

/* On success *report is owned by the caller; otherwise the error is. */
struct error *seep_vm(const struct seep_vm_options *options, struct vm_report **report);
void seep_vm_report_destroy(struct vm_report *report);

#ifdef __cplusplus
}
#endif

#endif
