/*
 * lives: programs that are easily harmed by what is preloaded into them, one by name. Each says what
 * it saw on stdout, and exits with a status of its own.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/vec.h"

#define NR_BLOCKS 2000

static void allocate_some(void)
{
	void *blocks[64] = { NULL };
	for (int i = 0; i < NR_BLOCKS; i++) {
		void **block = &blocks[i % 64];
		free(*block);
		*block = malloc((size_t)i % 500);
	}
	for (int i = 0; i < 64; i++)
		free(blocks[i]);
}

/* Without stdio, whose buffers are blocks too. */
static void say(const char *text)
{
	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		_exit(99);
}

static char *made_before_main;

__attribute__((constructor)) static void before_main(void)
{
	made_before_main = strdup("made before main\n");
}

static int constructors(void)
{
	say(made_before_main);
	free(made_before_main);
	return 3;
}

static int fork_storm(void)
{
	int sum = 0;
	for (int i = 0; i < 100; i++) {
		pid_t child = fork();
		if (child == 0) {
			allocate_some();
			exit(i % 7);
		}
		allocate_some();
		int status = 0;
		waitpid(child, &status, 0);
		sum += WEXITSTATUS(status);
	}
	printf("%d\n", sum);
	return 4;
}

/* A child that forks while others allocate finds a heap that works. */
static void *allocate_until_told(void *stop)
{
	while (!*(volatile bool *)stop)
		allocate_some();
	return NULL;
}

static int fork_beside_threads(void)
{
	static bool stop;
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, allocate_until_told, &stop);
	int sum = 0;
	for (int i = 0; i < 50; i++) {
		pid_t child = fork();
		if (child == 0) {
			allocate_some();
			_exit(2);
		}
		int status = 0;
		waitpid(child, &status, 0);
		sum += WEXITSTATUS(status);
	}
	stop = true;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	printf("%d\n", sum);
	return 5;
}

static int vforks(void)
{
	volatile int sum = 0; /* the child has this very frame */
	for (volatile int i = 0; i < 50; i++) {
		pid_t child = vfork();
		if (child == 0) {
			execl(i % 2 ? "/bin/false" : "/no/such/file", "false", NULL);
			execlp("false", "false", "argument", NULL);
			_exit(99);
		}
		int status = 0;
		waitpid(child, &status, 0);
		sum += WEXITSTATUS(status);
	}
	printf("%d\n", (int)sum);
	allocate_some();
	return 6;
}

static int executes(void)
{
	char *environment[] = { "VARIABLE=value", NULL };
	allocate_some();
	execlp("no-such-program", "no-such-program", NULL);
	printf("%d\n", errno == ENOENT);
	fflush(stdout);
	allocate_some();
	execle("/bin/sh", "sh", "-c", "echo $VARIABLE; exit 7", NULL, environment);
	return 99;
}

static void *allocate_once(void *unused)
{
	(void)unused;
	free(malloc(100));
	return malloc(10);
}

static int thousands(void)
{
	uintptr_t sum = 0;
	for (int i = 0; i < 250; i++) {
		pthread_t threads[16];
		for (int k = 0; k < 16; k++)
			pthread_create(&threads[k], NULL, allocate_once, NULL);
		for (int k = 0; k < 16; k++) {
			void *block = NULL;
			pthread_join(threads[k], &block);
			sum += block != NULL;
			free(block);
		}
	}
	printf("%ju\n", (uintmax_t)sum);
	return 8;
}

/* Past libc, which would have called the destructors of its keys. */
static void *allocate_and_exit(void *unused)
{
	(void)unused;
	free(malloc(100));
	syscall(SYS_exit, 0);
	return NULL;
}

/* More than there is room for, if each kept what it has. */
static int raw_ends(void)
{
#ifndef __GLIBC__
	return 77; /* musl's pthread_join() waits for what such a thread does not do */
#endif
	for (int i = 0; i < 5000; i++) {
		pthread_t thread;
		pthread_create(&thread, NULL, allocate_and_exit, NULL);
		pthread_join(thread, NULL);
	}
	allocate_some();
	say("ended\n");
	return 10;
}

/* The same of a child of vfork(), which is no thread of ours, and whose parent goes on. */
static int vfork_raw_ends(void)
{
	for (volatile int i = 0; i < 50; i++) {
		pid_t child = vfork();
		if (child == 0)
			syscall(SYS_exit, 0);
		waitpid(child, NULL, 0);
		allocate_once(NULL);
	}
	say("ended\n");
	return 11;
}

static volatile sig_atomic_t nr_signals;

static void allocate_in_handler(int signal)
{
	(void)signal;
	int saved = errno;
	free(malloc(100));
	free(realloc(malloc(50), 5000));
	nr_signals++;
	errno = saved;
}

static void hail(void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	sigaction(SIGALRM, &action, NULL);
	struct itimerval often = { .it_interval = { 0, 200 }, .it_value = { 0, 200 } };
	setitimer(ITIMER_REAL, &often, NULL);
}

static void end_hail(void)
{
	struct itimerval never = { 0 };
	setitimer(ITIMER_REAL, &never, NULL);
}

static void map_some(void)
{
	for (int i = 0; i < 100; i++) {
		void *page =
			mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (page == MAP_FAILED)
			_exit(99);
		munmap(page, 4096);
	}
}

/* Handlers may allocate, for what they interrupt is never inside malloc(). */
static int handlers(void)
{
	hail(allocate_in_handler, 0);
	while (nr_signals < 300)
		map_some();
	end_hail();
	say("handled\n");
	return 9;
}

#define OTHER_STACK_BYTES 65536

static int handlers_on_other_stack(void)
{
	static char other_stack[OTHER_STACK_BYTES];
	const stack_t stack = { .ss_sp = other_stack, .ss_size = sizeof(other_stack) };
	sigaltstack(&stack, NULL);
	hail(allocate_in_handler, SA_ONSTACK);
	while (nr_signals < 300)
		map_some();
	end_hail();
	say("handled\n");
	return 10;
}

#ifndef SS_AUTODISARM
#define SS_AUTODISARM 0x80000000u
#endif

static char *low_stack;

static void *map_until_handled(void *unused)
{
	const stack_t stack = {
		.ss_sp = low_stack + OTHER_STACK_BYTES,
		.ss_size = OTHER_STACK_BYTES,
		.ss_flags = (int)SS_AUTODISARM,
	};
	if (sigaltstack(&stack, NULL) != 0)
		_exit(77);
	while (nr_signals < 3000)
		map_some();
	return unused;
}

/* One above the other, and the kernel does not say that a handler is on it. */
static int handlers_on_disarmed_stack(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	low_stack = mmap(NULL, 2 * OTHER_STACK_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, low_stack, OTHER_STACK_BYTES);
	struct sigaction action = { .sa_handler = allocate_in_handler,
				    .sa_flags = SA_ONSTACK };
	sigaction(SIGALRM, &action, NULL);
	pthread_create(&thread, &attributes, map_until_handled, NULL);
	while (nr_signals < 3000) {
		pthread_kill(thread, SIGALRM);
		usleep(20);
	}
	pthread_join(thread, NULL);
	say("handled\n");
	return 25;
}

static sigjmp_buf before_mapping;

static void jump_out(int signal)
{
	(void)signal;
	nr_signals++;
	siglongjmp(before_mapping, 1);
}

static int jumps(void)
{
	sigsetjmp(before_mapping, 1);
	if (nr_signals == 0)
		hail(jump_out, 0);
	while (nr_signals < 300)
		map_some();
	end_hail();
	for (int i = 0; i < 1000; i++)
		free(malloc(12345));
	say("jumped\n");
	return 11;
}

static void say_at_exit(void)
{
	char *text = strdup("at exit\n");
	say(text);
	free(text);
}

static void free_key(void *block)
{
	free(block);
	allocate_some();
}

static void *keep_in_key(void *key)
{
	pthread_setspecific(*(pthread_key_t *)key, malloc(77));
	return NULL;
}

static int destructors(void)
{
	pthread_key_t
		keys[40]; /* the last ones lie in a second array, which is allocated */
	atexit(say_at_exit);
	for (int i = 0; i < 40; i++)
		pthread_key_create(&keys[i], free_key);
	for (int i = 0; i < 40; i++) {
		pthread_t thread;
		pthread_create(&thread, NULL, keep_in_key, &keys[i]);
		pthread_join(thread, NULL);
	}
	say("destroyed\n");
	return 12;
}

static int closes_all(void)
{
	syscall(SYS_close_range, 3, ~0u, 0);
	allocate_some();
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	allocate_some();
	int file = open("/dev/null", O_RDONLY);
	printf("%d\n", file);
	return 13;
}

static int no_descriptors(void)
{
	while (dup(STDIN_FILENO) >= 0)
		;
	printf("%d\n", errno == EMFILE);
	pthread_t thread;
	pthread_create(&thread, NULL, allocate_once, NULL);
	pthread_join(thread, NULL);
	allocate_some();
	return 14;
}

static int little_memory(void)
{
	const struct rlimit limit = { 48u << 20, 48u << 20 };
	setrlimit(RLIMIT_AS, &limit);
	int nr_failed = 0;
	void *blocks[100] = { NULL };
	for (int i = 0; i < 100; i++) {
		blocks[i] = malloc(1u << 20);
		nr_failed += blocks[i] == NULL && errno == ENOMEM;
	}
	for (int i = 0; i < 100; i++)
		free(blocks[i]);
	allocate_some();
	printf("%d\n", nr_failed > 0);
	return 15;
}

static int other_user(void)
{
	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 77;
	allocate_some();
	pthread_t thread;
	pthread_create(&thread, NULL, allocate_once, NULL);
	pthread_join(thread, NULL);
	printf("%d\n", (int)getuid());
	return 16;
}

static int unsets(void)
{
	unsetenv("LD_PRELOAD");
	unsetenv("SEEP_SESSION");
	allocate_some();
	return system("echo child; exit 3") == 3 << 8 ? 17 : 99;
}

/* What is allowed besides, is what a small malloc() needs. */
static int filtered(void)
{
#define ALLOW(number)                                                                    \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1),                             \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		ALLOW(SYS_write),
		ALLOW(SYS_brk),
#ifndef __GLIBC__ /* musl's takes more */
		ALLOW(SYS_mmap),
		ALLOW(SYS_munmap),
		ALLOW(SYS_madvise),
#endif
		ALLOW(SYS_exit_group),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	const struct sock_fprog filter = { ARRAY_SIZE(rules), rules };
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0)
		return 77;
	for (int i = 0; i < 50; i++)
		allocate_some();
	say("filtered\n");
	return 18;
}

enum { NR_AT_A_TIME = 24 };
static pthread_barrier_t all_have_allocated;

static void *allocate_at_a_time(void *unused)
{
	(void)unused;
	allocate_some();
	pthread_barrier_wait(&all_have_allocated);
	return NULL;
}

/* A child of vfork() forbids itself what its parent goes on to do, and executes another program; or
   tries to, and ends. */
static int vfork_filtered(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		ALLOW(SYS_execve),
		ALLOW(SYS_exit_group),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	const struct sock_fprog filter = { ARRAY_SIZE(rules), rules };
	char *environment[] = { NULL };
	int status = 0;
	pid_t child = vfork();
	if (child == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0)
			_exit(77);
		execle("/no/such/program", "program", NULL, environment);
		execle("/bin/true", "true", NULL, environment);
		_exit(99);
	}
	waitpid(child, &status, 0);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	pthread_t threads[NR_AT_A_TIME];
	pthread_barrier_init(&all_have_allocated, NULL, NR_AT_A_TIME);
	for (int i = 0; i < NR_AT_A_TIME; i++)
		pthread_create(&threads[i], NULL, allocate_at_a_time, NULL);
	for (int i = 0; i < NR_AT_A_TIME; i++)
		pthread_join(threads[i], NULL);
	printf("%d\n", WTERMSIG(status)); /* the other program was forbidden more */
	return 12;
}

static int strictly(void)
{
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) < 0)
		return 77;
	for (int i = 0; i < 50; i++)
		allocate_some();
	say("strictly\n");
	syscall(SYS_exit, 19);
	return 99;
}

/* False if there is no such library. */
static bool greet_from(const char *name, bool aloud, int (*close_library)(void *))
{
	void *library = dlopen(name, RTLD_NOW);
	if (!library) {
		say(dlerror());
		return false;
	}
	char *(*greet)(void) = (char *(*)(void))dlsym(library, "plugin_greet");
	char *greeting = greet();
	if (aloud)
		say(greeting);
	free(greeting);
	close_library(library);
	return true;
}

static int libraries(void)
{
	for (int i = 0; i < 20; i++) {
		if (!greet_from("liblives-plugin.so", i == 0, dlclose))
			return 99;
	}
	return 20;
}

/* A mapping whose pages move, and that stays; then both go. */
static int remaps(void)
{
	const size_t size = 4 * 4096;
	const int stays = 4; /* MREMAP_DONTUNMAP */
	char *old = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	char *moved = mremap(old, size, size, MREMAP_MAYMOVE | stays, NULL);
	if (moved == MAP_FAILED)
		return 77;
	munmap(moved, size);
	munmap(old, size - 100); /* all of it, since there is no less than a page */
	return 27;
}

/* As libc closes what it opened for itself: no hook of dlclose() sees that. */
static int replaces(void)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
	int (*close_unseen)(void *) = (int (*)(void *))dlsym(libc, "dlclose");
	for (int i = 0; i < 20; i++) {
		if (!greet_from("liblives-plugin.so", i == 0, close_unseen) ||
		    !greet_from("liblives-other.so", false, close_unseen))
			return 99;
	}
	return 26;
}

static int no_error_of_loaders(void)
{
	const char *error = dlerror();
	say(error ? error : "no error\n");
	return 22;
}

static int ended_by_signal(void)
{
	allocate_some();
	raise(SIGTERM);
	return 99;
}

static int aborts(void)
{
	allocate_some();
	abort();
}

/* What a thread is in the middle of when the program is ended need not be told: main is over. */
static void *end_after_main(void *main_thread)
{
	pthread_join(*(pthread_t *)main_thread, NULL);
	ended_by_signal();
	return NULL;
}

static int ends_in_thread(void)
{
	static pthread_t self;
	pthread_t thread;
	self = pthread_self();
	pthread_create(&thread, NULL, end_after_main, &self);
	pthread_exit(NULL);
}

/* Allocates for as long as it takes a test to kill its recorder. */
static int long_life(void)
{
	for (int i = 0; i < 400; i++) {
		allocate_some();
		usleep(500);
	}
	say("lived\n");
	return 21;
}

/* --- beside the loader -------------------------------------------------------------- */

/* By a way of so many calls that the bits of `way` tell. */
static void *allocate_by(unsigned way, int nr_calls)
{
	void *volatile block = NULL;
	if (nr_calls == 0)
		return malloc(16);
	if (way & 1) {
		block = allocate_by(way >> 1, nr_calls - 1);
		__asm__ volatile("" ::: "memory"); /* so that there are two calls */
		return block;
	}
	block = allocate_by(way >> 1, nr_calls - 1);
	return block;
}

/* Who calls this holds the loader's lock of its list. */
static int allocate_for_each(struct dl_phdr_info *info, size_t size, void *way)
{
	(void)info;
	(void)size;
	for (int i = 0; i < 50; i++)
		free(allocate_by((*(unsigned *)way)++ * 2654435761u >> 8, 24));
	return 0;
}

static void *walk_until_told(void *stop)
{
	unsigned way = 0;
	while (!*(volatile bool *)stop) {
		dl_iterate_phdr(allocate_for_each, &way);
		usleep(1); /* the lock is not fair */
	}
	return NULL;
}

static int walks_loaded(void)
{
	static bool stop;
	pthread_t walker;
	pthread_create(&walker, NULL, walk_until_told, &stop);
	int nr_opened = 0;
	for (int i = 0; i < 500; i++) {
		void *library = dlopen("liblives-plugin.so", RTLD_NOW);
		nr_opened += library && dlclose(library) == 0;
	}
	stop = true;
	pthread_join(walker, NULL);
	printf("%d\n", nr_opened);
	return 22;
}

/* Code that no file has, as a just-in-time compiler makes it: calls what it is given. */
#if defined(__x86_64__)
static const unsigned char made_code[16] = { 0x48, 0x83, 0xec, 0x08, 0xff, 0xd7,
					     0x48, 0x83, 0xc4, 0x08, 0xc3 };
#elif defined(__aarch64__)
static const uint32_t made_code[4] = { 0xa9bf7bfd, 0xd63f0000, 0xa8c17bfd, 0xd65f03c0 };
#endif
#define MADE_BYTES ((size_t)32 << 20)

static void allocate_one(void)
{
	free(malloc(9));
}

static char *made;

static void *call_made(void *stop)
{
	for (size_t at = 0; at < MADE_BYTES && !*(volatile bool *)stop;
	     at += sizeof(made_code)) {
		void (*call)(void (*)(void)) = NULL;
		char *code = made + at;
		memcpy(code, made_code, sizeof(made_code));
		__builtin___clear_cache(code, code + sizeof(made_code));
		memcpy(&call, &code, sizeof(code));
		call(allocate_one);
	}
	return NULL;
}

static int see_first(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)info;
	(void)size;
	(void)data;
	return 1;
}

/* What a child needs of the loader is there, whatever its parent's threads were at. */
static int fork_beside_made_code(void)
{
	static bool stop;
	pthread_t thread;
	int sum = 0;
	made = mmap(NULL, MADE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (made == MAP_FAILED)
		return 77;
	pthread_create(&thread, NULL, call_made, &stop);
	for (int i = 0; i < 500; i++) {
		pid_t child = fork();
		if (child == 0) {
			alarm(5);
			_exit(dl_iterate_phdr(see_first, NULL));
		}
		int status = 0;
		waitpid(child, &status, 0);
		if (!WIFEXITED(status))
			return 98;
		sum += WEXITSTATUS(status);
	}
	stop = true;
	pthread_join(thread, NULL);
	printf("%d\n", sum);
	return 23;
}

/* --- stacks ------------------------------------------------------------------------- */

/* musl has no coroutines. */
#ifdef __GLIBC__

#define STACK_BYTES ((size_t)1 << 17)

/* From below: two coroutines' stacks and that of their thread, with no page between. */
static char *stacks;
static ucontext_t thread_context, first_context, second_context;

static void first_coroutine(void)
{
	allocate_one();
	swapcontext(&first_context, &second_context);
	allocate_one();
	swapcontext(&first_context, &second_context);
}

static void second_coroutine(void)
{
	allocate_one();
	swapcontext(&second_context, &first_context);
	munmap(stacks + STACK_BYTES, STACK_BYTES);
	allocate_one();
	swapcontext(&second_context, &thread_context);
}

static void make_coroutine(ucontext_t *context, char *stack, void (*function)(void))
{
	getcontext(context);
	context->uc_stack.ss_sp = stack;
	context->uc_stack.ss_size = STACK_BYTES;
	makecontext(context, function, 0);
}

static void *run_coroutines(void *unused)
{
	allocate_one();
	make_coroutine(&first_context, stacks + STACK_BYTES, first_coroutine);
	make_coroutine(&second_context, stacks, second_coroutine);
	swapcontext(&thread_context, &first_context);
	allocate_one();
	return unused;
}

static int bare_stacks(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	stacks = mmap(NULL, 3 * STACK_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, stacks + 2 * STACK_BYTES, STACK_BYTES);
	if (pthread_create(&thread, &attributes, run_coroutines, NULL) != 0)
		return 99;
	pthread_join(thread, NULL);
	say("unmapped\n");
	return 24;
}

#endif

static const struct life {
	const char *name;
	int (*live)(void);
} lives[] = {
	{ "aborts", aborts },
#ifdef __GLIBC__
	{ "bare-stacks", bare_stacks },
#endif
	{ "closes-all", closes_all },
	{ "constructors", constructors },
	{ "destructors", destructors },
	{ "ended-by-signal", ended_by_signal },
	{ "ends-in-thread", ends_in_thread },
	{ "executes", executes },
	{ "filtered", filtered },
	{ "fork-beside-threads", fork_beside_threads },
	{ "fork-beside-made-code", fork_beside_made_code },
	{ "fork-storm", fork_storm },
	{ "handlers", handlers },
	{ "handlers-on-disarmed-stack", handlers_on_disarmed_stack },
	{ "handlers-on-other-stack", handlers_on_other_stack },
	{ "jumps", jumps },
	{ "libraries", libraries },
	{ "little-memory", little_memory },
	{ "long-life", long_life },
	{ "no-descriptors", no_descriptors },
	{ "no-error-of-loaders", no_error_of_loaders },
	{ "other-user", other_user },
	{ "raw-ends", raw_ends },
	{ "remaps", remaps },
	{ "replaces", replaces },
	{ "strictly", strictly },
	{ "thousands", thousands },
	{ "unsets", unsets },
	{ "vfork-filtered", vfork_filtered },
	{ "vfork-raw-ends", vfork_raw_ends },
	{ "vforks", vforks },
	{ "walks-loaded", walks_loaded },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(lives); i++) {
		if (strcmp(argv[1], lives[i].name) == 0)
			return lives[i].live();
	}
	return 2;
}
