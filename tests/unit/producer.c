/* producer: see producer.h. */
#include "producer.h"

void producer_join(struct record_session *session, uint32_t nr_nodes)
{
	struct session *shared = record_session_shared(session);
	for (uint32_t i = 1; i <= nr_nodes; i++) {
		struct stack_node *node =
			(struct stack_node *)(uintptr_t)record_session_node(session, i);
		*node = (struct stack_node){ 0x400000 + 16 * i, i - 1, 0 };
	}
	atomic_store(&shared->pid, 42);
	atomic_store(&shared->nr_nodes, nr_nodes + 1);
	atomic_store(&shared->state, SESSION_JOINED);
}

void producer_word(struct producer *producer, uint64_t word)
{
	*ring_word(producer->ring, producer->head++) = word;
}

void producer_publish(struct producer *producer)
{
	atomic_store_explicit(&producer->ring->head, producer->head,
			      memory_order_release);
}

struct producer producer_begin(struct record_session *session, uint32_t ring, int32_t tid,
			       uint64_t time)
{
	struct session *shared = record_session_shared(session);
	struct producer producer = { .ring = record_session_ring(session, ring) };
	producer.head = atomic_load(&producer.ring->head);
	atomic_store(&producer.ring->tid, tid);
	atomic_store(&producer.ring->lost, 0);
	atomic_store(&producer.ring->state, RING_USED);
	if (atomic_load(&shared->nr_rings) <= ring)
		atomic_store(&shared->nr_rings, ring + 1);
	producer_word(&producer, event_first(EVENT_THREAD, (uint64_t)tid));
	producer_word(&producer, time);
	producer_publish(&producer);
	return producer;
}

void producer_end(struct producer *producer, uint64_t time)
{
	producer_word(producer, event_first(EVENT_THREAD_END, 0));
	producer_word(producer, time);
	producer_publish(producer);
	atomic_store(&producer->ring->state, RING_ENDED);
}

void producer_allocate(struct producer *producer, uint64_t time, uint64_t address,
		       uint32_t size, uint32_t node)
{
	producer_word(producer, event_first(EVENT_ALLOCATION, address));
	producer_word(producer, time);
	producer_word(producer, (uint64_t)node << 32 | size);
}

void producer_free(struct producer *producer, uint64_t time, uint64_t address)
{
	producer_word(producer, event_first(EVENT_FREE, address));
	producer_word(producer, time);
}

void producer_reallocate(struct producer *producer, uint64_t time, uint64_t from,
			 uint64_t to, uint64_t size, uint32_t node)
{
	producer_word(producer, event_first(EVENT_REALLOCATION, from));
	producer_word(producer, time);
	producer_word(producer, (uint64_t)node << 32);
	producer_word(producer, size);
	producer_word(producer, to);
}
