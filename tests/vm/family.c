/* A program with 8 MB that two children share with it but for a MB each; the second is the first
   one's child. Says READY. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MB ((size_t)1 << 20)

static int told[2];
/* Not static: what is written there counts. */
extern char *block;
char *block;

static void tell_and_wait(void)
{
	char byte = 1;
	if (write(told[1], &byte, 1) != 1)
		exit(1);
	for (;;)
		pause();
}

/* In a child, which ends with its parent. */
static void rewrite(char *memory)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memset(memory, 2, MB);
}

int main(void)
{
	char bytes[2];
	block = malloc(8 * MB);
	if (!block || pipe(told))
		return 1;
	memset(block, 1, 8 * MB);
	if (!fork()) {
		rewrite(block);
		if (!fork())
			rewrite(block + MB);
		tell_and_wait();
	}
	for (size_t nr = 0; nr < sizeof(bytes); nr++)
		if (read(told[0], &bytes[nr], 1) != 1)
			return 1;
	puts("READY");
	fflush(stdout);
	for (;;)
		pause();
}
