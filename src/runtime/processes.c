/*
 * processes: the hooks of fork(), exec…() and dlclose(). The real call is made outside of what
 * recorder_enter() and recorder_leave() enclose, since it runs others' code.
 *
 * A child of fork() has no page `alive`, and records nothing. vfork() cannot be hooked in C, and
 * need not be: its child is the parent's thread until it executes something. posix_spawn() and
 * system() do not come through here.
 */
#include <alloca.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "raw/system_call.h"
#include "runtime/modules.h"
#include "runtime/record.h"
#include "runtime/recorder_priv.h"
#include "runtime/sandbox.h"

static void tell(enum event_type type, uint64_t value)
{
	if (!recorder_enter(RECORDER_HOOK))
		return;
	record_fact(type, value);
	recorder_leave();
}

/* Of an entered hook. */
static void tell_of_code(void)
{
	uint64_t time = recorder_now();
	if (!self.thread || self.phase != PHASE_CALLING)
		return;
	self.phase = PHASE_RECORDING;
	thread_put_new_code(self.thread, time);
	self.phase = PHASE_CALLING;
}

HOOK pid_t fork(void)
{
	bool stopped = recorder_is_on() && modules_stop_telling();
	pid_t child = real.fork();
	bool must_tell = stopped && modules_may_tell();
	if (child > 0 && recorder_enter(RECORDER_HOOK)) {
		record_fact(EVENT_FORK, (uint64_t)child);
		if (must_tell)
			tell_of_code();
		recorder_leave();
	}
	return child;
}

static bool leave_session(void)
{
	if (!recorder_is_on() || !recorder_is_of_program())
		return false;
	tell(EVENT_EXEC, 0);
	atomic_store(&recorder.session->state, SESSION_LEFT);
	return true;
}

/* The other program could not be executed. */
static void stay_in_session(void)
{
	uint32_t left = SESSION_LEFT;
	atomic_compare_exchange_strong(&recorder.session->state, &left, SESSION_JOINED);
}

#define DEFINE_EXEC(name, parameters, arguments)                                         \
	HOOK int name parameters                                                         \
	{                                                                                \
		bool left = leave_session();                                             \
		bool was_shut = sandbox_open_for_parent();                               \
		int result = real.name arguments;                                        \
		if (left)                                                                \
			stay_in_session();                                               \
		if (was_shut)                                                            \
			sandbox_shut_for_child();                                        \
		return result;                                                           \
	}

DEFINE_EXEC(execve, (const char *path, char *const args[], char *const environment[]),
	    (path, args, environment))
DEFINE_EXEC(execv, (const char *path, char *const args[]), (path, args))
DEFINE_EXEC(execvp, (const char *file, char *const args[]), (file, args))
DEFINE_EXEC(execvpe, (const char *file, char *const args[], char *const environment[]),
	    (file, args, environment))
DEFINE_EXEC(fexecve, (int file, char *const args[], char *const environment[]),
	    (file, args, environment))

static size_t count_args(const char *first, va_list *list)
{
	size_t nr = 0;
	for (const char *arg = first; arg; arg = va_arg(*list, const char *))
		nr++;
	return nr;
}

static void copy_args(const char *first, va_list *list, char **args)
{
	const char *arg = first;
	while (arg) {
		*args++ = (char *)(uintptr_t)arg;
		arg = va_arg(*list, const char *);
	}
	*args = NULL;
}

/* The arguments become an array in the hook's own frame: this may be a child of vfork(). */
#define DEFINE_EXEC_OF_LIST(name, environment_of, call)                                  \
	HOOK int name(const char *path, const char *first, ...)                          \
	{                                                                                \
		va_list list;                                                            \
		va_start(list, first);                                                   \
		size_t nr = count_args(first, &list);                                    \
		va_end(list);                                                            \
		char **args = alloca((nr + 1) * sizeof(*args));                          \
		va_start(list, first);                                                   \
		copy_args(first, &list, args);                                           \
		char **environment = environment_of;                                     \
		va_end(list);                                                            \
		(void)environment;                                                       \
		return call;                                                             \
	}

DEFINE_EXEC_OF_LIST(execl, NULL, execv(path, args))
DEFINE_EXEC_OF_LIST(execlp, NULL, execvp(path, args))
DEFINE_EXEC_OF_LIST(execle, va_arg(list, char **), execve(path, args, environment))

HOOK int dlclose(void *library)
{
	int result = real.dlclose(library);
	if (result == 0 && recorder_enter(RECORDER_HOOK)) {
		tell_of_code();
		recorder_leave();
	}
	return result;
}
