/*
 * deaths: ways in which blocks go, numbered as first met (doc/FORMAT.md, "Traces").
 */
#ifndef SEEP_RECORD_DEATHS_H
#define SEEP_RECORD_DEATHS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/area.h"
#include "base/map.h"

/* A block as its death will need to know it. */
struct birth {
	uint64_t us;    /* since the start of the run */
	uint64_t marks; /* that there were before; those past 65535 are not told apart */
	uint32_t request, thread;
};

struct death {
	uint32_t request;
	uint64_t flags;  /* as doc/FORMAT.md has them */
	uint64_t thread; /* likewise: 0 the one that frees, else a number plus one */
};

/* A zeroed struct is empty. */
struct deaths {
	/* Of each request the sixteen that almost all are: no marks, no other thread. Numbers
	   plus one, by the low four bits of the flags. */
	struct area common;
	uint64_t nr_requests;
	struct map
		scenes; /* flags above these bits, with the thread: a number plus one */
	struct map others; /* request and scene, with the low bits: a number plus one */
	uint32_t nr;
};

#define DEATHS_NO_MEMORY UINT32_MAX

/* The flags of a block that goes at a time and after so many marks. */
uint64_t death_flags(const struct birth *birth, uint64_t us, uint64_t marks,
		     bool is_temporary);

/* Its number; a new one has the number deaths->nr before. */
uint32_t deaths_number(struct deaths *deaths, const struct death *death);
void deaths_deinit(struct deaths *deaths);

#endif
