/*
 * demo: a small server as many are: sessions log in, send requests, and log out. It runs
 * until it is killed, and loses memory in three ways:
 *  - a session that ends with an error keeps its greeting (single blocks);
 *  - an aborted upload drops the list of its parts (a list);
 *  - a chat's two sides point at each other and are forgotten together (a cycle).
 *
 * expect: definite greetings, part lists and chat cycles; nothing else
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_SESSIONS 64

struct part {
	struct part *next;
	size_t nr_bytes;
	unsigned char bytes[112];
};

struct chat_side {
	struct chat_side *other;
	char nickname[40];
};

struct session {
	unsigned number;
	char *greeting;
	struct part *upload;
};

static struct session *sessions[MAX_SESSIONS];

static void *allocate(size_t size)
{
	void *memory = calloc(1, size);
	if (!memory)
		abort();
	return memory;
}

static struct session *session_create(unsigned number)
{
	struct session *session = allocate(sizeof(*session));
	session->number = number;
	if (asprintf(&session->greeting, "Welcome back, customer number %u!", number) < 0)
		abort();
	return session;
}

static void session_destroy(struct session *session, bool broken)
{
	if (!session)
		return;
	while (session->upload) {
		struct part *part = session->upload;
		session->upload = part->next;
		free(part);
	}
	if (!broken)
		free(session->greeting);
	free(session);
}

static void session_upload(struct session *session, unsigned nr_parts)
{
	for (unsigned i = 0; i < nr_parts; i++) {
		struct part *part = allocate(sizeof(*part));
		part->nr_bytes = sizeof(part->bytes);
		memset(part->bytes, (int)(session->number + i), sizeof(part->bytes));
		part->next = session->upload;
		session->upload = part;
	}
}

static void session_abort_upload(struct session *session)
{
	session->upload = NULL;
}

static struct chat_side *chat_side_create(unsigned number)
{
	struct chat_side *side = allocate(sizeof(*side));
	snprintf(side->nickname, sizeof(side->nickname), "customer-%u", number);
	return side;
}

static void session_chat(const struct session *session)
{
	struct chat_side *caller = chat_side_create(session->number);
	struct chat_side *callee = chat_side_create(session->number + 1);
	caller->other = callee;
	callee->other = caller;
}

static void serve(unsigned number)
{
	struct session **slot = &sessions[number % MAX_SESSIONS];
	session_destroy(*slot, number % 10 == 0);
	*slot = session_create(number);
	session_upload(*slot, number % 7);
	if (number % 50 == 0)
		session_abort_upload(*slot);
	if (number % 100 == 0)
		session_chat(*slot);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned number = 1;; number++) {
		serve(number);
		if (number % 1000 == 0)
			printf("served %u sessions\n", number);
		usleep(1000);
	}
}
