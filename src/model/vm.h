/*
 * vm: the plain result of asking what the memory of processes is made of.
 */
#ifndef SEEP_MODEL_VM_H
#define SEEP_MODEL_VM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/vec.h"

enum vm_column {
	VM_VIRTUAL,
	VM_RESIDENT,
	VM_DIRTY,
	VM_CLEAN,
	VM_SWAPPED,
	VM_RECLAIMABLE, /* given back with MADV_FREE, and not yet taken */
	VM_LOCKED,
	VM_PRIVATE, /* resident, and mapped by nobody else */
	VM_SHARED,
	VM_SHARE,     /* resident, each page divided by how many map it */
	VM_HUGE,      /* in huge pages of either kind */
	VM_FOOTPRINT, /* dirty, by share, and swapped */
	VM_NR_COLUMNS
};

/* "virtual", "resident", … */
extern const char *const vm_column_names[VM_NR_COLUMNS];

struct vm_sizes {
	uint64_t bytes[VM_NR_COLUMNS];
};

struct vm_region {
	uint64_t start, end;
	char access[5];   /* "rw-p" */
	const char *type; /* "thread stack"; static */
	char *name;       /* as in /proc/PID/maps; owned */
	struct vm_sizes sizes;
};
DEFINE_VEC(vm_region_vec, struct vm_region);

/* All regions of one type. */
struct vm_row {
	const char *type; /* static */
	uint64_t regions;
	struct vm_sizes sizes;
};
DEFINE_VEC(vm_row_vec, struct vm_row);

/* What is charged to a memory cgroup for the pages that a process has mapped, by share. */
struct vm_charge {
	bool is_known;
	uint64_t anonymous_bytes, file_bytes, shared_memory_bytes;
};

struct vm_process {
	pid_t pid;
	char *target;                 /* "redis-server (412)"; owned */
	unsigned known;               /* bits by enum vm_column */
	bool stood_still;             /* all was counted at one moment */
	struct vm_region_vec regions; /* ascending */
	struct vm_row_vec rows;       /* largest footprint first, then resident */
	struct vm_sizes total;        /* by the kernel's own sum */
	struct vm_charge charge;
	uint64_t threads;
	uint64_t page_table_bytes, kernel_stack_bytes;
	uint64_t footprint_bytes;  /* the column's, and these two */
	uint64_t swap_share_bytes; /* of the column's: swapped out, by share */
	double pause_ms;
};
DEFINE_VEC(vm_process_vec, struct vm_process);

/* An estimate, from the whole system's swap. */
struct vm_compressed {
	const char *where;         /* "zswap", …; NULL: nothing is compressed; static */
	uint64_t compressed_bytes; /* of what the processes have swapped out */
	uint64_t memory_bytes;     /* that these take */
};

/* Several processes as one: what they share is counted once. */
struct vm_together {
	bool is_exact; /* by page frames; else by shares, to which others' processes count */
	uint64_t resident_bytes;
	uint64_t shared_bytes; /* resident in more than one of them, counted once */
	uint64_t footprint_bytes;
	uint64_t sum_bytes; /* of what each has resident */
};

struct vm_report {
	struct vm_process_vec processes; /* at least one */
	struct vm_together together;     /* of more than one */
	struct vm_compressed compressed;
	char **warnings, **notes; /* ended by NULL; NULL: none; owned */
};

static inline bool vm_knows(const struct vm_process *process, enum vm_column column)
{
	return process->known >> column & 1;
}

void vm_process_deinit(struct vm_process *process);
void vm_report_destroy(struct vm_report *report);

#endif
