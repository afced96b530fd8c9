/*
 * Any words as what a thread of a recorded program tells: rounds over them end, and the books
 * balance. The first byte says how the words are dealt to two rings: of one program, or, if the byte
 * is odd, of one and another that it executed.
 */
#include "record/consumer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raw/windows.h"

enum { NODES = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void fill(struct ring *ring, uint32_t number, const uint8_t *bytes, size_t size)
{
	uint64_t nr = size / sizeof(uint64_t);
	if (nr > RING_WORDS - 2)
		nr = RING_WORDS - 2;
	ring->words[0] = event_first(EVENT_THREAD, number + 1);
	ring->words[1] = 0;
	if (nr)
		memcpy(&ring->words[2], bytes, nr * sizeof(uint64_t));
	atomic_store(&ring->state, RING_USED);
	atomic_store(&ring->head, nr + 2);
}

/* What is live by the totals is what is there. */
static void check(const struct ledger *ledger)
{
	struct recorded_block_vec blocks = { 0 };
	uint64_t live_bytes = 0;
	if (ledger->no_memory)
		return;
	if (!ledger_live(ledger, &blocks) || blocks.nr != ledger->totals.live_blocks)
		abort();
	for (size_t i = 0; i < blocks.nr; i++)
		live_bytes += blocks.items[i].size;
	if (live_bytes != ledger->totals.live_bytes)
		abort();
	recorded_block_vec_deinit(&blocks);
}

/* As the runtime does it in the program that was executed. */
static void execute(struct session *first, const uint8_t *bytes, size_t size)
{
	static struct windows windows;
	char name[64];
	snprintf(name, sizeof(name), "/proc/self/fd/%d", atomic_load(&first->next));
	if (windows_open(&windows, name) < 0)
		abort();
	struct session *session = windows.session;
	memset(session->program, 'p', sizeof(session->program)); /* without an end */
	atomic_store(&session->nr_nodes, NODES);
	atomic_store(&session->nr_rings, 1);
	fill(windows_ring(&windows, 0), 0, bytes, size);
	atomic_store(&session->state, SESSION_JOINED);
	windows_close(&windows);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const bool follows = size && bytes[0] & 1;
	const struct record_session_options options = { .max_frames = 256,
							.follows = follows };
	struct record_session *session = NULL;
	struct consumer *consumer = NULL;
	if (!size)
		return 0;
	if (record_session_create(&options, &session))
		abort();
	struct session *shared = record_session_shared(session);
	size_t first = (size - 1) * bytes[0] / 255 & ~(sizeof(uint64_t) - 1);
	atomic_store(&shared->nr_nodes, NODES);
	atomic_store(&shared->nr_rings, 2);
	if (consumer_create(session, NULL, &consumer))
		abort();
	fill(record_session_ring(session, 0), 0, bytes + 1, first);
	if (follows)
		execute(shared, bytes + 1 + first, size - 1 - first);
	else
		fill(record_session_ring(session, 1), 1, bytes + 1 + first,
		     size - 1 - first);
	error_destroy(consumer_finish(consumer));
	check(consumer_ledger(consumer));
	consumer_destroy(consumer);
	record_session_destroy(session);
	return 0;
}
