/* suppressions: the rules and how they match; see suppressions.h. */
#include "analyse/suppressions.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyse/suppressions_priv.h"
#include "base/wildcard.h"

/* What a rule is about that does not say: leaks. What hangs on one goes with it. */
#define KINDS_UNLESS_SAID (1u << LEAK_DEFINITE | 1u << LEAK_POSSIBLE)

/* --- the set ------------------------------------------------------------------------ */

struct suppressions suppressions_begin(void)
{
	time_t now = time(NULL);
	struct tm day = { 0 };
	gmtime_r(&now, &day);
	return (struct suppressions){
		.today = (unsigned)((day.tm_year + 1900) * 10000 +
				    (day.tm_mon + 1) * 100 + day.tm_mday),
	};
}

void suppressions_deinit(struct suppressions *set)
{
	for (size_t i = 0; i < set->rules.nr; i++)
		suppression_deinit(&set->rules.items[i]);
	suppression_vec_deinit(&set->rules);
}

struct error *suppression_init(struct suppression *rule,
			       const struct suppression_lines *lines, const char *name)
{
	*rule = (struct suppression){
		.kinds = KINDS_UNLESS_SAID,
		.most_size = UINT64_MAX,
		.told.state = SUPPRESSION_UNUSED,
		.told.line = lines ? lines->number : 0,
		.told.file = lines ? strdup(lines->file) : NULL,
		.told.name = strdup(name),
	};
	if ((!lines || rule->told.file) && rule->told.name)
		return NULL;
	suppression_deinit(rule);
	return error_no_memory();
}

void suppression_deinit(struct suppression *rule)
{
	leak_suppression_deinit(&rule->told);
	free(rule->type);
	free(rule->root);
	free(rule->module);
	for (size_t i = 0; i < rule->frames.nr; i++)
		free(rule->frames.items[i].pattern);
	suppression_frame_vec_deinit(&rule->frames);
}

struct error *suppressions_add(struct suppressions *set, struct suppression *rule)
{
	if (rule->told.state == SUPPRESSION_UNUSED) {
		if (rule->told.expires && rule->told.expires < set->today)
			rule->told.state = SUPPRESSION_EXPIRED;
		else if (rule->frames.nr && !set->has_stacks)
			rule->told.state = SUPPRESSION_NEEDS_STACKS;
	}
	if (suppression_vec_push(&set->rules, *rule))
		return NULL;
	suppression_deinit(rule);
	return error_no_memory();
}

struct error *suppressions_add_type(struct suppressions *set, const char *pattern)
{
	struct suppression rule;
	struct error *error = suppression_init(&rule, NULL, pattern);
	if (error)
		return error;
	rule.type = strdup(pattern);
	if (rule.type)
		return suppressions_add(set, &rule);
	suppression_deinit(&rule);
	return error_no_memory();
}

struct error *suppressions_tell(struct suppressions *set,
				struct leak_suppression_vec *told)
{
	for (size_t i = 0; i < set->rules.nr; i++) {
		if (!leak_suppression_vec_push(told, set->rules.items[i].told))
			return error_no_memory();
		set->rules.items[i].told = (struct leak_suppression){ 0 };
	}
	return NULL;
}

/* --- matching ----------------------------------------------------------------------- */

/* The kinds that it may match. */
static unsigned live_kinds(const struct suppression *rule)
{
	return rule->told.state < SUPPRESSION_EXPIRED ? rule->kinds : 0;
}

unsigned suppressions_kinds(const struct suppressions *set)
{
	unsigned kinds = 0;
	for (size_t i = 0; i < set->rules.nr; i++)
		kinds |= live_kinds(&set->rules.items[i]);
	return kinds;
}

unsigned suppressions_held_kinds(const struct suppressions *set)
{
	unsigned kinds = 0;
	for (size_t i = 0; i < set->rules.nr; i++)
		if (set->rules.items[i].root || set->rules.items[i].module)
			kinds |= live_kinds(&set->rules.items[i]);
	return kinds & (1u << LEAK_POSSIBLE | 1u << LEAK_REACHABLE);
}

static bool matches_one(const char *pattern, const char *first, const char *second)
{
	return !pattern || (first && wildcard_matches(pattern, first)) ||
	       (second && wildcard_matches(pattern, second));
}

static bool has_fingerprint(const struct suppression *rule,
			    const struct suppression_subject *subject)
{
	for (size_t i = 0; i < ARRAY_SIZE(subject->fingerprints); i++)
		if (subject->fingerprints[i] == rule->fingerprint)
			return true;
	return !rule->has_fingerprint;
}

static bool matches(const struct suppression *rule,
		    const struct suppression_subject *subject)
{
	return live_kinds(rule) & (1u << subject->kind) &&
	       rule->least_size <= subject->size && subject->size <= rule->most_size &&
	       has_fingerprint(rule, subject) &&
	       matches_one(rule->type, subject->type, NULL) &&
	       matches_one(rule->root, subject->root, subject->symbol) &&
	       matches_one(rule->module, subject->modules[0], subject->modules[1]) &&
	       (!rule->frames.nr ||
		suppression_frames_match(&rule->frames, subject->calls,
					 subject->nr_calls));
}

struct suppression *suppressions_match(struct suppressions *set,
				       const struct suppression_subject *subject)
{
	for (size_t i = 0; i < set->rules.nr; i++)
		if (matches(&set->rules.items[i], subject))
			return &set->rules.items[i];
	return NULL;
}

void suppression_use(struct suppression *rule, uint64_t bytes)
{
	rule->told.state = SUPPRESSION_USED;
	rule->told.matched.blocks++;
	rule->told.matched.bytes += bytes;
}
