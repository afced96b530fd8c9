/*
 * windows: the parts of a session (raw/session.h) that the program has mapped.
 *
 * A window is mapped when it is first asked for, and stays. After windows_open() no descriptor is
 * needed: mremap() of a window that is there, with an old size of 0, maps the same file again,
 * and further. Any thread may ask at any time; of two that map one window, one takes it back.
 */
#ifndef SEEP_RAW_WINDOWS_H
#define SEEP_RAW_WINDOWS_H

#include "raw/ring.h"
#include "raw/session.h"

#define WINDOW_RINGS (SESSION_WINDOW / SESSION_RING_BYTES)
#define WINDOW_NODES (SESSION_WINDOW / sizeof(struct stack_node))

/* Zeroed memory is a valid one that is not open. */
struct windows {
	struct session *session;
	_Atomic(char *) rings[SESSION_RINGS / WINDOW_RINGS];
	_Atomic(char *) nodes[SESSION_NODES / WINDOW_NODES];
};

/* 0, or -errno: -EINVAL if the file is no session. */
int windows_open(struct windows *windows, const char *path);
void windows_close(struct windows *windows);

/* The `index`th window of those that begin with first[0], which is mapped; NULL if there is no
   memory. */
char *windows_map(_Atomic(char *) *first, size_t index);

static inline char *windows_get(_Atomic(char *) *first, size_t index)
{
	char *window = atomic_load_explicit(&first[index], memory_order_acquire);
	return window ? window : windows_map(first, index);
}

/* NULL if there is no memory. */
static inline struct ring *windows_ring(struct windows *windows, uint32_t ring)
{
	char *window = windows_get(windows->rings, ring / WINDOW_RINGS);
	size_t offset = ring % WINDOW_RINGS * (size_t)SESSION_RING_BYTES;
	return window ? (struct ring *)(void *)(window + offset) : NULL;
}

/* NULL if there is no memory. */
static inline struct stack_node *windows_node(struct windows *windows, uint32_t node)
{
	char *window = windows_get(windows->nodes, node / WINDOW_NODES);
	return window ? (struct stack_node *)(void *)window + node % WINDOW_NODES : NULL;
}

#endif
