/*
 * Two libraries take turns at one place, with frames of different sizes behind the same return
 * address: the rules of the one are wrong for the other. Meanwhile another thread unwinds.
 *
 * Usage: unwind-reloaded LIBRARY LIBRARY
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include "stack_tree.h"
#include "unwind/here.h"

#define OPAQUE __attribute__((noinline))

enum {
	NR_ROUNDS = 200,
	SKIPPED = 77, /* Meson's word for it */
	ROOM = 100,
};

static struct unwind *process;
static _Thread_local struct unwind_thread *self;
static _Thread_local uint64_t addresses[ROOM];
static _Thread_local size_t nr_addresses;
static _Thread_local volatile unsigned sink;
static atomic_bool is_over;

static OPAQUE void take(void)
{
	struct unwind_registers registers;
	unwind_here(&registers);
	nr_addresses =
		stack_tree_addresses(unwind_stack(self, &registers), addresses, ROOM);
	sink++;
}

/* take(), the library, and this are innermost. */
static OPAQUE void through(const char *path, uint64_t *returns_to, uint64_t *from,
			   size_t *nr)
{
	void *library = dlopen(path, RTLD_NOW);
	union {
		void *symbol;
		void (*call)(void (*function)(void));
	} call_back = { library ? dlsym(library, "call_back") : NULL };
	if (!call_back.symbol)
		return;
	for (int i = 0; i < 3; i++)
		call_back.call(take);
	*returns_to = addresses[1];
	*from = addresses[3];
	*nr = unwind_thread_end(self) == UNWIND_COMPLETE ? nr_addresses : 0;
	dlclose(library);
	unwind_forget(process);
}

static OPAQUE void dive(unsigned depth)
{
	if (depth)
		dive(depth - 1);
	else
		take();
	sink++;
}

static void *unwind_on(void *data)
{
	self = unwind_thread_create(process, 0, 0);
	dive(10);
	size_t nr = nr_addresses;
	while (!atomic_load(&is_over)) {
		dive(10);
		if (nr_addresses != nr || unwind_thread_end(self) != UNWIND_COMPLETE)
			*(bool *)data = true;
	}
	unwind_thread_destroy(self);
	return NULL;
}

struct loaded {
	uint64_t place, from;
	size_t nr;
};

/* In all rounds, the stack from our own frames on is one and the same. */
static int run(char **paths)
{
	struct loaded first = { 0 };
	struct loaded last = { 0 };
	unsigned nr_replaced = 0;
	for (int round = 0; round < NR_ROUNDS; round++) {
		struct loaded now = { 0 };
		through(paths[round % 2], &now.place, &now.from, &now.nr);
		if (round == 0)
			first = now;
		if (now.nr == 0 || now.nr != first.nr || now.from != first.from) {
			printf("round %d: %zu frames, from %#lx; at first %zu, from %#lx\n",
			       round, now.nr, (unsigned long)now.from, first.nr,
			       (unsigned long)first.from);
			return 1;
		}
		nr_replaced += now.place == last.place;
		last = now;
	}
	printf("one was where the other had been in %u of %d rounds\n", nr_replaced,
	       NR_ROUNDS);
	return nr_replaced > 0 ? 0 : SKIPPED;
}

int main(int argc, char **argv)
{
	struct unwind_options options = { .child = stack_tree_child, .max_frames = ROOM };
	process = unwind_create(&options);
	self = process ? unwind_thread_create(process, 0, 0) : NULL;
	if (argc != 3 || !self)
		return 2;
	pthread_t other;
	bool was_wrong = false;
	pthread_create(&other, NULL, unwind_on, &was_wrong);
	int status = run(argv + 1);
	atomic_store(&is_over, true);
	pthread_join(other, NULL);
	unwind_thread_destroy(self);
	if (was_wrong)
		printf("a thread beside it lost its frames\n");
	return was_wrong ? 1 : status;
}
