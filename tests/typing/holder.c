/* A library with thread-local variables, built as several: HOLD is its function's name. */
#include <stdlib.h>

#include "truth.h"

struct held {
	long numbers[5];
	struct held *next;
};

#define JOIN(left, right) left##right
#define OF(function)      JOIN(of_, function)

static __thread struct held *of_library;
__thread struct held *OF(HOLD);
/* The first library's is that of all. */
__thread long of_all;
/* So that not all begins where its module's block does. */
static __thread char before[100] = { 1 };

void HOLD(void);

void HOLD(void)
{
	of_library = truth(calloc(1, sizeof(struct held)), "told", "held");
	of_all++;
	OF(HOLD) = truth(calloc(1, sizeof(struct held)), "told", "held");
	OF(HOLD)->next = truth(calloc(1, sizeof(struct held)), "told", "held");
	__asm__ volatile("" : : "r"(&of_library), "r"(before) : "memory");
}
