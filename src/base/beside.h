/*
 * beside: work that a second processor does meanwhile, or nobody else if no thread can be had.
 */
#ifndef SEEP_BASE_BESIDE_H
#define SEEP_BASE_BESIDE_H

#include <pthread.h>
#include <stdbool.h>

struct beside {
	void (*work)(void *context);
	void *context;
	pthread_t thread;
	bool is_running;
};

/* `beside` stays where it is until beside_finish(). */
void beside_start(struct beside *beside, void (*work)(void *context), void *context);
/* Waits until the work is done; does it, if no thread could be had. */
void beside_finish(struct beside *beside);

#endif
