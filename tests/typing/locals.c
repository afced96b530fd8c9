/*
 * Blocks that only the calls hold that a thread is in: parameters, variables in registers and on the stack, of a
 * function that was inlined, of a second thread; and a variable that has not been written yet, in whose place
 * another's pointer was left.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "truth.h"

struct node {
	struct node *next;
	long numbers[5];
};

struct other {
	struct other *last;
	double weights[8];
};

struct stale {
	struct stale *up;
	char *name;
	long a, b, c;
};

/* As large, and as empty. */
struct unset {
	struct unset *down;
	char *title;
	long d, e, f;
};

/* Of a variable that optimising compilers tell where it is when. */
#ifdef __OPTIMIZE__
#define LISTED "told"
#else
#define LISTED "open"
#endif

static pthread_barrier_t all_there;
void *volatile sink;

static struct node *__attribute__((noinline)) make(unsigned nr)
{
	struct node *first = NULL;
	for (unsigned i = 0; i < nr; i++) {
		struct node *node = truth(calloc(1, sizeof(*node)), "told", "node");
		node->next = first;
		first = node;
	}
	return first;
}

static void __attribute__((noinline)) leave_stale(void)
{
	struct stale *volatile left =
		truth(calloc(1, sizeof(struct stale)), "open", "stale");
	sink = left;
	sink = NULL;
}

/* Nobody may take what stands in its place for an unset. */
static void __attribute__((noinline)) wait_unset(void)
{
	struct unset *volatile unset;
	truth_tell();
	unset = calloc(1, sizeof(*unset));
	sink = unset;
}

static void __attribute__((noinline)) wait_with(struct node *list, struct other *other)
{
	leave_stale();
	wait_unset();
	sink = list;
	sink = other->last;
}

static inline __attribute__((always_inline)) void wait_inlined(struct node *inlined)
{
	wait_with(make(3), truth(calloc(1, sizeof(struct other)), "told", "other"));
	sink = inlined->next;
}

static void *live(void *unused)
{
	struct other *mine = truth(calloc(1, sizeof(*mine)), LISTED, "other");
	(void)unused;
	pthread_barrier_wait(&all_there);
	pthread_barrier_wait(&all_there);
	sink = mine->last;
	return NULL;
}

int main(void)
{
	pthread_t thread;
	pthread_barrier_init(&all_there, NULL, 2);
	if (pthread_create(&thread, NULL, live, NULL) != 0)
		return 1;
	pthread_barrier_wait(&all_there);
	struct other *listed = truth(calloc(1, sizeof(*listed)), LISTED, "other");
	struct node *inlined = truth(calloc(1, sizeof(*inlined)), LISTED, "node");
	wait_inlined(inlined);
	sink = listed->last;
	return 0;
}
