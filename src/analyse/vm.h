/*
 * vm: what the memory of processes is made of: the kernel's count of each mapping, with what
 * the modules, the threads and malloc's arenas tell of what it is for.
 *
 * A process stands still while the kernel counts, if it may be stopped; else what is counted
 * one after the other may differ, and a warning says so. Of a file only the mappings are
 * known.
 */
#ifndef SEEP_ANALYSE_VM_H
#define SEEP_ANALYSE_VM_H

#include "base/error.h"
#include "model/vm.h"

struct analyse_vm_options {
	const pid_t *pids;
	size_t nr_pids;
	const char *file;
	const char *sysroot;
	bool children;
	unsigned max_pause_ms;
};

struct error *analyse_vm(const struct analyse_vm_options *options,
			 struct vm_report **result) MUST_CHECK;

#endif
