#!/usr/bin/python3
"""Traces that are cut short, changed, or make no sense: what is left of them, or one sentence."""

import json
import os
import pathlib
import random
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/traces")]

import oracle
import samples
import writer
from harness import cases, seep
from harness.cases import case
from harness.target import temporary_folder

SEED = int(os.environ.get("SEED", "4"))


def ask(folder, data, *options):
    path = pathlib.Path(folder, "file.seep")
    path.write_bytes(data)
    return seep.run("report", "--json", *options, path)


def assert_refused(answer, *words):
    """One sentence that names the file, and what is to be found in it."""
    assert answer.status == seep.COULD_NOT and answer.out == "", answer
    lines = answer.err.splitlines()
    assert lines[0].startswith("seep: ") and "file.seep" in lines[0], answer
    for word in words:
        assert word in lines[0], (word, answer)
    assert len(lines) <= 2, answer


@case
def cut_anywhere():
    """A file that ends early tells what stands before the cut, and that it was cut."""
    with temporary_folder() as folder:
        rng = random.Random(SEED)
        trace, happenings = oracle.random_run(rng, 300)
        data, borders = trace.data(), trace.borders()
        places = [at + more for at, _ in borders for more in (0, 1, 39, 41)]
        places = rng.sample(places, min(len(places), 200)) + rng.sample(range(len(data)), 40)
        whole = json.loads(ask(folder, data).out)
        seen = set()
        for place in sorted(set(places)):
            answer = ask(folder, data[:place])
            if place < borders[1][0]:
                assert_refused(answer)
                continue
            assert answer.status == seep.NONE, (place, answer)
            report = json.loads(answer.out)
            assert report["cut"] == (place < borders[-1][0] + 40), place
            known = report["summary"]["allocations"]
            assert known <= whole["summary"]["allocations"], place
            truth = truth_up_to(happenings, known, report["summary"]["frees"],
                                len(report["executions"]))
            assert report["summary"]["live_bytes"] == truth, place
            seen.add(known)
        assert len(seen) > 3, "the cuts made no difference"


def truth_up_to(happenings, allocations, frees, executions):
    """Live bytes after so many events."""
    live = {}
    for happening in happenings:
        if happening.kind == "execute":
            executions -= 1
            if executions < 0:
                break
            live = {}
        if not (happening.block or happening.old):
            continue
        allocations -= happening.block is not None
        frees -= happening.block is None
        if allocations < 0 or frees < 0:
            break
        if happening.old:
            del live[id(happening.old)]
        if happening.block:
            live[id(happening.block)] = happening.block.size
    return sum(live.values())


@case
def any_bit_changed():
    """A changed byte is found, and the chunk and its offset are named."""
    with temporary_folder() as folder:
        data = samples.SAMPLES["some"]
        rng = random.Random(SEED)
        borders = [at for at, _ in borders_of(data)]
        end = borders[-1] + 40
        for place in [*range(60), *rng.sample(range(24, end), 60)]:
            changed = bytearray(data)
            changed[place] ^= 1 << rng.randrange(8)
            answer = ask(folder, bytes(changed))
            at = max([border for border in borders if border <= place], default=0)
            assert_refused(answer, *(["offset " + str(at)] if place >= 24 else []))


def borders_of(data):
    """Yields (offset, type) of each chunk."""
    at = writer.FILE_HEADER.size
    while at < len(data):
        number, _, _, stored, _, _, _ = writer.CHUNK_HEADER.unpack_from(data, at)
        yield at, number
        at += writer.CHUNK_HEADER.size + stored


def number(*values):
    return b"".join(map(writer.number, values))


EVENTS = number(0, 0, 0)
BASE = (("recorded threads", number(0, 412)), ("nodes", number(1, 1, 0, 2)),
        ("requests", number(0, 1, 24, 2)), ("deaths", number(0, 2, 0, 0, 0, 0, 16, 0)))

EXECUTION = number(9 << 2 | 3, 3) + b"ls"
OVER = (*BASE, ("events", EVENTS + EXECUTION, 2))

NONSENSE = (
    # (words in the sentence, chunks behind the run: name, payload, and version if it is not 1)
    ("does not go on with the nodes", [("nodes", number(2, 1, 0, 2))]),
    ("caller was not told", [("nodes", number(1, 1, 2, 2))]),
    ("ends too early", [("nodes", number(1, 1, 0x80)[:-1])]),
    ("ends too early", [("nodes", number(1, 1 << 40))]),
    ("has more than it says", [("nodes", number(1, 1, 0, 2, 7))]),
    ("a node that was not told", [("requests", number(0, 1, 24, 2))]),
    ("does not go on with the requests", [*BASE, ("requests", number(0, 1, 24, 2))]),
    ("does not go on with the threads", [("recorded threads", number(1, 412))]),
    ("neither loaded nor unloaded", [("code", number(3, 0))]),
    ("ends before it starts", [("code", number(1, 1, 5, 4, 0, 0, 0))]),
    ("thread that was not told", [("events", EVENTS)]),
    ("does not go on with the events", [*BASE, ("events", number(0, 1, 0))]),
    ("thread that was not told", [*BASE, ("events", number(0, 0, 1))]),
    ("begins before the events", [*BASE, ("events", number(5, 0, 0)),
                                  ("events", number(4, 0, 0))]),
    ("request that was not told", [*BASE, ("events", EVENTS + number(1 << 2))]),
    ("does not go on with the deaths", [*BASE, ("deaths", number(0, 1, 0, 0, 0))]),
    ("ends too early", [*BASE, ("deaths", number(2, 1 << 40))]),
    ("death of a request that was not told", [*BASE, ("deaths", number(2, 1, 2, 0, 0))]),
    ("death by a thread that was not told", [*BASE, ("deaths", number(2, 1, 0, 0, 2))]),
    ("too many marks", [*BASE, ("deaths", number(2, 1, 0, 1 << 36, 0))]),
    ("death that was not told", [*BASE, ("events", EVENTS + number(0, 2 << 2 | 1))]),
    ("older than the first mark", [*BASE, ("events", EVENTS + number(0, 1 << 2 | 1))]),
    ("a request that has no live one", [*BASE, ("events", EVENTS + number(1))]),
    ("a request that has no live one", [*BASE, ("events", EVENTS + number(0, 1, 1))]),
    ("a request that has no live one", [*BASE, ("events", EVENTS + number(2, 0))]),
    ("request that was not told", [*BASE, ("events", EVENTS + number(0, 2, 1))]),
    ("event of an unknown kind", [*BASE, ("events", EVENTS + number(10 << 2 | 3))]),
    ("event of an unknown kind", [*BASE, ("events", EVENTS + EXECUTION)]),
    ("goes on after another program", [*BASE, ("events", EVENTS + EXECUTION + b"\x00", 2)]),
    ("ends within an event", [*BASE, ("events", EVENTS + EXECUTION[:-1], 2)]),
    ("ends within an event", [*BASE, ("events", EVENTS + number(9 << 2 | 3), 2)]),
    ("request of a program that is gone", [*OVER, ("events", number(0, 1, 0, 0))]),
    ("request of a program that is gone", [*OVER, ("events", number(0, 1, 0, 1))]),
    ("request of a program that is gone", [*OVER, ("events",
                                                   number(0, 1, 0, 5 << 2 | 3, 0))]),
    ("thread that is gone", [*OVER, ("requests", number(1, 1, 8, 0)),
                             ("events", number(0, 1, 0, 1 << 2))]),
    ("thread that was not told", [*BASE, ("events", EVENTS + number(1 << 2 | 3, 1))]),
    ("too late", [*BASE, ("events", EVENTS + number(3, (1 << 64) - 1))]),
    ("ends within an event", [*BASE, ("events", EVENTS + b"\x03")]),
    ("ends within an event", [*BASE, ("events", EVENTS + b"\x80")]),
    ("ends within an event", [*BASE, ("events", EVENTS + number(2 << 2 | 3, 9) + b"mark")]),
    ("nodes that are not in order", [*BASE, ("names", number(4, 0))]),
    ("text that was not told", [*BASE, ("names", number(2, 1, 2, 0, 0))]),
    ("is there twice", [("summary", number(0)), ("summary", number(0))]),
)


@case
def right_checksums_wrong_contents():
    """What cannot be is said, with the chunk and its offset."""
    with temporary_folder() as folder:
        for words, chunks in NONSENSE:
            trace = writer.Trace()
            for each in chunks:
                trace.add(*each)
            at = trace.borders()[-2][0]
            assert_refused(ask(folder, trace.data()), words, chunks[-1][0], f"offset {at}")


@case
def addresses_that_do_not_match():
    """As many as the events have blocks: not fewer, not more, and none of an older version."""
    asked = ("--address", "0x1000")
    events = ("events", EVENTS + number(0, 0, 1))
    for words, addresses, version in (
            ("not followed by the addresses of its blocks", number(0x400, 0), 2),
            ("not followed by the addresses of its blocks", number(0x400, 0, 1), 2),
            ("addresses that it has no blocks for", number(0x400, 0, 0, 0), 2),
            ("a version that this seep does not read", number(0x400, 0), 1),
            (None, number(0x400, 0, 0), 2)):
        with temporary_folder() as folder:
            trace = writer.Trace(addresses=True)
            for name, payload in (*BASE, events):
                trace.add(name, payload)
            trace.add("addresses", addresses, version)
            answer = ask(folder, trace.data(), *asked)
            if words:
                assert_refused(answer, words)
                continue
            history = json.loads(answer.out)["history"]
            assert history["events_in_all"] == 3 and history["blocks"] == 2, answer


@case
def cut_before_the_addresses():
    """Events whose addresses are cut off are not told; those before are, and the cut is said."""
    trace = writer.Trace(addresses=True)
    for step in range(3):
        trace.at(step, 412)
        trace.allocate(trace.request(24, 0), 0x1000 + step * 4)
        trace.flush()
    data, borders = trace.data(), [at for at, name in trace.borders() if name == "addresses"]
    with temporary_folder() as folder:
        for told, border in enumerate(borders):
            for more in (0, 1, 39, 40):
                report = json.loads(ask(folder, data[:border + more], "--address",
                                        "0x1010").out)
                assert report["cut"] and report["history"]["events_in_all"] == told, more


@case
def frees_of_what_was_lost():
    """Where events were lost, a free or resize of a block that was lost is none that counts."""
    with temporary_folder() as folder:
        trace = writer.Trace()
        for name, payload in BASE:
            trace.add(name, payload)
        trace.add("events", EVENTS + number(3 << 2 | 3, 9, 1, 2, 0, 1, 1))
        summary = json.loads(ask(folder, trace.data()).out)["summary"]
        told = {name: summary[name] for name in
                ("allocations", "resizes", "frees", "live_blocks", "stray_frees")}
        assert told == {"allocations": 1, "resizes": 0, "frees": 1, "live_blocks": 0,
                        "stray_frees": 2}, summary


@case
def much_code():
    """However much code was loaded and unloaded, the time to read it grows as the file does."""
    with temporary_folder() as folder:
        loaded = number(1, 1, 4096, 8192, 0, 0, 0)
        unloaded = number(2, 1, 77)
        named = (number(1, 1, 4096, 8192, 0) + writer.text(f"/lib/{i}.so") + number(0)
                 for i in range(40000))
        for contents in (loaded * 150000 + unloaded * 150000, b"".join(named)):
            trace = writer.Trace()
            trace.add("code", contents)
            began = time.monotonic()
            assert ask(folder, trace.data()).status == seep.NONE
            assert time.monotonic() - began < 5, "it took too long"


@case
def other_versions():
    """Unknown chunks are passed over; another version of a known one is refused."""
    with temporary_folder() as folder:
        trace = writer.Trace()
        trace.add(63, b"anything")
        assert ask(folder, trace.data()).status == seep.NONE
        trace.add("events", b"", version=3)
        assert_refused(ask(folder, trace.data()), "events", "version")


@case
def no_trace_at_all():
    """What is no trace is said to be that, and what it is."""
    with temporary_folder() as folder:
        assert_refused(ask(folder, b""), "no file of seep")
        assert_refused(ask(folder, b"some text"), "no file of seep")
        assert_refused(ask(folder, samples.SAMPLES["some"][:20]), "within its header")
        assert_refused(ask(folder, writer.file_header(1)), "a snapshot, not a trace")
        assert_refused(ask(folder, writer.file_header() + writer.chunk("nodes", b"")),
                       "comes before the run")
        answer = seep.run("report", pathlib.Path(folder, "none"))
        assert answer.status == seep.COULD_NOT and "No such file" in answer.err, answer
        answer = seep.run("report", folder)
        assert answer.status == seep.COULD_NOT and "no regular file" in answer.err, answer


if __name__ == "__main__":
    sys.exit(cases.main())
