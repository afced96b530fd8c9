/* gaps: see gaps.h. */
#include "record/gaps.h"

/* Why a program that left the session did so, by enum session_trouble. */
static const char *const troubles[] = {
	[SESSION_NO_MEMORY] = "there was no memory for the runtime in the program",
	[SESSION_NO_NODES] = "there was no room for more call stacks",
	[SESSION_NO_CLOCK] = "the program forbade itself the clock that stamps events",
	[SESSION_NO_RINGS] = "there was no room for more threads",
};

static struct error *tell_of_session(const struct gaps *gaps,
				     struct sentence_vec *warnings)
{
	enum session_state state = consumer_state(gaps->consumer);
	uint32_t trouble = consumer_trouble(gaps->consumer);
	if (gaps->trouble)
		return sentences_add(warnings, "recording stopped early: %s",
				     gaps->trouble->sentence);
	if (trouble && trouble < ARRAY_SIZE(troubles))
		return sentences_add(warnings,
				     "%s: what came after that is not all there",
				     troubles[trouble]);
	if (state == SESSION_OPEN)
		return sentences_add(warnings, "nothing was recorded: the runtime was "
					       "not loaded into the program");
	if (state == SESSION_LEFT && !consumer_is_replaced(gaps->consumer))
		return sentences_add(warnings, "the runtime gave up before the program "
					       "ended");
	return NULL;
}

struct error *gaps_tell(const struct gaps *gaps, struct sentence_vec *warnings)
{
	uint64_t lost = consumer_ledger(gaps->consumer)->totals.lost;
	uint32_t nr_missed = consumer_nr_missed(gaps->consumer);
	uint64_t nr_abandoned = consumer_nr_abandoned(gaps->consumer);
	struct error *error = tell_of_session(gaps, warnings);
	if (!error && lost)
		error = sentences_add(warnings, "%llu events were lost: %s",
				      (unsigned long long)lost, gaps->why_lost);
	if (!error && nr_missed)
		error = sentences_add(warnings,
				      "%u of the programs that it executed are not "
				      "recorded: seep was not ready for them in time",
				      nr_missed);
	if (!error && nr_abandoned)
		error = sentences_add(warnings,
				      "the program damaged what seep shares with it: the "
				      "records of %llu of its threads are not all there",
				      (unsigned long long)nr_abandoned);
	return error;
}
