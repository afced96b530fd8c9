/*
 * instant: what the kernel counts of a process while it stands still. It is not to be had of a
 * frozen copy, which has page tables of its own: it is taken at the stop that the copy is made in.
 */
#ifndef SEEP_TARGET_INSTANT_H
#define SEEP_TARGET_INSTANT_H

#include "target/pages.h"
#include "target/parcel.h"

struct instant {
	char *smaps, *status;      /* the texts of the files of /proc; owned */
	struct page_run_vec pages; /* ascending: of mappings with anything resident */
};

/* Fills a zeroed instant, of a process of which `via` is a thread that has not ended. Takes no
   longer than until `deadline_ns` of CLOCK_MONOTONIC: ERROR_BUDGET. */
struct error *instant_read(pid_t via, uint64_t deadline_ns,
			   struct instant *instant) MUST_CHECK;
void instant_deinit(struct instant *instant);

void instant_put(struct parcel *parcel, const struct instant *instant);
bool instant_take(struct parcel *parcel, struct instant *instant);

/* Appends /proc/VIA/`name`, which the kernel makes up while it is read. */
struct error *instant_read_file(pid_t via, const char *name, uint64_t deadline_ns,
				struct str *text) MUST_CHECK;

#endif
