/* leak_choice: see leak_choice.h. */
#include "cmd/leak_choice.h"

#define LISTED_IN_TEXT 20
#define ALL_FINDINGS   0 /* the word of seep_leaks_options and seep_run_options for it */

const struct option_word leak_choice_all[] = { { "all", ALL_FINDINGS, NULL }, { 0 } };

bool leak_choice_complete(struct leak_choice *choice)
{
	return text_vec_push(&choice->excludes, NULL) &&
	       text_vec_push(&choice->suppressions, NULL);
}

void leak_choice_deinit(struct leak_choice *choice)
{
	text_vec_deinit(&choice->excludes);
	text_vec_deinit(&choice->suppressions);
}

unsigned leak_choice_listed(const struct leak_choice *choice, bool is_for_programs)
{
	if (choice->max_findings != LEAK_CHOICE_UNSAID)
		return choice->max_findings;
	return is_for_programs || choice->gen_suppressions ? ALL_FINDINGS
							   : LISTED_IN_TEXT;
}
