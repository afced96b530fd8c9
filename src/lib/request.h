/*
 * request: option structs that begin with their size, of callers older or newer than we.
 */
#ifndef SEEP_LIB_REQUEST_H
#define SEEP_LIB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/types.h>

/* How long a process may be stopped unless said. */
#define REQUEST_PAUSE_MS 200

/* The source_options of a request with these fields; `command` is who asks, for remedies. */
#define REQUEST_SOURCE(request, command)                                                 \
	{                                                                                \
		.pid = (request).pid, .asker = (command), .file = (request).file,        \
		.sysroot = (request).sysroot,                                            \
		.max_pause_ms = (request).max_pause_ms ? (request).max_pause_ms          \
						       : REQUEST_PAUSE_MS,               \
		.freeze = (request).freeze, .max_copy_bytes = (request).max_copy_bytes,  \
	}

/* What is wrong with whom it names; NULL: nothing. */
static inline const char *request_check_target(pid_t pid, const char *file)
{
	if (!pid + !file != 1)
		return "give either a pid or a file";
	return pid < 0 ? "a pid is a positive number" : NULL;
}

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
