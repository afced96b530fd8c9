/* Any bytes as /proc/PID/cgroup and, after a NUL, as mountinfo. */
#include "target/headroom.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const controllers[] = { "memory", "pids" };
	char *text = calloc(size + 2, 1);
	if (!text)
		return 0;
	if (size)
		memcpy(text, bytes, size);
	const char *mounts = text + strlen(text) + 1;
	for (size_t i = 0; mounts <= text + size && i < 2; i++) {
		bool is_v2 = false;
		size_t root = 0;
		char *folder =
			headroom_folder(text, mounts, controllers[i], &is_v2, &root);
		if (folder && root > strlen(folder))
			abort();
		free(folder);
	}
	free(text);
	return 0;
}
