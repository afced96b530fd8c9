/*
 * baseline: what an earlier look found, for a later one to be compared with.
 *
 * Blocks of the same process are compared one by one: what is handed out does not move, so
 * a block of that address, size, and type, that was lost then too, is nothing new. Between
 * two runs only the numbers of blocks with one fingerprint can be compared.
 *
 * A baseline is made while findings are: findings_make() notes every block, and
 * baseline_keep() copies the findings.
 */
#ifndef SEEP_ANALYSE_BASELINE_H
#define SEEP_ANALYSE_BASELINE_H

#include "analyse/look.h"
#include "model/leaks.h"

struct known_block {
	uint64_t address, size;
	uint64_t type; /* hash */
	bool held;     /* reachable, not lost in any way */
};
DEFINE_VEC(known_block_vec, struct known_block);

struct baseline {
	char *from; /* the file that it comes from; NULL: the look before; owned */
	pid_t pid;
	struct target_identity identity;
	struct known_block_vec blocks;    /* ascending once kept */
	struct leak_finding_vec findings; /* without examples; by fingerprint once kept */
	uint64_t live_bytes; /* at the end of a run that was read; 0: not known */
};

struct error *baseline_create(const char *from, struct baseline **result) MUST_CHECK;
void baseline_destroy(struct baseline *baseline);
/* The findings of a report in JSON (baseline_json.c). */
struct error *baseline_read(const char *path, struct baseline **result) MUST_CHECK;
/* Puts findings and blocks in order; due after the last was added. */
void baseline_sort(struct baseline *baseline);

struct error *baseline_note(struct baseline *baseline, enum leak_kind kind,
			    const struct known_block *block) MUST_CHECK;
/* After the last block. */
struct error *baseline_keep(struct baseline *baseline, const struct subject *subject,
			    const struct leak_finding_vec *findings) MUST_CHECK;

bool baseline_is_same_process(const struct baseline *baseline,
			      const struct subject *subject);
bool baseline_has(const struct baseline *baseline, enum leak_kind kind,
		  const struct known_block *block);

/*
 * Tells of every finding of the report what is new about it, and fills report->diff. When
 * the process is the same, findings_make() has counted new blocks already. Findings that
 * have not changed are taken out.
 */
struct error *baseline_compare(const struct baseline *baseline, bool same_process,
			       struct leaks_report *report) MUST_CHECK;

#endif
