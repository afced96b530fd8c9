/*
 * image: whether the runtime can be loaded into a program, asked of its file before it starts.
 */
#ifndef SEEP_RECORD_IMAGE_H
#define SEEP_RECORD_IMAGE_H

#include "base/error.h"

/* Sets *path (the caller's) to the file that a command's first word means, as a shell finds
   it. ERROR_USAGE if there is none, or none that may be executed; *status is then what shells
   return: 127 or 126. */
struct error *image_find(const char *word, char **path, int *status) MUST_CHECK;

/* The C library that a program runs on; each has a runtime of its own. */
enum image_libc { IMAGE_GLIBC, IMAGE_MUSL };

/* ERROR_REFUSED if the program behind a path cannot be recorded: a static or set-uid one, one
   of another word size or processor. Of a script its interpreter counts. *libc is what its loader
   is of: glibc where that is not known. */
struct error *image_check(const char *path, char *const *command,
			  enum image_libc *libc) MUST_CHECK;

#endif
