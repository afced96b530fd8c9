/* held: see held.h. The formats are those of proc(5) and the kernel's fs/eventpoll.c. */
#include "target/held.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/process.h"

/* One hex number, alone up to the next blank or the end. */
static bool parse_hex(const char *at, const char *end, uint64_t *value)
{
	const char *start = at;
	*value = 0;
	for (; at < end && *at != ' '; at++) {
		bool is_decimal = *at >= '0' && *at <= '9';
		if ((!is_decimal && (*at < 'a' || *at > 'f')) || *value >> 60)
			return false;
		*value = *value << 4 |
			 (unsigned)(is_decimal ? *at - '0' : *at - 'a' + 10);
	}
	return at > start;
}

/* The hex number that follows the first `mark` of a line that begins with `head`. */
static bool parse_line(const char *line, const char *end, const char *head,
		       const char *mark, uint64_t *value)
{
	size_t length = (size_t)(end - line);
	if (length < strlen(head) || memcmp(line, head, strlen(head)) != 0)
		return false;
	const char *at = memmem(line, length, mark, strlen(mark));
	if (!at)
		return false;
	at += strlen(mark);
	while (at < end && *at == ' ')
		at++;
	return parse_hex(at, end, value);
}

static struct error *parse_lines(const char *text, size_t size, const char *head,
				 const char *mark, const char *keeper,
				 struct held_word_vec *held)
{
	const char *end = text + size;
	for (const char *line = text; line < end;) {
		const char *line_end = memchr(line, '\n', (size_t)(end - line));
		if (!line_end)
			line_end = end;
		struct held_word word = { .keeper = keeper };
		if (parse_line(line, line_end, head, mark, &word.value) &&
		    !held_word_vec_push(held, word))
			return error_no_memory();
		line = line_end + 1;
	}
	return NULL;
}

struct error *held_parse_epoll(const char *text, size_t size, struct held_word_vec *held)
{
	return parse_lines(text, size, "tfd:", "data:", "epoll", held);
}

struct error *held_parse_timers(const char *text, size_t size, struct held_word_vec *held)
{
	return parse_lines(text, size, "signal:", "/", "timer", held);
}

static struct error *read_and_parse(pid_t pid, const char *name,
				    struct error *(*parse)(const char *, size_t,
							   struct held_word_vec *),
				    struct held_word_vec *held)
{
	struct str text = { 0 };
	struct error *error = process_file(pid, name, &text);
	if (error) {
		/* The file may be missing in this kernel, or the descriptor just closed. */
		error_destroy(error);
		str_deinit(&text);
		return NULL;
	}
	error = parse(str_text(&text), text.length, held);
	str_deinit(&text);
	return error;
}

struct error *held_collect(pid_t pid, struct held_word_vec *held, bool *incomplete)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	CLEANUP_CLOSEDIR DIR *dir = opendir(path);
	if (!dir) {
		*incomplete = true;
		return NULL;
	}
	struct dirent *entry;
	while ((entry = readdir(dir))) {
		char link[64] = "", name[64];
		if (readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1) < 0)
			continue;
		if (!strcmp(link, "anon_inode:[io_uring]"))
			*incomplete = true;
		if (strcmp(link, "anon_inode:[eventpoll]") != 0)
			continue;
		snprintf(name, sizeof(name), "fdinfo/%.20s", entry->d_name);
		struct error *error = read_and_parse(pid, name, held_parse_epoll, held);
		if (error)
			return error;
	}
	return read_and_parse(pid, "timers", held_parse_timers, held);
}
