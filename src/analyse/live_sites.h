/*
 * live_sites: what allocated the blocks of a process that is being recorded, by their addresses, for
 * who walks its heap without a look (look.h): as it was a moment before. A block that came since then
 * has no site, or that of the one whose place it took: how many that may be is told afterwards.
 */
#ifndef SEEP_ANALYSE_LIVE_SITES_H
#define SEEP_ANALYSE_LIVE_SITES_H

#include "analyse/call_sites.h"
#include "analyse/traced_events.h"
#include "base/map.h"

struct live_sites {
	struct traced_visitor visitor; /* first */
	const struct source_trace *trace;
	pid_t pid;
	struct traced_look before;
	struct trace_reader *reader; /* of what was written then */
	struct map requests;         /* number plus one, by address; 0: none any more */
	struct map later;            /* addresses where something happened since */
	struct call_sites *stacks;
	bool is_out_of_memory;
};

/* Fills a zeroed struct, which stays where it is; live_sites_close() is due in any case. */
struct error *live_sites_open(const struct source_trace *trace, pid_t pid,
			      struct live_sites *sites) MUST_CHECK;
void live_sites_close(struct live_sites *sites);

/* The node of the stack that allocated the block, for live_sites_name(); 0: it is not known. */
uint32_t live_sites_node(const struct live_sites *sites, uint64_t address);

/* When the process runs on: *nr is at how many addresses something happened meanwhile. */
struct error *live_sites_doubts(struct live_sites *sites, uint64_t *nr) MUST_CHECK;

/* The stack of a node, as site_label() tells it; owned by the caller. */
struct error *live_sites_name(struct live_sites *sites, uint32_t node,
			      char **name) MUST_CHECK;

#endif
