/*
 * lines: the source lines of one ELF file, and the functions that were inlined there.
 *
 * They come from DWARF, through libdw: of the file itself, or of a separate debug file that is
 * found by build-id where distributions install them. Nothing is asked of a network. Split DWARF
 * (.dwo) is not read.
 *
 * Nothing of the file is trusted: what is damaged has no lines. Units are looked at when an
 * address in them is first asked for, and what was found is kept.
 */
#ifndef SEEP_SYM_LINES_H
#define SEEP_SYM_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct lines; /* opaque */

/* `build_id` in lower-case hexadecimal; NULL: not known, any file of that path will do. An
   error also for a file without debug information. */
struct error *lines_open(const char *path, const char *build_id,
			 struct lines **result) MUST_CHECK;
void lines_close(struct lines *lines);

struct lines_frame {
	const char *function; /* demangled; NULL: not known */
	const char *file;     /* as absolute as the file knows it; NULL: not known */
	uint32_t line;        /* 0: not known */
	bool is_inlined;      /* into the frame that follows */
	/* Compilers make one function of several whose code is the same, which has the name of
	   one of them: of any where it was optimised at link time, else of those without a
	   global symbol. */
	bool may_be_folded, may_be_folded_if_local;
};

/*
 * The frames of the instruction at one of the file's own addresses, innermost first, valid until
 * lines_close(); 0: nothing is known of it. Of a call the instruction is one byte before the
 * address that it returns to, at the latest.
 */
size_t lines_at(struct lines *lines, uint64_t address, const struct lines_frame **frames);

#endif
