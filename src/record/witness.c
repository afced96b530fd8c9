/*
 * witness: see witness.h.
 *
 * Lock: `lock` guards `wanted`, `reached` and `trouble`. All else is the thread's until it has
 * reached a stage, and the caller's from then until it wants the next.
 */
#include "record/witness.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "record/gaps.h"

/* Naps are a fifth of a ring and less: the kernel may not stretch them by more than this. */
#define TIMER_SLACK_NS 1000u

enum stage { STAGE_BEGIN, STAGE_READY, STAGE_SETTLED, STAGE_ENDED };

struct witness {
	struct record_session_options options;
	struct record_session *session;
	struct consumer *consumer;
	struct accounts accounts;
	struct loaded_vec loaded;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum stage wanted, reached;
	struct error
		*trouble; /* why it failed on the way to the stage that was reached */
};

/* --- the thread --------------------------------------------------------------------- */

static void reach(struct witness *witness, enum stage stage, struct error *trouble)
{
	pthread_mutex_lock(&witness->lock);
	witness->reached = stage;
	witness->trouble = trouble;
	pthread_cond_broadcast(&witness->changed);
	pthread_mutex_unlock(&witness->lock);
}

/* Waits until a stage is wanted, or so long (0: for ever); whether it is. */
static bool await_wish(struct witness *witness, enum stage stage, uint64_t ns)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)(ns % 1000000000u);
	until.tv_sec += (time_t)(ns / 1000000000u) + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	int timed_out = 0;
	pthread_mutex_lock(&witness->lock);
	while (witness->wanted < stage && !timed_out)
		timed_out = ns ? pthread_cond_timedwait(&witness->changed, &witness->lock,
							&until)
			       : pthread_cond_wait(&witness->changed, &witness->lock);
	bool is_wanted = witness->wanted >= stage;
	pthread_mutex_unlock(&witness->lock);
	return is_wanted;
}

static struct error *begin(struct witness *witness)
{
	prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0);
	struct error *error = record_session_create(&witness->options, &witness->session);
	if (!error)
		error = consumer_create(witness->session, NULL, &witness->consumer);
	if (!error)
		consumer_account(witness->consumer, &witness->accounts, &witness->loaded);
	return error;
}

/* When it fails on the way, the program goes on unrecorded. */
static struct error *take_in(struct witness *witness)
{
	struct error *error = NULL;
	while (!error &&
	       !await_wish(witness, STAGE_SETTLED, consumer_nap_ns(witness->consumer)))
		error = consumer_round(witness->consumer);
	if (error) {
		consumer_end(witness->consumer);
		await_wish(witness, STAGE_SETTLED, 0);
		return error;
	}
	return consumer_finish(witness->consumer);
}

static void *live(void *argument)
{
	struct witness *witness = argument;
	struct error *error = begin(witness);
	bool is_ready = !error;
	reach(witness, STAGE_READY, error);
	if (is_ready) {
		error = take_in(witness);
		reach(witness, STAGE_SETTLED, error);
	}
	await_wish(witness, STAGE_ENDED, 0);
	consumer_destroy(witness->consumer);
	record_session_destroy(witness->session);
	return NULL;
}

/* --- the caller --------------------------------------------------------------------- */

static void want(struct witness *witness, enum stage stage)
{
	pthread_mutex_lock(&witness->lock);
	witness->wanted = stage;
	pthread_cond_broadcast(&witness->changed);
	pthread_mutex_unlock(&witness->lock);
}

static void await(struct witness *witness, enum stage stage)
{
	pthread_mutex_lock(&witness->lock);
	while (witness->reached < stage)
		pthread_cond_wait(&witness->changed, &witness->lock);
	pthread_mutex_unlock(&witness->lock);
}

/* Signals are for the caller's thread. */
static int start_thread(struct witness *witness)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&witness->thread, NULL, live, witness);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed;
}

static void init_lock(struct witness *witness)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&witness->lock, NULL);
	pthread_cond_init(&witness->changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void release(struct witness *witness)
{
	pthread_cond_destroy(&witness->changed);
	pthread_mutex_destroy(&witness->lock);
	accounts_deinit(&witness->accounts);
	loaded_deinit(&witness->loaded);
	error_destroy(witness->trouble);
	free(witness);
}

struct error *witness_start(const struct record_session_options *options,
			    struct witness **result)
{
	struct witness *witness = calloc(1, sizeof(*witness));
	if (!witness)
		return error_no_memory();
	witness->options = *options;
	init_lock(witness);
	if (start_thread(witness) != 0) {
		release(witness);
		return error_create(ERROR_SYSTEM, "cannot start a thread");
	}
	await(witness, STAGE_READY);
	struct error *error = witness->trouble;
	if (!error) {
		*result = witness;
		return NULL;
	}
	witness->trouble = NULL;
	witness_end(witness);
	return error;
}

void witness_follow(struct witness *witness, pid_t process)
{
	record_session_follow(witness->session, process);
}

void witness_settle(struct witness *witness)
{
	want(witness, STAGE_SETTLED);
	await(witness, STAGE_SETTLED);
}

void witness_end(struct witness *witness)
{
	if (!witness)
		return;
	want(witness, STAGE_ENDED);
	pthread_join(witness->thread, NULL);
	release(witness);
}

/* --- questions ---------------------------------------------------------------------- */

const char *witness_session_name(const struct witness *witness)
{
	return record_session_name(witness->session);
}

const struct ledger *witness_ledger(const struct witness *witness)
{
	return consumer_ledger(witness->consumer);
}

char *witness_title(const struct witness *witness, const char *command)
{
	return consumer_title(witness->consumer, command);
}

bool witness_is_replaced(const struct witness *witness)
{
	return consumer_is_replaced(witness->consumer);
}

const struct accounts *witness_accounts(const struct witness *witness)
{
	return &witness->accounts;
}

const struct loaded_vec *witness_loaded(const struct witness *witness)
{
	return &witness->loaded;
}

uint32_t witness_nr_nodes(const struct witness *witness)
{
	return consumer_nr_nodes(witness->consumer);
}

bool witness_node(const struct witness *witness, uint32_t number, struct stack_node *node)
{
	return consumer_node(witness->consumer, number, node);
}

struct error *witness_warn(const struct witness *witness, struct sentence_vec *warnings)
{
	const struct gaps gaps = {
		.consumer = witness->consumer,
		.trouble = witness->trouble,
		.why_lost = "what they were about is not known",
	};
	return gaps_tell(&gaps, warnings);
}
