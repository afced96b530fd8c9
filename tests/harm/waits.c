/*
 * waits: one thread in each call that the kernel can cut short, counting how often that
 * happens. Nothing ever happens that these calls wait for; so whatever returns early was
 * disturbed. A line on stdin ends it: it prints "CALL EARLY_RETURNS" for every call.
 *
 * Usage: waits [CALL]
 *
 * The main thread reads stdin; with CALL it is in that call, and another thread reads.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Those that have an end wait so long; calls that end before are counted. */
#define SHORT_MS 30
#define LONG_S   3600

#define SHORT ((struct timespec){ .tv_nsec = SHORT_MS * 1000000L })
#define LONG  ((struct timespec){ .tv_sec = LONG_S })

static void check(bool done, const char *what)
{
	if (done)
		return;
	perror(what);
	_exit(99);
}

/* ---- what there is to wait for; nothing ever comes */

static int epoll, silent_pipe[2], silent_event, silent_timer, silent_inotify;
static int silent_socket[2], timed_socket[2], listener, timed_listener;
static int semaphores, messages, locked_file;
static pid_t sleeper;
static sigset_t never_sent;
static uint32_t futex_word;
static sem_t posix_semaphore;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static int listen_somewhere(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	/* The kernel chooses an abstract name. */
	check(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0, "bind");
	check(listen(fd, 1) == 0, "listen");
	return fd;
}

static void receive_timeout(int fd)
{
	struct timeval timeout = { .tv_sec = LONG_S };
	check(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0,
	      "SO_RCVTIMEO");
}

static void open_all(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	check(pipe(silent_pipe) == 0, "pipe");
	silent_event = eventfd(0, 0);
	silent_timer = timerfd_create(CLOCK_MONOTONIC, 0);
	silent_inotify = inotify_init();
	epoll = epoll_create1(0);
	check(epoll_ctl(epoll, EPOLL_CTL_ADD, silent_event, &event) == 0, "epoll_ctl");
	check(socketpair(AF_UNIX, SOCK_STREAM, 0, silent_socket) == 0, "socketpair");
	check(socketpair(AF_UNIX, SOCK_STREAM, 0, timed_socket) == 0, "socketpair");
	listener = listen_somewhere();
	timed_listener = listen_somewhere();
	receive_timeout(timed_socket[0]);
	receive_timeout(timed_listener);

	semaphores = semget(IPC_PRIVATE, 1, 0600);
	messages = msgget(IPC_PRIVATE, 0600);
	check(semaphores >= 0 && messages >= 0, "System V IPC");
	sem_init(&posix_semaphore, 0, 0);

	char path[] = "/tmp/seep-waits-XXXXXX";
	locked_file = mkstemp(path);
	int other_open = open(path, O_RDWR);
	unlink(path);
	check(flock(locked_file, LOCK_EX) == 0, "flock");
	locked_file = other_open;

	sigemptyset(&never_sent);
	sigaddset(&never_sent, SIGUSR2);
	check(pthread_sigmask(SIG_BLOCK, &never_sent, NULL) == 0, "pthread_sigmask");

	sleeper = fork();
	if (sleeper == 0) {
		for (;;)
			pause();
	}
}

static void close_all(void)
{
	semctl(semaphores, 0, IPC_RMID);
	msgctl(messages, IPC_RMID, NULL);
	kill(sleeper, SIGKILL);
}

/* ---- the calls: each returns when it was let go */

static void call_epoll_wait(void)
{
	struct epoll_event event;
	epoll_wait(epoll, &event, 1, -1);
}

static void call_epoll_wait_long(void)
{
	struct epoll_event event;
	epoll_wait(epoll, &event, 1, LONG_S * 1000);
}

static void call_epoll_wait_short(void)
{
	struct epoll_event event;
	epoll_wait(epoll, &event, 1, SHORT_MS);
}

static void call_epoll_pwait(void)
{
	struct epoll_event event;
	epoll_pwait(epoll, &event, 1, -1, &never_sent);
}

static void call_poll(void)
{
	poll(&(struct pollfd){ silent_event, POLLIN, 0 }, 1, -1);
}

static void call_poll_short(void)
{
	poll(&(struct pollfd){ silent_event, POLLIN, 0 }, 1, SHORT_MS);
}

static void call_ppoll(void)
{
	ppoll(&(struct pollfd){ silent_event, POLLIN, 0 }, 1, &LONG, &never_sent);
}

static void call_select(void)
{
	fd_set set;
	FD_ZERO(&set);
	FD_SET(silent_event, &set);
	select(silent_event + 1, &set, NULL, NULL, NULL);
}

static void call_nanosleep(void)
{
	nanosleep(&LONG, NULL);
}

static void call_nanosleep_short(void)
{
	nanosleep(&SHORT, NULL);
}

static void call_clock_nanosleep(void)
{
	struct timespec then;
	clock_gettime(CLOCK_MONOTONIC, &then);
	then.tv_sec += LONG_S;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &then, NULL);
}

static void call_futex(void)
{
	syscall(SYS_futex, &futex_word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void call_futex_short(void)
{
	syscall(SYS_futex, &futex_word, FUTEX_WAIT_PRIVATE, 0, &SHORT, NULL, 0);
}

static void call_sem_wait(void)
{
	sem_wait(&posix_semaphore);
}

static void call_condition(void)
{
	pthread_mutex_lock(&mutex);
	pthread_cond_wait(&condition, &mutex);
	pthread_mutex_unlock(&mutex);
}

static void read_from(int fd)
{
	uint64_t word;
	check(read(fd, &word, sizeof(word)) <= (ssize_t)sizeof(word), "read");
}

static void call_read_pipe(void)
{
	read_from(silent_pipe[0]);
}

static void call_read_eventfd(void)
{
	read_from(silent_event);
}

static void call_read_timerfd(void)
{
	read_from(silent_timer);
}

static void call_read_inotify(void)
{
	read_from(silent_inotify);
}

static void call_recv(void)
{
	char byte;
	recv(silent_socket[0], &byte, 1, 0);
}

static void call_recv_timeout(void)
{
	char byte;
	recv(timed_socket[0], &byte, 1, 0);
}

static void call_accept(void)
{
	accept(listener, NULL, NULL);
}

static void call_accept_timeout(void)
{
	accept(timed_listener, NULL, NULL);
}

static void call_sigwaitinfo(void)
{
	sigwaitinfo(&never_sent, NULL);
}

static void call_sigtimedwait(void)
{
	sigtimedwait(&never_sent, NULL, &LONG);
}

static void call_sigtimedwait_short(void)
{
	sigtimedwait(&never_sent, NULL, &SHORT);
}

static void call_pause(void)
{
	pause();
}

static void call_sigsuspend(void)
{
	sigsuspend(&never_sent);
}

static void call_semop(void)
{
	semop(semaphores, &(struct sembuf){ .sem_op = -1 }, 1);
}

static void call_semtimedop(void)
{
	semtimedop(semaphores, &(struct sembuf){ .sem_op = -1 }, 1, &LONG);
}

static void call_semtimedop_short(void)
{
	semtimedop(semaphores, &(struct sembuf){ .sem_op = -1 }, 1, &SHORT);
}

static void call_msgrcv(void)
{
	struct {
		long type;
		char text[8];
	} message;
	msgrcv(messages, &message, sizeof(message.text), 0, 0);
}

static void call_flock(void)
{
	flock(locked_file, LOCK_EX);
}

static void call_waitpid(void)
{
	waitpid(sleeper, NULL, 0);
}

static const struct call {
	const char *name;
	void (*wait)(void);
	bool is_short; /* returns after SHORT_MS by itself */
} calls[] = {
	{ "accept", call_accept, false },
	{ "accept with SO_RCVTIMEO", call_accept_timeout, false },
	{ "clock_nanosleep", call_clock_nanosleep, false },
	{ "epoll_pwait", call_epoll_pwait, false },
	{ "epoll_wait", call_epoll_wait, false },
	{ "epoll_wait, an hour", call_epoll_wait_long, false },
	{ "epoll_wait, short", call_epoll_wait_short, true },
	{ "flock", call_flock, false },
	{ "futex", call_futex, false },
	{ "futex, short", call_futex_short, true },
	{ "msgrcv", call_msgrcv, false },
	{ "nanosleep", call_nanosleep, false },
	{ "nanosleep, short", call_nanosleep_short, true },
	{ "pause", call_pause, false },
	{ "poll", call_poll, false },
	{ "poll, short", call_poll_short, true },
	{ "ppoll", call_ppoll, false },
	{ "pthread_cond_wait", call_condition, false },
	{ "read of a pipe", call_read_pipe, false },
	{ "read of an eventfd", call_read_eventfd, false },
	{ "read of a timerfd", call_read_timerfd, false },
	{ "read of inotify", call_read_inotify, false },
	{ "recv", call_recv, false },
	{ "recv with SO_RCVTIMEO", call_recv_timeout, false },
	{ "select", call_select, false },
	{ "sem_wait", call_sem_wait, false },
	{ "semop", call_semop, false },
	{ "semtimedop", call_semtimedop, false },
	{ "semtimedop, short", call_semtimedop_short, true },
	{ "sigsuspend", call_sigsuspend, false },
	{ "sigtimedwait", call_sigtimedwait, false },
	{ "sigtimedwait, short", call_sigtimedwait_short, true },
	{ "sigwaitinfo", call_sigwaitinfo, false },
	{ "waitpid", call_waitpid, false },
};
#define NR_CALLS (sizeof(calls) / sizeof(calls[0]))

static _Atomic unsigned nr_early[NR_CALLS];

static double now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void *wait_for_ever(void *argument)
{
	const struct call *call = argument;
	for (;;) {
		double begin_ms = now_ms();
		call->wait();
		/* poll and epoll_wait count in milliseconds, the clocks in ticks. */
		if (!call->is_short || now_ms() - begin_ms < SHORT_MS - 1)
			nr_early[call - calls]++;
	}
	return NULL;
}

static void start(void *(*run)(void *), const void *argument)
{
	pthread_t thread;
	check(pthread_create(&thread, NULL, run, (void *)argument) == 0,
	      "pthread_create");
}

/* The one that reads stdin waits, too. */
static void *read_and_tell(void *argument)
{
	(void)argument;
	char line[8];
	unsigned nr_early_reads = 0;
	while (read(STDIN_FILENO, line, sizeof(line)) < 0)
		nr_early_reads++;
	for (size_t i = 0; i < NR_CALLS; i++)
		printf("%s\t%u\n", calls[i].name, nr_early[i]);
	printf("read of stdin\t%u\n", nr_early_reads);
	fflush(stdout);
	close_all();
	_exit(0);
}

static const struct call *find_call(const char *name)
{
	for (size_t i = 0; i < NR_CALLS; i++)
		if (strcmp(calls[i].name, name) == 0)
			return &calls[i];
	fprintf(stderr, "waits: no call %s\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	const struct call *own = argc > 1 ? find_call(argv[1]) : NULL;
	open_all();
	for (size_t i = 0; i < NR_CALLS; i++)
		if (&calls[i] != own)
			start(wait_for_ever, &calls[i]);
	if (own)
		start(read_and_tell, NULL);
	usleep(100000);
	puts("READY");
	fflush(stdout);
	if (own)
		wait_for_ever((void *)own);
	read_and_tell(NULL);
}
