/*
 * What programs under test share: they say of each block of what type it is, as
 *
 *	block 0xADDRESS WANTED TYPE
 *
 * where WANTED is "told" if seep must know it, "open" if nobody can without the program. A type
 * that is told otherwise is always wrong.
 */
#ifndef TRUTH_H
#define TRUTH_H

#ifdef __cplusplus
extern "C" {
#endif

#include <stddef.h>

/* Notes a block, and gives it back. */
void *truth(void *block, const char *wanted, const char *type);
/* It is given back. */
void truth_forget(const void *block);
/* Says it all, then READY, and waits to be killed. */
void truth_tell(void);

#ifdef __cplusplus
}
#endif

#endif
