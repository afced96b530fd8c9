/*
 * core_write: writes a frozen target as an ELF core that the kernel could have written.
 *
 * Only what has contents of its own is read; of every program and library also the first
 * page, which has its build-id. Gaps are holes in the file, or not in it when they are large.
 * Of mapped files nothing else is written: their contents are in the files.
 *
 * One note is our own (owner "SEEP"): pairs of 64-bit addresses [start, end) of
 * memory that has contents and was left out, such as swapped pages. A core that has this
 * note says by it that whatever else has no contents was never written, which the kernel's
 * cores leave open. Other readers skip it.
 */
#ifndef SEEP_TARGET_CORE_WRITE_H
#define SEEP_TARGET_CORE_WRITE_H

#include "target/target.h"

#define CORE_NOTE_OWNER "SEEP"
/* Far from the types of others, since some readers look at nothing but the type. */
#define CORE_NOTE_ABSENT 0x53454550u

/* What a core tells of a process besides memory and threads. */
struct core_facts {
	pid_t pid, parent, group, session;
	uid_t uid;
	gid_t gid;
	char state;     /* as in /proc/PID/stat */
	char comm[16];  /* struct elf_prpsinfo's pr_fname */
	char words[80]; /* the beginning of its command line */
	char *auxv;     /* /proc/PID/auxv; owned */
	size_t auxv_size;
};

/* Reads them of a process. */
struct error *core_facts_read(pid_t pid, struct core_facts *facts) MUST_CHECK;
void core_facts_deinit(struct core_facts *facts);

struct core_outcome {
	uint64_t file_bytes;     /* the file's size, holes included */
	uint64_t memory_bytes;   /* of contents written */
	uint64_t left_out_bytes; /* that exist and were not read */
};

/* `fd` is of an empty regular file, `path` for messages. The target must be frozen. */
struct error *core_write(struct target *target, const struct core_facts *facts, int fd,
			 const char *path, struct core_outcome *outcome) MUST_CHECK;

#endif
