/*
 * moment: a moment of a recorded run, as it is given on the command line.
 */
#ifndef SEEP_CMD_MOMENT_H
#define SEEP_CMD_MOMENT_H

#include "seep/report.h"

/* "12.5", "12.5s", "300ms", "80us", "2min", "1h" are times since the start; anything else is the
   name of a mark, and points into the text. */
void moment_parse(const char *text, struct seep_report_moment *moment);

#endif
