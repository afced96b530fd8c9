/*
 * parcel: a message between seep and its tracer, which are one program: bytes put in one
 * after the other are taken out in the same order. Descriptors can go with it.
 */
#ifndef SEEP_TARGET_PARCEL_H
#define SEEP_TARGET_PARCEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

#define PARCEL_FDS 2u

struct parcel {
	struct str bytes;
	size_t taken;
	int fds[PARCEL_FDS]; /* -1: none; of a received one the caller's to close */
};

void parcel_init(struct parcel *parcel);
void parcel_deinit(struct parcel *parcel);

void parcel_put(struct parcel *parcel, const void *bytes, size_t size);
/* A text with its length; NULL stays NULL. */
void parcel_put_text(struct parcel *parcel, const char *text);
void parcel_put_error(struct parcel *parcel, const struct error *error);

/* False when there is no more, or no memory for it. */
bool parcel_take(struct parcel *parcel, void *bytes, size_t size);
bool parcel_take_text(struct parcel *parcel, char **text); /* the caller frees it */
/* *error is NULL when NULL was put in. */
bool parcel_take_error(struct parcel *parcel, struct error **error);

/* False when the other side has gone. */
bool parcel_send(struct parcel *parcel, int socket);
bool parcel_receive(struct parcel *parcel, int socket);

#endif
