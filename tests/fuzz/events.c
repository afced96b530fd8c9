/* Any words as what a thread of a recorded program tells: rounds over them end, and the books
   balance. The first byte says how the words are dealt to two rings. */
#include "record/consumer.h"

#include <stdlib.h>
#include <string.h>

enum { NODES = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void fill(struct record_session *session, uint32_t number, const uint8_t *bytes,
		 size_t size)
{
	struct ring *ring = record_session_ring(session, number);
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

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct record_session_options options = { .max_frames = 256 };
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
	fill(session, 0, bytes + 1, first);
	fill(session, 1, bytes + 1 + first, size - 1 - first);
	if (consumer_create(session, NULL, &consumer))
		abort();
	error_destroy(consumer_finish(consumer));
	check(consumer_ledger(consumer));
	consumer_destroy(consumer);
	record_session_destroy(session);
	return 0;
}
