/* recording: see recording.h. */
#include "lib/recording.h"

#include <errno.h>
#include <string.h>

#include "record/control.h"

struct error *recording_flush(pid_t pid, const char *path)
{
	char name[CONTROL_FILE_NAME_BYTES];
	struct stat status;
	if (stat(path, &status) != 0)
		return error_remedy(
			error_create(ERROR_REFUSED, "cannot read %s: %s", path,
				     strerror(errno)),
			"give the file that seep record --addresses -o FILE is "
			"writing");
	control_file_name(&status, name);
	return control_ask(pid, CONTROL_FLUSH, name);
}
