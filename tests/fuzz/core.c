/* Any bytes as a file that holds memory: opened as a target, and read all over. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "target/file_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_extents(struct target *target, const struct region *region)
{
	char buffer[5000];
	struct extent_vec extents = { 0 };
	struct error *error =
		target_extents(target, region, region->start, region->end, &extents);
	for (size_t i = 0; !error && i < extents.nr; i++) {
		size_t got = 0;
		/* The promises that readers build on. */
		if (extents.items[i].start >= extents.items[i].end ||
		    extents.items[i].start < region->start ||
		    extents.items[i].end > region->end ||
		    (i && extents.items[i].start < extents.items[i - 1].end))
			abort();
		error = target->ops->read(target, extents.items[i].start + 8, buffer,
					  sizeof(buffer), &got);
		if (got > sizeof(buffer))
			abort();
	}
	error_destroy(error);
	extent_vec_deinit(&extents);
}

static void ask_everything(struct target *target)
{
	for (size_t i = 0; i < target->regions.nr; i++) {
		if (i &&
		    target->regions.items[i].start < target->regions.items[i - 1].end)
			abort();
		read_extents(target, &target->regions.items[i]);
	}
	for (size_t i = 0; i < target->modules.nr; i++) {
		int fd = -1;
		error_destroy(target_open_module(target, &target->modules.items[i], &fd));
		if (fd >= 0)
			close(fd);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) {
		close(fd);
		return 0;
	}
	/* The mapped files that it names are looked for in a folder without any. */
	const struct target_file_options options = { .sysroot = "/proc/self/fdinfo" };
	struct target *target = NULL;
	struct error *error = core_open(fd, "fuzz", &options, &target);
	if (!error)
		ask_everything(target);
	error_destroy(error);
	target_destroy(target);
	return 0;
}
