/*
 * glibc_version: the version of a libc whose file is not at hand, from memory alone.
 *
 * The dynamic loader keeps, for every object, an array of the symbol versions that it
 * defines (l_versions in struct link_map, of struct r_found_version in glibc's
 * include/link.h): the address of the name in the object's string table, its hash, and
 * zeros. The names of libc's are GLIBC_2.x, and the highest is libc's own version.
 */
#ifndef SEEP_HEAP_GLIBC_VERSION_H
#define SEEP_HEAP_GLIBC_VERSION_H

#include "target/target.h"

/* *version is 2036 for 2.36, 0 when it is not found. */
struct error *glibc_version_find(struct target *target, const struct module *libc,
				 unsigned *version) MUST_CHECK;

#endif
