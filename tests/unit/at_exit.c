/* Tests of seep_leaks() at a command's exit, for callers that have children of their own. */
#include "seep/leaks.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"

static const char *const quick[] = { "/bin/true", NULL };
static const char *const slow[] = { "/bin/sh", "-c", "sleep 0.3; exit 5", NULL };

/* A child that ends with `status` after a while. */
static pid_t child_ending(int status, long after_ms)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid)
		return pid;
	nanosleep(&(struct timespec){ .tv_nsec = after_ms * 1000000 }, NULL);
	_exit(status);
}

static void assert_ended(pid_t child, int expected)
{
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
}

static int look_at(const char *const *command)
{
	struct leaks_report *report = NULL;
	int status = -1;
	const struct seep_leaks_options options = {
		.size = sizeof(options),
		.command = (char *const *)(uintptr_t)command,
		.command_status = &status,
		.max_pause_ms = 20000,
	};
	struct error *error = seep_leaks(&options, &report);
	if (error)
		fail_msg("%s", error->sentence);
	assert_non_null(report);
	seep_leaks_report_destroy(report);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void children_that_have_ended_are_left(void **state)
{
	(void)state;
	pid_t first = child_ending(3, 0), second = child_ending(4, 0);
	siginfo_t info;
	waitid(P_PID, (id_t)first, &info, WEXITED | WNOWAIT);
	waitid(P_PID, (id_t)second, &info, WEXITED | WNOWAIT);
	assert_int_equal(look_at(quick), 0);
	assert_int_equal(look_at(slow), 5);
	assert_ended(second, 4);
	assert_ended(first, 3);
}

static void children_that_end_meanwhile_are_left(void **state)
{
	(void)state;
	pid_t child = child_ending(6, 100);
	assert_int_equal(look_at(slow), 5);
	assert_ended(child, 6);
}

static void children_that_run_on_are_not_waited_for(void **state)
{
	(void)state;
	pid_t child = fork();
	assert_true(child >= 0); /* and so it is no -1, which kill() takes for all */
	if (!child) {
		pause();
		_exit(0);
	}
	assert_int_equal(look_at(slow), 5);
	int status = 0;
	assert_int_equal(waitpid(child, &status, WNOHANG), 0);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(children_that_have_ended_are_left),
		cmocka_unit_test(children_that_end_meanwhile_are_left),
		cmocka_unit_test(children_that_run_on_are_not_waited_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
