/* family: the processes that descend from some. */
#ifndef SEEP_VMA_FAMILY_H
#define SEEP_VMA_FAMILY_H

#include <sys/types.h>

#include "base/error.h"
#include "base/vec.h"

DEFINE_VEC(family_vec, pid_t);

/* Appends one, unless it is there. */
struct error *family_add(struct family_vec *family, pid_t pid) MUST_CHECK;

/* Appends all that descend from those in it, who come first; each once. */
struct error *family_add_descendants(struct family_vec *family) MUST_CHECK;

#endif
