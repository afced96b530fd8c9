/*
 * why_ledger: the books of a process's resident bytes. Ranges of addresses are claimed for
 * what they are, once each; what is left of a mapping is what the mapping is for.
 */
#ifndef SEEP_ANALYSE_WHY_LEDGER_H
#define SEEP_ANALYSE_WHY_LEDGER_H

#include "analyse/resident.h"
#include "analyse/vm_look.h"
#include "base/map.h"
#include "model/why.h"

struct why_ledger {
	const struct vm_look *look;
	struct resident resident;
	uint64_t *claimed; /* resident bytes of each mapping that were claimed; owned */
	size_t at;         /* the mapping of the last claim */
	struct map parts; /* 1 + the number of a part, by the hash of its kind and name */
};

/* Fills a zeroed ledger, while the process stands still. */
struct error *why_ledger_init(struct why_ledger *ledger,
			      const struct vm_look *look) MUST_CHECK;
void why_ledger_deinit(struct why_ledger *ledger);

/* Claims a range; gives its resident bytes. */
uint64_t why_ledger_claim(struct why_ledger *ledger, uint64_t start, uint64_t end);

/* The same, and adds them to the part of that kind and name. */
struct error *why_ledger_add(struct why_ledger *ledger, struct why_report *report,
			     enum why_kind kind, const char *name, uint64_t start,
			     uint64_t end) MUST_CHECK;

/* Adds bytes that were claimed already. */
struct error *why_part_add(struct why_ledger *ledger, struct why_report *report,
			   enum why_kind kind, const char *name, uint64_t bytes,
			   uint64_t count) MUST_CHECK;

/* After the last claim: what is left of the mappings; sums and the residual. */
struct error *why_ledger_close(struct why_ledger *ledger,
			       struct why_report *report) MUST_CHECK;

#endif
