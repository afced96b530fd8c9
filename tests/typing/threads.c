/*
 * Thread-local variables of a program, of a library that is linked to it, of one that is loaded later
 * by each thread, and of one that no other thread has touched; in several threads.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "truth.h"

struct own {
	struct own *next;
	long numbers[9];
};

void hold_linked(void);
void hold_initial(void);

static __thread struct own *of_program;
static __thread struct {
	long more[20];
	struct own *it;
} in_record;
static pthread_barrier_t all_there;

static void hold(void)
{
	of_program = truth(calloc(1, sizeof(struct own)), "told", "own");
	of_program->next = truth(calloc(1, sizeof(struct own)), "told", "own");
	in_record.it = truth(calloc(1, sizeof(struct own)), "told", "own");
	hold_linked();
	hold_initial();
}

static void hold_late(const char *library, const char *name)
{
	void *handle = dlopen(library, RTLD_NOW);
	void (*function)(void) = handle ? (void (*)(void))dlsym(handle, name) : NULL;
	if (!function)
		abort();
	function();
}

static pthread_mutex_t one_by_one = PTHREAD_MUTEX_INITIALIZER;

static void *live(void *number)
{
	pthread_mutex_lock(&one_by_one);
	hold();
	hold_late("holder-late-" COMPILER ".so", "hold_late");
	if (number)
		hold_late("holder-rare-" COMPILER ".so", "hold_rare");
	pthread_mutex_unlock(&one_by_one);
	pthread_barrier_wait(&all_there);
	for (;;)
		pause();
	return NULL;
}

int main(void)
{
	pthread_t thread;
	static char one;
	pthread_barrier_init(&all_there, NULL, 4);
	for (int i = 0; i < 3; i++)
		if (pthread_create(&thread, NULL, live, i == 1 ? &one : NULL) != 0)
			return 1;
	pthread_mutex_lock(&one_by_one);
	hold();
	pthread_mutex_unlock(&one_by_one);
	pthread_barrier_wait(&all_there);
	truth_tell();
	return 0;
}
