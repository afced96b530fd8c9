/*
 * core_file_priv: what an ELF core file says of itself, which is never trusted: the segments
 * of memory (core_file.c) and the notes about the process and its threads (core_notes.c).
 *
 * Read with pread, never through a mapping, so that a file that is cut short meanwhile is
 * no SIGBUS. Every offset, size and count is checked against the file's size first. A file
 * that ends early is readable up to its cut: the segments then say what is there.
 *
 * The layout is the kernel's (fs/binfmt_elf.c) and gdb's, for x86-64.
 */
#ifndef SEEP_TARGET_CORE_FILE_PRIV_H
#define SEEP_TARGET_CORE_FILE_PRIV_H

#include <sys/user.h>

#include "target/target.h"

/* One PT_LOAD; addresses are multiples of pages. */
struct core_segment {
	uint64_t start, end;
	uint64_t offset; /* of its contents in the file */
	uint64_t dumped; /* bytes of contents that the file is to have, from `start` on */
	uint64_t present; /* of those, the file has */
	unsigned
		flags; /* enum region_flags, but for REGION_SHARED, which no core tells */
};
DEFINE_VEC(core_segment_vec, struct core_segment);

/* A line of NT_FILE: what file was mapped where. */
struct core_mapping {
	uint64_t start, end, offset;
	const char *path; /* points into the notes */
};
DEFINE_VEC(core_mapping_vec, struct core_mapping);

/* Memory that our own cores say was left out, see core_write.h. */
struct core_absence {
	uint64_t start, end;
};
DEFINE_VEC(core_absence_vec, struct core_absence);

struct core_thread {
	pid_t tid;
	struct user_regs_struct general;
	const unsigned char *vectors; /* an XSAVE or FXSAVE area; points into the notes */
	size_t vectors_size;
};
DEFINE_VEC(core_thread_vec, struct core_thread);

struct core_file {
	int fd;
	char *path;
	uint64_t size;
	struct core_segment_vec segments; /* ascending, disjoint */
	unsigned char *notes;             /* all notes, one after another */
	size_t notes_size;
	struct core_mapping_vec mappings; /* in the file's order */
	struct core_thread_vec threads;   /* the first is the one that died */
	struct core_absence_vec absences; /* ascending, disjoint */
	bool has_absences; /* whatever else has no contents was never written */
	pid_t pid;
	int signal; /* that the first thread was ended by; 0: none was */
	char comm[17];
	/* From the auxiliary vector; 0 when it is not there. */
	uint64_t stack_address, vdso_address, entry_address;
	uint64_t cut_bytes; /* that the segments should have and the file has not */
};

/* Takes the descriptor over. ERROR_FORMAT names the file, the place and the offset. */
struct error *core_file_open(int fd, const char *path, struct core_file *file) MUST_CHECK;
void core_file_deinit(struct core_file *file);

/* Fills in everything that comes from the notes. */
struct error *core_notes_parse(struct core_file *file) MUST_CHECK;

/* "PATH is damaged: PLACE at offset 0x… HOW", with a remedy. */
struct error *core_file_damaged(const struct core_file *file, const char *place,
				uint64_t offset, const char *how) MUST_CHECK;

/* Reads all of `size` bytes; an error when the file does not hold them. */
struct error *core_file_read(const struct core_file *file, const char *place,
			     uint64_t offset, void *buffer, size_t size) MUST_CHECK;

/* The index of the first absence that ends past an address. */
size_t core_file_absence(const struct core_file *file, uint64_t address);

/* The segment that holds an address, or NULL. */
const struct core_segment *core_file_segment(const struct core_file *file,
					     uint64_t address);

#endif
