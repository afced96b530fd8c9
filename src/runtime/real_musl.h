/*
 * real_musl: what stands for some of musl's functions, which call others that are hooked: calloc()
 * calls malloc(), and memalign() and its like call aligned_alloc(). A block would be told of twice.
 *
 * musl also asks at the start who has malloc(), which is now seep's runtime. So what it does for
 * programs with an allocator of their own is decided here, by who really has it.
 *
 * Nothing here is decided when it is built: programs of one libc execute those of the other, with
 * the same runtime preloaded.
 */
#ifndef SEEP_RUNTIME_REAL_MUSL_H
#define SEEP_RUNTIME_REAL_MUSL_H

#include "runtime/real.h"

/* Puts ours in place of musl's, or of what musl has not. With another libc nothing is changed.
   `real` still holds what it began with. */
void real_musl_adapt(struct real *found);

#endif
