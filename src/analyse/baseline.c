/* baseline: see baseline.h. */
#include "analyse/baseline.h"

#include <stdlib.h>
#include <string.h>

struct error *baseline_create(const char *from, struct baseline **result)
{
	struct baseline *baseline = calloc(1, sizeof(*baseline));
	if (baseline && from)
		baseline->from = strdup(from);
	if (!baseline || (from && !baseline->from)) {
		free(baseline);
		return error_no_memory();
	}
	*result = baseline;
	return NULL;
}

void baseline_destroy(struct baseline *baseline)
{
	if (!baseline)
		return;
	known_block_vec_deinit(&baseline->blocks);
	leak_findings_deinit(&baseline->findings);
	free(baseline->from);
	free(baseline);
}

/* --- blocks ------------------------------------------------------------------------- */

static int compare_blocks(const void *a, const void *b)
{
	const struct known_block *left = a, *right = b;
	if (left->address != right->address)
		return left->address < right->address ? -1 : 1;
	if (left->size != right->size)
		return left->size < right->size ? -1 : 1;
	if (left->type != right->type)
		return left->type < right->type ? -1 : 1;
	return (int)left->held - (int)right->held;
}

static struct known_block of_kind(enum leak_kind kind, const struct known_block *block)
{
	struct known_block known = *block;
	known.held = kind == LEAK_REACHABLE;
	return known;
}

struct error *baseline_note(struct baseline *baseline, enum leak_kind kind,
			    const struct known_block *block)
{
	return known_block_vec_push(&baseline->blocks, of_kind(kind, block))
		       ? NULL
		       : error_no_memory();
}

bool baseline_has(const struct baseline *baseline, enum leak_kind kind,
		  const struct known_block *block)
{
	const struct known_block wanted = of_kind(kind, block);
	const struct known_block_vec *blocks = &baseline->blocks;
	return blocks->nr && bsearch(&wanted, blocks->items, blocks->nr, sizeof(wanted),
				     compare_blocks);
}

/* --- findings ----------------------------------------------------------------------- */

static int by_fingerprint(const void *a, const void *b)
{
	const struct leak_finding *left = a, *right = b;
	return left->fingerprint < right->fingerprint
		       ? -1
		       : left->fingerprint > right->fingerprint;
}

/* A copy without examples and stack. */
static struct error *push_copy(struct leak_finding_vec *findings,
			       const struct leak_finding *finding)
{
	struct leak_finding copy = *finding;
	copy.examples = (struct leak_example_vec){ 0 };
	copy.stack = (struct call_stack){ 0 };
	copy.type = finding->type ? strdup(finding->type) : NULL;
	copy.root = finding->root ? strdup(finding->root) : NULL;
	if (!copy.type == !finding->type && !copy.root == !finding->root &&
	    leak_finding_vec_push(findings, copy))
		return NULL;
	free(copy.type);
	free(copy.root);
	return error_no_memory();
}

struct error *baseline_keep(struct baseline *baseline, const struct subject *subject,
			    const struct leak_finding_vec *findings)
{
	struct error *error = NULL;
	baseline->pid = subject->pid;
	baseline->identity = subject->identity;
	for (size_t i = 0; !error && i < findings->nr; i++)
		error = push_copy(&baseline->findings, &findings->items[i]);
	baseline_sort(baseline);
	return error;
}

void baseline_sort(struct baseline *baseline)
{
	if (baseline->findings.nr)
		qsort(baseline->findings.items, baseline->findings.nr,
		      sizeof(baseline->findings.items[0]), by_fingerprint);
	if (baseline->blocks.nr)
		qsort(baseline->blocks.items, baseline->blocks.nr,
		      sizeof(baseline->blocks.items[0]), compare_blocks);
}

bool baseline_is_same_process(const struct baseline *baseline,
			      const struct subject *subject)
{
	return baseline->pid == subject->pid &&
	       target_identity_equal(&baseline->identity, &subject->identity);
}

/* --- comparing ---------------------------------------------------------------------- */

/* What the baseline has of one fingerprint, less what findings before have used up. */
struct tally {
	uint64_t blocks, bytes;
	bool known, met;
};

/* Findings of one fingerprint stand together; the first one's tally stands for all. */
static size_t first_of(const struct leak_finding_vec *findings, uint64_t fingerprint)
{
	size_t low = 0, high = findings->nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (findings->items[middle].fingerprint < fingerprint)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void count_up(const struct leak_finding_vec *findings, struct tally *tallies)
{
	for (size_t i = 0; i < findings->nr; i++) {
		const struct leak_finding *finding = &findings->items[i];
		struct tally *tally = &tallies[first_of(findings, finding->fingerprint)];
		tally->known = true;
		tally->blocks += finding->blocks;
		tally->bytes += finding->bytes;
	}
}

static uint64_t take(uint64_t *left, uint64_t wanted)
{
	uint64_t taken = wanted < *left ? wanted : *left;
	*left -= taken;
	return wanted - taken;
}

static void compare_finding(struct leak_finding *finding, struct tally *tally,
			    bool same_process)
{
	bool was_known = tally && tally->known;
	if (tally)
		tally->met = true;
	if (!same_process) {
		struct tally none = { 0 };
		struct tally *left = tally ? tally : &none;
		finding->new_blocks = take(&left->blocks, finding->blocks);
		finding->new_bytes = take(&left->bytes, finding->bytes);
	}
	finding->change = !finding->new_blocks ? LEAK_UNCHANGED
			  : was_known          ? LEAK_GROWN
					       : LEAK_NEW;
}

static void compare_all(const struct baseline *baseline, bool same_process,
			struct tally *tallies, struct leaks_report *report)
{
	const struct leak_finding_vec *before = &baseline->findings;
	for (size_t i = 0; i < report->findings.nr; i++) {
		struct leak_finding *finding = &report->findings.items[i];
		size_t at = first_of(before, finding->fingerprint);
		bool known = at < before->nr &&
			     before->items[at].fingerprint == finding->fingerprint;
		compare_finding(finding, known ? &tallies[at] : NULL, same_process);
		report->diff->kinds[finding->kind].blocks += finding->new_blocks;
		report->diff->kinds[finding->kind].bytes += finding->new_bytes;
	}
}

static struct error *list_gone(const struct baseline *baseline,
			       const struct tally *tallies, struct leaks_diff *diff)
{
	struct error *error = NULL;
	const struct leak_finding_vec *before = &baseline->findings;
	for (size_t i = 0; !error && i < before->nr; i++)
		if (!tallies[first_of(before, before->items[i].fingerprint)].met)
			error = push_copy(&diff->gone, &before->items[i]);
	return error;
}

static void drop_unchanged(struct leaks_report *report)
{
	struct leak_finding_vec *findings = &report->findings;
	size_t kept = 0;
	for (size_t i = 0; i < findings->nr; i++) {
		if (findings->items[i].change != LEAK_UNCHANGED) {
			findings->items[kept++] = findings->items[i];
			continue;
		}
		leak_finding_deinit(&findings->items[i]);
		report->diff->unchanged++;
	}
	findings->nr = kept;
}

struct error *baseline_compare(const struct baseline *baseline, bool same_process,
			       struct leaks_report *report)
{
	struct tally *tallies = calloc(baseline->findings.nr + 1, sizeof(*tallies));
	report->diff = calloc(1, sizeof(*report->diff));
	if (report->diff && baseline->from)
		report->diff->from = strdup(baseline->from);
	if (!tallies || !report->diff || (baseline->from && !report->diff->from)) {
		free(tallies);
		return error_no_memory();
	}
	report->diff->same_process = same_process;
	count_up(&baseline->findings, tallies);
	compare_all(baseline, same_process, tallies, report);
	struct error *error = list_gone(baseline, tallies, report->diff);
	drop_unchanged(report);
	free(tallies);
	return error;
}
