/* succession: see succession.h. */
#include "record/succession.h"

static bool is_recording(const struct record_session *session)
{
	return atomic_load(&record_session_shared(session)->recording);
}

/* The next one, which the process may find from now on. */
static struct error *prepare(struct succession *succession)
{
	struct error *error = record_session_create_next(
		succession->current, !is_recording(succession->current),
		&succession->next);
	record_session_lead(succession->first, succession->next);
	return error;
}

struct error *succession_begin(struct succession *succession,
			       struct record_session *first)
{
	*succession = (struct succession){ .first = first, .current = first };
	return record_session_follows(first) ? prepare(succession) : NULL;
}

static void leave(struct record_session *session, struct record_session *first)
{
	if (session == first)
		record_session_empty(session);
	else
		record_session_destroy(session);
}

void succession_deinit(struct succession *succession)
{
	record_session_destroy(succession->next);
	if (succession->current != succession->first)
		record_session_destroy(succession->current);
	*succession = (struct succession){ 0 };
}

bool succession_is_due(const struct succession *succession)
{
	return succession->next &&
	       atomic_load(&record_session_shared(succession->next)->state) !=
		       SESSION_OPEN;
}

void succession_advance(struct succession *succession, bool more)
{
	struct record_session *before = succession->current;
	succession->current = succession->next;
	succession->next = NULL;
	/* Before the last one goes: a descriptor of its number would not be seen as another. */
	if (more)
		error_destroy(prepare(succession));
	else
		record_session_lead(succession->first, NULL);
	leave(before, succession->first);
}

uint32_t succession_nr_missed(const struct succession *succession)
{
	return atomic_load(&record_session_shared(succession->first)->nr_missed);
}

void succession_set_recording(struct succession *succession, bool is_wanted)
{
	atomic_store(&record_session_shared(succession->current)->recording, is_wanted);
	if (succession->next)
		atomic_store(&record_session_shared(succession->next)->recording,
			     is_wanted);
}

void succession_end(struct succession *succession)
{
	if (succession->next)
		record_session_end(succession->next);
	record_session_end(succession->current);
	record_session_end(succession->first);
}
