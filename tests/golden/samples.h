/*
 * samples: reports made by hand, for the tests of everything that shows one.
 */
#ifndef SEEP_TESTS_SAMPLES_H
#define SEEP_TESTS_SAMPLES_H

#include "model/doctor.h"
#include "model/heap.h"
#include "model/leaks.h"
#include "model/snapshot.h"
#include "model/vm.h"
#include "model/why.h"

/* One sample; destroyed with leaks_report_destroy(). */
struct leaks_sample {
	const char *name;
	struct leaks_report *(*create)(void);
};
extern const struct leaks_sample leaks_samples[];
extern const size_t nr_leaks_samples;

struct doctor_sample {
	const char *name;
	struct doctor_report *(*create)(void);
};
extern const struct doctor_sample doctor_samples[];
extern const size_t nr_doctor_samples;

struct snapshot_sample {
	const char *name;
	struct snapshot_report *(*create)(void);
};
extern const struct snapshot_sample snapshot_samples[];
extern const size_t nr_snapshot_samples;

/* In memory_samples.c. */
struct vm_sample {
	const char *name;
	struct vm_report *(*create)(void);
};
extern const struct vm_sample vm_samples[];
extern const size_t nr_vm_samples;

struct why_sample {
	const char *name;
	struct why_report *(*create)(void);
};
extern const struct why_sample why_samples[];
extern const size_t nr_why_samples;
struct heap_sample {
	const char *name;
	struct heap_report *(*create)(void);
};
extern const struct heap_sample heap_samples[];
extern const size_t nr_heap_samples;

/* By name; ends the test program when there is none. */
struct leaks_report *leaks_sample(const char *name);
struct doctor_report *doctor_sample(const char *name);
struct snapshot_report *snapshot_sample(const char *name);
struct vm_report *vm_sample(const char *name);
struct why_report *why_sample(const char *name);
struct heap_report *heap_sample(const char *name);

#endif
