/*
 * A program to record that keeps its own books: STEPS times one of THREADS threads allocates,
 * resizes or frees a block, one after the other. At the end it writes a line of each:
 *
 *	what, thread, old address and size, new address and size
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_STEPS = 100000, SLOTS = 48, MAX_THREADS = 16, LARGEST = 300 };

struct slot {
	void *block;
	size_t size;
};

static struct step {
	char what;
	int thread;
	uintptr_t old, new;
	size_t old_size, new_size;
} steps[MAX_STEPS];

static struct slot slots[SLOTS];
static unsigned nr_steps, most_steps;
static uint64_t state = 4;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Knuth's, as good as is needed here. */
static unsigned below(unsigned end)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % end;
}

/* On the stack of whatever it calls. */
__attribute__((noinline)) static void *act(char what, void *block, size_t size)
{
	void *volatile result = NULL;
	if (what == 'm')
		result = malloc(size);
	else if (what == 'c')
		result = calloc(1, size);
	else if (what == 'r')
		result = realloc(block, size);
	else
		free(block);
	return result;
}

static void take_step(void)
{
	static const char empty[] = "mc", full[] = "rff";
	struct slot *slot = &slots[below(SLOTS)];
	char what = slot->block ? full[below(3)] : empty[below(2)];
	struct step *step = &steps[nr_steps++];
	*step = (struct step){ what, gettid(), (uintptr_t)slot->block, 0, slot->size, 0 };
	slot->size = what == 'f' ? 0 : below(LARGEST) + 1;
	slot->block = act(what, slot->block, slot->size);
	step->new = (uintptr_t)slot->block;
	step->new_size = slot->size;
}

static void *take_steps(void *unused)
{
	(void)unused;
	for (bool more = true; more;) {
		pthread_mutex_lock(&lock);
		more = nr_steps < most_steps;
		if (more)
			take_step();
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[MAX_THREADS];
	int nr_threads = argc > 2 ? atoi(argv[2]) : 1;
	most_steps = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;
	if (most_steps > MAX_STEPS || nr_threads > MAX_THREADS)
		return 99;
	for (int i = 0; i < nr_threads; i++)
		pthread_create(&threads[i], NULL, take_steps, NULL);
	for (int i = 0; i < nr_threads; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < nr_steps; i++) {
		const struct step *step = &steps[i];
		printf("%c %d %" PRIuPTR " %zu %" PRIuPTR " %zu\n", step->what,
		       step->thread, step->old, step->old_size, step->new,
		       step->new_size);
	}
	return 0;
}
