#!/usr/bin/python3
"""seep query on a program whose blocks are known (holding.cpp), beside other views of it."""

import csv
import io
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import time

import jsonschema

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

# pylint: disable=wrong-import-position
from harness import cases, seep
from harness.cases import case
from harness.target import Target, temporary_folder

DOC = pathlib.Path(__file__).resolve().parent.parent.parent / "doc"
SCHEMA = json.loads((DOC / "query.schema.json").read_text())
FIRST_WORDS = ("SELECT", "WITH")


class Stored:
    """A snapshot of the program, and where its blocks are by name."""

    def __init__(self):
        self.scratch = temporary_folder()

    def __enter__(self):
        self.folder = pathlib.Path(self.scratch.__enter__())
        self.path = self.folder / "heap.seep"
        with Target([cases.program("holding")], stdin=subprocess.PIPE) as target:
            self.pid = target.pid
            self.blocks = {name: int(address, 16) for name, address in
                           re.findall(r"^(\w+) (0x[0-9a-f]+)$", target.output.decode(), re.M)}
            answer = seep.run("snapshot", "--max-pause", "20s", "-o", self.path, target.pid)
            assert answer.status == seep.NONE, answer
        return self

    def __exit__(self, *_):
        self.scratch.__exit__(*_)


def ask(target, sql, *options):
    """Rows, with addresses as integers."""
    answer = seep.run("query", "--json", "--max-pause", "20s", *options, target, sql)
    assert answer.status == seep.NONE, answer
    report = json.loads(answer.out)
    jsonschema.validate(report, SCHEMA)
    is_address = [column["is_address"] for column in report["columns"]]
    for row in report["rows"]:
        assert len(row) == len(is_address), row
    return [[int(cell, 16) if known and isinstance(cell, str) else cell
             for cell, known in zip(row, is_address)] for row in report["rows"]]


def heap(target, view, *words):
    answer = seep.run("heap", "--json", "--top", "all", target, view, *words)
    assert answer.status == seep.NONE, answer
    return json.loads(answer.out)


def refused(target, sql, *options, status=seep.USAGE):
    answer = seep.run("query", *options, target, sql, timeout_s=60)
    assert answer.status == status and not answer.out, answer
    assert len(answer.err.splitlines()) in (1, 2) and answer.err.startswith("seep: "), answer
    return answer.err


@case
def counts_as_seep_heap():
    """Blocks, bytes, types, roots and retained bytes are those of seep heap."""
    with Stored() as stored:
        histogram = heap(stored.path, "histogram")
        summary = histogram["summary"]
        assert ask(stored.path, "SELECT count(*), sum(size) FROM blocks") == \
            [[summary["all"]["blocks"], summary["all"]["bytes"]]]
        lost = ask(stored.path, "SELECT count(*), sum(size) FROM blocks "
                   "WHERE kind <> 'reachable'")
        assert lost == [[summary["lost"]["blocks"], summary["lost"]["bytes"]]], lost
        types = {row["type"]: (row["blocks"], row["bytes"]) for row in histogram["rows"]}
        by_type = ask(stored.path, "SELECT type, blocks, size FROM types")
        assert {name: (blocks, size) for name, blocks, size in by_type} == types, by_type
        assert sorted(by_type) == sorted(ask(
            stored.path, "SELECT type, count(*), sum(size) FROM blocks GROUP BY type"))
        roots = {row["root"]: (row["retained_bytes"], row["words"], row["kind"])
                 for row in heap(stored.path, "roots")["rows"]}
        assert {root: (retained, words, kind) for root, retained, words, kind in ask(
            stored.path, "SELECT root, max(retained), count(*), kind FROM roots "
            "GROUP BY root, kind")} == roots


@case
def tells_blocks_where_they_are():
    """What the program says of its blocks is found: in the process too."""
    with Target([cases.program("holding")], stdin=subprocess.PIPE) as target:
        blocks = {name: int(address, 16) for name, address in
                  re.findall(r"^(\w+) (0x[0-9a-f]+)$", target.output.decode(), re.M)}
        rows = ask(target.pid, "SELECT addr FROM blocks WHERE addr IN (%s) ORDER BY addr" %
                   ", ".join(hex(address) for address in blocks.values()))
        assert [row[0] for row in rows] == sorted(blocks.values()), rows
        perms = ask(target.pid, "SELECT perms, kind FROM regions WHERE start <= %d "
                    "AND end > %d" % (blocks["first"], blocks["first"]))
        assert perms == [["rw-p", "heap"]], perms
        maps = pathlib.Path(f"/proc/{target.pid}/maps").read_text().splitlines()
        assert ask(target.pid, "SELECT count(*) FROM regions") == [[len(maps)]]
        target.assert_unharmed()


@case
def a_core_answers_as_its_process_does():
    """Of a core the same blocks, pointers and roots are told as of the process it was made of."""
    with temporary_folder() as folder, \
            Target([cases.program("holding")], stdin=subprocess.PIPE) as target:
        target.signal(signal.SIGSTOP)
        target.await_state("T")
        path = pathlib.Path(folder, "core")
        answer = seep.run("core", "--max-pause", "20s", "-o", path, target.pid)
        assert answer.status == seep.NONE, answer
        for sql in ("SELECT addr, size, type, kind, retained, root FROM blocks ORDER BY 1",
                    "SELECT * FROM edges ORDER BY src, src_offset",
                    "SELECT kind, symbol, dst, root FROM roots WHERE kind = 'global' "
                    "ORDER BY addr", "SELECT start, end FROM regions WHERE path LIKE '%holding'",
                    "SELECT type, blocks, size FROM types ORDER BY 1"):
            told = ask(path, sql)
            assert told and told == ask(target.pid, sql), sql
        assert "seep query --tables" in refused(path, "SELECT * FROM missing")
        cut = pathlib.Path(folder, "cut")
        cut.write_bytes(path.read_bytes()[:3000])
        refused(cut, "SELECT count(*) FROM blocks", status=seep.COULD_NOT)


COUNTS = ("virtual", "resident", "dirty", "clean", "swapped", "reclaimable", "locked", "private",
          "shared", "share", "huge", "footprint")


@case
def regions_are_counted_as_by_seep_vm():
    """Of a process every column of seep vm is there for each mapping; of a core none is."""
    sql = f"SELECT start, type, {', '.join(COUNTS)} FROM regions ORDER BY start"
    with temporary_folder() as folder, \
            Target([cases.program("holding")], stdin=subprocess.PIPE) as target:
        for how in ("stop", "copy"):
            told = ask(target.pid, sql, "--freeze", how)
            answer = seep.run("vm", "--json", "--max-pause", "20s", target.pid)
            report = json.loads(answer.out)["processes"][0]
            assert report["stood_still"]
            expected = sorted(
                [int(row["start"], 16), row["type"]] + [row[f"{name}_bytes"] for name in COUNTS]
                for row in report["regions"])
            expected = [row if row[0] < 1 << 63 else [row[0] - (1 << 64)] + row[1:]
                        for row in expected]
            told = [[row[0] - (1 << 64) if row[0] >= 1 << 63 else row[0]] + row[1:]
                    for row in told]
            assert len(told) == len(expected)
            # Libraries are shared with seep itself; to make a copy a page of the vdso is used.
            # A copy that comes and goes may leave pages that were dirty as clean ones.
            loose = ("share", "private", "shared") + (("dirty", "clean", "footprint")
                                                      if how == "copy" else ())
            shared = {COUNTS.index(name) + 2 for name in loose}
            for row, other in zip(sorted(told), sorted(expected)):
                if row[1] == "kernel":
                    continue
                assert [cell for i, cell in enumerate(row) if i not in shared] == \
                    [cell for i, cell in enumerate(other) if i not in shared], (how, row, other)
                assert row[9] + row[10] == other[9] + other[10], (row, other)
                assert row[4] + row[5] == other[4] + other[5], (row, other)
            heap_row = next(row for row in told if row[1] == "heap")
            assert heap_row[3] > 0 and heap_row[9] == heap_row[3], heap_row
        path = pathlib.Path(folder, "snapshot")
        whole = sql.replace("start, ", "start, \"end\", perms, path, kind, ")
        for words in ((), ("--contents",), ("--answers",)):
            answer = seep.run("snapshot", *words, "--max-pause", "20s", "-o", path, target.pid)
            assert answer.status == seep.NONE, answer
            told, live = ask(path, whole), ask(target.pid, whole)
            assert [row[:7] for row in told] == [row[:7] for row in live], (told, live)
            assert sum(row[7] for row in told) == sum(row[7] for row in live)
        path = pathlib.Path(folder, "core")
        answer = seep.run("core", "--max-pause", "20s", "-o", path, target.pid)
        assert answer.status == seep.NONE, answer
        for row in ask(path, sql):
            assert row[1] is None and set(row[3:]) == {None} and row[2] > 0, row


@case
def pointers_are_where_the_program_has_them():
    """Edges with offsets, found by source, by target and by going through all."""
    with Stored() as stored:
        at = stored.blocks
        assert ask(stored.path, f"SELECT * FROM edges WHERE dst = {at['far']}") == \
            [[at["big"], 3000000, at["far"], 0, 0]]
        assert ask(stored.path, f"SELECT * FROM edges WHERE src = {at['teller']}") == \
            [[at["teller"], 16, at["big"], 2000000, 0]]
        chain = ask(stored.path, f"SELECT src, src_offset FROM edges WHERE dst = {at['second']}")
        assert chain == [[at["first"], 8]], chain
        holders = ask(stored.path, "SELECT symbol, module, kind FROM roots WHERE dst = "
                      f"{at['shared']} ORDER BY symbol")
        assert holders == [["left", "holding", "global"], ["right", "holding", "global"]]
        # The unary plus keeps SQLite from asking by a key.
        whole = ask(stored.path, "SELECT * FROM edges ORDER BY src, src_offset")
        assert [row for row in whole if row[2] == at["big"]] == \
            ask(stored.path, f"SELECT * FROM edges WHERE +dst = {at['big']}")
        for join in ("blocks b JOIN edges e ON e.dst = b.addr",
                     "blocks b JOIN edges e ON e.src = b.addr",
                     "edges e JOIN blocks b ON b.addr = e.dst"):
            rows = ask(stored.path, f"SELECT e.* FROM {join} ORDER BY e.src, e.src_offset")
            assert rows == whole, join
        for key in ("src", "dst"):
            some = [row for row in whole if row[("src", 1, "dst").index(key)] in
                    (at["first"], at["far"], at["big"])]
            asked = ask(stored.path, "SELECT * FROM edges WHERE %s = %d OR %s = %d OR %s = %d "
                        "ORDER BY src, src_offset" % (key, at["first"], key, at["far"],
                                                      key, at["big"]))
            assert asked == some, (key, asked, some)
        # By two keys at a time, where SQLite knows rows that come twice by their numbers.
        either = f"src < {at['second'] + 4000} OR dst = {at['second']} OR dst = {at['far']}"
        for order in (either, " OR ".join(reversed(either.split(" OR ")))):
            assert ask(stored.path, f"SELECT * FROM edges WHERE {order} ORDER BY 1, 2") == \
                [row for row in whole if row[0] < at["second"] + 4000
                 or row[2] in (at["second"], at["far"])]


@case
def ranges_are_what_comparing_each_gives():
    """Every comparison of an address, with numbers of any sort, is as without a key."""
    with Stored() as stored:
        at = stored.blocks["second"]
        values = (at, at + 1, at - 1, f"{at}.5", 0, -1, "9223372036854775807", "1e300", "-1e300",
                  "NULL", f"'{at}'", "'x'", "x'00'")
        parts, expected = [], []
        for value in values:
            for op in ("=", "<", "<=", ">", ">=", "IS", "<>"):
                parts.append(f"(SELECT count(*) FROM blocks WHERE addr {op} {value})")
                expected.append(f"(SELECT count(*) FROM blocks WHERE +addr {op} {value})")
        got, plain = (ask(stored.path, "SELECT " + ", ".join(words))[0]
                      for words in (parts, expected))
        # A unary plus also takes the column's affinity away: text is no number then.
        for value_at, value in enumerate(values):
            if value == f"'{at}'":
                assert got[7 * value_at:7 * value_at + 7] == got[:7]
            else:
                assert got[7 * value_at:7 * value_at + 7] == \
                    plain[7 * value_at:7 * value_at + 7], (value, got, plain)
        assert ask(stored.path, f"SELECT count(*) FROM blocks WHERE addr BETWEEN {at} AND {at}") \
            == [[1]]
        plan = ask(stored.path, f"EXPLAIN QUERY PLAN SELECT * FROM edges WHERE dst = {at}")
        assert "INDEX 1:=" in plan[0][3], plan


@case
def the_dominator_tree_is_one():
    """Retained bytes are sums of subtrees, children have their parents, rings are found."""
    with Stored() as stored:
        nodes = ask(stored.path, "SELECT node, parent, d.addr, d.retained, children, size "
                    "FROM dominators d LEFT JOIN blocks b ON b.addr = d.addr")
        assert len(nodes) == len({row[0] for row in nodes})
        parents = {row[0]: row[1] for row in nodes}
        totals = {row[0]: 0 for row in nodes}
        for row in nodes:
            node = row[0]
            while node is not None:
                totals[node] += row[5] or 0
                node = parents[node]
        assert totals == {row[0]: row[3] for row in nodes}
        assert sum(row[4] for row in nodes) == sum(row[1] is not None for row in nodes)
        linked = ask(stored.path, "SELECT b.node, b.parent FROM dominators a "
                     "JOIN dominators b ON b.parent = a.node ORDER BY 1")
        assert linked == [[row[0], row[1]] for row in nodes if row[1] is not None]
        below = ask(stored.path, "SELECT count(*) FROM blocks WHERE root = 'holding:chain'")
        assert below == [[200]], below
        rings = ask(stored.path, "SELECT DISTINCT c.type, d.type FROM edges a JOIN edges b "
                    "ON b.src = a.dst AND b.dst = a.src JOIN blocks c ON c.addr = a.src "
                    "JOIN blocks d ON d.addr = a.dst WHERE a.src < a.dst "
                    "AND c.kind = 'reachable' AND c.type LIKE 'class std::_Sp_counted%'")
        assert len(rings) == 1 and rings[0][0] == rings[0][1], rings


@case
def only_reads():
    """Whatever would write, open or load is refused in a sentence, and so is wrong SQL."""
    with Stored() as stored:
        before = sorted(os.listdir(stored.folder))
        other = stored.folder / "other"
        for sql in ("DELETE FROM blocks", "UPDATE blocks SET size = 1",
                    "INSERT INTO blocks SELECT * FROM blocks", "CREATE TABLE t(a)",
                    "CREATE TEMP TABLE t(a)", "CREATE VIEW v AS SELECT 1", "DROP TABLE blocks",
                    f"ATTACH '{other}' AS o", f"VACUUM INTO '{other}'", "VACUUM", "BEGIN",
                    "PRAGMA journal_mode = WAL", "PRAGMA temp_store_directory = '/'",
                    "SELECT load_extension('x')", "SELECT writefile('x', 'y')",
                    "WITH x AS (SELECT 1) INSERT INTO blocks SELECT * FROM x",
                    "CREATE VIRTUAL TABLE t USING blocks", "EXPLAIN DELETE FROM blocks",
                    "SELECT 1; DELETE FROM blocks", "SELECT 1; SELECT 2", "", " -- nothing",
                    "SELECT", "SELECT * FROM missing", "SELECT missing FROM blocks",
                    "SELECT abs(-9223372036854775808)", "SELECT 'a' REGEXP '('",
                    "SELECT * FROM sites", "SELECT zeroblob(1000000000)"):
            refused(stored.path, sql)
        assert sorted(os.listdir(stored.folder)) == before
        assert "seep query --tables" in refused(stored.path, "SELECT * FROM missing")
        # Wrong SQL is told without looking at the target.
        assert "SELEC" in refused(stored.folder / "missing.seep", "SELEC")
        refused(stored.folder / "missing.seep", "SELECT 1", status=seep.COULD_NOT)


@case
def endless_questions_end():
    """--top ends them, and so does Ctrl-C; a file that was not completed is not there."""
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
    with Stored() as stored:
        assert ask(stored.path, endless + "SELECT x FROM c", "--top", "3") == [[1], [2], [3]]
        shown = seep.run("query", stored.path, endless + "SELECT x FROM c")
        assert shown.status == seep.NONE and "and more rows" in shown.out, shown
        assert len(shown.out.splitlines()) == 102, shown
        path = stored.folder / "answer"
        for options in ((), ("--csv", "-o", path)):
            process = subprocess.Popen(
                [seep.program(), "query", *map(str, options), str(stored.path),
                 endless + "SELECT count(*) FROM c"], stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True)
            time.sleep(0.5)
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            told = process.communicate(timeout=20)[1]
            assert process.returncode == -signal.SIGINT, process.returncode
            assert "the SQL was interrupted, after 0 rows" in told, told
        assert not path.exists()


@case
def greedy_questions_end():
    """What gathers without end is ended at a limit, and so is a table for people."""
    with Stored() as stored:
        started = time.monotonic()
        told = refused(stored.path, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 "
                       "FROM c LIMIT 400) SELECT hex(zeroblob(4000000)) || x AS long FROM c "
                       "ORDER BY 1", status=seep.COULD_NOT)
        assert "needs more than 1073 MB of memory" in told and "WHERE" in told, told
        print(f"  ended after {time.monotonic() - started:.1f} s")
        columns = ", ".join(["1"] * 200)
        told = refused(stored.path, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 "
                       f"FROM c) SELECT x, {columns}, {columns}, {columns} FROM c", "--top", "all",
                       status=seep.COULD_NOT)
        assert "--csv" in told, told


@case
def csv_and_text():
    """CSV reads back; text has numbers to the right, addresses as such, and no escapes."""
    with Stored() as stored:
        sql = ("SELECT addr, size, NULL AS missing, '' AS empty, 'a\"b,' || char(13, 10) AS "
               "text, 1.5 AS half, x'0aff' AS bytes FROM blocks LIMIT 2")
        answer = seep.run("query", "--csv", stored.path, sql)
        raw = subprocess.run([seep.program(), "query", "--csv", str(stored.path), sql],
                             stdout=subprocess.PIPE, check=True).stdout.decode()
        assert answer.status == seep.NONE and raw.startswith("addr,size,missing,"), answer
        rows = list(csv.reader(io.StringIO(raw, newline="")))
        first = ask(stored.path, sql)[0]
        assert rows[1] == [hex(first[0]), str(first[1]), "", "", 'a"b,\r\n', "1.5", "x'0aff'"]
        assert ',,"",' in raw and raw.endswith("\r\n"), raw
        text = seep.run("query", stored.path, "SELECT addr, size, type, address(max(addr)) AS "
                        "highest, char(27) || '[31m' AS red FROM blocks GROUP BY addr LIMIT 2")
        lines = text.out.splitlines()
        assert "\x1b" not in text.out and len(lines) == 3, text
        assert lines[1].startswith(hex(first[0])), text
        assert lines[0].index("size") + 4 == lines[1].index(str(first[1])) + len(str(first[1]))
        path = stored.folder / "rows.csv"
        assert seep.run("query", "--csv", "-o", path, stored.path, sql).status == seep.NONE
        assert path.read_bytes().decode() == raw


@case
def takes_no_memory_for_rows():
    """A million rows of CSV take no more memory than a few."""
    def peak(limit):
        child = subprocess.Popen(
            [seep.program(), "query", "--csv", str(stored.path),
             "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c "
             f"LIMIT {limit}) SELECT x, x, x, x FROM c"], stdout=subprocess.DEVNULL,
            # A sanitizer keeps what was freed, unless told not to.
            env={**os.environ, "ASAN_OPTIONS":
                 os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"})
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = status
        assert status == 0, status
        return used.ru_maxrss
    with Stored() as stored:
        few, many = peak(100), peak(1000000)
        assert many < few + 8 * 1024, (few, many)


@case
def what_is_not_known_is_null():
    """A snapshot without places of pointers has no offsets, and warns; no sizes asked for."""
    header = struct.Struct("<IHHQQQQ")
    with Stored() as stored:
        assert ask(stored.path, "SELECT count(requested), count(site), count(arena), count(size) "
                   "FROM blocks")[0][:3] == [0, 0, 0]
        assert ask(stored.path, "SELECT count(perms), count(tid) > 0 FROM regions, roots") == \
            [[0, 1]]
        data = stored.path.read_bytes()
        kept, at = data[:24], 24
        while at < len(data):
            number_of_type, _, _, length, _, _, _ = header.unpack_from(data, at)
            end = at + header.size + length
            kept += b"" if number_of_type in (24, 25, 26) else data[at:end]
            at = end
        whole = ask(stored.path, "SELECT count(*), count(DISTINCT dst) FROM edges")
        stored.path.write_bytes(kept)
        assert ask(stored.path, "SELECT count(*), count(DISTINCT dst) FROM edges") == whole
        assert ask(stored.path, "SELECT src, src_offset, dst_offset FROM edges WHERE dst = "
                   f"{stored.blocks['far']}") == [[stored.blocks["big"], None, 0]]
        assert ask(stored.path, "SELECT src_offset, dst_offset FROM edges WHERE src = "
                   f"{stored.blocks['teller']}") == [[None, None]]
        answer = seep.run("query", "--csv", stored.path, "SELECT count(*) FROM edges")
        assert "one root for each block" in answer.err and answer.status == seep.NONE, answer
        assert answer.out == f"count(*)\n{whole[0][0]}\n", answer


def examples():
    """The SQL of the manual, with the sentence above each."""
    text = (DOC / "query.md").read_text().split("\n# EXAMPLES\n")[1].split("\n# ")[0]
    for title, block in re.findall(r"^([^ \n].*\?)\n\n((?:    .*\n)+)", text, re.M):
        yield title, re.sub(r"^    ", "", block, flags=re.M)


@case
def the_manual_is_right():
    """Its examples run and find something, and it tells every table and column there is."""
    with Stored() as stored:
        found = list(examples())
        assert len(found) >= 12, found
        for title, sql in found:
            assert sql.startswith(FIRST_WORDS), sql
            rows = ask(stored.path, sql)
            assert rows, title
            print(f"  {title} {len(rows)} rows")
    told = seep.run("query", "--tables")
    assert told.status == seep.NONE, told
    manual = (DOC / "query.md").read_text().split("\n# TABLES\n")[1].split("\n# ")[0]
    tables = re.findall(r"^(\w+): .*\n((?:  .*\n)+)", told.out, re.M)
    assert [name for name, _ in tables] == re.findall(r"^\*\*(\w+)\*\*$", manual, re.M)
    for name, columns in tables:
        part = manual.split(f"**{name}**\n:")[1].split("\n\n**")[0]
        for column in re.findall(r"^  (\w+) ", columns, re.M):
            assert f"**{column}**" in part, f"{name}.{column}"


cases.main()
