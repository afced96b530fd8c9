/* moment: see moment.h. */
#include "cmd/moment.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

#define LATEST_US 1e18

void moment_parse(const char *text, struct seep_report_moment *moment)
{
	static const struct unit {
		const char *name;
		double us;
	} units[] = {
		{ "", 1e6 },   { "s", 1e6 },    { "ms", 1e3 },   { "us", 1 },
		{ "m", 60e6 }, { "min", 60e6 }, { "h", 3600e6 },
	};
	*moment = (struct seep_report_moment){ .mark = text };
	if (!isdigit((unsigned char)*text))
		return;
	char *unit;
	double number = strtod(text, &unit);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		double us = number * units[i].us;
		if (strcmp(unit, units[i].name) || !(us <= LATEST_US))
			continue;
		/* Half a microsecond up: 0.3 is a little less than it says. */
		*moment = (struct seep_report_moment){ .time_us = (uint64_t)(us + 0.5) };
	}
}
