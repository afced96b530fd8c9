#!/usr/bin/python3
"""The views of seep heap on a program whose holders are known (holding.cpp)."""

import json
import pathlib
import re
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

# pylint: disable=wrong-import-position
from harness import cases, seep
from harness.cases import case
from harness.target import Target, temporary_folder


class Holding(Target):
    """The program, and where its blocks are by name."""

    def __init__(self):
        super().__init__([cases.program("holding")], stdin=subprocess.PIPE)
        self.await_state("S")
        self.blocks = {name: int(address, 16) for name, address in
                       re.findall(r"^(\w+) (0x[0-9a-f]+)$", self.output.decode(), re.M)}

    def grow(self):
        self.output = b""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        self.await_output(b"done\n")
        self.await_state("S")


def ask(target, view, *words, status=seep.NONE):
    answer = seep.run("heap", "--json", "--top", "all", "--max-pause", "20s", target, view, *words)
    assert answer.status == status, answer
    return json.loads(answer.out) if answer.out else answer


def number(text):
    return int(text, 16)


def row_of(report, key, text):
    found = [row for row in report["rows"] if row[key] and text in row[key]]
    assert len(found) == 1, (text, found)
    return found[0]


def check_all(target, blocks):
    """What every view must say, of the process, a snapshot or a core."""
    roots = ask(target, "roots")
    nodes = 100 * (64 + 8) + 100 * 200
    chain = next(row for row in roots["rows"] if row["symbol"] == "chain")
    assert 100 * (64 + 200) <= chain["retained_bytes"] <= nodes + 100 * 16, chain
    assert chain["kind"] == "global" and chain["module"] == "holding", chain
    for name in ("left", "right"):
        row = next(row for row in roots["rows"] if row["symbol"] == name)
        assert row["retained_bytes"] == 0 and row["words"] == 1, row
    big = next(row for row in roots["rows"] if row["symbol"] == "big")
    assert big["retained_bytes"] == 0, f"the teller holds it too: {big}"
    all_of_big = ask(target, "retained", hex(blocks["big"]))
    assert sum(row["bytes"] for row in all_of_big["rows"]) == big["held_bytes"] + 104
    threads = [row for row in roots["rows"] if row["kind"] == "stack" and row["thread"]]
    assert any(row["retained_bytes"] >= 520 for row in threads), threads

    histogram = ask(target, "histogram")
    node = row_of(histogram, "type", "class Node")
    assert node["blocks"] == 100, node
    assert node["retained_bytes"] == node["retained_least_bytes"] == chain["retained_bytes"]
    total = sum(row["blocks"] for row in histogram["rows"])
    assert total == histogram["summary"]["all"]["blocks"]

    second = ask(target, "retained", hex(blocks["second"] + 8))
    assert sum(row["bytes"] for row in second["rows"]) < chain["retained_bytes"]
    assert row_of(second, "type", "class Node")["blocks"] == 99
    by_type = ask(target, "retained", "Node")
    assert sum(row["bytes"] for row in by_type["rows"]) == chain["retained_bytes"]
    by_root = ask(target, "retained", "chain")
    assert sum(row["bytes"] for row in by_root["rows"]) == chain["retained_bytes"]
    both = ask(target, "retained", "*:[lr]*t", status=seep.COULD_NOT)
    assert "no type" in both.err, both
    alone = ask(target, "retained", "left")
    assert alone["rows"] == [], alone

    far = ask(target, "holders", hex(blocks["far"]))
    assert [(row["offset"], number(row["address"])) for row in far["rows"]] == \
        [(3000000, blocks["big"])], far
    interior = ask(target, "holders", hex(blocks["big"]))
    inside = next(row for row in interior["rows"] if row["edge"] == "interior")
    assert inside["target_offset"] == 2000000 and inside["offset"] == 16, inside
    assert number(inside["address"]) == blocks["teller"], inside
    refs = ask(target, "refs", hex(blocks["teller"]))
    assert [(row["offset"], row["target_offset"]) for row in refs["rows"]] == [(16, 2000000)]

    paths = ask(target, "paths", hex(blocks["second"]))
    names = [(row["depth"], row["name"]) for row in paths["rows"]]
    assert names[0][1].endswith(":chain") and len(names) == 3, names
    assert paths["rows"][1]["offset"] == 8, paths["rows"][1]
    shared = ask(target, "paths", hex(blocks["shared"]))
    assert {row["name"].split(":")[-1] for row in shared["rows"] if not row["depth"]} == \
        {"left", "right"}, shared


@case
def of_a_process():
    """Retained bytes, roots, holders and paths of known structures, in a process."""
    with Holding() as target:
        check_all(target.pid, target.blocks)
        target.assert_unharmed()


VIEWS = ("histogram", "dominators", "roots", "cycles", "suspects")


@case
def of_a_snapshot():
    """A snapshot answers the same after the process has ended, whether or not it has answers."""
    with temporary_folder() as folder:
        plain, answered = (pathlib.Path(folder, name) for name in ("heap.seep", "answered.seep"))
        with Holding() as target:
            for path, options in ((plain, ()), (answered, ("--answers",))):
                answer = seep.run("snapshot", "--max-pause", "20s", *options, "-o", path,
                                  target.pid)
                assert answer.status == seep.NONE, answer
        assert answered.stat().st_size > plain.stat().st_size
        for path in (plain, answered):
            check_all(path, target.blocks)
        for view in VIEWS:
            assert ask(plain, view)["rows"] == ask(answered, view)["rows"], view


@case
def of_a_core():
    """So does a core."""
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "core.seep")
        with Holding() as target:
            answer = seep.run("core", "--max-pause", "20s", "-o", path, target.pid)
            assert answer.status == seep.NONE, answer
        check_all(path, target.blocks)


@case
def paths_that_avoid_something():
    """--exclude leaves out roots and types; without a way left it says so."""
    with Holding() as target:
        shared = hex(target.blocks["shared"])
        report = ask(target.pid, "paths", shared, "--exclude", "*:left")
        assert [row["name"].split(":")[-1] for row in report["rows"] if not row["depth"]] == \
            ["right"], report
        report = ask(target.pid, "paths", hex(target.blocks["far"]), "--exclude", "*:big",
                     "--exclude", "*:teller")
        assert report["rows"] == [] and "no such way" in report["verdict"], report


@case
def filters():
    """--where counts the blocks that it describes."""
    with Holding() as target:
        for words, blocks in (("type~^Node", 100), ("type=Node size>1M", 0),
                              ("size>=4000000", 1), ("type=Node or size>=4000000", 101),
                              ("root=chain type=Node", 100), ("root=ring type=Node", 0),
                              (f"address={hex(target.blocks['big'])}", 1)):
            report = ask(target.pid, "histogram", "--where", words)
            assert sum(row["blocks"] for row in report["rows"]) == blocks, (words, report)
        lost = ask(target.pid, "histogram", "--where", "lost")
        assert sum(row["blocks"] for row in lost["rows"]) == \
            lost["summary"]["lost"]["blocks"] > 0, lost
        for words in ("size>", "size>1k)", "type~(", "type~a**", "colour=red", "", "age>3x", "type<3", "x or"):
            answer = seep.run("heap", target.pid, "histogram", "--where", words)
            assert answer.status == seep.USAGE and (not words or "try: " in answer.err), answer


@case
def cycles():
    """Rings of shared pointers, live and lost, with the fields that close them."""
    with Holding() as target:
        report = ask(target.pid, "cycles")
        rings = {row["state"]: row for row in report["rows"]}
        assert len(report["rows"]) == 2, report
        for state, length in (("live", 2), ("lost", 3)):
            row = rings[state]
            assert row["cycles"] == 1 and row["length"] == row["blocks"] == length, row
            assert row["shared_ptr"] == "control blocks" and "Ring" in row["ring"], row
            assert row["retained_least_bytes"] == row["bytes"], row
        short = ask(target.pid, "cycles", "--max-length", "2")
        assert [row["state"] for row in short["rows"]] == ["live"], short
        # A shared_ptr is two pointers: to the object, and to the control block.
        assert "+24" in rings["lost"]["ring"], rings
        left = ask(target.pid, "cycles", "--filter", "*+24")
        assert ["+32" in row["ring"] for row in left["rows"]] == [True, True], left
        left = ask(target.pid, "cycles", "--filter", "*+24", "--filter", "*+32")
        assert left["rows"] == [] and "2 more parts" in left["verdict"], left


@case
def suspects():
    """What keeps a tenth of the heap alive is a suspect; nothing else is."""
    with Holding() as target:
        report = ask(target.pid, "suspects")
        assert len(report["rows"]) == 1, report
        assert number(report["rows"][0]["accumulation_address"]) == target.blocks["big"], report
        assert report["rows"][0]["kind"] == "block" and report["rows"][0]["percent"] > 80, report


@case
def big_drops():
    """Where much ends below a suspect is told, too."""
    with Target([cases.program("branches")]) as target:
        at = dict(re.findall(r"^(\w+) (0x[0-9a-f]+)$", target.output.decode(), re.M))
        suspect, *drops = ask(target.pid, "suspects")["rows"]
        assert suspect["kind"] != "drop" and suspect["percent"] > 99, suspect
        assert number(suspect["accumulation_address"]) == number(at["trunk"]), suspect
        assert {number(row["accumulation_address"]) for row in drops} == {
            number(at["left"]), number(at["right"])}, drops
        for row in drops:
            assert row["kind"] == "drop" and 49 < row["percent"] < 51, row
            assert "below it 100 x" in row["sentence"], row
        # Of blocks that hold no more than a tenth there is none.
        assert ask(target.pid, "suspects", "--where", "size<20k retained<100k")["rows"][0][
            "kind"] == "type"


@case
def dominators_by_type():
    """What stands below the same is taken together; nothing is lost or counted twice."""
    with Target([cases.program("branches")]) as target:
        report = ask(target.pid, "dominators", "--by", "type", "--types")
        trunk, branch, leaves = report["rows"][:3]
        assert [row["depth"] for row in (trunk, branch, leaves)] == [0, 1, 2], report
        assert (trunk["type"], branch["type"]) == ("trunk", "branch"), report
        assert [row["blocks"] for row in (trunk, branch, leaves)] == [1, 2, 200], report
        assert [row["children"] for row in (trunk, branch, leaves)] == [2, 200, 0], report
        assert leaves["retained_bytes"] == leaves["bytes"] >= 200 * 10000, report
        assert branch["retained_bytes"] == branch["bytes"] + leaves["bytes"], report
        assert trunk["retained_bytes"] == trunk["bytes"] + branch["retained_bytes"], report
        for by in ("type", "size", "arena", "zone"):
            report = ask(target.pid, "dominators", "--by", by)
            assert sum(row["retained_bytes"] for row in report["rows"] if row["depth"] == 0) == \
                report["summary"]["all"]["bytes"], report
        for words in (("dominators", "--by", "root"), ("roots", "--by", "type")):
            answer = seep.run("heap", "--max-pause", "20s", target.pid, *words)
            assert answer.status == seep.USAGE and "--by" in answer.err, answer


@case
def filtered_views():
    """Each view counts the blocks that a filter leaves, or says that it has none to choose."""
    with Holding() as target:
        second = hex(target.blocks["second"])

        def rows(*words):
            return ask(target.pid, *words)["rows"]

        of_nodes = ("--where", "type~Node")
        texts = ("--where", "type~text size>=200 size<300")
        top, = [row for row in rows("dominators", *of_nodes) if row["depth"] == 0]
        assert top["type"] == "class Node" and top["retained_bytes"] == 27200, top
        by_type, = [row for row in rows("dominators", "--by", "type", *of_nodes)
                    if row["depth"] == 0]
        assert (by_type["blocks"], by_type["retained_bytes"]) == (1, 27200), by_type
        root, = rows("roots", *of_nodes)
        assert root["root"] == "holding:chain" and root["retained_bytes"] == 7200, root
        gone, = rows("retained", "holding:chain", *texts)
        assert gone["blocks"] == 100 and gone["bytes"] == 20000, gone
        assert [row["type"] for row in rows("refs", second, *of_nodes)] == ["class Node"]
        holder, = rows("holders", second, *of_nodes)
        assert number(holder["address"]) == target.blocks["first"], holder
        assert rows("holders", second, *texts) == []
        assert [row["state"] for row in rows("cycles", "--where", "live")] == ["live"]
        leading = rows("paths", "class Node", "--where", f"address={second}")
        assert leading[0]["blocks_behind"] == 1, leading
        assert rows("suspects", *of_nodes) == []
        for words in (("paths", second), ("inspect", second)):
            answer = seep.run("heap", "--max-pause", "20s", *of_nodes, target.pid, *words)
            assert answer.status == seep.USAGE and "--where" in answer.err, answer


def snapshots_of_growth(target, folder, number):
    """Snapshots with growth after each."""
    paths = [pathlib.Path(folder, f"{i}.seep") for i in range(number)]
    for path in paths:
        answer = seep.run("snapshot", "--max-pause", "20s", "-o", path, target.pid)
        assert answer.status == seep.NONE, answer
        target.grow()
    return paths


@case
def duplicates_and_zeros():
    """Equal contents are found, and blocks of zeros, which are no duplicates."""
    with Holding() as target:
        report = ask(target.pid, "dups")
        same = [row for row in report["rows"] if row["bytes"] == 152]
        assert [(row["copies"], row["wasted_bytes"]) for row in same] == [(5, 4 * 152)], report
        zeros = ask(target.pid, "waste")
        row = row_of(zeros, "type", "up to 4 KiB block")
        assert row["blocks"] == 3 and row["zero_bytes"] == 3 * 2056, zeros


@case
def old_snapshots():
    """A snapshot without places answers, and says what it lacks."""
    header = struct.Struct("<IHHQQQQ")
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "heap.seep")
        with Holding() as target:
            answer = seep.run("snapshot", "--max-pause", "20s", "-o", path, target.pid)
            assert answer.status == seep.NONE, answer
        data = path.read_bytes()
        kept, at = data[:24], 24
        while at < len(data):
            number_of_type, _, _, stored, _, _, _ = header.unpack_from(data, at)
            end = at + header.size + stored
            kept += b"" if number_of_type in (24, 25, 26) else data[at:end]
            at = end
        path.write_bytes(kept)
        report = ask(path, "roots")
        chain = next(row for row in report["rows"] if row["symbol"] == "chain")
        assert chain["retained_bytes"] >= 100 * 264, chain
        assert any("one root for each block" in text for text in report["warnings"]), report
        holders = ask(path, "holders", hex(target.blocks["far"]))
        assert [row["offset"] for row in holders["rows"]] == [None], holders


@case
def differences():
    """What came, went, and was not touched since a snapshot."""
    with temporary_folder() as folder, Holding() as target:
        path, = snapshots_of_growth(target, folder, 1)
        report = ask(target.pid, "diff", path)
        # The first Entry of the hoard points nowhere.
        entry = row_of(report, "type", "248-byte block of pointers")
        assert (entry["bytes_before"], entry["bytes"]) == (248 * 199, 248 * 399), entry
        assert entry["new_blocks"] == 200 and entry["gone_blocks"] == 0, entry
        assert entry["untouched_bytes"] == entry["same_bytes"] == entry["bytes_before"], entry
        cached = row_of(report, "type", "408-byte block")
        assert cached["bytes"] == cached["bytes_before"], cached
        assert cached["untouched_bytes"] == 0, cached
        node = row_of(report, "type", "class Node")
        assert node["untouched_bytes"] == node["bytes"] == node["bytes_before"], node


@case
def types_of_debug_information():
    """With --types, what no vtable tells is named; without, it is not."""
    with Holding() as target:
        plain, typed = (ask(target.pid, "histogram", *words) for words in ((), ("--types",)))
    names = [{row["type"] for row in report["rows"]} for report in (plain, typed)]
    assert "Entry" in names[1] - names[0], names
    assert sum(row["blocks"] for row in typed["rows"] if row["type"] == "Entry") == 200, typed


@case
def abandoned():
    """What a list keeps for ever is told, a cache of the same size in bytes is not."""
    with temporary_folder() as folder, Holding() as target:
        paths = snapshots_of_growth(target, folder, 3)
        report = ask(target.pid, "abandoned", *paths)
        assert [row["root"] for row in report["rows"]] == ["holding:hoard"], report
        hoard = report["rows"][0]
        assert hoard["abandoned_blocks"] == 400 and hoard["intervals"] == 2, hoard
        last = pathlib.Path(folder, "last.seep")
        answer = seep.run("snapshot", "--max-pause", "20s", "-o", last, target.pid)
        assert answer.status == seep.NONE, answer
        again = ask(last, "abandoned", *reversed(paths))
        assert again["rows"] == report["rows"], again
        answer = seep.run("heap", paths[0], "diff", last)
        assert answer.status == seep.COULD_NOT and "not older" in answer.err, answer
        answer = seep.run("heap", target.pid, "abandoned", last, "--max-pause", "20s")
        assert answer.status == seep.USAGE and "two earlier" in answer.err, answer
    with temporary_folder() as folder, Holding() as target, Holding() as other:
        path, = snapshots_of_growth(other, folder, 1)
        answer = seep.run("heap", target.pid, "diff", path, "--max-pause", "20s")
        assert answer.status == seep.COULD_NOT and "another process" in answer.err, answer


@case
def fields():
    """Where types are known, words in blocks have the names of their fields; of a snapshot too."""
    with temporary_folder() as folder, Holding() as target:
        path = pathlib.Path(folder, "typed.seep")
        answer = seep.run("snapshot", "--types", "--max-pause", "20s", "-o", path, target.pid)
        assert answer.status == seep.NONE, answer
        node = hex(target.blocks["second"])
        for asked in ((target.pid, "--types"), (path,)):
            rows = ask(*asked[:1], "refs", node, *asked[1:])["rows"]
            assert {row["offset"]: row["field"] for row in rows} == {8: "next", 16: "text"}, rows
            row, = ask(*asked[:1], "holders", node, *asked[1:])["rows"]
            assert row["field"] == "next", row
            rings = ask(*asked[:1], "cycles", *asked[1:])["rows"]
            names = {row["ring"] for row in rings}
            assert names == {" -> ".join(["shared_ptr of Ring.other"] * nr) for nr in (2, 3)}, names
            left = ask(*asked[:1], "cycles", "--filter", "*Ring.other", *asked[1:])["rows"]
            assert not left, left
            way = ask(*asked[:1], "paths", node, *asked[1:])["rows"]
            assert [row["field"] for row in way] == [None, "next", None], way
        rows = ask(target.pid, "refs", node)["rows"]
        assert [row["field"] for row in rows] == [None, None], rows
        answer = seep.run("query", "--json", path, "SELECT count(*) FROM edges e JOIN blocks b "
                          "ON b.addr = e.src WHERE b.type = 'class Node' AND exact")
        assert json.loads(answer.out)["rows"] == [[199]], answer


@case
def inspected():
    """What stands in a block, and no values unless they are asked for; of a core and a snapshot, too."""
    with temporary_folder() as folder, Holding() as target:
        node = hex(target.blocks["second"])
        path, core = pathlib.Path(folder, "typed.seep"), pathlib.Path(folder, "core")
        answer = seep.run("snapshot", "--types", "--max-pause", "20s", "-o", path, target.pid)
        assert answer.status == seep.NONE, answer
        answer = seep.run("core", "--max-pause", "20s", "-o", core, target.pid)
        assert answer.status == seep.NONE, answer
        for of, *words in ((target.pid, "--types"), (core, "--types")):
            rows = {row["offset"]: row for row in ask(of, "inspect", node, *words)["rows"]}
            assert rows[8]["field"] == "next" and "class Node" in rows[8]["value"], rows
            assert number(rows[8]["target"]) != 0 and rows[16]["field"] == "text", rows
            assert "vtable" in rows[0]["value"] or "holding" in rows[0]["value"], rows
            assert {row["value"] for row in rows.values()} <= {
                rows[0]["value"], rows[8]["value"], rows[16]["value"], "zeros", "data"}, rows
            told = ask(of, "inspect", node, "--contents", *words)["rows"]
            assert any(row["offset"] == 24 and row["value"] == "0x1" for row in told), told
            assert sum(row["bytes"] for row in told) == 72, told
        rows = ask(path, "inspect", node)["rows"]
        assert [row["offset"] for row in rows if row["target"]] == [8, 16], rows
        assert {row["value"] for row in rows if not row["target"]} == {"not known"}, rows
        answer = seep.run("snapshot", "--contents", "--types", "--max-pause", "20s", "-o", path,
                          target.pid)
        assert answer.status == seep.NONE, answer
        assert ask(path, "inspect", node, "--contents")["rows"] == told


@case
def refusals():
    """What cannot be answered is refused in one sentence, with a remedy."""
    with Holding() as target:
        for words, status in ((("history",), seep.USAGE), (("retained",), seep.USAGE),
                              (("roots", "x"), seep.USAGE), ((), seep.USAGE),
                              (("refs", "Node"), seep.USAGE),
                              (("retained", "0x10"), seep.COULD_NOT),
                              (("retained", "Nobody"), seep.COULD_NOT)):
            answer = seep.run("heap", "--max-pause", "20s", target.pid, *words)
            assert answer.status == status and not answer.out, answer
            assert answer.err.startswith("seep: "), answer


sys.exit(cases.main())
