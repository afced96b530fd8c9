/* Loses a block, and ends as its argument says. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static __attribute__((noinline)) void lose(void)
{
	void *volatile block = malloc(1000);
	block = NULL;
	(void)block;
}

/* So that no word of what was lost is left on the stack or in a register. */
static __attribute__((noinline)) void wipe(void)
{
	volatile char room[4096];
	memset((void *)room, 0, sizeof(room));
}

static void fault(void)
{
	volatile int *volatile nowhere = NULL;
	*nowhere = 1;
}

static void by_kill(void)
{
	kill(getpid(), SIGKILL);
}

static void by_exec(void)
{
	execl("/bin/true", "true", (char *)NULL);
}

static void at_once(void)
{
	_exit(3);
}

static const struct end {
	const char *name;
	void (*how)(void);
} ends[] = {
	{ "abort", abort },  { "segv", fault },    { "kill", by_kill },
	{ "exec", by_exec }, { "_exit", at_once },
};

int main(int argc, char **argv)
{
	lose();
	wipe();
	for (size_t i = 0; argc > 1 && i < sizeof(ends) / sizeof(ends[0]); i++)
		if (!strcmp(argv[1], ends[i].name))
			ends[i].how();
	return 1;
}
