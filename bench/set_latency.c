/*
 * set_latency: how long a memcached takes to set a value, as its client sees it. It sets
 * values under random keys, one after the other, over a Unix socket, and prints
 * "sets N p50_us A p99_us B p999_us C max_us D".
 *
 * Usage: set_latency SOCKET NR_KEYS VALUE_BYTES SECONDS
 *
 * With 0 seconds it sets every key once, and prints nothing.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Microseconds, up to a second. */
#define NR_BUCKETS 1000000u
#define HEAD_MAX   64u

static uint32_t histogram[NR_BUCKETS + 1];

static void check(bool done, const char *what)
{
	if (done)
		return;
	perror(what);
	exit(1);
}

static double now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int open_connection(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	check(strlen(path) < sizeof(address.sun_path), "the socket's path");
	memcpy(address.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	check(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, path);
	return fd;
}

static void write_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t sent = write(fd, bytes, size);
		check(sent > 0, "write");
		bytes += sent;
		size -= (size_t)sent;
	}
}

static void expect_stored(int fd)
{
	static const char expected[] = "STORED\r\n";
	char answer[sizeof(expected)] = "";
	size_t length = 0;
	while (length < sizeof(expected) - 1) {
		ssize_t got = read(fd, answer + length, sizeof(expected) - 1 - length);
		check(got > 0, "read");
		length += (size_t)got;
	}
	check(strcmp(answer, expected) == 0, answer);
}

/* `request` has room for the head before the value. */
static void set(int fd, uint64_t key, char *request, size_t value_bytes)
{
	char head[HEAD_MAX];
	int length = snprintf(head, sizeof(head), "set key%llu 0 0 %zu\r\n",
			      (unsigned long long)key, value_bytes);
	char *start = request + HEAD_MAX - length;
	memcpy(start, head, (size_t)length);
	write_all(fd, start, (size_t)length + value_bytes + 2);
	expect_stored(fd);
}

static void measure(int fd, uint64_t nr_keys, char *request, size_t value_bytes,
		    double seconds)
{
	uint64_t state = 88172645463325252u;
	double end_us = now_us() + seconds * 1e6;
	for (double begin_us = now_us(), after_us; begin_us < end_us;
	     begin_us = after_us) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		set(fd, state % nr_keys, request, value_bytes);
		after_us = now_us();
		double took_us = after_us - begin_us;
		histogram[took_us < NR_BUCKETS ? (uint32_t)took_us : NR_BUCKETS]++;
	}
}

static uint32_t quantile_us(uint64_t nr, double share)
{
	uint64_t seen = 0;
	for (uint32_t i = 0; i <= NR_BUCKETS; i++) {
		seen += histogram[i];
		if ((double)seen >= share * (double)nr && seen)
			return i;
	}
	return NR_BUCKETS;
}

static void print(void)
{
	uint64_t nr = 0;
	for (uint32_t i = 0; i <= NR_BUCKETS; i++)
		nr += histogram[i];
	printf("sets %llu p50_us %u p99_us %u p999_us %u max_us %u\n",
	       (unsigned long long)nr, quantile_us(nr, 0.5), quantile_us(nr, 0.99),
	       quantile_us(nr, 0.999), quantile_us(nr, 1));
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 2;
	uint64_t nr_keys = strtoull(argv[2], NULL, 10);
	size_t value_bytes = strtoull(argv[3], NULL, 10);
	double seconds = atof(argv[4]);
	if (!nr_keys || !value_bytes)
		return 2;
	int fd = open_connection(argv[1]);
	char *request = malloc(HEAD_MAX + value_bytes + 2);
	check(request != NULL, "malloc");
	memset(request, 'v', HEAD_MAX + value_bytes);
	memcpy(request + HEAD_MAX + value_bytes, "\r\n", 2);
	for (uint64_t key = 0; seconds <= 0 && key < nr_keys; key++)
		set(fd, key, request, value_bytes);
	measure(fd, nr_keys, request, value_bytes, seconds);
	if (seconds > 0)
		print();
	free(request);
	close(fd);
	return 0;
}
