/* beside: see beside.h. */
#include "base/beside.h"

#include <stddef.h>

static void *run(void *context)
{
	const struct beside *beside = context;
	beside->work(beside->context);
	return NULL;
}

void beside_start(struct beside *beside, void (*work)(void *context), void *context)
{
	beside->work = work;
	beside->context = context;
	beside->is_running = !pthread_create(&beside->thread, NULL, run, beside);
}

void beside_finish(struct beside *beside)
{
	if (beside->is_running)
		pthread_join(beside->thread, NULL);
	else
		beside->work(beside->context);
}
