/* Any bytes as the text of /proc/PID/maps: refused, or regions that ascend. */
#include "target/maps.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct region_vec regions = { 0 };
	struct error *error = maps_parse((const char *)bytes, size, "fuzz", &regions);
	uint64_t end = 0;
	for (size_t i = 0; i < regions.nr; i++) {
		const struct region *region = &regions.items[i];
		if (region->start < end || region->end <= region->start || !region->name)
			abort();
		end = region->end;
	}
	error_destroy(error);
	regions_deinit(&regions);
	return 0;
}
