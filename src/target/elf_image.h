/*
 * elf_image: the few facts about an ELF file that a core needs before anyone reads its
 * symbols: is it one, its build-id, the rights of its mappings. From the file itself, or
 * from its first page in a core's memory. Never trusted.
 */
#ifndef SEEP_TARGET_ELF_IMAGE_H
#define SEEP_TARGET_ELF_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the bytes come from: true when all of them could be read. */
struct elf_source {
	bool (*read)(const struct elf_source *source, uint64_t offset, void *buffer,
		     size_t size);
	const void *context;
	int fd;
};

/* A file's bytes, for elf_source.read. */
bool elf_source_read_file(const struct elf_source *source, uint64_t offset, void *buffer,
			  size_t size);

#define BUILD_ID_TEXT 129u /* room for the longest, in hex */

struct elf_image {
	char build_id[BUILD_ID_TEXT]; /* lower-case hex; "": none, or out of reach */
	struct elf_image_load {
		uint64_t offset, size; /* in the file, in whole pages */
		unsigned flags;        /* enum region_flags */
	} loads[16];
	size_t nr_loads;
};

/* False when it is no 64-bit ELF file, or its headers cannot be read. */
bool elf_image_read(const struct elf_source *source, struct elf_image *image);

/* The rights with which the loader maps the page at a file offset; 0: it maps none. */
unsigned elf_image_flags(const struct elf_image *image, uint64_t offset);

#endif
