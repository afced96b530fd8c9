/*
 * session: the memory that a recorded program and seep share: one memfd, made by seep, found
 * by the runtime through SESSION_VARIABLE, which names it as "/proc/PID/fd/N".
 *
 *	+---------+--------+--------+-----+----------+-------------------------+
 *	| session | ring 0 | ring 1 |  …  | ring n-1 | stack nodes, as they come |
 *	+---------+--------+--------+-----+----------+-------------------------+
 *
 * seep maps all of it; the program maps windows of SESSION_WINDOW bytes as it needs them, so
 * that its address space stays as small as it was. Pages that nobody touched cost nothing.
 *
 * Who writes what: the head of a ring, stack nodes and what is below "the program writes"
 * are written by the program alone, tails and the rest by seep alone. Nothing that the program
 * wrote is trusted: seep checks every number before it uses it.
 *
 * seep holds `alive` as a robust mutex of its own C library: when it ends, however it ends, the
 * kernel sets FUTEX_OWNER_DIED in the word, and the runtime records nothing any more, for ever. The
 * program's C library may be another, and has no other idea of it than this word.
 *
 * A session is of one program. When the process executes another, that one finds the same name,
 * and so the first session, which leads it to one of its own: seep has the next one ready before
 * it is needed. That somebody joined it shows that the execution has happened. Only the process
 * that seep started may: /proc/self tells it from its children, which have the same name to go by.
 */
#ifndef SEEP_RAW_SESSION_H
#define SEEP_RAW_SESSION_H

#include <assert.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SESSION_VARIABLE "SEEP_SESSION"
#define SESSION_MAGIC    0x31737365656573ffu
#define SESSION_WINDOW   (1u << 20)

#define SESSION_MUTEX_BYTES 64u

/* Room for rings; a program with more threads than that at a time blocks or loses, by on_full. */
#define SESSION_RINGS 4096u
#define SESSION_RING_BYTES                                                               \
	(512u << 10) /* 256 KiB of words and a page before them; the rest is a gap */

/* Room for stack nodes; the runtime gives stacks past it as the node of what it knows of them. */
#define SESSION_NODES (1u << 26)

/* A call on a stack; its caller's node is its parent. Node 0 is no call: the end of all stacks.
   Nodes are given out in order, and written before the first event that names them. */
struct stack_node {
	uint64_t
		address; /* that the call returns to; bit 63: of a signal's frame, or a pc */
	uint32_t parent;
	uint32_t unused;
};
static_assert(sizeof(struct stack_node) == 16, "four in a cache line");

enum session_on_full {
	SESSION_BLOCK, /* the thread waits for seep */
	SESSION_DROP,  /* the event is counted in ring->lost, and told by a gap */
};

/* The name that a program was executed by, if it is not longer. */
#define SESSION_PROGRAM_BYTES 4096u

enum session_state {
	SESSION_OPEN,   /* nobody joined yet */
	SESSION_JOINED, /* by the process in `pid`; others keep out */
	SESSION_LEFT,   /* it executed another program, or gave up: `trouble` says why */
	SESSION_OVER,   /* seep wants no more */
};

/* Why the runtime gave up. */
enum session_trouble {
	SESSION_NO_TROUBLE,
	SESSION_NO_MEMORY,
	SESSION_NO_NODES,
	SESSION_NO_RINGS,
	SESSION_NO_CLOCK, /* the program forbade itself its use (seccomp, PR_SET_TSC) */
};

struct session {
	/* Set once, before the program starts. */
	uint64_t magic;
	uint64_t bytes;      /* of the whole */
	uint32_t on_full;    /* enum session_on_full */
	uint32_t max_frames; /* of a stack: the innermost so many */
	uint64_t min_size;   /* smaller blocks are not recorded */

	/* seep writes. */
	_Alignas(
		64) _Atomic uint32_t recording; /* 0: nothing is to be recorded for now */
	_Atomic uint64_t ticks; /* event_now() of a while ago; 0: not yet known */
	_Atomic uint32_t solo;  /* raw/solo.h; the program writes it, too */
	/* In the first session of a process, where programs that it executes are followed. */
	_Atomic int32_t process; /* as /proc has it; 0: none is followed */
	_Atomic int32_t next;    /* a futex: seep's descriptor of the session for the next
				    program; that of the last one until it is there; 0: none */
	_Alignas(64) union {
		/* The owner's thread while it lives: kernel, robust-futex-ABI. */
		_Atomic uint32_t word;
		char mutex[SESSION_MUTEX_BYTES]; /* seep's pthread_mutex_t */
	} alive;

	/* The program writes. */
	_Alignas(64) _Atomic uint32_t
		state;                /* enum session_state; seep: to SESSION_OVER only */
	_Atomic uint32_t trouble;     /* enum session_trouble */
	_Atomic int32_t pid;          /* as the program sees itself */
	_Atomic uint32_t has_barrier; /* membarrier(2) reaches its threads */
	/* In the first session of a process. */
	_Atomic uint64_t image;     /* differs for each program */
	_Atomic uint32_t nr_missed; /* programs that waited for a session in vain */
	_Atomic uint32_t nr_rings;  /* rings that were ever used are before this one */
	_Alignas(64) _Atomic uint32_t nr_nodes;    /* given out; node 0 counts */
	_Alignas(64) _Atomic uint64_t lost_events; /* of threads that got no ring */
	/* Of all but the first: what was executed. Set before the session is joined. */
	char program[SESSION_PROGRAM_BYTES];
};

#define SESSION_RINGS_OFFSET ((uint64_t)SESSION_WINDOW)
#define SESSION_NODES_OFFSET                                                             \
	(SESSION_RINGS_OFFSET + (uint64_t)SESSION_RINGS * SESSION_RING_BYTES)
#define SESSION_BYTES                                                                    \
	(SESSION_NODES_OFFSET + (uint64_t)SESSION_NODES * sizeof(struct stack_node))
static_assert(sizeof(struct session) <= SESSION_WINDOW, "it has the first window");
static_assert(SESSION_WINDOW % SESSION_RING_BYTES == 0, "a ring lies in one window");
static_assert(SESSION_NODES_OFFSET % SESSION_WINDOW == 0,
	      "windows of nodes hold nothing else");

/* Whether seep is there to take events; a load and a test. */
static inline bool session_is_alive(const struct session *session)
{
	uint32_t word = atomic_load_explicit(&session->alive.word, memory_order_relaxed);
	return word != 0 && !(word & FUTEX_OWNER_DIED);
}

#endif
