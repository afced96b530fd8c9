/* parcel: see parcel.h. On the socket: the length, with the descriptors; then the bytes. */
#include "target/parcel.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* More than a process with a hundred thousand threads makes. */
#define PARCEL_MAX ((uint64_t)1 << 31)

void parcel_init(struct parcel *parcel)
{
	*parcel = (struct parcel){ 0 };
	for (size_t i = 0; i < PARCEL_FDS; i++)
		parcel->fds[i] = -1;
}

void parcel_deinit(struct parcel *parcel)
{
	str_deinit(&parcel->bytes);
	parcel_init(parcel);
}

void parcel_put(struct parcel *parcel, const void *bytes, size_t size)
{
	str_append(&parcel->bytes, bytes, size);
}

void parcel_put_text(struct parcel *parcel, const char *text)
{
	uint64_t length = text ? strlen(text) : UINT64_MAX;
	parcel_put(parcel, &length, sizeof(length));
	if (text)
		parcel_put(parcel, text, length);
}

void parcel_put_error(struct parcel *parcel, const struct error *error)
{
	parcel_put_text(parcel, error ? error->sentence : NULL);
	if (!error)
		return;
	parcel_put(parcel, &error->code, sizeof(error->code));
	parcel_put_text(parcel, error->remedy);
}

bool parcel_take(struct parcel *parcel, void *bytes, size_t size)
{
	if (parcel->bytes.length - parcel->taken < size)
		return false;
	if (size)
		memcpy(bytes, parcel->bytes.text + parcel->taken, size);
	parcel->taken += size;
	return true;
}

bool parcel_take_text(struct parcel *parcel, char **text)
{
	uint64_t length = 0;
	*text = NULL;
	if (!parcel_take(parcel, &length, sizeof(length)))
		return false;
	if (length == UINT64_MAX)
		return true;
	if (parcel->bytes.length - parcel->taken < length)
		return false;
	*text = strndup(parcel->bytes.text + parcel->taken, length);
	parcel->taken += length;
	return *text != NULL;
}

bool parcel_take_error(struct parcel *parcel, struct error **error)
{
	char *sentence = NULL, *remedy = NULL;
	enum error_code code = ERROR_SYSTEM;
	*error = NULL;
	if (!parcel_take_text(parcel, &sentence))
		return false;
	if (!sentence)
		return true;
	bool good = parcel_take(parcel, &code, sizeof(code)) &&
		    parcel_take_text(parcel, &remedy);
	if (good)
		*error = error_create(code, "%s", sentence);
	if (good && remedy)
		*error = error_remedy(*error, "%s", remedy);
	free(sentence);
	free(remedy);
	return good;
}

static bool send_all(int socket, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t sent = send(socket, bytes, size, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		bytes += sent;
		size -= (size_t)sent;
	}
	return true;
}

/* Room for the descriptors, aligned as the kernel wants it. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(PARCEL_FDS * sizeof(int))];
};

static bool send_head(const struct parcel *parcel, int socket, uint64_t length)
{
	unsigned nr_fds = 0;
	while (nr_fds < PARCEL_FDS && parcel->fds[nr_fds] >= 0)
		nr_fds++;
	union control control = { 0 };
	struct iovec iov = { .iov_base = &length, .iov_len = sizeof(length) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	if (nr_fds) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
		struct cmsghdr *head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
		memcpy(CMSG_DATA(head), parcel->fds, nr_fds * sizeof(int));
	}
	ssize_t sent;
	do
		sent = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == sizeof(length);
}

bool parcel_send(struct parcel *parcel, int socket)
{
	return !parcel->bytes.failed && send_head(parcel, socket, parcel->bytes.length) &&
	       send_all(socket, str_text(&parcel->bytes), parcel->bytes.length);
}

static bool receive_head(struct parcel *parcel, int socket, uint64_t *length)
{
	union control control = { 0 };
	struct iovec iov = { .iov_base = length, .iov_len = sizeof(*length) };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t got;
	do
		got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
	while (got < 0 && errno == EINTR);
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	if (got > 0 && head && head->cmsg_type == SCM_RIGHTS)
		memcpy(parcel->fds, CMSG_DATA(head), head->cmsg_len - CMSG_LEN(0));
	return got == sizeof(*length);
}

bool parcel_receive(struct parcel *parcel, int socket)
{
	parcel_init(parcel);
	uint64_t length = 0;
	if (!receive_head(parcel, socket, &length) || length > PARCEL_MAX)
		return false;
	while (parcel->bytes.length < length) {
		char buffer[65536];
		uint64_t left = length - parcel->bytes.length;
		ssize_t got = recv(socket, buffer,
				   left < sizeof(buffer) ? left : sizeof(buffer), 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		str_append(&parcel->bytes, buffer, (size_t)got);
	}
	return !parcel->bytes.failed;
}
