/* successor: see successor.h. Nothing of libc's is there yet that would need to be set up. */
#include "runtime/successor.h"

#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

#include "raw/pages.h"
#include "raw/system_call.h"

/* seep may be stopped, or gone: looked at so often. */
#define WAIT_NS 50000000
/* So many turns of waiting, where the program waits for seep when rings are full, and where not. */
#define PATIENCE_TURNS   100
#define IMPATIENCE_TURNS 2

#define NAME_BYTES 64u

uint64_t successor_image(void)
{
	uint64_t image = 0;
	const void *random =
		(const void *)getauxval(AT_RANDOM); /* 16 bytes, by the kernel */
	if (random)
		memcpy(&image, random, sizeof(image));
	return image | 1;
}

/* --- who this is -------------------------------------------------------------------- */

/* The process as /proc has it, through which the session was found; 0: not known. */
static int32_t own_process(void)
{
	char digits[16] = "";
	int32_t process = 0;
	long size = system_call(SYS_readlinkat, AT_FDCWD, (long)"/proc/self",
				(long)digits, sizeof(digits), 0, 0);
	for (long i = 0; i < size; i++)
		process = process * 10 + (digits[i] - '0');
	return size > 0 && size < 10 ? process : 0;
}

/* The same program may have two of the runtime in it: then it was executed only once. */
static bool is_successor(const struct session *first)
{
	int32_t process = atomic_load(&first->process);
	return process && atomic_load(&first->image) != successor_image() &&
	       own_process() == process;
}

/* --- the next session --------------------------------------------------------------- */

/* "/proc/PID/fd/N", of which only N differs. */
static void name_next(const char *path, int32_t descriptor, char *name)
{
	char digits[12];
	size_t folder = 0, nr = 0, size = strnlen(path, NAME_BYTES - sizeof(digits) - 1);
	for (size_t i = 0; i < size; i++)
		if (path[i] == '/')
			folder = i + 1;
	memcpy(name, path, folder);
	for (; descriptor > 0; descriptor /= 10)
		digits[nr++] = (char)('0' + descriptor % 10);
	while (nr)
		name[folder++] = digits[--nr];
	name[folder] = '\0';
}

static void put_program(struct session *session)
{
	const char *program = (const char *)getauxval(AT_EXECFN);
	size_t size = program ? strnlen(program, SESSION_PROGRAM_BYTES - 1) : 0;
	memcpy(session->program, program ? program : "", size);
}

/* False if another program of this process has had it: the next is not there yet. */
static bool try_join(struct windows *windows, const char *path, int32_t descriptor)
{
	char name[NAME_BYTES];
	name_next(path, descriptor, name);
	if (windows_open(windows, name) < 0)
		return false;
	uint32_t open = SESSION_OPEN;
	if (atomic_load(&windows->session->state) == open) {
		put_program(windows->session);
		if (atomic_compare_exchange_strong(&windows->session->state, &open,
						   SESSION_JOINED))
			return true;
	}
	windows_close(windows);
	return false;
}

static bool join_next(struct session *first, struct windows *windows, const char *path)
{
	int turns = first->on_full == SESSION_DROP ? IMPATIENCE_TURNS : PATIENCE_TURNS;
	const struct timespec most = { .tv_nsec = WAIT_NS };
	while (turns-- > 0 && session_is_alive(first)) {
		int32_t descriptor = atomic_load(&first->next);
		if (descriptor <= 0)
			return false;
		if (try_join(windows, path, descriptor))
			return true;
		system_call(SYS_futex, (long)&first->next, FUTEX_WAIT, descriptor,
			    (long)&most, 0, 0);
	}
	return false;
}

bool successor_join(struct windows *windows, const char *path)
{
	if (!is_successor(windows->session)) {
		windows_close(windows);
		return false;
	}
	struct session *first = windows->session;
	windows->session = NULL; /* stays mapped */
	windows_close(windows);
	bool joined = join_next(first, windows, path);
	if (joined)
		atomic_store(&first->image, successor_image());
	else
		atomic_fetch_add(&first->nr_missed, 1);
	pages_unmap(first, SESSION_WINDOW);
	return joined;
}
