/*
 * tls: blocks that only thread-local variables hold, of the program and of a library that
 * dlopen() brought, in live threads and in ended ones; and pthread_setspecific().
 *
 * The library's variables lie in blocks of their own: its DTV entry, which is in turn in
 * the loader's memory (main) or in a block known by an interior pointer (other threads).
 *
 * expect: definite 976 in 4
 * expect: possible 632 in 3
 * expect: reachable 1248 in 10
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "library.h"
#include "plant.h"

#define NR_KEYS 50

/* The first 32 keys have their place in the thread's descriptor, the others in a block. */
#define FIRST_LEVEL  3
#define SECOND_LEVEL 45

static __thread void *volatile slot;
static __thread struct {
	char zeros[4096];
	void *volatile slot;
} large;

static library_slot library_slot_here;
static pthread_key_t keys[NR_KEYS], deleted_key;

static void in_this_thread(const char *shape)
{
	slot = plant_block(PLANT_REACHABLE, shape);
	large.slot = plant_block(PLANT_REACHABLE, shape);
	pthread_setspecific(keys[FIRST_LEVEL], plant_block(PLANT_REACHABLE, shape));
	pthread_setspecific(keys[SECOND_LEVEL], plant_block(PLANT_REACHABLE, shape));
}

static void in_main(void)
{
	for (int i = 0; i < NR_KEYS; i++)
		pthread_key_create(&keys[i], NULL);
	in_this_thread("main thread");

	*library_slot_here() = plant_block(PLANT_REACHABLE, "main thread, library's");

	pthread_key_create(&deleted_key, NULL);
	pthread_setspecific(deleted_key,
			    plant_block(PLANT_REACHABLE, "key deleted since"));
	pthread_key_delete(deleted_key);

	pthread_setspecific(
		keys[4], (char *)plant_block(PLANT_POSSIBLE, "interior in a key") + 32);
	pthread_setspecific(keys[5], plant_block(PLANT_DEFINITE, "key set anew"));
	pthread_setspecific(keys[5], NULL);
}

static void in_live_thread(void)
{
	in_this_thread("live thread");
	*library_slot_here() = plant_block(PLANT_POSSIBLE, "live thread, library's");
}

static void *live(void *argument)
{
	(void)argument;
	plant_run(in_live_thread);
	plant_holding();
	plant_pause();
}

static void in_ended_thread(void)
{
	slot = plant_block(PLANT_DEFINITE, "ended thread");
	plant_differs(
		slot, PLANT_REACHABLE,
		"it lies in the thread's stack, which glibc keeps for the next thread");
	/* The library's block waits with the stack; glibc frees it for the next thread. */
	*library_slot_here() = plant_block(PLANT_POSSIBLE, "ended thread, library's");

	/* Without a destructor nobody frees these. */
	pthread_setspecific(keys[FIRST_LEVEL],
			    plant_block(PLANT_DEFINITE, "ended thread, key"));
	pthread_setspecific(keys[SECOND_LEVEL],
			    plant_block(PLANT_DEFINITE, "ended thread, key"));
}

static void open_library(void)
{
	void *library = dlopen(LIBRARY, RTLD_NOW);
	if (!library)
		abort();
	library_slot_here =
		(library_slot)(uintptr_t)dlsym(library, "library_thread_slot");
}

int main(int argc, char **argv)
{
	plant_run(open_library);
	plant_run(in_main);
	plant_thread(live, 0);
	plant_run_in_thread(in_ended_thread);
	plant_wait(argc, argv);
}
