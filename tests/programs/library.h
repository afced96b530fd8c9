/*
 * library: places in a shared library that a program brings with dlopen().
 */
#ifndef LIBRARY_H
#define LIBRARY_H

#define LIBRARY_API __attribute__((visibility("default")))

/* Thread-local, in .data, and in .bss. */
LIBRARY_API void *volatile *library_thread_slot(void);
LIBRARY_API void *volatile *library_data_slot(void);
LIBRARY_API void *volatile *library_bss_slot(void);

typedef void *volatile *(*library_slot)(void);

#endif
