/*
 * query_page: the rows of a query as text, CSV or JSON, one after the other: there may be more
 * than memory has room for. What stands in `out` may be taken away after each call.
 *
 * To add a form: write its three functions, and give it a row in query_page.c.
 */
#ifndef SEEP_REPORT_QUERY_PAGE_H
#define SEEP_REPORT_QUERY_PAGE_H

#include "model/query.h"
#include "report/report.h"

struct query_page;

struct query_form {
	const char *name;
	void (*begin)(struct query_page *page, const struct query_report *report);
	void (*row)(struct query_page *page, const struct query_report *report,
		    const struct query_value *values);
	void (*end)(struct query_page *page, const struct query_report *report);
};

DEFINE_VEC(query_cell_vec, char *); /* NULL: not known */

struct query_page {
	const struct query_form *form;
	struct report_options options;
	struct str out;
	/* For people all rows are laid out together. */
	struct query_cell_vec cells;
	bool *is_text; /* columns that have something else than numbers */
};

/* "text", "csv", "json" */
void query_page_init(struct query_page *page, const char *form,
		     const struct report_options *options);
void query_page_deinit(struct query_page *page);

/* The tables that can be asked, for people. */
void query_page_tables(struct str *out, const struct query_words *table);
void query_page_column(struct str *out, const struct query_words *column);

#endif
