/* page: the web page that a recording is put into (page.html), made into a string by tools/embed.
   The data stand in place of "@DATA@". */
#ifndef SEEP_REPORT_PAGE_PRIV_H
#define SEEP_REPORT_PAGE_PRIV_H

extern const char report_page[];

#endif
