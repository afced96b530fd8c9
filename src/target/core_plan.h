/*
 * core_plan: which memory of a target goes into a core, and where in the file.
 */
#ifndef SEEP_TARGET_CORE_PLAN_H
#define SEEP_TARGET_CORE_PLAN_H

#include "target/target.h"

/* What becomes a PT_LOAD. */
struct core_plan_segment {
	uint64_t start, end;
	uint64_t dumped; /* bytes from `start` on that have a place in the file */
	uint64_t offset; /* of that place */
	unsigned flags;  /* enum region_flags */
};
DEFINE_VEC(core_plan_segment_vec, struct core_plan_segment);

/* A run of memory to be copied; it lies in one segment's dumped part. */
struct core_plan_run {
	uint64_t start, end;
	size_t segment;
};
DEFINE_VEC(core_plan_run_vec, struct core_plan_run);

struct core_plan {
	struct core_plan_segment_vec segments; /* ascending */
	struct core_plan_run_vec runs;         /* ascending */
	struct extent_vec left_out;            /* exists, and is not read */
	uint64_t run_bytes;
};

/* The target must be frozen. */
struct error *core_plan_make(struct target *target, struct core_plan *plan) MUST_CHECK;
void core_plan_deinit(struct core_plan *plan);

/* Gives each segment its place from `offset` on, page by page; returns the file's size. */
uint64_t core_plan_place(struct core_plan *plan, uint64_t offset);

#endif
