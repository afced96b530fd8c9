/* json_parts: see json_parts_priv.h. */
#include "report/json_parts_priv.h"

#include <string.h>

void json_target(struct json_writer *json, pid_t pid, const char *target)
{
	struct str suffix = { 0 };
	str_printf(&suffix, " (%d)", (int)pid);
	size_t length = strlen(target);
	if (length > suffix.length &&
	    !strcmp(target + length - suffix.length, str_text(&suffix)))
		length -= suffix.length;
	struct str name = { 0 };
	str_append(&name, target, length);
	json_integer(json, "pid", (uint64_t)pid);
	json_string(json, "name", str_text(&name));
	json->out.failed |= suffix.failed || name.failed;
	str_deinit(&suffix);
	str_deinit(&name);
}

void json_sentences(struct json_writer *json, const char *key, char **sentences)
{
	json_open_array(json, key);
	for (char **sentence = sentences; sentence && *sentence; sentence++)
		json_string(json, NULL, *sentence);
	json_close(json);
}

/* As in our files of suppressions: "2026-12-31". */
