/*
 * tracer: see tracer.h. All that stands below "the tracer's side" runs in the forked process,
 * which is single-threaded and has its own copy of everything.
 */
#include "target/tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/copy.h"
#include "target/copy_rules.h"
#include "target/freezer.h"
#include "target/headroom.h"
#include "target/held.h"
#include "target/instant.h"
#include "target/left_copy.h"
#include "target/parcel.h"
#include "target/process.h"
#include "target/registers.h"

#define PAGE_BYTES 4096u
/* Often enough that the fastest writer fills only a part of the floor in between. */
#define GUARD_INTERVAL_MS 2
/* Stopping the target again to take the copy away: tried so often, for so long each time. */
#define REAP_TRIES       50
#define REAP_BUDGET_NS   200000000u
#define REAP_INTERVAL_NS 20000000

/* --- the tracer's side ----------------------------------------------------------------- */

struct holder {
	const struct tracer_task *task;
	int socket;
	int target_pidfd;
	struct freezer freezer;
	struct copy *copy; /* shared with seep */
	struct headroom headroom;
	struct str maps;
	uint64_t faults; /* of the target when the copy was made */
};

/* Minor faults of the target so far: each page that stops being shared costs it one. */
static uint64_t count_faults(pid_t pid)
{
	struct str text = { 0 };
	struct error *error = process_file(pid, "stat", &text);
	error_destroy(error);
	unsigned long long faults = 0;
	const char *after = error ? NULL : strrchr(str_text(&text), ')');
	if (!after || sscanf(after, ") %*c %*d %*d %*d %*d %*d %*u %llu", &faults) != 1)
		faults = 0;
	str_deinit(&text);
	return faults;
}

/* Pages that only the copy has, by the kernel's own count. */
static uint64_t count_private(pid_t pid)
{
	struct str text = { 0 };
	uint64_t total = 0;
	struct error *error = process_file(pid, "smaps_rollup", &text);
	static const char *const names[] = { "\nPrivate_Clean:", "\nPrivate_Dirty:" };
	for (size_t i = 0; !error && i < ARRAY_SIZE(names); i++) {
		const char *at = strstr(str_text(&text), names[i]);
		total += at ? strtoull(at + strlen(names[i]), NULL, 10) * 1024 : 0;
	}
	error_destroy(error);
	str_deinit(&text);
	return total;
}

/* At most so much; counting exactly takes long and is left for when it matters. */
static uint64_t private_bytes(const struct holder *holder)
{
	uint64_t most = (count_faults(holder->task->pid) - holder->faults) * PAGE_BYTES;
	if (most <= PAGE_BYTES * 256)
		return most;
	uint64_t exact = count_private(holder->copy->pid);
	return exact < most ? exact : most;
}

/* It stands in a stop that is known; another, or an end, was none of our doing. */
static bool has_run_aground(const struct copy *copy)
{
	siginfo_t info = { 0 };
	return waitid(P_PID, (id_t)copy->pid, &info,
		      WEXITED | WSTOPPED | WNOHANG | WNOWAIT | __WALL) == 0 &&
	       info.si_pid != 0;
}

/* Why the copy must go now, or NULL. */
static const char *find_danger(const struct holder *holder)
{
	const char *tightest = "";
	if (has_run_aground(holder->copy))
		return "something stopped or ended it";
	if (headroom_bytes(&holder->headroom, &tightest) < COPY_FLOOR_BYTES)
		return "memory around the process became scarce";
	uint64_t most = holder->task->max_copy_bytes;
	uint64_t upper = (count_faults(holder->task->pid) - holder->faults) * PAGE_BYTES;
	if (most && upper > most && private_bytes(holder) > most)
		return "it came to need more than --max-copy allows";
	return NULL;
}

/* Until seep lets go or goes away, the target ends, or there is danger. */
static const char *guard(const struct holder *holder)
{
	struct pollfd fds[] = {
		{ .fd = holder->socket, .events = POLLIN },
		{ .fd = holder->target_pidfd, .events = POLLIN },
	};
	for (;;) {
		int nr = poll(fds, ARRAY_SIZE(fds), GUARD_INTERVAL_MS);
		if (nr < 0 && errno == EINTR)
			continue;
		if (fds[0].revents || nr < 0)
			return NULL;
		if (fds[1].revents)
			return "the process ended";
		const char *danger = find_danger(holder);
		if (danger)
			return danger;
	}
}

static struct error *read_maps(pid_t pid, struct str *maps)
{
	str_deinit(maps);
	return process_file(pid, "maps", maps);
}

/* Whether the target has ended; then init, or another, has inherited the copy. */
static bool target_has_ended(const struct holder *holder)
{
	struct pollfd fd = { .fd = holder->target_pidfd, .events = POLLIN };
	return poll(&fd, 1, 0) != 0;
}

static struct error *reap_once(struct holder *holder, uint64_t *pause_ns)
{
	uint64_t begin_ns = freezer_now_ns();
	struct error *error = freezer_stop(&holder->freezer, holder->task->pid,
					   begin_ns + REAP_BUDGET_NS);
	if (error)
		return error;
	error = read_maps(holder->task->pid, &holder->maps);
	if (!error)
		error = copy_reap(&holder->freezer, str_text(&holder->maps),
				  holder->copy);
	freezer_release(&holder->freezer);
	*pause_ns = freezer_now_ns() - begin_ns;
	return error;
}

/* The copy stays ours, and the target does not see it, until one of the tries succeeds. */
static void take_away(struct holder *holder, uint64_t *pause_ns)
{
	copy_kill(holder->copy);
	for (int i = 0; i < REAP_TRIES && holder->copy->pid > 0; i++) {
		if (target_has_ended(holder))
			break;
		struct error *error = reap_once(holder, pause_ns);
		error_destroy(error);
		if (error)
			nanosleep(&(struct timespec){ .tv_nsec = REAP_INTERVAL_NS },
				  NULL);
	}
	copy_abandon(holder->copy);
}

static void put_threads(struct parcel *parcel, const struct thread_vec *threads)
{
	parcel_put(parcel, &threads->nr, sizeof(threads->nr));
	for (size_t i = 0; i < threads->nr; i++) {
		const struct thread *thread = &threads->items[i];
		parcel_put(parcel, &thread->tid, sizeof(thread->tid));
		parcel_put(parcel, thread->general, sizeof(struct user_regs_struct));
		parcel_put(parcel, &thread->vectors_size, sizeof(thread->vectors_size));
		parcel_put(parcel, thread->vectors, thread->vectors_size);
	}
}

static struct error *collect_instant(const struct holder *holder, uint64_t deadline_ns,
				     struct parcel *parcel)
{
	struct instant instant = { 0 };
	if (!holder->task->keeps_instant)
		return NULL;
	struct error *error = instant_read(holder->task->pid, deadline_ns, &instant);
	instant_put(parcel, &instant);
	instant_deinit(&instant);
	return error;
}

/* What must be read while the target stands still; it goes into the parcel as it comes. */
static struct error *collect(struct holder *holder, uint64_t deadline_ns,
			     struct parcel *parcel)
{
	struct thread_vec threads = { 0 };
	struct held_word_vec held = { 0 };
	bool incomplete = false;
	struct error *error = freezer_threads(&holder->freezer, &threads);
	if (!error)
		error = held_collect(holder->task->pid, &held, &incomplete);
	if (!error)
		error = read_maps(holder->task->pid, &holder->maps);
	put_threads(parcel, &threads);
	parcel_put(parcel, &held.nr, sizeof(held.nr));
	parcel_put(parcel, held.items, held.nr * sizeof(held.items[0]));
	parcel_put(parcel, &incomplete, sizeof(incomplete));
	parcel_put_text(parcel, str_text(&holder->maps));
	for (size_t i = 0; i < threads.nr; i++)
		thread_deinit(&threads.items[i]);
	thread_vec_deinit(&threads);
	held_word_vec_deinit(&held);
	return error ? error : collect_instant(holder, deadline_ns, parcel);
}

/* Stops the target, has it copied, lets it run on. */
static struct error *copy_target(struct holder *holder, struct parcel *parcel)
{
	uint64_t begin_ns = freezer_now_ns();
	uint64_t deadline_ns = begin_ns + holder->task->max_pause_ns;
	struct error *error =
		freezer_stop(&holder->freezer, holder->task->pid, deadline_ns);
	if (error)
		return error;
	error = collect(holder, deadline_ns, parcel);
	holder->faults = count_faults(holder->task->pid);
	if (!error)
		error = copy_make(&holder->freezer, str_text(&holder->maps),
				  holder->copy);
	freezer_release(&holder->freezer);
	uint64_t pause_ns = freezer_now_ns() - begin_ns;
	parcel_put(parcel, &pause_ns, sizeof(pause_ns));
	return error;
}

/* The way into the copy, for whoever reads it: rights are asked for at opening only. */
static struct error *open_copy(const struct holder *holder, struct parcel *parcel)
{
	static const char *const names[PARCEL_FDS] = { "mem", "pagemap" };
	struct str maps = { 0 };
	for (size_t i = 0; i < PARCEL_FDS; i++) {
		char path[64];
		snprintf(path, sizeof(path), "/proc/%d/%s", (int)holder->copy->pid,
			 names[i]);
		parcel->fds[i] = open(path, O_RDONLY | O_CLOEXEC);
		if (parcel->fds[i] < 0)
			return error_create(ERROR_REFUSED, "%s of the copy: %s", names[i],
					    strerror(errno));
	}
	struct error *error = read_maps(holder->copy->pid, &maps);
	parcel_put_text(parcel, str_text(&maps));
	str_deinit(&maps);
	return error;
}

/* False when no copy was made; seep was told why. */
static bool make_copy(struct holder *holder)
{
	struct parcel parcel, refusal;
	parcel_init(&parcel);
	parcel_init(&refusal);
	parcel_put_error(&parcel, NULL);
	struct error *error = copy_target(holder, &parcel);
	if (!error) {
		copy_settle(holder->copy);
		error = open_copy(holder, &parcel);
	}
	parcel_put_error(&refusal, error);
	bool sent = parcel_send(error ? &refusal : &parcel, holder->socket);
	bool made = !error && sent;
	for (size_t i = 0; i < PARCEL_FDS; i++)
		if (parcel.fds[i] >= 0)
			close(parcel.fds[i]);
	error_destroy(error);
	parcel_deinit(&parcel);
	parcel_deinit(&refusal);
	return made;
}

static void tell_end(const struct holder *holder, struct tracer_end end)
{
	struct parcel parcel;
	parcel_init(&parcel);
	parcel_put(&parcel, &end.pause_ns, sizeof(end.pause_ns));
	parcel_put(&parcel, &end.private_bytes, sizeof(end.private_bytes));
	parcel_put_text(&parcel, end.dropped);
	parcel_send(&parcel, holder->socket);
	parcel_deinit(&parcel);
}

/* Nothing that is meant for seep, or for its terminal, reaches the tracer. */
static void detach_from_seep(int socket)
{
	static const int ignored[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
				       SIGPIPE, SIGTSTP, SIGUSR1, SIGUSR2 };
	setsid();
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_NAME, "seep-tracer");
	/* The guard's turn must not wait for those whose memory it watches. */
	setpriority(PRIO_PROCESS, 0, -20);
	int null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	dup2(socket, 3);
	syscall(SYS_close_range, 4, ~0u, 0);
}

static void run(const struct tracer_task *task, struct copy *copy, int socket)
{
	detach_from_seep(socket);
	struct holder holder = { .task = task, .socket = 3, .copy = copy };
	struct tracer_end end = { 0 };
	holder.target_pidfd = (int)syscall(SYS_pidfd_open, task->pid, 0);
	struct error *error = headroom_init(&holder.headroom, task->pid);
	error_destroy(error); /* the machine's own memory is watched in any case */
	if (make_copy(&holder)) {
		end.dropped = (char *)guard(&holder);
		end.private_bytes = private_bytes(&holder);
	}
	if (holder.copy->pid > 0)
		take_away(&holder, &end.pause_ns);
	tell_end(&holder, end);
	_exit(0);
}

/* --- seep's side ----------------------------------------------------------------------- */

static bool take_thread(struct parcel *parcel, struct thread *thread)
{
	pid_t tid = 0;
	struct user_regs_struct general;
	size_t size = 0;
	if (!parcel_take(parcel, &tid, sizeof(tid)) ||
	    !parcel_take(parcel, &general, sizeof(general)) ||
	    !parcel_take(parcel, &size, sizeof(size)))
		return false;
	CLEANUP_FREE void *vectors = malloc(size + 1);
	if (!vectors || !parcel_take(parcel, vectors, size))
		return false;
	struct error *error = registers_fill(&general, vectors, size, thread);
	thread->tid = tid;
	error_destroy(error);
	return !error;
}

static bool take_threads(struct parcel *parcel, struct thread_vec *threads)
{
	size_t nr = 0;
	if (!parcel_take(parcel, &nr, sizeof(nr)))
		return false;
	for (size_t i = 0; i < nr; i++) {
		struct thread thread = { 0 };
		if (!take_thread(parcel, &thread))
			return false;
		if (!thread_vec_push(threads, thread)) {
			thread_deinit(&thread);
			return false;
		}
	}
	return true;
}

static bool take_held(struct parcel *parcel, struct held_word_vec *held)
{
	size_t nr = 0;
	if (!parcel_take(parcel, &nr, sizeof(nr)))
		return false;
	for (size_t i = 0; i < nr; i++) {
		struct held_word word;
		if (!parcel_take(parcel, &word, sizeof(word)) ||
		    !held_word_vec_push(held, word))
			return false;
	}
	return true;
}

static bool take_moment(struct parcel *parcel, const struct tracer_task *task,
			struct tracer_moment *moment)
{
	moment->mem_fd = parcel->fds[0];
	moment->pagemap_fd = parcel->fds[1];
	return take_threads(parcel, &moment->threads) &&
	       take_held(parcel, &moment->held) &&
	       parcel_take(parcel, &moment->held_incomplete,
			   sizeof(moment->held_incomplete)) &&
	       parcel_take_text(parcel, &moment->maps) &&
	       (!task->keeps_instant || instant_take(parcel, &moment->instant)) &&
	       parcel_take(parcel, &moment->pause_ns, sizeof(moment->pause_ns)) &&
	       parcel_take_text(parcel, &moment->copy_maps);
}

void tracer_moment_deinit(struct tracer_moment *moment)
{
	free(moment->maps);
	free(moment->copy_maps);
	for (size_t i = 0; i < moment->threads.nr; i++)
		thread_deinit(&moment->threads.items[i]);
	thread_vec_deinit(&moment->threads);
	held_word_vec_deinit(&moment->held);
	instant_deinit(&moment->instant);
	if (moment->mem_fd >= 0)
		close(moment->mem_fd);
	if (moment->pagemap_fd >= 0)
		close(moment->pagemap_fd);
	*moment = (struct tracer_moment){ .mem_fd = -1, .pagemap_fd = -1 };
}

/* Memory that outlives the tracer: whatever ends that, seep knows of which copy. */
static struct copy *share_copy(void)
{
	struct copy *copy = mmap(NULL, sizeof(*copy), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (copy == MAP_FAILED)
		return NULL;
	*copy = (struct copy){ .pidfd = -1 };
	return copy;
}

static struct error *fork_tracer(const struct tracer_task *task, struct tracer *tracer)
{
	int sockets[2];
	struct copy *copy = share_copy();
	if (!copy)
		return error_no_memory();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
		munmap(copy, sizeof(*copy));
		return error_create(ERROR_SYSTEM, "cannot make a socket: %s",
				    strerror(errno));
	}
	pid_t pid = fork();
	if (pid == 0)
		run(task, copy, sockets[1]);
	close(sockets[1]);
	if (pid < 0) {
		int cause = errno;
		close(sockets[0]);
		munmap(copy, sizeof(*copy));
		return error_create(ERROR_SYSTEM, "cannot start a process: %s",
				    strerror(cause));
	}
	*tracer = (struct tracer){
		.pid = pid, .socket = sockets[0], .target = task->pid, .copy = copy
	};
	return NULL;
}

struct error *tracer_start(const struct tracer_task *task, struct tracer *tracer,
			   struct tracer_moment *moment)
{
	*moment = (struct tracer_moment){ .mem_fd = -1, .pagemap_fd = -1 };
	struct error *error = fork_tracer(task, tracer);
	if (error)
		return error;
	struct parcel parcel;
	bool good = parcel_receive(&parcel, tracer->socket) &&
		    parcel_take_error(&parcel, &error);
	if (good && !error)
		good = take_moment(&parcel, task, moment);
	parcel_deinit(&parcel);
	if (good && !error)
		return NULL;
	struct tracer_end end;
	tracer_moment_deinit(moment);
	tracer_stop(tracer, &end);
	free(end.dropped);
	return error ? error
		     : error_create(ERROR_SYSTEM,
				    "the process that holds the copy ended");
}

void tracer_let_go(const struct tracer *tracer)
{
	if (tracer->pid > 0)
		shutdown(tracer->socket, SHUT_WR);
}

void tracer_stop(struct tracer *tracer, struct tracer_end *end)
{
	*end = (struct tracer_end){ 0 };
	if (tracer->pid <= 0)
		return;
	tracer_let_go(tracer);
	struct parcel parcel;
	bool told =
		parcel_receive(&parcel, tracer->socket) &&
		parcel_take(&parcel, &end->pause_ns, sizeof(end->pause_ns)) &&
		parcel_take(&parcel, &end->private_bytes, sizeof(end->private_bytes)) &&
		parcel_take_text(&parcel, &end->dropped);
	parcel_deinit(&parcel);
	while (waitpid(tracer->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (!told) {
		end->dropped = strdup("the process that held it ended");
		end->pause_ns = left_copy_reap(tracer->target, tracer->copy);
	}
	close(tracer->socket);
	munmap(tracer->copy, sizeof(*tracer->copy));
	*tracer = (struct tracer){ .socket = -1 };
}
