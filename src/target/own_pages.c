/* own_pages: see own_pages.h. */
#include "target/own_pages.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "target/process.h"

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');
	return end ? end + 1 : line + strlen(line);
}

static bool has_flag(const char *line, const char *flag)
{
	const char *end = next_line(line), *found = strstr(line, flag);
	return found && found < end;
}

/* "VmFlags: rd wr mr mw me ac dd rr": each flag has a space before it (proc(5)). */
static bool is_marked(const char *line)
{
	return !strncmp(line, "VmFlags:", 8) && has_flag(line, " dd") &&
	       has_flag(line, " rr");
}

struct error *own_pages_parse(const char *smaps, struct extent_vec *ranges)
{
	struct extent range = { 0 };
	for (const char *line = smaps; *line; line = next_line(line)) {
		uint64_t start, end;
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &start, &end) == 2)
			range = (struct extent){ .start = start, .end = end };
		if (is_marked(line) && !extent_vec_push(ranges, range))
			return error_no_memory();
	}
	return NULL;
}

struct error *own_pages_find(pid_t pid, struct extent_vec *ranges)
{
	struct str text = { 0 };
	struct error *error = process_file(pid, "smaps", &text);
	if (!error)
		error = own_pages_parse(str_text(&text), ranges);
	str_deinit(&text);
	return error;
}
