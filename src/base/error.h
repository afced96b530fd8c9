/*
 * error: why something could not be done, as a sentence a person can act on.
 *
 * Functions that can fail return a `struct error *`: NULL when all went well, otherwise an
 * error that the caller owns and either passes up or ends with error_destroy(). The
 * sentence says what failed, on what; the remedy, when there is one, says what to do.
 */
#ifndef SEEP_BASE_ERROR_H
#define SEEP_BASE_ERROR_H

enum error_code {
	ERROR_USAGE,   /* the command line or an option's value is wrong */
	ERROR_REFUSED, /* this target cannot be inspected, or must not be */
	ERROR_BUSY,    /* the target was caught at a bad instant; trying again may help */
	ERROR_BUDGET,  /* the pause would have been, or was, longer than allowed */
	ERROR_FORMAT,  /* bytes that we did not write make no sense */
	ERROR_READ,    /* the target's memory could not be read */
	ERROR_SYSTEM,  /* a system call failed */
	ERROR_MEMORY,  /* we ran out of memory */
};

struct error {
	enum error_code code;
	char *sentence; /* without a final full stop or newline */
	char *remedy;   /* NULL if there is none */
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* Both take printf formats; never return NULL (out of memory has a static error). */
struct error *error_create(enum error_code code, const char *format, ...)
	__attribute__((format(printf, 2, 3))) MUST_CHECK;
struct error *error_no_memory(void) MUST_CHECK;

/* Adds what to do about it; returns its first argument. */
struct error *error_remedy(struct error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3))) MUST_CHECK;

/* destroy(NULL) is a no-op. */
void error_destroy(struct error *error);

#endif
