/*
 * shapes: functions of every shape that a compiler makes frames in. Each goes one deeper by
 * dive() from a frame of its own kind; shapes.c is compiled several times, by SHAPES_NAME.
 */
#ifndef SEEP_TESTS_SHAPES_H
#define SEEP_TESTS_SHAPES_H

#ifdef __cplusplus
extern "C" {
#endif

typedef void shape(int depth);

/* The program's own: goes on with any shape, `depth` deep. */
void dive(int depth);

enum { NR_SHAPES = 7 };
extern shape *const shapes_fast[NR_SHAPES];   /* -O2 -fomit-frame-pointer */
extern shape *const shapes_framed[NR_SHAPES]; /* -O2 -fno-omit-frame-pointer */
extern shape *const shapes_plain[NR_SHAPES];  /* -O0 */
extern shape *const shapes_small[NR_SHAPES];  /* -Os */

#ifdef __cplusplus
}
#endif

#endif
