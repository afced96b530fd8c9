/* stack_parts: call stacks in the reports that have them. */
#ifndef SEEP_REPORT_STACK_PARTS_PRIV_H
#define SEEP_REPORT_STACK_PARTS_PRIV_H

#include "report/report.h"

/* "parse (reader.c:44)", "??? (libfoo.so+0x1234)" */
void stack_put_frame(struct str *out, const struct stack_frame *frame, unsigned flags);
/* A line for each call, from the innermost out, and the source of the site. */
void stack_put(struct str *out, const struct call_stack *stack, unsigned indent,
	       unsigned width, unsigned flags);

/* The keys "site" and "stack". */
struct json_writer;
void stack_json(struct json_writer *json, const struct call_stack *stack);

#endif
