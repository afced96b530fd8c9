/*
 * await: how to wait for something to be read from a descriptor, or for its other end to be closed,
 * where the one who waits has more to see to meanwhile.
 */
#ifndef SEEP_BASE_AWAIT_H
#define SEEP_BASE_AWAIT_H

struct await {
	/* May return early, when neither will happen. */
	void (*until_told)(void *context, int fd);
	void *context;
};

#endif
