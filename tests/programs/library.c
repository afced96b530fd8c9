/*
 * library: a shared library that the test programs dlopen(), with places to keep things.
 */
#include "library.h"

static __thread void *volatile thread_slot;
static __thread char zeros[8192];
static void *volatile data_slot = (void *)-1;
static void *volatile bss_slot;

void *volatile *library_thread_slot(void)
{
	zeros[0] = 1;
	return &thread_slot;
}

void *volatile *library_data_slot(void)
{
	return &data_slot;
}

void *volatile *library_bss_slot(void)
{
	return &bss_slot;
}
