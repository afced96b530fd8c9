/* query_page: the forms behind the rows of query_page.c. */
#ifndef SEEP_REPORT_QUERY_PAGE_PRIV_H
#define SEEP_REPORT_QUERY_PAGE_PRIV_H

#include "report/query_page.h"

extern const struct query_form query_text;
extern const struct query_form query_csv;
extern const struct query_form query_json;

/* The shortest number that reads back as the same; always with a point or an exponent. */
void query_put_real(struct str *out, double value);

/* "x'0a1b'" */
void query_put_bytes(struct str *out, const struct query_value *value);

#endif
