#!/usr/bin/python3
"""Sites of the blocks of a recorded program whose blocks are known (holding.cpp)."""

import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

# pylint: disable=wrong-import-position
from harness import cases, seep
from harness.cases import Skip, case
from harness.recorded import Recorded
from harness.target import Target, temporary_folder


class Holding(Recorded):
    """A program of the build's under seep record; it ends with its input."""

    def __init__(self, trace, *options, program="holding", **target_options):
        super().__init__(trace, [cases.program(program)], *options, **target_options)

    def grow(self):
        self.output = b""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        self.await_output(b"done\n")


def heap(target, *words, status=seep.NONE):
    """A view of a process or a snapshot."""
    answer = seep.run("heap", "--json", "--top", "all", "--max-pause", "20s", *words[:-1], target,
                      words[-1])
    assert answer.status == status, answer
    return json.loads(answer.out) if answer.out else answer


def ask(target, trace, status=seep.NONE):
    return heap(target, "--by", "site", "--recording", trace, "histogram", status=status)


def snapshot(target, trace, path):
    answer = seep.run("snapshot", "--max-pause", "20s", "--recording", trace, "-o", path, target)
    assert answer.status == seep.NONE, answer


def query(path, sql):
    answer = seep.run("query", "--json", path, sql)
    assert answer.status == seep.NONE, answer
    return json.loads(answer.out)["rows"]


def by_name(report):
    """Rows by what they are of; no name comes twice."""
    rows = {row["type"]: row for row in report["rows"]}
    assert len(rows) == len(report["rows"]), report["rows"]
    return rows


def blocks_of(report, *functions):
    """Blocks and bytes of all sites whose innermost calls these are."""
    begins = r" .*< ".join(re.escape(name) for name in functions)
    rows = [row for row in report["rows"] if re.match(begins, row["type"])]
    return sum(row["blocks"] for row in rows), sum(row["bytes"] for row in rows)


def check(report, nr_grown):
    assert blocks_of(report, "make_text", "make_chain") == (100, 100 * 200), report["rows"]
    assert blocks_of(report, "make_chain") == (100, 100 * 72), report["rows"]
    assert blocks_of(report, "make_equals") == (3, 3 * 2056), report["rows"]
    assert blocks_of(report, "make_text", "make_equals")[0] == 5, report["rows"]
    assert blocks_of(report, "make_text", "grow")[0] == 64, report["rows"]
    assert blocks_of(report, "grow")[0] == 200 * nr_grown, report["rows"]
    # What is not known is told, if there is any.
    told = [re.fullmatch(r"sites are known for (\d+) % of bytes, (\d+) % of blocks", sentence)
            for sentence in report["warnings"]]
    for match in filter(None, told):
        assert int(match[1]) >= 95 and int(match[2]) >= 95, match
    unknown = [row for row in report["rows"] if row["type"] == "site not known"]
    assert bool(unknown) == any(told), report["warnings"]
    assert report["summary"]["typed"]["bytes"] >= 0.95 * report["summary"]["all"]["bytes"]
    summary = report["summary"]["all"]
    assert sum(row["blocks"] for row in report["rows"]) == summary["blocks"]
    assert sum(row["bytes"] for row in report["rows"]) == summary["bytes"]


@case
def known_blocks():
    """Every block has the site that the program gave it, also after some went and came."""
    with temporary_folder() as folder:
        trace = f"{folder}/a.trace"
        with Holding(trace, "--addresses") as target:
            check(ask(target.program, trace), 1)
            target.grow()
            check(ask(target.program, trace), 2)


@case
def paused():
    """What a pause does not tell has no site: a block of before it may be another by now."""
    with temporary_folder() as folder:
        trace = f"{folder}/a.trace"
        with Holding(trace, "--addresses") as target:
            for verb in ("stop", "start"):
                assert seep.run("ctl", target.program, verb).status == seep.NONE
                target.grow()
            report = ask(target.program, trace)
            assert blocks_of(report, "make_chain") == (0, 0), report["rows"]
            assert blocks_of(report, "grow")[0] == 200, report["rows"]
            assert blocks_of(report, "make_text", "grow")[0] == 64, report["rows"]


@case
def foreign_traces():
    """A trace of another process, one without addresses, and one that nobody writes, are refused."""
    with temporary_folder() as folder:
        one, other = f"{folder}/1.trace", f"{folder}/2.trace"
        with Holding(one, "--addresses") as target, Holding(other) as plain:
            answer = ask(target.program, other, seep.COULD_NOT)
            assert "is not the trace that the process is recorded into" in str(answer), answer
            answer = ask(plain.program, other, seep.COULD_NOT)
            assert "without the addresses of blocks" in str(answer), answer
            answer = ask(target.program, f"{folder}/none", seep.COULD_NOT)
            assert "cannot read" in str(answer), answer
            with Holding(one, "--addresses") as later:
                answer = ask(target.program, one, seep.COULD_NOT)
                assert "is not the trace that the process is recorded into" in answer.err, answer
                check(ask(later.program, one), 1)
        with Target([cases.program("holding")], stdin=subprocess.PIPE) as target:
            answer = ask(target.pid, one, seep.COULD_NOT)
            assert "is not being recorded" in str(answer), answer


@case
def stored():
    """A snapshot has the sites that the process had, and types by what allocated."""
    with temporary_folder() as folder:
        trace, path = f"{folder}/a.trace", f"{folder}/a.seep"
        with Holding(trace, "--addresses") as target:
            live = ask(target.program, trace)
            snapshot(target.program, trace, path)
            types = by_name(heap(target.program, "--recording", trace, "histogram"))
        told = heap(path, "--by", "site", "histogram")
        check(told, 1)
        assert told["rows"] == live["rows"]
        assert by_name(heap(path, "histogram")) == types
        assert types["malloc in grow"]["blocks"] == 200, types
        assert types["malloc in make_text"]["blocks"] == 100 + 5 + 64 + 3, types
        # What is of a class stays so.
        assert types["class Node"]["blocks"] == 100 and "malloc in make_chain" not in types, types


@case
def at_the_end():
    """A command's heap as it was when it ended, with what allocated it."""
    with temporary_folder() as folder:
        path = f"{folder}/end.seep"
        answer = seep.run("run", "--snapshot", path, "--", cases.program("ending"))
        assert answer.status == seep.NONE and "lose" in answer.err, answer
        # Types of findings do not depend on it.
        plain = seep.run("run", "--", cases.program("ending"))
        assert "malloc in" not in answer.err + plain.err, answer
        rows = by_name(heap(path, "--by", "site", "histogram"))
        kept, = [row for name, row in rows.items() if name.startswith("keep ")]
        lost, = [row for name, row in rows.items() if name.startswith("lose ")]
        assert kept["blocks"] == 50 and lost["blocks"] == lost["lost_blocks"] == 20, rows
        assert query(path, "SELECT DISTINCT requested, age_ms FROM blocks WHERE site LIKE 'keep %'") \
            == [[100, None]]
        waste = by_name(heap(path, "waste"))
        assert waste["malloc in keep"]["slack_bytes"] == 50 * 4, waste
        assert waste["malloc in keep"]["spare_bytes"] is None, waste
        assert heap(path, "--where", "age>=0s", "histogram")["rows"] == []
        answer = seep.run("run", "--snapshot", f"{folder}/none/end.seep", "--",
                          cases.program("ending"))
        assert answer.status == seep.USAGE or "none" in answer.err, answer


@case
def filters():
    """Blocks by what allocated them, by what was asked for and when."""
    with temporary_folder() as folder:
        trace, path = f"{folder}/a.trace", f"{folder}/a.seep"
        with Holding(trace, "--addresses") as target:
            time.sleep(3)
            target.grow()
            snapshot(target.program, trace, path)

        def count(condition):
            report = heap(path, "--where", condition, "histogram")
            return sum(row["blocks"] for row in report["rows"])
        assert count("site~^make_text.*make_equals") == 5
        assert count("site~^grow") == 400
        # The first 200 are older than the pause, the others are not.
        assert count("site~^grow age>=2500ms") == 200
        assert count("site~^grow age<2s") == 200
        assert count("site~^grow age>1m") == 0
        # 2050 are 2056 bytes.
        assert count("requested=2050") == 3 and count("size=2056 requested<2050") == 0
        assert count('site="site not known"') == 0


@case
def tables():
    """What SQL says of sites."""
    with temporary_folder() as folder:
        trace, path = f"{folder}/a.trace", f"{folder}/a.seep"
        with Holding(trace, "--addresses") as target:
            snapshot(target.program, trace, path)
        assert query(path, "SELECT count(*), sum(requested), min(size), min(age_ms) >= 0, max(arena) "
                     "FROM blocks WHERE site LIKE 'make_equals %'") == [[3, 6150, 2056, 1, 0]]
        assert query(path, "SELECT blocks, size, requested, function FROM sites "
                     "WHERE site LIKE 'make_equals %'") == [[3, 6168, 6150, "make_equals"]]
        assert query(path, "SELECT (SELECT sum(blocks) FROM sites) = count(*), "
                     "(SELECT sum(size) FROM sites) = sum(size) FROM blocks") == [[1, 1]]


@case
def arenas():
    """Each arena's blocks, what was mapped alone, and the allocator."""
    with Target([cases.program("holding")], stdin=subprocess.PIPE) as target:
        rows = by_name(heap(target.pid, "--by", "arena", "histogram"))
        alone = rows.pop("mapped alone")
        assert alone["blocks"] == 1 and 4000000 <= alone["bytes"] < 4010000, alone
        assert "main arena" in rows and "arena not known" not in rows, rows
        # The thread that holds a block of its own.
        other, = [row for name, row in rows.items() if name.startswith("arena at 0x")]
        assert other["bytes"] >= 520, other
        zone, = heap(target.pid, "--by", "zone", "histogram")["rows"]
        assert zone["type"].startswith("glibc ") and zone["blocks"] == \
            alone["blocks"] + other["blocks"] + rows["main arena"]["blocks"], zone


@case
def growth():
    """What came is told by type, site, root and dominator."""
    with temporary_folder() as folder:
        trace, before, after = f"{folder}/a.trace", f"{folder}/1.seep", f"{folder}/2.seep"
        with Holding(trace, "--addresses") as target:
            snapshot(target.program, trace, before)
            target.grow()
            snapshot(target.program, trace, after)
        new = 200 * 248

        def grown(kind, *more):
            answer = seep.run("heap", "--json", "--top", "all", "--by", kind, *more, after, "diff",
                              before)
            assert answer.status == seep.NONE, answer
            return by_name(json.loads(answer.out))
        assert grown("type")["malloc in grow"]["new_bytes"] == new
        assert grown("root")["holding:hoard"]["new_bytes"] == new
        assert grown("root")["holding:chain"]["new_bytes"] == 0
        rows = grown("dominator")
        assert sum(row["new_bytes"] for name, row in rows.items() if "malloc in grow at" in name) == new
        rows = grown("site")
        came = {name: row for name, row in rows.items() if re.match(r"grow .*< main", name)}
        assert sorted((row["bytes_before"], row["bytes"]) for row in came.values()) == \
            [(0, new), (new, new)], came
        # The cache replaced its blocks, which lie where the old ones were.
        texts = [row for name, row in rows.items() if re.match(r"make_text .*< grow ", name)]
        assert sum(row["new_bytes"] for row in texts) == sum(row["gone_bytes"] for row in texts)
        assert sum(row["new_bytes"] for row in texts) == 64 * 408, texts
        # Of looks that do not both know who allocated, types have other names.
        with Holding(trace, "--addresses") as target:
            plain = f"{folder}/plain.seep"
            assert seep.run("snapshot", "--max-pause", "20s", "-o", plain,
                            target.program).status == seep.NONE
            for view in ("diff", "abandoned"):
                answer = seep.run("heap", "--max-pause", "20s", "--recording", trace, target.program,
                                  view, plain)
                assert answer.status == seep.COULD_NOT and "without a recording" in answer.err, answer
            answer = seep.run("heap", "--max-pause", "20s", "--recording", trace, "--by", "site",
                              target.program, "diff", plain)
            assert answer.status == seep.USAGE and plain in answer.err, answer
            answer = seep.run("heap", "--max-pause", "20s", "--recording", trace, "--by", "size",
                              target.program, "diff", plain)
            assert answer.status == seep.NONE, answer
        # A filter is asked of both.
        rows = grown("type", "--where", "size=248")
        assert [row["bytes_before"] for row in rows.values()] == [new], rows


@case
def room_in_containers():
    """What containers keep for more elements, of a process and a snapshot."""
    with temporary_folder() as folder:
        path = f"{folder}/a.seep"
        with Target([cases.program("roomy")], stdin=subprocess.PIPE) as target:
            answer = seep.run("snapshot", "--types", "--max-pause", "20s", "-o", path, target.pid)
            assert answer.status == seep.NONE, answer
            reports = [heap(target.pid, "--types", "waste"), heap(path, "waste")]
            plain = by_name(heap(target.pid, "waste"))
            buckets, loaded = map(int, target.output.split()[:2])
        for report in reports:
            rows = by_name(report)
            entries = rows["Entry[]"]
            # The empty one was never written: it is zeros as a whole.
            # The queue has two chunks of 512 bytes, and a table of 8
            # chunks.
            assert entries["spare_bytes"] == 300 * 16 + 1024 - 39 * 16, rows
            assert rows["Entry *[]"]["spare_bytes"] == 6 * 8, rows
            # One is to be twice as large as it has nodes.
            tables, = [row for name, row in rows.items() if "_Hash_node" in name and "*" in name]
            assert tables["spare_bytes"] == (buckets - 10 + loaded - 200) * 8, (rows, buckets, loaded)
            assert entries["zero_bytes"] >= 1000 * 16, rows
            assert rows["char[]"]["spare_bytes"] == 5000 - len("short"), rows
            assert entries["slack_bytes"] is None, rows
        assert all(row["spare_bytes"] is None for row in plain.values()), plain


def cores_can_be_written():
    """Into the folder of whoever ends, as large as they are."""
    if not re.fullmatch(r"[^/|]*core[^/|]*", pathlib.Path("/proc/sys/kernel/core_pattern")
                        .read_text().strip()):
        raise Skip("the kernel does not write cores into the folder of the process here")
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))
    # A seep that is built with ASan would have whom it starts write none.
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":disable_coredump=0"


@case
def a_core_of_the_end():
    """The core that a recorded process left has the sites that the process had; no other core has."""
    cores_can_be_written()
    with temporary_folder() as folder:
        trace, early = f"{folder}/a.trace", f"{folder}/early"
        with Holding(trace, "--addresses", cwd=folder) as target:
            expected = by_name(ask(target.program, trace))
            answer = seep.run("core", "--max-pause", "20s", "-o", early, target.program)
            assert answer.status == seep.NONE, answer
            os.kill(target.program, signal.SIGABRT)
            target.wait()
        core, = [path for path in pathlib.Path(folder).iterdir() if "core" in path.name]
        found = by_name(ask(core, trace))
        # What was freed before, and by whom it is held, is the same.
        assert {name: (row["blocks"], row["bytes"]) for name, row in found.items()} == {
            name: (row["blocks"], row["bytes"]) for name, row in expected.items()}, found
        assert sum("holding.cpp" in name for name in found) >= 8, found
        stored = f"{folder}/stored"
        snapshot(core, trace, stored)
        assert by_name(heap(stored, "--by", "site", "histogram")).keys() == found.keys()
        answer = ask(early, trace, status=seep.COULD_NOT)
        assert "does not end with the moment" in answer.err, answer
        answer = seep.run("heap", "--recording", trace, "--by", "site", stored, "histogram")
        assert answer.status == seep.USAGE and "not with a snapshot" in answer.err, answer
        other = f"{folder}/other.trace"
        with Holding(other, "--addresses") as target:
            pass
        answer = ask(core, other, status=seep.COULD_NOT)
        assert "is of process" in answer.err, answer


def recorded_end(folder, *options, command, under=()):
    """(core, trace) of a program that ends under seep record."""
    folder.mkdir()
    subprocess.run([*under, seep.program(), "record", "--addresses", *options, "-o",
                    folder / "trace", "--", *command], cwd=folder, check=False,
                   stderr=subprocess.DEVNULL)
    core, = folder.glob("*core*")
    return core, folder / "trace"


@case
def a_core_of_another_run():
    """A run that had the same process id and ended by the same signal left another core."""
    cores_can_be_written()
    alone = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if subprocess.run([*alone, "true"], check=False, stderr=subprocess.DEVNULL).returncode:
        raise Skip("no namespace of process ids can be had here")
    with temporary_folder() as folder:
        (core, own), (_, other) = (
            recorded_end(pathlib.Path(folder, name), command=[cases.program("aborting")],
                         under=alone) for name in "ab")
        assert {row["blocks"] for row in ask(core, own)["rows"]} == {30}
        answer = ask(core, other, status=seep.COULD_NOT)
        assert "is of another run" in answer.err and "try:" in answer.err, answer


@case
def a_core_of_who_was_executed():
    """Only if the recorder followed is the trace that of the program whose core it is."""
    cores_can_be_written()
    command = ["sh", "-c", f"exec {cases.program('aborting')}"]
    with temporary_folder() as folder:
        core, trace = recorded_end(pathlib.Path(folder, "a"), command=command)
        answer = ask(core, trace, status=seep.COULD_NOT)
        assert "--follow-exec" in answer.err, answer
        core, trace = recorded_end(pathlib.Path(folder, "b"), "--follow-exec", command=command)
        assert {row["blocks"] for row in ask(core, trace)["rows"]} == {30}


def stacks(report):
    """{function of the program that allocated: blocks} of findings."""
    found = {}
    for finding in report["findings"]:
        own, = [frame["function"] for frame in finding["stack"]
                if frame["function"] in ("make_rings", "lose")][:1]
        found[own] = found.get(own, 0) + finding["blocks"]
    return found


@case
def leaks_have_stacks():
    """seep leaks of a recorded process tells which stacks allocated what is lost, and rules see them."""
    with temporary_folder() as folder:
        trace, rules, old = f"{folder}/a.trace", f"{folder}/rules", f"{folder}/old.seep"
        with Holding(trace, "--addresses") as target:
            look = ("--json", "--max-pause", "20s", "--recording", trace)
            answer = seep.run("leaks", *look, target.program)
            assert answer.status == seep.FINDINGS, answer
            assert stacks(answer.report()) == {"make_rings": 1}, answer
            answer = seep.run("leaks", "--max-pause", "20s", target.program)
            assert answer.status == seep.FINDINGS and "make_rings" not in answer.out, answer
            pathlib.Path(rules).write_text("{\n  known\n  Memcheck:Leak\n  ...\n"
                                           "  fun:make_rings*\n}\n")
            answer = seep.run("leaks", *look, "--suppressions", rules, target.program)
            assert answer.status == seep.NONE, answer
            lines = seep.run("leaks", *look, "--interval", "100ms", "--count", "2",
                             target.program).out.splitlines()
            assert [len(json.loads(line)["findings"]) for line in lines] == [1, 0], lines
            snapshot(target.program, trace, old)
            for words in (("--diff-from", old, target.program), (old,),
                          ("--at-exit", "-o", f"{folder}/x", "--", "true")):
                answer = seep.run("leaks", *look, *words)
                assert answer.status == seep.USAGE and "try:" in answer.err, answer


@case
def pinned_pages():
    """seep why tells resident blocks, and who pins pages, by what allocated them."""
    with temporary_folder() as folder:
        trace = f"{folder}/a.trace"
        with Holding(trace, "--addresses", program="pinning") as target:
            answer = seep.run("why", "--json", "--max-pause", "20s", "--recording", trace,
                              target.program)
            plain = seep.run("why", "--json", "--max-pause", "20s", target.program)
        assert answer.status == plain.status == seep.NONE, (answer, plain)
        report, plain = json.loads(answer.out), json.loads(plain.out)
        live = {part["name"]: part for part in report["parts"] if part["kind"] == "live blocks"}
        pins = {pin["type"]: pin for pin in report["pinned"]["types"]}
        for name, blocks in (("keep_often", 1500), ("keep_seldom", 500)):
            part, = [part for stack, part in live.items() if f" < {name} " in stack]
            pin, = [pin for stack, pin in pins.items() if f" < {name} " in stack]
            assert part["count"] == blocks and blocks * 0.95 < pin["blocks"] <= blocks, (part, pin)
            assert pin["free_bytes"] > blocks * 2500, pin
        assert report["pinned"]["pages"] == plain["pinned"]["pages"] > 1900, report["pinned"]
        # What is explained does not depend on how it is told.
        assert report["explained_bytes"] == report["rss_bytes"] - report["residual_bytes"] - \
            sum(part["bytes"] for part in report["parts"] if part["kind"] == "opaque"), report
        assert not any("meanwhile" in sentence for sentence in report["warnings"]), report
        with Target([cases.program("pinning")], stdin=subprocess.PIPE) as other:
            answer = seep.run("why", "--recording", trace, other.pid)
            assert answer.status == seep.COULD_NOT and "is not being recorded" in answer.err, answer


@case
def wrong_questions():
    """Sites need a recording, and a recording a process."""
    with Target([cases.program("holding")], stdin=subprocess.PIPE) as target:
        for words in (("--by", "site"), ("--where", "site~x"), ("--where", "age>3s"),
                      ("--where", "requested>3")):
            answer = seep.run("heap", *words, target.pid, "histogram")
            assert answer.status == seep.USAGE and "was not recorded" in answer.err, answer
        for condition in ("age>3x", "age>s", "age~3", "requested>1s"):
            answer = seep.run("heap", "--where", condition, target.pid, "histogram")
            assert answer.status == seep.USAGE and "the filter" in answer.err, answer


sys.exit(cases.main())
