/*
 * stack_table: gives every call stack a number, the same for equal ones.
 *
 * Stacks are paths in a tree whose nodes lie in the session (raw/session.h); the table finds the
 * child of a node by the address of the call. Any thread may ask at any time; it takes no lock.
 */
#ifndef SEEP_RAW_STACK_TABLE_H
#define SEEP_RAW_STACK_TABLE_H

#include "raw/session.h"
#include "raw/windows.h"

struct stack_table; /* opaque */

/* NULL when there is no memory. The windows are open, and stay with the caller. */
struct stack_table *stack_table_create(struct windows *windows);
/* No other thread uses it any more. */
void stack_table_destroy(struct stack_table *table);

/* The node of the call to which `address` returns, made by what `parent` stands for; a new one
   if there is none. `parent` itself when there is no room for another (session->trouble). */
uint32_t stack_table_child(struct stack_table *table, uint32_t parent, uint64_t address);

/* Code was unloaded: no node that was given out so far is given again. Returns the first node
   that may be given. */
uint32_t stack_table_forget(struct stack_table *table);

#endif
