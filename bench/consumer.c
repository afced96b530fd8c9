/*
 * consumer: what an event costs seep: merging, pairing, encoding and compressing, in
 * nanoseconds of processor time, on events that are made up.
 *
 * Usage: consumer TRACE [EVENTS [RINGS [LIVE [REQUESTS]]]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "record/consumer.h"
#include "unit/producer.h"

/* Ticks from one event to the next: a program that does little else than allocate. */
#define SPACING_TICKS 250u
#define MAX_RINGS     64u

struct model {
	uint64_t *live; /* addresses */
	uint64_t *free; /* the one freed last comes last */
	size_t nr_live, nr_free, most;
	uint32_t nr_requests;
	uint64_t random, last;
};

static uint64_t next_random(struct model *model)
{
	model->random ^= model->random << 13;
	model->random ^= model->random >> 7;
	model->random ^= model->random << 17;
	return model->random;
}

static uint64_t next_time(struct model *model)
{
	uint64_t now;
	while ((now = event_now()) < model->last + SPACING_TICKS)
		;
	return model->last = now;
}

/* Few requests are most of all: the square of an even distribution. */
static uint32_t next_request(struct model *model)
{
	uint64_t even = next_random(model) % model->nr_requests;
	return (uint32_t)(even * (next_random(model) % model->nr_requests) /
			  model->nr_requests);
}

static void make_event(struct model *model, struct producer *producer)
{
	bool grows = model->nr_live < model->most / 2 || next_random(model) & 1;
	if (grows && model->nr_free) {
		uint32_t request = next_request(model);
		uint64_t address = model->free[--model->nr_free];
		model->live[model->nr_live++] = address;
		producer_allocate(producer, next_time(model), address,
				  16 + request % 200 * 8, 1 + request);
	} else {
		/* Mostly young blocks die. */
		size_t young =
			model->nr_live < 64 || next_random(model) & 3
				? next_random(model) %
					  (model->nr_live < 64 ? model->nr_live : 64)
				: next_random(model) % model->nr_live;
		size_t at = model->nr_live - 1 - young;
		uint64_t address = model->live[at];
		model->live[at] = model->live[--model->nr_live];
		model->free[model->nr_free++] = address;
		producer_free(producer, next_time(model), address);
	}
}

static double cpu_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void check(struct error *error)
{
	if (!error)
		return;
	fprintf(stderr, "consumer: %s\n", error->sentence);
	exit(1);
}

static unsigned long argument(char **argv, int i, int argc, unsigned long usual)
{
	return i < argc ? strtoul(argv[i], NULL, 10) : usual;
}

int main(int argc, char **argv)
{
	unsigned long nr_events = argument(argv, 2, argc, 10000000);
	unsigned nr_rings = (unsigned)argument(argv, 3, argc, 1);
	struct model model = { .most = argument(argv, 4, argc, 100000),
			       .random = 88172645463325252 };
	model.nr_requests = (uint32_t)argument(argv, 5, argc, 5000);
	if (argc < 2 || nr_rings > MAX_RINGS || !nr_rings)
		return 2;
	model.live = calloc(model.most, sizeof(*model.live));
	model.free = calloc(model.most, sizeof(*model.free));
	for (size_t i = 0; i < model.most; i++)
		model.free[model.nr_free++] = 0x555500000010 + (model.most - i) * 96;

	const struct record_session_options options = { .max_frames = 256 };
	const struct trace_writer_run run = { .arguments = &argv[argc] };
	struct record_session *session;
	struct trace_writer *trace;
	struct consumer *consumer;
	struct producer producers[MAX_RINGS];
	check(record_session_create(&options, &session));
	producer_join(session, model.nr_requests + 1);
	check(trace_writer_create(argv[1], &run, &trace));
	check(consumer_create(session, trace, &consumer));
	for (unsigned i = 0; i < nr_rings; i++)
		producers[i] =
			producer_begin(session, i, (int32_t)i + 1, next_time(&model));

	double seconds = 0;
	for (unsigned long done = 0; done < nr_events;) {
		for (unsigned i = 0; i < 2000 * nr_rings; i++, done++)
			make_event(&model, &producers[next_random(&model) % nr_rings]);
		for (unsigned i = 0; i < nr_rings; i++)
			producer_publish(&producers[i]);
		double start = cpu_s();
		check(consumer_round(consumer));
		seconds += cpu_s() - start;
	}
	double start = cpu_s();
	const struct trace_writer_summary summary = { 0 };
	check(consumer_finish(consumer));
	check(trace_writer_finish(trace, &summary));
	seconds += cpu_s() - start;
	const struct ledger_totals *totals = &consumer_ledger(consumer)->totals;
	printf("%.1f ns and %.2f bytes per event; %lu events, %lu allocations, %lu frees\n",
	       seconds * 1e9 / (double)nr_events,
	       (double)trace_writer_size(trace) / (double)nr_events, nr_events,
	       (unsigned long)totals->allocations, (unsigned long)totals->frees);
	return 0;
}
