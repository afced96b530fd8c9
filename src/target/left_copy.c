/* left_copy: see left_copy.h. */
#include "target/left_copy.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "target/process.h"

/* It is being ended when its tracer is: it takes as long as its memory takes to be freed. */
#define TRIES       100
#define INTERVAL_NS 10000000
#define BUDGET_NS   200000000u

enum presence { PRESENCE_NONE, PRESENCE_ENDING, PRESENCE_ZOMBIE };

/* A child of the process without an exit signal, which is what tells it from one that came to
   have its number: proc(5), "stat", fields 3, 4 and 38. */
static enum presence find(pid_t process, const struct copy *left)
{
	struct str text = { 0 };
	struct error *error = process_file(left->pid, "stat", &text);
	error_destroy(error);
	const char *after = error ? NULL : strrchr(str_text(&text), ')');
	char state = '\0';
	int parent = 0, exit_signal = -1;
	bool there = after &&
		     sscanf(after,
			    ") %c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			    "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			    "%*s %*s %*s %*s %*s %d",
			    &state, &parent, &exit_signal) == 3 &&
		     parent == process && exit_signal == 0;
	str_deinit(&text);
	if (!there)
		return PRESENCE_NONE;
	return state == 'Z' ? PRESENCE_ZOMBIE : PRESENCE_ENDING;
}

/* With all threads of the process stopped, none of which can take the status meanwhile. */
static struct error *reap_stopped(struct freezer *freezer, pid_t process,
				  const struct copy *left)
{
	struct copy copy = { .pid_inside = left->pid_inside, .pidfd = -1 };
	struct str maps = { 0 };
	if (find(process, left) != PRESENCE_ZOMBIE)
		return NULL;
	struct error *error = process_file(process, "maps", &maps);
	if (!error)
		error = copy_reap(freezer, str_text(&maps), &copy);
	str_deinit(&maps);
	return error;
}

static struct error *reap_once(pid_t process, const struct copy *left, uint64_t *pause_ns)
{
	struct freezer freezer = { 0 };
	uint64_t begin_ns = freezer_now_ns();
	struct error *error = freezer_stop(&freezer, process, begin_ns + BUDGET_NS);
	if (error)
		return error;
	error = reap_stopped(&freezer, process, left);
	freezer_release(&freezer);
	*pause_ns = freezer_now_ns() - begin_ns;
	return error;
}

uint64_t left_copy_reap(pid_t process, const struct copy *left)
{
	uint64_t pause_ns = 0;
	for (int i = 0; i < TRIES && left->pid > 0; i++) {
		enum presence presence = find(process, left);
		if (presence == PRESENCE_NONE)
			break;
		if (presence == PRESENCE_ZOMBIE)
			error_destroy(reap_once(process, left, &pause_ns));
		else
			nanosleep(&(struct timespec){ .tv_nsec = INTERVAL_NS }, NULL);
	}
	return pause_ns;
}
