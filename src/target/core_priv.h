/*
 * core_priv: what the parts of the core target share: core.c (the target), core_regions.c
 * (its regions, and what the file holds of each), core_binaries.c (the mapped files).
 */
#ifndef SEEP_TARGET_CORE_PRIV_H
#define SEEP_TARGET_CORE_PRIV_H

#include "target/binary.h"
#include "target/core_file_priv.h"
#include "target/elf_image.h"

#define CORE_NO_BINARY SIZE_MAX

/* A file that the process had mapped. */
struct core_binary {
	const char *path;       /* as NT_FILE has it; points into the notes */
	struct elf_image image; /* by what the core holds of its first page */
	bool is_elf;            /* that page is there, and is an ELF file's */
	bool was_sought, was_told;
	int fd;                /* -1: not found, or not sought */
	struct error *why_not; /* owned */
};
DEFINE_VEC(core_binary_vec, struct core_binary);

/* What is true of a region's bytes that have no contents in the core. */
enum core_rest {
	CORE_REST_FILE,    /* the mapped file's own, or nothing that the process wrote */
	CORE_REST_ZERO,    /* never written */
	CORE_REST_MISSING, /* they may hold anything */
};

/* Where the contents of one region are. */
struct core_part {
	uint64_t offset, dumped, present; /* as in struct core_segment */
	enum core_rest rest;
	uint64_t file_offset; /* of the region's start in the mapped file */
	size_t binary;        /* index; CORE_NO_BINARY: of no file */
};
DEFINE_VEC(core_part_vec, struct core_part);

struct core {
	struct target base;
	struct core_file file;
	struct core_part_vec parts; /* one per region, in their order */
	struct core_binary_vec binaries;
	size_t *binary_of; /* of each of file.mappings */
	char *folder;      /* that the core lies in; owned */
};

/* Fills regions, parts and modules. */
struct error *core_regions_load(struct core *core) MUST_CHECK;

/* Finds out which files were mapped, and what their first pages say. The mappings are
   sorted by their start first. */
struct error *core_binaries_load(struct core *core) MUST_CHECK;
void core_binaries_deinit(struct core *core);

/* Looks for the file on this machine, once. */
void core_binary_seek(struct core *core, size_t index);

#endif
