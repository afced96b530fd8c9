/*
 * accounts: how much of each request (record/requests.h) was allocated, is live, and was live when
 * the whole program was at its peak.
 *
 * A program reaches one peak after another while it grows, so what was live at the last one is not
 * copied for each. Peaks are counted; an account notes its live blocks when it is first changed
 * after a peak, since until then they are what they were.
 */
#ifndef SEEP_RECORD_ACCOUNTS_H
#define SEEP_RECORD_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/area.h"

struct account {
	uint64_t allocations, temporary;
	uint64_t live;
	uint64_t noted; /* live at the peak of that number */
	uint64_t peak;
};

/* A zeroed struct is empty. */
struct accounts {
	struct area items; /* struct account, by request */
	uint32_t nr;
	uint32_t nr_over; /* before it nothing lives */
	uint64_t peak;    /* the number of the last one */
};

/* False when memory ran out. */
bool accounts_in(struct accounts *accounts, uint32_t request);
/* Of a request that was counted in. */
void accounts_out(struct accounts *accounts, uint32_t request);
/* Of all that are live. What was counted in before is not counted in again. */
void accounts_out_all(struct accounts *accounts);
void accounts_temporary(struct accounts *accounts, uint32_t request);
/* What is live now is more than ever. */
void accounts_peak(struct accounts *accounts);
void accounts_deinit(struct accounts *accounts);

/* By request; blocks that were live at the last peak. */
const struct account *accounts_at(const struct accounts *accounts, uint32_t request);
uint64_t accounts_peak_blocks(const struct accounts *accounts,
			      const struct account *account);

#endif
