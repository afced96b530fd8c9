/* suppressions: see suppressions.h. */
#include "model/suppressions.h"

#include <stdlib.h>

const char *const leak_suppression_state_names[SUPPRESSION_NR_STATES] = {
	[SUPPRESSION_USED] = "used",
	[SUPPRESSION_UNUSED] = "unused",
	[SUPPRESSION_EXPIRED] = "expired",
	[SUPPRESSION_NEEDS_STACKS] = "needs_stacks",
	[SUPPRESSION_NOT_ABOUT_LEAKS] = "not_about_leaks",
};

void leak_suppression_deinit(struct leak_suppression *suppression)
{
	free(suppression->file);
	free(suppression->name);
	free(suppression->reason);
	*suppression = (struct leak_suppression){ 0 };
}
