/*
 * request: option structs that begin with their size, of callers older or newer than we.
 */
#ifndef SEEP_LIB_REQUEST_H
#define SEEP_LIB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* How long a process may be stopped unless said. */
#define REQUEST_PAUSE_MS 200

/* Copies what both know, the rest zero. False if a newer caller set what we do not know and
   could not heed. */
static inline bool request_copy(const void *theirs, size_t their_size, void *ours,
				size_t our_size)
{
	const unsigned char *bytes = theirs;
	for (size_t i = our_size; i < their_size; i++)
		if (bytes[i])
			return false;
	memset(ours, 0, our_size);
	memcpy(ours, theirs, their_size < our_size ? their_size : our_size);
	return their_size >= sizeof(size_t);
}

#endif
