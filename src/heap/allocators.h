/*
 * allocators: which allocator a program uses, told from its modules, and which of them
 * seep can walk.
 */
#ifndef SEEP_HEAP_ALLOCATORS_H
#define SEEP_HEAP_ALLOCATORS_H

#include "heap/heap.h"

struct allocator {
	const char *name;
	/* Fills everything of *heap but target, symbols and name. */
	struct error *(*open)(struct target *target, struct symbols *symbols,
			      struct heap **heap);
};

/* The allocator that serves malloc in the target, and its name with the version ("glibc
   2.36"; owned by the caller). An allocator that cannot be walked is ERROR_REFUSED. */
struct error *allocator_find(struct target *target, struct symbols *symbols,
			     const struct allocator **allocator, char **name) MUST_CHECK;

/* Whether a module is seep's own runtime, which passes on what it is asked for. */
bool allocator_is_runtime(const struct module *module);

/* glibc.c */
struct error *glibc_open(struct target *target, struct symbols *symbols,
			 struct heap **heap) MUST_CHECK;

/* The version of the target's glibc as in elf_file_version(); 0: a static program, whose
   libc carries no version. *found is the one that holds libc's data; NULL: none. */
struct error *glibc_module(struct target *target, struct symbols *symbols,
			   const struct module **found, unsigned *version) MUST_CHECK;

#endif
