/*
 * held: pointers that the kernel keeps for a process and will hand back to it: epoll data
 * (/proc/PID/fdinfo) and the values of POSIX timers (/proc/PID/timers).
 */
#ifndef SEEP_TARGET_HELD_H
#define SEEP_TARGET_HELD_H

#include "target/target.h"

/* Appends what can be read; sets *incomplete when there is more that cannot (io_uring). */
struct error *held_collect(pid_t pid, struct held_word_vec *held,
			   bool *incomplete) MUST_CHECK;

/* The parsers alone, of text that need not be NUL-terminated. */
struct error *held_parse_epoll(const char *text, size_t size,
			       struct held_word_vec *held) MUST_CHECK;
struct error *held_parse_timers(const char *text, size_t size,
				struct held_word_vec *held) MUST_CHECK;

#endif
