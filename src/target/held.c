/* held: see held.h. The formats are those of proc(5) and the kernel's fs/eventpoll.c. */
#include "target/held.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/process.h"

/* The hex number that follows the first `mark` of each line that begins with `head`. */
static struct error *parse_lines(const char *text, size_t size, const char *head,
				 const char *mark, const char *keeper,
				 struct held_word_vec *held)
{
	const char *end = text + size;
	for (const char *line = text; line < end;) {
		const char *line_end = memchr(line, '\n', (size_t)(end - line));
		if (!line_end)
			line_end = end;
		size_t length = (size_t)(line_end - line);
		const char *at = length > strlen(head) &&
						 !memcmp(line, head, strlen(head))
					 ? memmem(line, length, mark, strlen(mark))
					 : NULL;
		if (at) {
			char number[32] = "";
			at += strlen(mark);
			while (at < line_end && *at == ' ')
				at++;
			size_t left = (size_t)(line_end - at);
			memcpy(number, at, left < 31 ? left : 31);
			struct held_word word = {
				.value = strtoull(number, NULL, 16),
				.keeper = keeper,
			};
			if (!held_word_vec_push(held, word))
				return error_no_memory();
		}
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
