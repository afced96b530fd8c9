/* shelf: tables in memory and statements that wait, of the sqlite that is linked with it. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sqlite3.h"

enum { NR_TABLES = 20, NR_STATEMENTS = 40, NR_STARTED = 5 };

static sqlite3 *database;
static sqlite3_stmt *statements[NR_STATEMENTS];

static void run(const char *sql)
{
	char *message = NULL;
	if (sqlite3_exec(database, sql, NULL, NULL, &message) == SQLITE_OK)
		return;
	fprintf(stderr, "shelf: %s\n", message);
	exit(1);
}

static void fill(void)
{
	char sql[200];
	run("CREATE TABLE books(id INTEGER PRIMARY KEY, title TEXT, cover BLOB);"
	    "CREATE INDEX titles ON books(title);"
	    "CREATE TABLE loans(book, since, till);"
	    "CREATE VIEW lent AS SELECT * FROM books JOIN loans ON id = book;"
	    "CREATE TRIGGER renamed AFTER INSERT ON loans BEGIN"
	    " UPDATE books SET title = new.since WHERE id = new.book; END;");
	for (int i = 0; i < NR_TABLES; i++) {
		snprintf(
			sql, sizeof(sql),
			"CREATE TABLE t%d(a INTEGER, b TEXT DEFAULT 'abc', c REAL, UNIQUE(a, b))",
			i);
		run(sql);
	}
	run("BEGIN;"
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
	    " INSERT INTO books SELECT i, hex(randomblob(40)), randomblob(100) FROM n;"
	    "COMMIT;");
}

static void prepare(int i)
{
	char sql[200];
	int table = i % NR_TABLES;
	snprintf(sql, sizeof(sql),
		 "SELECT books.*, count(*), t%d.b FROM books LEFT JOIN t%d ON id = t%d.a"
		 " WHERE title > ?1 GROUP BY cover ORDER BY %d",
		 table, table, table, 1 + i % 3);
	if (sqlite3_prepare_v2(database, sql, -1, &statements[i], NULL) != SQLITE_OK)
		exit(1);
	sqlite3_bind_text(statements[i], 1, "F", -1, NULL);
	if (i < NR_STARTED)
		sqlite3_step(statements[i]);
}

int main(void)
{
	if (sqlite3_open(":memory:", &database) != SQLITE_OK)
		return 1;
	fill();
	for (int i = 0; i < NR_STATEMENTS; i++)
		prepare(i);
	puts("READY");
	fflush(stdout);
	pause();
	return 0;
}
