#!/usr/bin/python3
"""Sites of the blocks of a recorded program whose blocks are known (holding.cpp)."""

import json
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

# pylint: disable=wrong-import-position
from harness import cases, seep
from harness.cases import case
from harness.target import Target, temporary_folder


class Recorded(Target):
    """The program under seep record, which is this target's process; it ends with its input."""

    def __init__(self, trace, *options):
        super().__init__([seep.program(), "record", *options, "-o", trace, "--",
                          cases.program("holding")],
                         stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        children = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        self.program, = map(int, children.split())

    def kill(self):
        """seep ends with the program."""
        if self.process.poll() is None:
            subprocess.run(["kill", "-9", str(self.program)], check=False)
        super().kill()

    def grow(self):
        self.output = b""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        self.await_output(b"done\n")


def ask(target, trace, status=seep.NONE):
    answer = seep.run("heap", "--json", "--top", "all", "--max-pause", "20s", "--by", "site",
                      "--recording", trace, target, "histogram")
    assert answer.status == status, answer
    return json.loads(answer.out) if answer.out else answer


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
    told = [re.fullmatch(r"sites are known for (\d+) % of bytes, (\d+) % of blocks", sentence)
            for sentence in report["warnings"]]
    percent, = [(int(match[1]), int(match[2])) for match in told if match]
    assert percent[0] >= 95 and percent[1] >= 95, percent
    summary = report["summary"]["all"]
    assert sum(row["blocks"] for row in report["rows"]) == summary["blocks"]
    assert sum(row["bytes"] for row in report["rows"]) == summary["bytes"]


@case
def known_blocks():
    """Every block has the site that the program gave it, also after some went and came."""
    with temporary_folder() as folder:
        trace = f"{folder}/a.trace"
        with Recorded(trace, "--addresses") as target:
            check(ask(target.program, trace), 1)
            target.grow()
            check(ask(target.program, trace), 2)


@case
def paused():
    """What a pause does not tell has no site: a block of before it may be another by now."""
    with temporary_folder() as folder:
        trace = f"{folder}/a.trace"
        with Recorded(trace, "--addresses") as target:
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
        with Recorded(one, "--addresses") as target, Recorded(other) as plain:
            answer = ask(target.program, other, seep.COULD_NOT)
            assert "is not the trace that the process is recorded into" in str(answer), answer
            answer = ask(plain.program, other, seep.COULD_NOT)
            assert "without the addresses of blocks" in str(answer), answer
            answer = ask(target.program, f"{folder}/none", seep.COULD_NOT)
            assert "cannot read" in str(answer), answer
            with Recorded(one, "--addresses") as later:
                answer = ask(target.program, one, seep.COULD_NOT)
                assert "is not the trace that the process is recorded into" in answer.err, answer
                check(ask(later.program, one), 1)
        with Target([cases.program("holding")], stdin=subprocess.PIPE) as target:
            answer = ask(target.pid, one, seep.COULD_NOT)
            assert "is not being recorded" in str(answer), answer


@case
def wrong_questions():
    """Sites need a recording, and a recording a process."""
    with Target([cases.program("holding")], stdin=subprocess.PIPE) as target:
        answer = seep.run("heap", "--by", "site", target.pid, "histogram")
        assert answer.status == seep.USAGE and "by a recording alone" in answer.err, answer


sys.exit(cases.main())
