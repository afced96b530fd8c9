/*
 * allocated_type: what memory is for, by the names of the functions that asked for it.
 *
 * Some functions allocate memory of one type and do nothing else that could allocate: the
 * standard allocator of C++, strings, the blocks that count shared pointers. Their names have the
 * type. The allocator's must be the one that the container's function which
 * called it asks for, by its own name. std::make_unique() also runs constructors, which may
 * allocate for themselves: it counts only where debug information says that the very call is
 * written in the library's own header. Whatever is not in the tables is not known: nothing is
 * guessed by sizes or contents, or by what names look like. Rust's Box and Vec are not: rustc
 * makes one function of several whose code is the same (doc/NOTES.md).
 */
#ifndef SEEP_TRACES_ALLOCATED_TYPE_H
#define SEEP_TRACES_ALLOCATED_TYPE_H

#include <stdbool.h>

#include "base/str.h"

enum allocated_type {
	ALLOCATED_TYPE_UNKNOWN,
	ALLOCATED_TYPE_ALLOCATOR, /* what its name says, if its caller agrees */
	ALLOCATED_TYPE_KNOWN,
};

/*
 * Of a function by its demangled name (NULL: not known), and the file of the line that its call
 * is in (NULL: not known). Appends the type: "order", "order[]" for some in a row.
 */
enum allocated_type allocated_type_of(const char *function, const char *file,
				      struct str *type);

/* Whether a function that called the allocator of a type asks it for that. Then the type is
   made to say what for: "order[] of std::vector". */
bool allocated_type_agrees(const char *function, struct str *type);

#endif
