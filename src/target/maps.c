/* maps: see maps.h. The line format is proc(5)'s. */
#include "target/maps.h"

#include <limits.h>
#include <string.h>

#define PAGE_SIZE 4096u

static bool take(const char **at, const char *end, char c)
{
	if (*at == end || **at != c)
		return false;
	(*at)++;
	return true;
}

static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : UINT_MAX;
}

/* At least one digit of the given base, as many as there are. */
static bool take_number(const char **at, const char *end, unsigned base, uint64_t *number)
{
	const char *start = *at;
	uint64_t value = 0;
	for (; *at < end && digit_of(**at) < base; (*at)++) {
		unsigned digit = digit_of(**at);
		if (value > (UINT64_MAX - digit) / base)
			return false;
		value = value * base + digit;
	}
	*number = value;
	return *at > start;
}

static bool take_flag(const char **at, const char *end, char set, char clear,
		      unsigned flag, unsigned *flags)
{
	if (take(at, end, clear))
		return true;
	*flags |= flag;
	return take(at, end, set);
}

static bool take_flags(const char **at, const char *end, unsigned *flags)
{
	return take_flag(at, end, 'r', '-', REGION_READ, flags) &&
	       take_flag(at, end, 'w', '-', REGION_WRITE, flags) &&
	       take_flag(at, end, 'x', '-', REGION_EXEC, flags) &&
	       take_flag(at, end, 's', 'p', REGION_SHARED, flags);
}

/* `start-end perms offset major:minor inode   name`, without its newline. */
bool maps_parse_line(const char *line, const char *end, struct region *region)
{
	const char *at = line;
	uint64_t major = 0, minor = 0;
	bool good = take_number(&at, end, 16, &region->start) && take(&at, end, '-') &&
		    take_number(&at, end, 16, &region->end) && take(&at, end, ' ') &&
		    take_flags(&at, end, &region->flags) && take(&at, end, ' ') &&
		    take_number(&at, end, 16, &region->offset) && take(&at, end, ' ') &&
		    take_number(&at, end, 16, &major) && take(&at, end, ':') &&
		    take_number(&at, end, 16, &minor) && take(&at, end, ' ') &&
		    take_number(&at, end, 10, &region->inode);
	if (!good || (at < end && *at != ' '))
		return false;
	while (take(&at, end, ' '))
		continue;
	region->major = (uint32_t)major;
	region->minor = (uint32_t)minor;
	region->name = strndup(at, (size_t)(end - at));
	return region->start < region->end && region->start % PAGE_SIZE == 0 &&
	       region->end % PAGE_SIZE == 0;
}

struct error *maps_parse(const char *text, size_t size, const char *source,
			 struct region_vec *regions)
{
	const char *end = text + size;
	uint64_t previous_end = regions->nr ? regions->items[regions->nr - 1].end : 0;
	unsigned line_number = 0;
	for (const char *line = text; line < end;) {
		const char *line_end = memchr(line, '\n', (size_t)(end - line));
		if (!line_end)
			line_end = end;
		line_number++;
		struct region region = { 0 };
		bool good = maps_parse_line(line, line_end, &region) &&
			    region.start >= previous_end;
		if (!good) {
			free(region.name);
			return error_create(ERROR_FORMAT,
					    "%s: line %u is no mapping that makes sense",
					    source, line_number);
		}
		if (!region.name || !region_vec_push(regions, region)) {
			free(region.name);
			return error_no_memory();
		}
		previous_end = region.end;
		line = line_end + 1;
	}
	return NULL;
}

void regions_deinit(struct region_vec *regions)
{
	for (size_t i = 0; i < regions->nr; i++)
		free(regions->items[i].name);
	region_vec_deinit(regions);
}
