/* recording_parts: pieces that the texts about traces share. */
#ifndef SEEP_REPORT_RECORDING_PARTS_PRIV_H
#define SEEP_REPORT_RECORDING_PARTS_PRIV_H

#include "report/layout.h"
#include "report/report.h"

/* "812 us", "12.3 ms", "12.3 s", "3 min 5 s", "2 h 4 min" */
void recording_put_time(struct str *out, uint64_t us);

/* "parse (parse.c:44)", "??? (libfoo.so+0x1234)"; not escaped. */
void recording_put_frame(struct str *out, const struct recording_places *places,
			 uint32_t frame);

/* The same, escaped, and with its middle left out when it is long. */
void recording_put_place(struct str *out, const struct recording_places *places,
			 uint32_t frame, unsigned flags);

/* Whom the first of the frames was called by, one a line, within a box. */
void recording_put_callers(struct str *out, const struct recording_places *places,
			   const struct recording_number_vec *frames,
			   struct layout_box box, unsigned flags);

/* One address' history, for people. */
struct str recording_history_text(const struct recording_report *report,
				  const struct report_options *options);

/* Live bytes over time, as a chart; nothing when there were none. */
void recording_put_timeline(struct str *out, const struct recording_report *report,
			    unsigned flags, unsigned width);

/* "-1.2 MB" for what may be less than nothing, modulo 2^64. */
void recording_put_growth(struct str *out, uint64_t bytes);

/* For programs: the object of counts, and the array of frames. */
struct json_writer;
void recording_json_counts(struct json_writer *json, const char *key,
			   const struct recording_counts *counts);
void recording_json_stack(struct json_writer *json, const struct recording_places *places,
			  const struct recording_number_vec *frames);
/* An array of numbers, and the names of what these count. */
void recording_json_lifetimes(struct json_writer *json, const char *key,
			      const uint64_t *lifetimes);
void recording_json_lifetime_classes(struct json_writer *json);

#endif
