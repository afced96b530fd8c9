/*
 * prefetch: how functions that do nothing but get memory into the cache are declared.
 *
 * gcc 12 finds that such a function has no effect, and takes its calls away, unless it is
 * inlined before it looks.
 */
#ifndef SEEP_RECORD_PREFETCH_H
#define SEEP_RECORD_PREFETCH_H

#define PREFETCH static inline __attribute__((always_inline))

#endif
