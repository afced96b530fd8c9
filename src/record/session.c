/* session: see session.h. */
#include "record/session.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/vec.h"

struct record_session {
	int fd;
	struct record_session_options options;
	unsigned char *windows[SESSION_BYTES / SESSION_WINDOW]; /* NULL: not mapped yet */
	bool is_locked, is_empty;
	char name[64];
};

static struct error *cannot(const char *what)
{
	return error_remedy(error_create(ERROR_SYSTEM,
					 "cannot %s the memory that seep shares with "
					 "the program: %s",
					 what, strerror(errno)),
			    "see what limits it: ulimit -a");
}

/* A place in the memory, whose window is mapped if it is not yet; NULL where it cannot be. */
static void *place_at(struct record_session *session, uint64_t offset)
{
	unsigned char **window = &session->windows[offset / SESSION_WINDOW];
	if (!*window) {
		void *memory = mmap(NULL, SESSION_WINDOW, PROT_READ | PROT_WRITE,
				    MAP_SHARED, session->fd,
				    (off_t)(offset & ~(SESSION_WINDOW - 1ull)));
		if (memory == MAP_FAILED)
			return NULL;
		*window = memory;
	}
	return *window + offset % SESSION_WINDOW;
}

static struct error *make_memory(struct record_session *session)
{
	session->fd = memfd_create("seep-session", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (session->fd < 0)
		return cannot("make");
	if (fchmod(session->fd, 0600) != 0 || ftruncate(session->fd, SESSION_BYTES) != 0)
		return cannot("size");
	if (fcntl(session->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) !=
	    0)
		return cannot("seal");
	if (!place_at(session, 0))
		return cannot("map");
	snprintf(session->name, sizeof(session->name), "/proc/%d/fd/%d", (int)getpid(),
		 session->fd);
	return NULL;
}

static_assert(sizeof(pthread_mutex_t) <= SESSION_MUTEX_BYTES, "it fits its place");

static pthread_mutex_t *mutex_of(struct session *shared)
{
	return (pthread_mutex_t *)(void *)shared->alive.mutex;
}

/* The word is where the program looks for it: a mutex of glibc begins with it. */
static bool is_word_ours(const struct session *shared)
{
	return (atomic_load(&shared->alive.word) & FUTEX_TID_MASK) == (uint32_t)gettid();
}

static struct error *lock_alive(struct record_session *session)
{
	struct session *shared = record_session_shared(session);
	pthread_mutex_t *mutex = mutex_of(shared);
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	errno = pthread_mutex_init(mutex, &attributes);
	if (!errno)
		errno = pthread_mutex_lock(mutex);
	pthread_mutexattr_destroy(&attributes);
	session->is_locked = !errno;
	if (!errno && !is_word_ours(shared))
		errno = ENOTSUP;
	return errno ? cannot("lock") : NULL;
}

static void fill(struct record_session *session,
		 const struct record_session_options *options)
{
	struct session *shared = record_session_shared(session);
	shared->magic = SESSION_MAGIC;
	shared->bytes = SESSION_BYTES;
	shared->on_full = options->on_full;
	shared->max_frames = options->max_frames;
	shared->min_size = options->min_size;
	atomic_store(&shared->recording, !options->is_paused);
}

struct error *record_session_create(const struct record_session_options *options,
				    struct record_session **result)
{
	struct record_session *session = calloc(1, sizeof(*session));
	if (!session)
		return error_no_memory();
	session->fd = -1;
	session->options = *options;
	struct error *error = make_memory(session);
	if (!error) {
		fill(session, options);
		error = lock_alive(session);
	}
	if (error) {
		record_session_destroy(session);
		return error;
	}
	*result = session;
	return NULL;
}

void record_session_destroy(struct record_session *session)
{
	if (!session)
		return;
	record_session_end(session);
	for (size_t i = 0; i < ARRAY_SIZE(session->windows); i++)
		if (session->windows[i])
			munmap(session->windows[i], SESSION_WINDOW);
	if (session->fd >= 0)
		close(session->fd);
	free(session);
}

struct error *record_session_create_next(const struct record_session *session,
					 bool is_paused, struct record_session **result)
{
	struct record_session_options options = session->options;
	options.is_paused = is_paused;
	return record_session_create(&options, result);
}

bool record_session_follows(const struct record_session *session)
{
	return session->options.follows;
}

void record_session_follow(struct record_session *session, pid_t process)
{
	if (session->options.follows)
		atomic_store(&record_session_shared(session)->process, process);
}

void record_session_lead(struct record_session *session,
			 const struct record_session *next)
{
	_Atomic int32_t *word = &record_session_shared(session)->next;
	atomic_store(word, next ? next->fd : 0);
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

const char *record_session_name(const struct record_session *session)
{
	return session->name;
}

struct session *record_session_shared(const struct record_session *session)
{
	return (struct session *)(void *)session->windows[0];
}

struct ring *record_session_ring(struct record_session *session, uint32_t i)
{
	return place_at(session, SESSION_RINGS_OFFSET + (uint64_t)i * SESSION_RING_BYTES);
}

const struct stack_node *record_session_node(struct record_session *session,
					     uint32_t number)
{
	return place_at(session,
			SESSION_NODES_OFFSET + number * sizeof(struct stack_node));
}

void record_session_wake(struct ring *ring)
{
	if (atomic_exchange(&ring->waits, 0))
		syscall(SYS_futex, &ring->waits, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Lets go who waits for room. */
static void wake_all(struct record_session *session)
{
	uint32_t nr = atomic_load(&record_session_shared(session)->nr_rings);
	for (uint32_t i = 0; i < nr && i < SESSION_RINGS; i++) {
		struct ring *ring = record_session_ring(session, i);
		if (ring)
			record_session_wake(ring);
	}
}

void record_session_empty(struct record_session *session)
{
	atomic_store(&record_session_shared(session)->state, SESSION_OVER);
	wake_all(session);
	session->is_empty = true;
	for (size_t i = 1; i < ARRAY_SIZE(session->windows); i++) {
		if (session->windows[i])
			munmap(session->windows[i], SESSION_WINDOW);
		session->windows[i] = NULL;
	}
	fallocate(session->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		  SESSION_RINGS_OFFSET, SESSION_BYTES - SESSION_RINGS_OFFSET);
}

void record_session_end(struct record_session *session)
{
	if (!session->is_locked)
		return;
	struct session *shared = record_session_shared(session);
	atomic_store(&shared->state, SESSION_OVER);
	pthread_mutex_unlock(mutex_of(shared));
	session->is_locked = false;
	if (!session->is_empty)
		wake_all(session);
}
