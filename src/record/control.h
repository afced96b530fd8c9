/*
 * control: what seep is told about a recording while it runs, by another seep of the same user:
 * datagrams to an abstract unix socket that is named after the recorded process.
 *
 * The kernel says who sends and who listens; only the same user and root are heard and believed.
 * Neither side waits for the other: a question without an answer is an error after a while.
 */
#ifndef SEEP_RECORD_CONTROL_H
#define SEEP_RECORD_CONTROL_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/error.h"

enum control_verb {
	CONTROL_START, /* record again */
	CONTROL_STOP,  /* record nothing until then */
	CONTROL_MARK,  /* give this moment a name */
	/* Write what happened so far into the trace, if it is the file of this name
	   (control_file_name()), and all that happened is known. */
	CONTROL_FLUSH,
};

#define CONTROL_NAME_MAX 1000u

struct control_request {
	enum control_verb verb;
	char name[CONTROL_NAME_MAX + 1]; /* of a mark, of a file */
	struct sockaddr_un from;
	socklen_t from_size;
};

/* A descriptor to wait for requests at; -1 where that is not possible. */
int control_open(pid_t pid);
/* False if there is none now. */
bool control_receive(int control, struct control_request *request);
/* `refusal`: why not; NULL: it was done. */
void control_answer(int control, const struct control_request *request,
		    const char *refusal);

/* What a file is called to the seep that writes it, which may know it by another path. */
#define CONTROL_FILE_NAME_BYTES 48u
void control_file_name(const struct stat *file, char name[CONTROL_FILE_NAME_BYTES]);

/* The other side: asks the seep that records a process. */
struct error *control_ask(pid_t pid, enum control_verb verb, const char *name) MUST_CHECK;

#endif
