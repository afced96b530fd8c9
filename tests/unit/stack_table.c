/* Tests of raw/stack_table and raw/windows: equal stacks have one number, whoever asks first, and
   however large the table became meanwhile. */
#include "raw/stack_table.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define NR_THREADS 4
#define NR_STACKS  20000u

struct fixture {
	int file;
	struct windows windows;
	struct stack_table *table;
};

static int begin(void **state)
{
	static struct fixture fixture;
	char path[64];
	fixture = (struct fixture){ .file = memfd_create("session", MFD_CLOEXEC) };
	assert_true(fixture.file >= 0);
	assert_int_equal(ftruncate(fixture.file, (off_t)SESSION_BYTES), 0);
	const struct session session = { .magic = SESSION_MAGIC, .bytes = SESSION_BYTES };
	assert_int_equal(pwrite(fixture.file, &session, sizeof(session), 0),
			 sizeof(session));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fixture.file);
	assert_int_equal(windows_open(&fixture.windows, path), 0);
	fixture.table = stack_table_create(&fixture.windows);
	assert_non_null(fixture.table);
	*state = &fixture;
	return 0;
}

static int end(void **state)
{
	struct fixture *fixture = *state;
	stack_table_destroy(fixture->table);
	windows_close(&fixture->windows);
	close(fixture->file);
	return 0;
}

static void gives_a_stack_one_number(void **state)
{
	struct fixture *fixture = *state;
	uint32_t outer = stack_table_child(fixture->table, 0, 0x1000);
	uint32_t inner = stack_table_child(fixture->table, outer, 0x2000);
	assert_int_equal(outer, 1);
	assert_int_equal(inner, 2);
	assert_int_equal(stack_table_child(fixture->table, 0, 0x1000), outer);
	assert_int_equal(stack_table_child(fixture->table, outer, 0x2000), inner);
	assert_int_not_equal(stack_table_child(fixture->table, 0, 0x2000), inner);

	const struct stack_node *node = windows_node(&fixture->windows, inner);
	assert_int_equal(node->parent, outer);
	assert_int_equal(node->address, 0x2000);
	assert_int_equal(fixture->windows.session->nr_nodes, 4);
}

/* Windows far apart show one file, as another mapping of it does. */
static void maps_windows_in_any_order(void **state)
{
	struct fixture *fixture = *state;
	const uint32_t rings[] = { 4000, 3, 17, 4095 };
	for (size_t i = 0; i < 4; i++) {
		struct ring *ring = windows_ring(&fixture->windows, rings[i]);
		assert_non_null(ring);
		ring->words[RING_WORDS - 1] = rings[i];
		uint64_t seen = 0;
		uint64_t offset = SESSION_RINGS_OFFSET +
				  (uint64_t)rings[i] * SESSION_RING_BYTES +
				  offsetof(struct ring, words) + 8 * (RING_WORDS - 1);
		assert_int_equal(pread(fixture->file, &seen, sizeof(seen), (off_t)offset),
				 sizeof(seen));
		assert_int_equal(seen, rings[i]);
	}
	assert_non_null(windows_node(&fixture->windows, SESSION_NODES - 1));
}

static void refuses_what_is_no_session(void **state)
{
	(void)state;
	struct windows windows = { 0 };
	assert_true(windows_open(&windows, "/dev/null") < 0);
	assert_true(windows_open(&windows, "/no/such/file") < 0);
	assert_null(windows.session);
}

static void forgets_all_or_nothing(void **state)
{
	struct fixture *fixture = *state;
	uint32_t before = stack_table_child(fixture->table, 0, 0x1000);
	assert_int_equal(stack_table_forget(fixture->table), before + 1);
	uint32_t after = stack_table_child(fixture->table, 0, 0x1000);
	assert_int_equal(after, before + 1);
	/* Past where the table grows, which carries over only what is not forgotten. */
	for (uint64_t i = 1; i < NR_STACKS; i++)
		stack_table_child(fixture->table, after, i);
	assert_int_equal(stack_table_child(fixture->table, 0, 0x1000), after);
}

struct asker {
	struct stack_table *table;
	uint32_t step, nodes[NR_STACKS];
};

/* Asks for all stacks, each thread in another order. */
static void *ask(void *data)
{
	struct asker *asker = data;
	for (uint32_t i = 0, k = 0; i < NR_STACKS; i++) {
		asker->nodes[k] = stack_table_child(asker->table, k % 7, k / 7 + 1);
		k = (k + asker->step) % NR_STACKS;
	}
	return NULL;
}

static void agrees_with_all_threads(void **state)
{
	struct fixture *fixture = *state;
	static struct asker askers[NR_THREADS];
	/* None divides NR_STACKS. */
	const uint32_t steps[NR_THREADS] = { 1, 3, 7, 11 };
	pthread_t threads[NR_THREADS];
	for (int i = 0; i < NR_THREADS; i++) {
		askers[i].table = fixture->table;
		askers[i].step = steps[i];
		assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
	}
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&fixture->windows.session->trouble),
			 SESSION_NO_TROUBLE);
	for (uint32_t k = 0; k < NR_STACKS; k++) {
		uint32_t number = askers[0].nodes[k];
		for (int i = 1; i < NR_THREADS; i++)
			assert_int_equal(askers[i].nodes[k], number);
		const struct stack_node *node = windows_node(&fixture->windows, number);
		assert_int_equal(node->parent, k % 7);
		assert_int_equal(node->address, k / 7 + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(gives_a_stack_one_number, begin, end),
		cmocka_unit_test_setup_teardown(maps_windows_in_any_order, begin, end),
		cmocka_unit_test_setup_teardown(refuses_what_is_no_session, begin, end),
		cmocka_unit_test_setup_teardown(forgets_all_or_nothing, begin, end),
		cmocka_unit_test_setup_teardown(agrees_with_all_threads, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
