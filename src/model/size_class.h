/*
 * size_class: sizes of blocks that count as alike where nothing else is known: those up to the
 * tcache's limit one by one; above, up to powers of two.
 */
#ifndef SEEP_MODEL_SIZE_CLASS_H
#define SEEP_MODEL_SIZE_CLASS_H

#include <stdint.h>

#include "base/str.h"

/* The largest size that is like it. */
uint64_t size_class_of(uint64_t size);

/* The class as a small number. */
#define SIZE_CLASSES_MAX 1100u
unsigned size_class_number(uint64_t size);

/* "24-byte", "up to 4 KiB": goes on with " block". */
void size_class_put(struct str *out, uint64_t size);

#endif
