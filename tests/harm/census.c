/*
 * census: a program that counts what it can notice of a look. Every thread asks for one
 * thing again and again: its children, descriptors, mappings, threads, timers, the ends of
 * its pipes, its registers. A line on stdin ends it: it prints "WHAT DIFFERENCES QUESTIONS"
 * for each, where a difference is an answer that it would not get if nobody looked.
 *
 * It has one child, which sleeps; with "childless" it has none.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define INTERVAL_MS      5
#define SLOW_INTERVAL_MS 1000

static pid_t child; /* 0: none */
static _Atomic unsigned nr_sigchld;
static _Atomic unsigned long nr_timer_ticks, nr_slow_ticks;

static void check(bool done, const char *what)
{
	if (done)
		return;
	perror(what);
	_exit(99);
}

static double now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* ---- one question each; true: the answer is as it ought to be */

static bool wait_any(void)
{
	/* Waits for ever while there is a child, for none ends. */
	int status;
	return waitpid(-1, &status, __WALL) < 0 && errno == ECHILD && !child;
}

static bool poll_any(int flags)
{
	int status;
	pid_t got = waitpid(-1, &status, WNOHANG | flags);
	return child ? got == 0 : got < 0 && errno == ECHILD;
}

static bool poll_ordinary(void)
{
	return poll_any(0);
}

static bool poll_all(void)
{
	return poll_any(__WALL);
}

/* The bytes of a folder's entries, without a heap that could grow. */
static long size_entries(const char *path)
{
	static char entries[65536];
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	check(folder >= 0, path);
	long size = 0, got;
	while ((got = syscall(SYS_getdents64, folder, entries, sizeof(entries))) > 0)
		size += got;
	close(folder);
	return size;
}

static long descriptors_at_first, threads_at_first;

static bool same_descriptors(void)
{
	return size_entries("/proc/self/fd") == descriptors_at_first;
}

static bool same_threads(void)
{
	return size_entries("/proc/self/task") == threads_at_first;
}

static size_t read_whole(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	check(fd >= 0, path);
	size_t length = 0;
	ssize_t got;
	while ((got = read(fd, text + length, size - length)) > 0)
		length += (size_t)got;
	close(fd);
	return length;
}

static char maps_at_first[65536], maps_now[65536];
static size_t maps_length;

static bool same_maps(void)
{
	size_t length = read_whole("/proc/self/maps", maps_now, sizeof(maps_now));
	return length == maps_length && memcmp(maps_now, maps_at_first, length) == 0;
}

/* With the last writer gone a pipe has ended, at once. */
static bool pipe_ends(void)
{
	int ends[2];
	check(pipe2(ends, O_CLOEXEC) == 0, "pipe2");
	close(ends[1]);
	struct pollfd reader = { .fd = ends[0], .events = POLLIN };
	bool ended = poll(&reader, 1, 0) == 1 && reader.revents & POLLHUP;
	close(ends[0]);
	return ended;
}

/* A record lock goes when any process that shares the descriptors closes the file. */
static int locked_file;

static bool lock_is_held(void)
{
	char text[65536];
	size_t length = read_whole("/proc/locks", text, sizeof(text) - 1);
	text[length] = '\0';
	char own[64];
	snprintf(own, sizeof(own), "WRITE %d ", (int)getpid());
	return strstr(text, own) != NULL;
}

static pid_t session_at_first, parent_at_first;
static char name_at_first[64], score_at_first[64];
static size_t name_length, score_length;

static bool same_identity(void)
{
	char text[64];
	size_t length = read_whole("/proc/self/comm", text, sizeof(text));
	if (length != name_length || memcmp(text, name_at_first, length) != 0)
		return false;
	length = read_whole("/proc/self/oom_score_adj", text, sizeof(text));
	return length == score_length && memcmp(text, score_at_first, length) == 0 &&
	       getsid(0) == session_at_first && getppid() == parent_at_first;
}

/* What the kernel lists as its children. */
static bool same_children(void)
{
	char text[256];
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	size_t length = read_whole(path, text, sizeof(text) - 1);
	text[length] = '\0';
	char *end = text;
	return strtol(text, &end, 10) == child && strspn(end, " \n") == strlen(end);
}

/* ---- what the main thread asks: it is the one that is made to clone */

static sigset_t mask_at_first;

static bool same_mask(void)
{
	sigset_t mask = { 0 };
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	return memcmp(&mask, &mask_at_first, sizeof(mask)) == 0;
}

/* Fills registers, spins, and looks whether all is still there. */
static bool same_registers(void)
{
	uint64_t differences = 0;
	__asm__ volatile("mov $0x1111111111111111, %%r8\n\t"
			 "mov $0x2222222222222222, %%r9\n\t"
			 "mov $0x3333333333333333, %%r10\n\t"
			 "mov $0x4444444444444444, %%r12\n\t"
			 "mov $0x5555555555555555, %%r13\n\t"
			 "mov $0x6666666666666666, %%r14\n\t"
			 "mov $0x7777777777777777, %%r15\n\t"
			 "mov $0x1818181818181818, %%rdi\n\t"
			 "mov $0x2929292929292929, %%rdx\n\t"
			 "movq %%r8, %%xmm0\n\t"
			 "movq %%r9, %%xmm7\n\t"
			 "movq %%r10, %%xmm15\n\t"
			 "mov $200000, %%ecx\n"
			 "1:\tdec %%ecx\n\t"
			 "jnz 1b\n\t"
			 "movq %%xmm0, %%rsi\n\t"
			 "xor %%r8, %%rsi\n\t"
			 "or %%rsi, %0\n\t"
			 "movq %%xmm7, %%rsi\n\t"
			 "xor %%r9, %%rsi\n\t"
			 "or %%rsi, %0\n\t"
			 "movq %%xmm15, %%rsi\n\t"
			 "xor %%r10, %%rsi\n\t"
			 "or %%rsi, %0\n\t"
			 "mov $0x1111111111111111, %%rsi\n\t"
			 "xor %%rsi, %%r8\n\t"
			 "or %%r8, %0\n\t"
			 "add %%rsi, %%rsi\n\t"
			 "xor %%rsi, %%r9\n\t"
			 "or %%r9, %0\n\t"
			 "mov $0x3333333333333333, %%rsi\n\t"
			 "xor %%rsi, %%r10\n\t"
			 "or %%r10, %0\n\t"
			 "mov $0x4444444444444444, %%rsi\n\t"
			 "xor %%rsi, %%r12\n\t"
			 "or %%r12, %0\n\t"
			 "mov $0x5555555555555555, %%rsi\n\t"
			 "xor %%rsi, %%r13\n\t"
			 "or %%r13, %0\n\t"
			 "mov $0x6666666666666666, %%rsi\n\t"
			 "xor %%rsi, %%r14\n\t"
			 "or %%r14, %0\n\t"
			 "mov $0x7777777777777777, %%rsi\n\t"
			 "xor %%rsi, %%r15\n\t"
			 "or %%r15, %0\n\t"
			 "mov $0x1818181818181818, %%rsi\n\t"
			 "xor %%rsi, %%rdi\n\t"
			 "or %%rdi, %0\n\t"
			 "mov $0x2929292929292929, %%rsi\n\t"
			 "xor %%rsi, %%rdx\n\t"
			 "or %%rdx, %0"
			 : "+a"(differences)::"rcx", "rdx", "rsi", "rdi", "r8", "r9",
			   "r10", "r12", "r13", "r14", "r15", "xmm0", "xmm7", "xmm15",
			   "cc");
	return differences == 0;
}

/* ---- */

static struct question {
	const char *what;
	bool (*is_as_ever)(void);
	unsigned pause_us; /* between two questions */
	bool main_asks, opens;
	_Atomic unsigned nr_differences, nr_asked;
} questions[] = {
	{ "waitpid, waiting", wait_any, 1000, false, false, 0, 0 },
	{ "waitpid", poll_ordinary, 200, false, false, 0, 0 },
	{ "waitpid with __WALL", poll_all, 200, false, false, 0, 0 },
	{ "descriptors", same_descriptors, 200, false, true, 0, 0 },
	{ "threads", same_threads, 1000, false, true, 0, 0 },
	{ "mappings", same_maps, 500, false, true, 0, 0 },
	{ "pipe ends", pipe_ends, 200, false, true, 0, 0 },
	{ "record lock", lock_is_held, 1000, false, true, 0, 0 },
	{ "identity", same_identity, 1000, false, true, 0, 0 },
	{ "children in /proc", same_children, 500, false, true, 0, 0 },
	{ "signal mask", same_mask, 0, true, false, 0, 0 },
	{ "registers", same_registers, 0, true, false, 0, 0 },
};
#define NR_QUESTIONS (sizeof(questions) / sizeof(questions[0]))

/* Held by whoever opens something, so that their number is known, and over a count. */
static pthread_mutex_t descriptors = PTHREAD_MUTEX_INITIALIZER;

static void count(struct question *question, bool is_as_ever)
{
	question->nr_asked++;
	if (!is_as_ever)
		question->nr_differences++;
}

static void ask(struct question *question)
{
	if (!question->opens) {
		count(question, question->is_as_ever());
		return;
	}
	pthread_mutex_lock(&descriptors);
	count(question, question->is_as_ever());
	pthread_mutex_unlock(&descriptors);
}

static void *ask_for_ever(void *argument)
{
	struct question *question = argument;
	for (;;) {
		ask(question);
		usleep(question->pause_us);
	}
	return NULL;
}

/* ---- timers: no tick may be lost. The kernel counts those that came late, but for
   setitimer's: one of these is lost when it comes later than the next is due */

static int timer_fd;
static timer_t timer;
static double timers_begin_ms;

static void on_signal(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (number == SIGCHLD)
		nr_sigchld++;
	else if (number == SIGALRM)
		nr_slow_ticks++;
	else
		nr_timer_ticks += 1 + (unsigned long)info->si_overrun;
}

static void handle(int number)
{
	struct sigaction action = { .sa_sigaction = on_signal,
				    .sa_flags = SA_SIGINFO | SA_RESTART };
	check(sigaction(number, &action, NULL) == 0, "sigaction");
}

static void start_timers(void)
{
	const struct timespec interval = { .tv_nsec = INTERVAL_MS * 1000000L };
	const struct itimerspec fast = { interval, interval };
	const struct timeval slow_interval = { .tv_sec = SLOW_INTERVAL_MS / 1000 };
	const struct itimerval slow = { slow_interval, slow_interval };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	check(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
	timers_begin_ms = now_ms();
	check(timerfd_settime(timer_fd, 0, &fast, NULL) == 0, "timerfd_settime");
	check(timer_settime(timer, 0, &fast, NULL) == 0, "timer_settime");
	check(setitimer(ITIMER_REAL, &slow, NULL) == 0, "setitimer");
}

static void print_ticks(const char *what, unsigned long nr, double interval_ms)
{
	unsigned long due = (unsigned long)((now_ms() - timers_begin_ms) / interval_ms);
	printf("%s\t%lu\t%lu\n", what, nr + 1 < due ? due - nr : 0, due);
}

static void print_timers(void)
{
	uint64_t nr = 0;
	/* Let a tick that is due come in. */
	usleep(2000);
	unsigned long nr_timer = nr_timer_ticks;
	print_ticks("ticks of a POSIX timer", nr_timer, INTERVAL_MS);
	check(read(timer_fd, &nr, sizeof(nr)) == sizeof(nr), "timerfd");
	print_ticks("ticks of a timerfd", nr, INTERVAL_MS);
	print_ticks("ticks of setitimer", nr_slow_ticks, SLOW_INTERVAL_MS);
}

/* ---- */

static void have_child(void)
{
	child = fork();
	check(child >= 0, "fork");
	if (child == 0) {
		for (;;)
			pause();
	}
}

static void hold_lock(void)
{
	char path[] = "/tmp/seep-census-XXXXXX";
	struct flock lock = { .l_type = F_WRLCK };
	locked_file = mkstemp(path);
	unlink(path);
	check(fcntl(locked_file, F_SETLK, &lock) == 0, "F_SETLK");
}

/* Threads first: their stacks are mappings. */
static void start_threads(void)
{
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	/* Timers' signals are for the main thread. */
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (size_t i = 0; i < NR_QUESTIONS; i++) {
		pthread_t thread;
		if (!questions[i].main_asks)
			check(pthread_create(&thread, &attributes, ask_for_ever,
					     &questions[i]) == 0,
			      "pthread_create");
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void remember(void)
{
	session_at_first = getsid(0);
	parent_at_first = getppid();
	name_length = read_whole("/proc/self/comm", name_at_first, sizeof(name_at_first));
	score_length = read_whole("/proc/self/oom_score_adj", score_at_first,
				  sizeof(score_at_first));
	pthread_sigmask(SIG_SETMASK, NULL, &mask_at_first);
}

/* What threads have allocated and opened by now stays. */
static void remember_threads(void)
{
	usleep(100000);
	pthread_mutex_lock(&descriptors);
	descriptors_at_first = size_entries("/proc/self/fd");
	threads_at_first = size_entries("/proc/self/task");
	maps_length = read_whole("/proc/self/maps", maps_at_first, sizeof(maps_at_first));
	for (size_t i = 0; i < NR_QUESTIONS; i++)
		questions[i].nr_differences = questions[i].nr_asked = 0;
	pthread_mutex_unlock(&descriptors);
}

static bool is_line_there(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	return poll(&input, 1, 0) == 1;
}

int main(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "childless") != 0)
		have_child();
	hold_lock();
	handle(SIGCHLD);
	handle(SIGALRM);
	handle(SIGRTMIN);
	remember();
	start_threads();
	start_timers();
	remember_threads();
	printf("READY\n");
	fflush(stdout);
	while (!is_line_there())
		for (size_t i = 0; i < NR_QUESTIONS; i++)
			if (questions[i].main_asks)
				ask(&questions[i]);
	print_timers();
	for (size_t i = 0; i < NR_QUESTIONS; i++)
		printf("%s\t%u\t%u\n", questions[i].what, questions[i].nr_differences,
		       questions[i].nr_asked);
	printf("SIGCHLD\t%u\t1\n", nr_sigchld);
	fflush(stdout);
	if (child)
		kill(child, SIGKILL);
	_exit(0);
}
