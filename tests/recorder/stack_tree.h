/*
 * stack_tree: numbers for call stacks, and the way back from a number to the addresses; the
 * simplest thing that several threads and their signal handlers may use at a time.
 */
#ifndef SEEP_TESTS_STACK_TREE_H
#define SEEP_TESTS_STACK_TREE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* For struct unwind_options; the context is not used. */
uint32_t stack_tree_child(void *context, uint32_t parent, uint64_t address);

/* The addresses of a stack, innermost first; how many there are. */
size_t stack_tree_addresses(uint32_t node, uint64_t *addresses, size_t room);

#ifdef __cplusplus
}
#endif

#endif
