/*
 * drain: a consumer of the runtime's rings that only adds up.
 *
 *	drain [OPTION]... -- COMMAND [ARGUMENT]...
 *
 *	--preload LIBRARIES  what LD_PRELOAD is to be for the command
 *	--report FILE        where "name number" lines go
 *	--drop               full rings drop events
 *	--off                nothing is to be recorded
 *	--min-size N         as struct session has it
 *	--pause MS           nothing is read until so long after the start
 *	--die N              SIGKILL for the drain itself after so many events
 *	--pairs              see pairs.h
 *	--discard            events are taken, not looked at
 *
 * Its exit status is the command's, 128 more than the signal's number if one killed it.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pairs.h"
#include "raw/ring.h"
#include "wire/event.h"

#define IDLE_US 300

static struct options {
	const char *preload, *report;
	bool drop, off, discard, pairs;
	uint64_t min_size, die_after;
	unsigned pause_ms;
} options;

static struct totals {
	uint64_t events, allocations, bytes, frees, resizes, resized_bytes;
	uint64_t maps, mapped_bytes, unmaps, unmapped_bytes;
	uint64_t threads, thread_ends, gaps, lost, loads, unloads, forks, execs;
	/* What must not be: records of no type, times that go back, nodes not given out. */
	uint64_t malformed, disordered, nodeless;
	uint64_t without_stack; /* node 0 */
} totals;

static struct session *session;

static struct ring *ring_of(uint32_t number)
{
	char *start = (char *)session + SESSION_RINGS_OFFSET;
	return (struct ring *)(void *)(start + (size_t)number * SESSION_RING_BYTES);
}

static int make_session(void)
{
	int file = memfd_create("seep-session", MFD_CLOEXEC);
	if (file < 0 || ftruncate(file, (off_t)SESSION_BYTES) < 0)
		return -1;
	session = mmap(NULL, SESSION_BYTES, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_NORESERVE, file, 0);
	if (session == MAP_FAILED)
		return -1;
	session->magic = SESSION_MAGIC;
	session->bytes = SESSION_BYTES;
	session->on_full = options.drop ? SESSION_DROP : SESSION_BLOCK;
	session->max_frames = 1024;
	session->min_size = options.min_size;
	session->recording = !options.off;
	session->nr_nodes = 1;
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_t *mutex = (pthread_mutex_t *)(void *)session->alive.mutex;
	pthread_mutex_init(mutex, &attributes);
	pthread_mutex_lock(mutex);
	return file;
}

static pid_t start(int file, char **command)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), file);
	pid_t child = fork();
	if (child != 0)
		return child;
	setenv(SESSION_VARIABLE, path, 1);
	if (options.preload)
		setenv("LD_PRELOAD", options.preload, 1);
	execvp(command[0], command);
	perror(command[0]);
	_exit(127);
}

static uint64_t own_start, own_end; /* the runtime's code */

static void note_load(const uint64_t *words)
{
	static const char name[] = "/libseep-runtime"; /* .so, or -musl.so */
	size_t size = words[6] >> 32;
	const char *path = (const char *)&words[7];
	if (memmem(path, size, name, sizeof(name) - 1)) {
		own_start = words[2];
		own_end = words[3];
	}
}

/* Calls in the runtime's own code, which are not the program's. */
static uint64_t nr_own_nodes(void)
{
	uint64_t nr = 0;
	const struct stack_node *nodes =
		(const void *)((const char *)session + SESSION_NODES_OFFSET);
	for (uint32_t i = 1; i < session->nr_nodes; i++)
		nr += nodes[i].address >= own_start && nodes[i].address < own_end;
	return nr;
}

static void check_node(uint64_t node)
{
	totals.nodeless += node >= session->nr_nodes;
	totals.without_stack += node == 0;
}

/* The number of words of a record; 0 if there is no such. */
static uint64_t size_of(uint64_t first)
{
	static const uint8_t sizes[EVENT_NR_TYPES] = {
		[EVENT_ALLOCATION] = 3, [EVENT_BIG_ALLOCATION] = 4,
		[EVENT_FREE] = 2,       [EVENT_REALLOCATION] = 5,
		[EVENT_MAP] = 4,        [EVENT_UNMAP] = 3,
		[EVENT_THREAD] = 2,     [EVENT_THREAD_END] = 2,
		[EVENT_GAP] = 2,        [EVENT_UNLOAD] = 3,
		[EVENT_FORK] = 2,       [EVENT_EXEC] = 2,
	};
	enum event_type type = event_type(first);
	if (type == EVENT_LOAD)
		return event_value(first) <= EVENT_MAX_WORDS ? event_value(first) : 0;
	return type < EVENT_NR_TYPES ? sizes[type] - (first & EVENT_AGAIN ? 1u : 0u) : 0;
}

static void add(const uint64_t *words)
{
	switch (event_type(words[0])) {
	case EVENT_ALLOCATION:
		totals.allocations++;
		totals.bytes += words[2] & UINT32_MAX;
		check_node(words[2] >> 32);
		break;
	case EVENT_BIG_ALLOCATION:
		totals.allocations++;
		totals.bytes += words[3];
		check_node(words[2] >> 32);
		break;
	case EVENT_FREE:
		totals.frees++;
		break;
	case EVENT_REALLOCATION:
		totals.resizes++;
		totals.resized_bytes += words[3];
		check_node(words[2] >> 32);
		break;
	case EVENT_MAP:
		totals.maps++;
		totals.mapped_bytes += words[3];
		check_node(words[2] >> 32);
		break;
	case EVENT_UNMAP:
		totals.unmaps++;
		totals.unmapped_bytes += words[2];
		break;
	case EVENT_THREAD:
		totals.threads++;
		break;
	case EVENT_THREAD_END:
		totals.thread_ends++;
		break;
	case EVENT_GAP:
		totals.gaps++;
		totals.lost += event_value(words[0]);
		break;
	case EVENT_LOAD:
		totals.loads++;
		note_load(words);
		break;
	case EVENT_UNLOAD:
		totals.unloads++;
		break;
	case EVENT_FORK:
		totals.forks++;
		break;
	case EVENT_EXEC:
		totals.execs++;
		break;
	default:
		totals.malformed++;
	}
}

/* A record as it is with its time. */
static void read_record(struct ring *ring, uint64_t position, uint64_t nr,
			uint64_t last_time, uint64_t *words)
{
	uint64_t nr_read = 0, i = 0;
	words[i++] = *ring_word(ring, position + nr_read++);
	if (words[0] & EVENT_AGAIN) {
		words[0] &= ~EVENT_AGAIN;
		words[i++] = last_time;
	}
	while (nr_read < nr)
		words[i++] = *ring_word(ring, position + nr_read++);
}

/* Takes what is there; whether there was anything. */
static bool take(struct ring *ring, uint64_t *last_time)
{
	uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
	bool any = head != tail;
	while (tail < head && !options.discard) {
		uint64_t words[EVENT_MAX_WORDS];
		uint64_t nr = size_of(*ring_word(ring, tail));
		if (nr == 0 || nr > head - tail) {
			totals.malformed++;
			tail = head;
			break;
		}
		read_record(ring, tail, nr, *last_time, words);
		totals.disordered += words[1] < *last_time;
		*last_time = words[1];
		add(words);
		if (options.pairs)
			pairs_add(words);
		tail += nr;
		if (++totals.events == options.die_after)
			raise(SIGKILL);
	}
	atomic_store_explicit(&ring->tail, head, memory_order_release);
	if (any && atomic_exchange(&ring->waits, 0))
		syscall(SYS_futex, &ring->waits, FUTEX_WAKE, 1, NULL, NULL, 0);
	return any;
}

static bool take_all(void)
{
	static uint64_t last_times[SESSION_RINGS];
	bool any = false;
	uint32_t nr_rings = atomic_load(&session->nr_rings);
	for (uint32_t i = 0; i < nr_rings; i++) {
		struct ring *ring = ring_of(i);
		bool has_ended = atomic_load_explicit(&ring->state,
						      memory_order_acquire) == RING_ENDED;
		any |= take(ring, &last_times[i]);
		if (has_ended)
			atomic_store_explicit(&ring->state, RING_FREE,
					      memory_order_release);
	}
	return any;
}

static void report(void)
{
	struct pairs_result pairs = pairs_check();
	const struct {
		const char *name;
		uint64_t number;
	} lines[] = {
		{ "allocations", totals.allocations },
		{ "bytes", totals.bytes },
		{ "frees", totals.frees },
		{ "resizes", totals.resizes },
		{ "resized_bytes", totals.resized_bytes },
		{ "maps", totals.maps },
		{ "mapped_bytes", totals.mapped_bytes },
		{ "unmaps", totals.unmaps },
		{ "unmapped_bytes", totals.unmapped_bytes },
		{ "threads", totals.threads },
		{ "thread_ends", totals.thread_ends },
		{ "gaps", totals.gaps },
		{ "lost", totals.lost },
		{ "loads", totals.loads },
		{ "unloads", totals.unloads },
		{ "forks", totals.forks },
		{ "execs", totals.execs },
		{ "malformed", totals.malformed },
		{ "disordered", totals.disordered },
		{ "nodeless", totals.nodeless },
		{ "without_stack", totals.without_stack },
		{ "strays", pairs.strays },
		{ "overlaps", pairs.overlaps },
		{ "live", pairs.live },
		{ "state", session->state },
		{ "trouble", session->trouble },
		{ "rings", session->nr_rings },
		{ "nodes", session->nr_nodes },
		{ "own_nodes", nr_own_nodes() },
		{ "lost_events", session->lost_events },
	};
	FILE *out = options.report ? fopen(options.report, "w") : NULL;
	for (size_t i = 0; out && i < sizeof(lines) / sizeof(lines[0]); i++)
		fprintf(out, "%s %llu\n", lines[i].name,
			(unsigned long long)lines[i].number);
	if (out)
		fclose(out);
}

static char **parse(int argc, char **argv)
{
	enum { PRELOAD, REPORT, DROP, OFF, MIN_SIZE, PAUSE, DIE, DISCARD, PAIRS };
	static const struct option names[] = {
		{ "preload", required_argument, NULL, PRELOAD },
		{ "report", required_argument, NULL, REPORT },
		{ "drop", no_argument, NULL, DROP },
		{ "off", no_argument, NULL, OFF },
		{ "min-size", required_argument, NULL, MIN_SIZE },
		{ "pause", required_argument, NULL, PAUSE },
		{ "die", required_argument, NULL, DIE },
		{ "pairs", no_argument, NULL, PAIRS },
		{ "discard", no_argument, NULL, DISCARD },
		{ 0 },
	};
	int option = 0;
	while ((option = getopt_long(argc, argv, "+", names, NULL)) >= 0) {
		switch (option) {
		case PRELOAD:
			options.preload = optarg;
			break;
		case REPORT:
			options.report = optarg;
			break;
		case DROP:
			options.drop = true;
			break;
		case OFF:
			options.off = true;
			break;
		case MIN_SIZE:
			options.min_size = strtoull(optarg, NULL, 10);
			break;
		case PAUSE:
			options.pause_ms = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case DIE:
			options.die_after = strtoull(optarg, NULL, 10);
			break;
		case PAIRS:
			options.pairs = true;
			break;
		case DISCARD:
			options.discard = true;
			break;
		default:
			return NULL;
		}
	}
	return optind < argc ? argv + optind : NULL;
}

int main(int argc, char **argv)
{
	char **command = parse(argc, argv);
	if (!command)
		return 2;
	int file = make_session();
	if (file < 0) {
		perror("session");
		return 2;
	}
	pid_t child = start(file, command);
	int status = 0;
	if (options.pause_ms)
		usleep(options.pause_ms * 1000);
	while (waitpid(child, &status, WNOHANG) == 0) {
		if (!take_all())
			usleep(IDLE_US);
	}
	while (take_all())
		;
	report();
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
