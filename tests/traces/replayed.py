#!/usr/bin/python3
"""What seep tells of random traces is what an independent oracle makes of the same events."""

import json
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/traces")]

import oracle
import writer
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


def runs(name, length=400, **kinds):
    """Yields (rng, path, happenings) of random runs."""
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "trace")
        for number in range(TRACES):
            rng = oracle.rng_of(f"{SEED} {name} {number}")
            trace, happenings = oracle.random_run(rng, rng.randrange(1, length), **kinds)
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


def block_of(known, address, mark_names):
    """A block as JSON has it; None is null."""
    return known and {
        "address": f"{known.address:#x}", "bytes": known.size,
        "offset": address - known.address, "allocated_s": known.born / 1e6,
        "thread": known.thread, "mark": mark_names[known.mark]}


def assert_history(found, happenings, address, *scope, top=None):
    """The last events are the true ones, and so are the counts of all of them."""
    events, live, gone = oracle.history(happenings, address, *scope)
    names = [None] + [happening.words for happening in happenings
                      if happening.kind == "mark"]
    history = found["history"]
    assert history["address"] == f"{address:#x}"
    assert history["events_in_all"] == len(events), (history, events)
    assert history["live"] == block_of(live, address, names), (history["live"], live)
    blocks = {id(block) for *_, pair in events for block in pair if block}
    blocks |= {id(block) for block in (live, *gone) if block}
    assert history["blocks"] == len(blocks), history
    kept = events[-top:] if top else events
    assert history["events_left_out"] == len(events) - len(kept)
    assert len(history["events"]) == len(kept)
    kinds = {"allocate": "allocated", "free": "freed", "resize": "resized",
             "execute": "executed"}
    for event, (time, thread, kind, (old, new)) in zip(history["events"], kept):
        told = {name: event[name] for name in ("time_s", "thread", "event", "program", "ended",
                                               "began", "lifetime_s")}
        is_execution = kind == "execute"
        assert told == {
            "time_s": time / 1e6, "thread": None if is_execution else thread,
            "event": kinds[kind], "program": "/bin/another" if is_execution else None,
            "ended": block_of(old, address, names), "began": block_of(new, address, names),
            "lifetime_s": (time - old.born) / 1e6 if old else None}, (event, old, new)
        calls = [int(frame["offset"], 16) + 1 for frame in event["stack"]]
        assert calls == (new or old).stack[::-1] if new or old else not calls, event


def some_scope(rng, happenings):
    """Options for seep, and a start, an end and a thread for the oracle; None: not in order."""
    options, moments = [], [None, None]
    for at, word in enumerate(("--from", "--to")):
        if rng.random() < 0.4:
            words, moments[at] = some_moment(rng, happenings)
            options += [word, words]
    if None not in moments and place(happenings, moments[0]) >= place(happenings, moments[1]):
        return None
    thread = rng.choice((None, None, 412))
    return options + (["--thread", str(thread)] if thread else []), (*moments, thread)


@case
def histories_of_addresses():
    """Every event of every block that had an address, in windows and of threads, too."""
    seen = dict.fromkeys(("events", "moved", "resized", "live", "left out"), 0)
    for rng, path, happenings in runs("addresses", addresses=True):
        for happening in rng.choices(happenings, k=5):
            block, scope = happening.block, some_scope(rng, happenings)
            if not block or not scope:
                continue
            address = block.address + rng.choice((0, 0, 1, block.size))
            top = rng.choice((None, 3, 20))
            found = report(path, *scope[0], "--address", f"{address:#x}", "--top",
                           str(top or "all"))
            assert found["rows"] == []
            assert_history(found, happenings, address, *scope[1], top=top)
            history = found["history"]
            seen["events"] += len(history["events"])
            seen["live"] += history["live"] is not None
            seen["left out"] += history["events_left_out"]
            for event in history["events"]:
                if event["event"] == "resized":
                    seen["resized" if event["ended"] and event["began"] else "moved"] += 1
    assert all(number > 5 for number in seen.values()), seen


@case
def frees_that_came_late():
    """A block may get an address before the free of its last owner is told: that free ends the
    owner's block, the older one if both are alike."""
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "trace")
        for second in (24, 100):
            trace = writer.Trace(addresses=True)
            for tid in (412, 413):
                trace.thread_number(tid)
            trace.at(0, 412)
            one = trace.allocate(trace.request(24, 0), 0x1000)
            trace.at(5000, 412)
            two = trace.allocate(trace.request(second, 0), 0x1000)
            trace.at(6000, 413)
            trace.free(one)
            trace.at(9000, 413)
            trace.free(two)
            path.write_bytes(trace.data())
            history = report(path, "--address", "0x1000")["history"]
            lives = [(event["lifetime_s"], event["ended"]["bytes"])
                     for event in history["events"] if event["ended"]]
            assert lives == [(0.006, 24), (0.004, second)], history


@case
def addresses_that_are_not_there():
    """A trace without addresses is refused, with the command that would have kept them."""
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "trace")
        path.write_bytes(writer.Trace(arguments=["./shop", "a b", "it's"]).data())
        answer = seep.run("report", "--address", "0x1000", path)
        assert answer.status == seep.COULD_NOT and not answer.out, answer
        assert answer.err.splitlines() == [
            f"seep: {path} was recorded without the addresses of blocks.",
            f"      try: seep record --addresses -o {path} -- ./shop 'a b' 'it'\\''s'"], answer
        for words in ("1000", "0x", "0xg", "0x1g", "0x10000000000000000"):
            answer = seep.run("report", "--address", words, path)
            assert answer.status == seep.USAGE and "is no address" in answer.err, answer


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
