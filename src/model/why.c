/* why: see why.h. */
#include "model/why.h"

#include <stdlib.h>

const char *const why_kind_names[WHY_NR_KINDS] = {
	[WHY_LIVE] = "live blocks",
	[WHY_FREE] = "free chunks",
	[WHY_METADATA] = "allocator metadata",
	[WHY_SLACK] = "slack",
	[WHY_STACK] = "stacks",
	[WHY_DEAD_STACK] = "unused stacks",
	[WHY_GLOBALS] = "globals",
	[WHY_TLS] = "TLS",
	[WHY_NAMED] = "named memory",
	[WHY_FILE] = "file pages",
	[WHY_SHARED_MEMORY] = "shared memory",
	[WHY_DEVICE] = "devices",
	[WHY_KERNEL] = "kernel",
	[WHY_OPAQUE] = "opaque",
};

const char *const why_kind_evidence[WHY_NR_KINDS] = {
	[WHY_LIVE] = "chunks that the allocator's own records call in use",
	[WHY_FREE] =
		"chunks in the allocator's lists, and what is left at an arena's end",
	[WHY_METADATA] = "headers of chunks, arenas, and thread caches",
	[WHY_SLACK] = "pages of a mapping of the allocator that are in no chunk",
	[WHY_STACK] =
		"at and above a thread's stack pointer, with what libc keeps of the thread",
	[WHY_DEAD_STACK] =
		"below a thread's stack pointer, or a stack that libc keeps for the next thread",
	[WHY_GLOBALS] = "writable mappings of a module's file, and what follows them",
	[WHY_TLS] =
		"beside the main thread's pointer, where the loader puts them and its own first data",
	[WHY_NAMED] = "the name that the program gave the mapping",
	[WHY_FILE] = "mapped from a file",
	[WHY_SHARED_MEMORY] = "mapped from shared memory, or a file system in memory",
	[WHY_DEVICE] = "mapped from a device, or of huge pages from the pool",
	[WHY_KERNEL] = "mapped by the kernel into every process",
	[WHY_OPAQUE] = "an anonymous mapping that nobody is known to manage",
};

static void destroy_sentences(char **sentences)
{
	for (char **sentence = sentences; sentence && *sentence; sentence++)
		free(*sentence);
	free(sentences);
}

void why_report_destroy(struct why_report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->parts.nr; i++)
		free(report->parts.items[i].name);
	for (size_t i = 0; i < report->pins.nr; i++)
		free(report->pins.items[i].type);
	why_part_vec_deinit(&report->parts);
	why_arena_vec_deinit(&report->arenas);
	why_pin_vec_deinit(&report->pins);
	free(report->target);
	free(report->allocator);
	free(report->unknown);
	free(report->why_stopped);
	destroy_sentences(report->warnings);
	destroy_sentences(report->notes);
	free(report);
}
