/*
 * copy_rules: whether a process may be looked at through a copy of it (copy.h), decided from
 * /proc alone, before anything is touched.
 */
#ifndef SEEP_TARGET_COPY_RULES_H
#define SEEP_TARGET_COPY_RULES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Below this, stopping and reading takes less time than a copy is worth. */
#define COPY_PAYS_BYTES ((uint64_t)64 << 20)
/* The same where types are found, too, which takes more than ten times as long. */
#define COPY_PAYS_TYPING_BYTES ((uint64_t)4 << 20)
/* So much is left free around the process, or the copy goes. */
#define COPY_FLOOR_BYTES ((uint64_t)64 << 20)

/* NULL: it may. ERROR_REFUSED: the first rule that speaks against it. */
struct error *copy_rules_check(pid_t pid) MUST_CHECK;

#endif
