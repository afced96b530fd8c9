/* rules: see rules.h. */
#include "query/rules.h"

#include <string.h>
#include <strings.h>

#include "base/vec.h"
#include "query/table.h"

/* What is not in here and not allowed changes the database's schema. */
static const struct {
	int action;
	const char *name; /* NULL: it is allowed */
} actions[] = {
	{ SQLITE_SELECT, NULL },
	{ SQLITE_READ, NULL },
	{ SQLITE_RECURSIVE, NULL },
	{ SQLITE_INSERT, "INSERT" },
	{ SQLITE_UPDATE, "UPDATE" },
	{ SQLITE_DELETE, "DELETE" },
	{ SQLITE_ATTACH, "ATTACH" },
	{ SQLITE_DETACH, "DETACH" },
	{ SQLITE_TRANSACTION, "BEGIN or COMMIT" },
	{ SQLITE_SAVEPOINT, "SAVEPOINT" },
	{ SQLITE_PRAGMA, "this PRAGMA" },
	{ SQLITE_FUNCTION, "this function" },
};

/* They tell what tables and columns there are. */
static const char *const pragmas[] = { "table_info", "table_xinfo", "table_list",
				       "function_list" };
/* They reach beyond the database. */
static const char *const refused_functions[] = { "load_extension", "fts3_tokenizer" };

/* The longest text or row: nothing here needs more, and a wrong query may not take all memory. */
#define LENGTH_MOST (64 << 20)

static bool is_among(const char *name, const char *const *names, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (name && !strcasecmp(names[i], name))
			return true;
	return false;
}

static const char *name_of(int action)
{
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (actions[i].action == action)
			return actions[i].name;
	return "CREATE, ALTER or DROP";
}

static unsigned needs_of(const char *table_name, const char *column)
{
	const struct query_table *table;
	for (size_t i = 0; (table = query_table_at(i)); i++)
		for (size_t k = 0; k < table->nr_fields; k++)
			if (table_name && column && !strcmp(table->name, table_name) &&
			    !strcmp(table->fields[k].name, column))
				return table->fields[k].needs;
	return 0;
}

static int judge(void *context, int action, const char *first, const char *second,
		 const char *database, const char *trigger)
{
	(void)database, (void)trigger;
	struct query_rules *rules = context;
	if (action == SQLITE_READ)
		rules->needs |= needs_of(first, second);
	const char *name = name_of(action);
	if (action == SQLITE_FUNCTION &&
	    !is_among(second, refused_functions, ARRAY_SIZE(refused_functions)))
		name = NULL;
	if (action == SQLITE_PRAGMA && is_among(first, pragmas, ARRAY_SIZE(pragmas)))
		name = NULL;
	if (!name)
		return SQLITE_OK;
	rules->refused = name;
	return SQLITE_DENY;
}

/* SQLite asks for as much again as it has, and no row is larger than LENGTH_MOST. */
bool query_rules_met_limit(void)
{
	return sqlite3_memory_highwater(0) > QUERY_MEMORY_MOST / 4;
}

void query_rules_set(sqlite3 *database, struct query_rules *rules)
{
	sqlite3_hard_heap_limit64(QUERY_MEMORY_MOST);
	sqlite3_limit(database, SQLITE_LIMIT_LENGTH, LENGTH_MOST);
	sqlite3_set_authorizer(database, judge, rules);
	sqlite3_limit(database, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
}
