/* Any bytes as an ELF file with debug information: asked for lines all over. */
#include "sym/lines.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char path[64];
	struct lines *lines = NULL;
	const struct lines_frame *frames;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd >= 0 && write(fd, bytes, size) == (ssize_t)size) {
		struct error *error = lines_open(path, NULL, &lines);
		for (uint64_t at = 0x1000; !error && at < 0x1400; at += 7)
			lines_at(lines, at, &frames);
		error_destroy(error);
		lines_close(lines);
	}
	close(fd);
	return 0;
}
