#!/usr/bin/python3
"""What seep tells of random traces is what an independent oracle makes of the same events."""

import json
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/traces")]

import oracle
from harness import cases, seep
from harness.cases import case
from harness.target import temporary_folder

SEED = int(os.environ.get("SEED", "4"))
TRACES = int(os.environ.get("TRACES", "60"))  # in each case

KEYS = {
    "site": lambda block: block.node,
    "size": lambda block: block.size,
    "thread": lambda block: (block.thread, block.program),  # which begins anew
    "mark": lambda block: block.mark,
}


def report(path, *options):
    answer = seep.run("report", "--json", "--top", "all", *options, path)
    assert answer.status == seep.NONE, answer
    found = json.loads(answer.out)
    assert found["schema"] == "seep.report/1", answer
    return found


def assert_true(found, truth, key, about):
    summary = {name: found["summary"][name] for name in truth.summary()}
    assert summary == truth.summary(), (about, summary, truth.summary())
    rows = sorted((sorted(row["counts"].items()), row["lifetimes"]) for row in found["rows"])
    assert rows == truth.groups(key), (about, rows, truth.groups(key))
    marks = [(mark["name"], round(mark["time_s"] * 1e6), mark["live_bytes"])
             for mark in found["marks"]]
    assert marks == truth.marks, (about, marks, truth.marks)
    executions = [(each["program"], round(each["time_s"] * 1e6), each["ended_blocks"],
                   each["ended_bytes"]) for each in found["executions"]]
    assert executions == truth.executions, (about, executions, truth.executions)


def runs(name, length=400):
    """Yields (rng, path, happenings) of random runs."""
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "trace")
        for number in range(TRACES):
            rng = oracle.rng_of(f"{SEED} {name} {number}")
            trace, happenings = oracle.random_run(rng, rng.randrange(1, length))
            path.write_bytes(trace.data())
            yield rng, path, happenings


@case
def whole_runs():
    """Every block is in the row it belongs to; the peak and all sums are exact."""
    for rng, path, happenings in runs("whole"):
        group = rng.choice(list(KEYS))
        found = report(path, "--group-by", group)
        assert_true(found, oracle.Truth(happenings), KEYS[group], group)
        steps = found["timeline"]
        if happenings and any(happening.block for happening in happenings):
            assert max(steps["peak_bytes"]) == found["summary"]["peak_bytes"]
        assert sum(steps["allocations"]) == found["summary"]["allocations"]
        assert len(steps["peak_bytes"]) <= 512


@case
def any_instant():
    """The live set at a time is what the oracle says was live then."""
    for rng, path, happenings in runs("instant"):
        end = rng.choice(happenings).time + rng.choice((-1, 0, 0, 1))
        end = max(end, 0)
        found = report(path, "--at", f"{end}us")
        assert_true(found, oracle.Truth(happenings, end=end), KEYS["site"], end)


def some_moment(rng, happenings):
    """(word for seep, moment for the oracle)"""
    marks = [happening.words for happening in happenings if happening.kind == "mark"]
    if marks and rng.random() < 0.5:
        mark = rng.choice(marks)
        return mark, mark
    time = rng.choice(happenings).time
    return f"{time}us", time


def place(happenings, moment):
    """Where in the run a moment is."""
    for at, happening in enumerate(happenings):
        if happening.words == moment if isinstance(moment, str) else happening.time >= moment:
            return at
    return len(happenings)


@case
def windows_and_threads():
    """Between two moments, of one thread: what was allocated, what ended, and the growth."""
    for rng, path, happenings in runs("windows"):
        (start_word, start), (end_word, end) = sorted(
            (some_moment(rng, happenings) for _ in range(2)),
            key=lambda pair: place(happenings, pair[1]))
        if place(happenings, start) == place(happenings, end):
            continue
        options = ["--from", start_word, "--to", end_word]
        thread = rng.choice((None, 412, 413))
        if thread:
            options += ["--thread", str(thread)]
        found = report(path, *options)
        assert_true(found, oracle.Truth(happenings, start, end, thread), KEYS["site"], options)


@case
def large_allocations():
    """Each is listed; of every size and thread as many live at the end as truly do."""
    for _, path, happenings in runs("large"):
        found = report(path, "--chunk", "5000")
        truth = oracle.Truth(happenings)
        born = [block for block in truth.born if block.size >= 5000]
        assert (sorted((large["bytes"], round(large["time_s"] * 1e6), large["thread"])
                       for large in found["large"]) ==
                sorted((block.size, block.born, block.thread) for block in born))
        assert (sorted((large["bytes"], large["thread"]) for large in found["large"]
                       if large["lifetime_s"] is None) ==
                sorted((block.size, block.thread) for block in truth.now()[0]
                       if block.size >= 5000 and block not in truth.ended))


@case
def trees_add_up():
    """A call tree has every block once: its first rows add up to the whole, and so on down."""
    for rng, path, happenings in runs("trees"):
        shape = rng.choice(("--top-down", "--bottom-up"))
        options = [shape, "--sort", "total"]
        options += ["--collapse-recursion"] if rng.random() < 0.5 else []
        options += ["--hide-libs"] if rng.random() < 0.3 else []
        found = report(path, *options)
        above = {0: None}
        below = {}
        for at, row in enumerate(found["rows"]):
            above[row["depth"] + 1] = at
            below.setdefault(above[row["depth"]], []).append(row["counts"])
        for at, rows in below.items():
            whole = (found["rows"][at]["counts"] if at is not None
                     else oracle.Truth(happenings).counts())
            for name in ("allocations", "total_bytes", "persistent_bytes", "peak_bytes",
                         "temporary"):
                total = sum(counts[name] for counts in rows)
                assert total <= whole[name], (options, at, name, total, whole[name])


if __name__ == "__main__":
    sys.exit(cases.main())
