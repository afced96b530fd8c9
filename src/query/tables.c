/* tables: the table of tables; see table.h. */
#include "query/table.h"

static const struct query_table *const tables[] = {
	&query_blocks, &query_edges,   &query_roots,      &query_types,
	&query_sites,  &query_regions, &query_dominators,
};

const struct query_table *query_table_at(size_t i)
{
	return i < ARRAY_SIZE(tables) ? tables[i] : NULL;
}
