/* maps: see maps.h. The line format is proc(5)'s. */
#include "target/maps.h"

#include <stdio.h>
#include <string.h>

/* One number in the given base, followed by `after`; advances *at past both. */
static bool take_number(const char **at, const char *end, int base, char after,
			uint64_t *number)
{
	uint64_t value = 0;
	const char *start = *at;
	for (; *at < end && **at != after; (*at)++) {
		char c = **at;
		unsigned digit = 99;
		if (c >= '0' && c <= '9')
			digit = (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			digit = (unsigned)(c - 'a') + 10;
		if (digit >= (unsigned)base ||
		    value > (UINT64_MAX - digit) / (unsigned)base)
			return false;
		value = value * (unsigned)base + digit;
	}
	if (*at == start || *at == end)
		return false;
	(*at)++;
	*number = value;
	return true;
}

static bool take_flags(const char **at, const char *end, unsigned *flags)
{
	if (end - *at < 5 || (*at)[4] != ' ')
		return false;
	const char *perms = *at;
	*flags = (perms[0] == 'r' ? REGION_READ : 0) |
		 (perms[1] == 'w' ? REGION_WRITE : 0) |
		 (perms[2] == 'x' ? REGION_EXEC : 0) |
		 (perms[3] == 's' ? REGION_SHARED : 0);
	*at += 5;
	return true;
}

/* `start-end perms offset major:minor inode   name`, without its newline. */
static bool parse_line(const char *at, const char *end, struct region *region)
{
	uint64_t major = 0, minor = 0;
	if (!take_number(&at, end, 16, '-', &region->start) ||
	    !take_number(&at, end, 16, ' ', &region->end) ||
	    !take_flags(&at, end, &region->flags) ||
	    !take_number(&at, end, 16, ' ', &region->offset) ||
	    !take_number(&at, end, 16, ':', &major) ||
	    !take_number(&at, end, 16, ' ', &minor))
		return false;
	const char *inode_end = memchr(at, ' ', (size_t)(end - at));
	if (inode_end) {
		if (!take_number(&at, end, 10, ' ', &region->inode))
			return false;
	} else {
		for (; at < end && *at >= '0' && *at <= '9'; at++)
			region->inode = region->inode * 10 + (uint64_t)(*at - '0');
	}
	while (at < end && *at == ' ')
		at++;
	region->major = (uint32_t)major;
	region->minor = (uint32_t)minor;
	region->name = strndup(at, (size_t)(end - at));
	return region->start < region->end;
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
		bool good = parse_line(line, line_end, &region) &&
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
