/* barrier: see barrier.h. */
#include "runtime/barrier.h"

#include <fcntl.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>

#include "raw/system_call.h"

/* Where proc_pid_status(5) tells of filters is well before. */
#define STATUS_BYTES 4096
#define NO_FILTER    "\nSeccomp:\t0\n"

/* True only if it is known. */
static bool has_no_filter(void)
{
	char status[STATUS_BYTES];
	long file = system_call(SYS_openat, AT_FDCWD, (long)"/proc/self/status",
				O_RDONLY | O_CLOEXEC, 0, 0, 0);
	if (file < 0)
		return false;
	long nr = system_call(SYS_pread64, file, (long)status, sizeof(status), 0, 0, 0);
	system_call(SYS_close, file, 0, 0, 0, 0, 0);
	for (long i = 0; i + (long)sizeof(NO_FILTER) - 1 <= nr; i++)
		if (memcmp(status + i, NO_FILTER, sizeof(NO_FILTER) - 1) == 0)
			return true;
	return false;
}

bool barrier_allow(void)
{
	return has_no_filter() &&
	       system_call(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0,
			   0, 0, 0) == 0;
}
