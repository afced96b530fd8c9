/* solo: see solo.h. */
#include "record/solo.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "raw/solo.h"

#define LEAST_PATIENCE 2u
#define MOST_PATIENCE  1024u
/* Who was solo for so many times the rounds that were waited for was not so in vain. */
#define WORTH_ROUNDS 8u
/* Of a round: what less would save is not worth a barrier. */
#define WORTH_WORDS 512u

/* The ring that alone had records in the round; SESSION_RINGS: none, or several had. */
static uint32_t only_one(const struct rings *rings)
{
	uint32_t found = SESSION_RINGS;
	for (uint32_t i = 0; i < rings->nr_rings; i++) {
		if (!rings->states[i].is_active)
			continue;
		if (found < SESSION_RINGS)
			return SESSION_RINGS;
		found = i;
	}
	return found;
}

/* Whether a thread other than that one may have a time that is not in its ring yet. */
static bool is_anybody_inside(const struct rings *rings, uint32_t but)
{
	for (uint32_t i = 0; i < rings->nr_rings; i++)
		if (i != but && rings->states[i].ring &&
		    atomic_load(&rings->states[i].ring->inside))
			return true;
	return false;
}

static bool give(const struct rings *rings, struct session *session, uint32_t ring)
{
	uint32_t wanted = solo_of(ring) | SOLO_WANTED;
	uint32_t nobody = SOLO_NOBODY;
	if (!atomic_compare_exchange_strong(&session->solo, &nobody, wanted))
		return false;
	bool is_alone = syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0) ==
				0 &&
			!is_anybody_inside(rings, ring) &&
			atomic_load(&session->nr_rings) == rings->nr_rings;
	if (is_alone)
		atomic_store(&session->ticks, event_now_in_order());
	return atomic_compare_exchange_strong(&session->solo, &wanted,
					      is_alone ? solo_of(ring) : SOLO_NOBODY) &&
	       is_alone;
}

static void wait_anew(struct solo *solo, bool was_in_vain)
{
	solo->nr_rounds = 0;
	if (!was_in_vain)
		solo->patience = LEAST_PATIENCE;
	else if (solo->patience < MOST_PATIENCE)
		solo->patience *= 2;
}

static void look_whether_it_is(struct solo *solo, const struct session *session)
{
	solo->nr_rounds++;
	if (atomic_load(&session->solo) != SOLO_NOBODY)
		return;
	solo->is_given = false;
	wait_anew(solo, solo->nr_rounds < WORTH_ROUNDS * solo->patience);
}

static void look_for_one(struct solo *solo, const struct rings *rings,
			 struct session *session)
{
	uint32_t ring = only_one(rings);
	bool goes_on = ring == solo->ring || !solo->nr_rounds;
	if (ring == SESSION_RINGS || !goes_on) {
		/* Where nothing was recorded, nothing was learned. */
		if (rings->fullest_words)
			solo->nr_rounds = 0;
		return;
	}
	if (rings->fullest_words < WORTH_WORDS)
		return;
	solo->ring = ring;
	if (++solo->nr_rounds < solo->patience)
		return;
	solo->is_given = give(rings, session, ring);
	if (solo->is_given)
		solo->nr_rounds = 0;
	else
		wait_anew(solo, true);
}

void solo_end_round(struct solo *solo, const struct rings *rings, struct session *session)
{
	if (rings->nr_rings < 2 || !atomic_load(&session->has_barrier))
		return;
	if (!solo->patience)
		solo->patience = LEAST_PATIENCE;
	if (solo->is_given)
		look_whether_it_is(solo, session);
	else
		look_for_one(solo, rings, session);
}
