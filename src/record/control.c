/*
 * control: see control.h. A request is a byte for its verb and the name, an answer the refusal
 * or nothing.
 */
#include "record/control.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A recording looks at its requests between rounds, and a round may have a lot to write. */
#define PATIENCE_MS 10000

static socklen_t address_of(pid_t pid, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	int length = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1,
			      "seep-record.%d", (int)pid);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

static int open_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	return fd;
}

int control_open(pid_t pid)
{
	struct sockaddr_un address;
	socklen_t size = address_of(pid, &address);
	int fd = open_socket();
	if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, size) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* --- messages ----------------------------------------------------------------------- */

/* Whether the sender of a message may be listened to. */
static bool is_trusted(struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
	     part = CMSG_NXTHDR(message, part)) {
		struct ucred sender;
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS)
			continue;
		memcpy(&sender, CMSG_DATA(part), sizeof(sender));
		return sender.uid == geteuid() || sender.uid == 0;
	}
	return false;
}

/* The size of the next message from who is trusted, NUL-terminated; -1: there is none. */
static ssize_t receive(int fd, char *text, size_t size, struct sockaddr_un *from,
		       socklen_t *from_size)
{
	for (;;) {
		char control[CMSG_SPACE(sizeof(struct ucred))];
		struct iovec bytes = { .iov_base = text, .iov_len = size - 1 };
		struct msghdr message = {
			.msg_name = from,
			.msg_namelen = sizeof(*from),
			.msg_iov = &bytes,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
		if (got < 0)
			return -1;
		text[got] = '\0';
		*from_size = message.msg_namelen;
		if (is_trusted(&message))
			return got;
	}
}

bool control_receive(int control, struct control_request *request)
{
	char text[1 + CONTROL_NAME_MAX + 1];
	ssize_t got;
	do {
		got = receive(control, text, sizeof(text), &request->from,
			      &request->from_size);
		if (got < 0)
			return false;
	} while (got < 1 || text[0] < CONTROL_START || text[0] > CONTROL_FLUSH);
	request->verb = (enum control_verb)text[0];
	memcpy(request->name, text + 1, (size_t)got);
	return true;
}

void control_answer(int control, const struct control_request *request,
		    const char *refusal)
{
	sendto(control, refusal ? refusal : "", refusal ? strlen(refusal) : 0,
	       MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&request->from,
	       request->from_size);
}

void control_file_name(const struct stat *file, char name[CONTROL_FILE_NAME_BYTES])
{
	snprintf(name, CONTROL_FILE_NAME_BYTES, "%llx:%llx",
		 (unsigned long long)file->st_dev, (unsigned long long)file->st_ino);
}

/* --- asking ------------------------------------------------------------------------- */

static struct error *not_recorded(pid_t pid)
{
	return error_remedy(error_create(ERROR_REFUSED,
					 "process %d is not being recorded by a seep of "
					 "yours",
					 (int)pid),
			    "start it under seep: seep record -- COMMAND");
}

static ssize_t pack_request(char *text, size_t size, enum control_verb verb,
			    const char *name)
{
	size_t length = name ? strlen(name) : 0;
	if (length > size - 1)
		return -1;
	text[0] = (char)verb;
	for (size_t i = 0; i < length; i++)
		text[1 + i] = name[i];
	return (ssize_t)length + 1;
}

struct error *control_ask(pid_t pid, enum control_verb verb, const char *name)
{
	struct sockaddr_un to, from;
	socklen_t from_size, to_size = address_of(pid, &to);
	char text[1 + CONTROL_NAME_MAX];
	ssize_t size = pack_request(text, sizeof(text), verb, name);
	if (size < 0)
		return error_create(ERROR_USAGE, "a name has at most %u bytes",
				    CONTROL_NAME_MAX);
	CLEANUP_CLOSE int fd = open_socket();
	/* A socket that is bound to nothing in particular gets a name of its own: for the answer. */
	const struct sockaddr any = { .sa_family = AF_UNIX };
	if (fd < 0 || bind(fd, &any, sizeof(any.sa_family)) != 0)
		return error_create(ERROR_SYSTEM, "cannot make a socket: %s",
				    strerror(errno));
	if (sendto(fd, text, (size_t)size, MSG_NOSIGNAL, (const struct sockaddr *)&to,
		   to_size) != size)
		return not_recorded(pid);
	struct pollfd answer = { .fd = fd, .events = POLLIN };
	if (poll(&answer, 1, PATIENCE_MS) != 1)
		return error_create(ERROR_BUSY,
				    "the seep that records process %d does not answer",
				    (int)pid);
	char refusal[256];
	ssize_t got = receive(fd, refusal, sizeof(refusal), &from, &from_size);
	if (got < 0)
		return not_recorded(pid);
	return got ? error_create(ERROR_REFUSED, "%s", refusal) : NULL;
}
