/* core_facts: what a core tells of a process besides memory and threads; see core_write.h. */
#include <stdio.h>
#include <string.h>

#include "target/core_write.h"
#include "target/process.h"

/* /proc/PID/stat after the name, which may hold anything: " S PPID PGRP SESSION …". */
static struct error *read_stat(pid_t pid, struct core_facts *facts)
{
	struct str text = { 0 };
	struct error *error = process_file(pid, "stat", &text);
	const char *after = error ? NULL : strrchr(str_text(&text), ')');
	int parent = 0, group = 0, session = 0;
	if (after &&
	    sscanf(after, ") %c %d %d %d", &facts->state, &parent, &group, &session) != 4)
		parent = group = session = 0;
	facts->parent = parent;
	facts->group = group;
	facts->session = session;
	str_deinit(&text);
	return error;
}

static struct error *read_status(pid_t pid, struct core_facts *facts)
{
	struct process_status status;
	struct error *error = process_status(pid, 0, &status);
	if (error)
		return error;
	facts->uid = status.uid;
	facts->gid = status.gid;
	snprintf(facts->comm, sizeof(facts->comm), "%.15s", status.comm);
	return NULL;
}

static struct error *read_words(pid_t pid, struct core_facts *facts)
{
	struct str text = { 0 };
	struct error *error = process_file(pid, "cmdline", &text);
	size_t length = text.length < sizeof(facts->words) - 1 ? text.length
							       : sizeof(facts->words) - 1;
	for (size_t i = 0; !error && i < length; i++)
		facts->words[i] = text.text[i] ? text.text[i] : ' ';
	str_deinit(&text);
	return error;
}

struct error *core_facts_read(pid_t pid, struct core_facts *facts)
{
	*facts = (struct core_facts){ .pid = pid };
	struct str auxv = { 0 };
	struct error *error = read_stat(pid, facts);
	if (!error)
		error = read_status(pid, facts);
	if (!error)
		error = read_words(pid, facts);
	if (!error)
		error = process_file(pid, "auxv", &auxv);
	facts->auxv_size = auxv.length;
	facts->auxv = str_take(&auxv);
	return error;
}

void core_facts_deinit(struct core_facts *facts)
{
	free(facts->auxv);
	*facts = (struct core_facts){ 0 };
}
