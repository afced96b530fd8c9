/* functions: what SQL can call beside what SQLite has. */
#ifndef SEEP_QUERY_FUNCTIONS_H
#define SEEP_QUERY_FUNCTIONS_H

#include <sqlite3.h>

#include "base/error.h"

/* address(x): "0x55d0c0a82b0"; x REGEXP y: whether an extended regular expression fits. */
struct error *query_functions_open(sqlite3 *database) MUST_CHECK;

#endif
