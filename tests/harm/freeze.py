#!/usr/bin/python3
"""A target does not feel that it is looked at through a frozen copy of it.

COPIES is how often each case looks; 200 unless set.
"""

import collections
import difflib
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from copies import COPY, look
from harness import cases, seep
from harness.cases import case, needs, program
from harness.target import Target

COPIES = int(os.environ.get("COPIES", "200"))

# What a program can see of a copy while it lives, and ARCHITECTURE.md admits.
KNOWN_TRACES = {
    "census": {"children in /proc"},
    "childless": {"children in /proc", "waitpid with __WALL"},
}


def ask_target(target):
    """What it prints when a line comes on its stdin, as rows of words."""
    target.process.stdin.write(b"\n")
    target.process.stdin.flush()
    lines = target.rest_of_output().decode().splitlines()[1:]
    assert target.wait() == 0
    return [line.split("\t") for line in lines]


def look_at_waits(copies, *call):
    with Target([program("waits"), *call], stdin=subprocess.PIPE) as target:
        for _ in range(copies):
            look(target)
        target.assert_unharmed()
        early = dict(ask_target(target))
    assert len(early) > 30, early
    disturbed = {call: times for call, times in early.items() if times != "0"}
    assert not disturbed, f"early returns, main thread in {call or 'read'}: {disturbed}"
    return [name for name in early if name != "read of stdin"]


@case
def early_returns():
    """no blocking call comes back early; the thread that is made to clone is in each in turn"""
    calls = look_at_waits(COPIES // 5)
    each = max(1, (COPIES - COPIES // 5) // len(calls))
    for call in calls:
        look_at_waits(each, call)
    print(f"  {COPIES // 5} copies made by a read, {each} by each of {len(calls)} calls")


def look_at_census(way, *arguments):
    with Target([program("census"), *arguments], stdin=subprocess.PIPE) as target:
        for _ in range(COPIES):
            look(target)
        target.assert_unharmed()
        rows = ask_target(target)
    differences = {what: int(nr) for what, nr, _ in rows}
    asked = {what: int(nr) for what, _, nr in rows}
    known = KNOWN_TRACES[way]
    for what in known:
        print(f"  seen while a copy lives: {what}: {differences[what]} of {asked[what]}")
    felt = {what: nr for what, nr in differences.items() if nr and what not in known}
    assert not felt, f"over {COPIES} copies: {felt}; asked {asked}"
    # Whoever waits for a child waits all the time, and asks no second time.
    idle = [what for what, nr in asked.items() if nr == 0 and what != "waitpid, waiting"]
    assert not idle, f"never asked: {idle}"


@case
def no_difference():
    """children, descriptors, timers, pipes, locks, mappings, registers are as ever"""
    look_at_census("census")


@case
def no_difference_childless():
    """the same for a program without children"""
    look_at_census("childless", "childless")


@case
def storm():
    """64 threads in malloc: no leak is invented, every look answers or says why not"""
    reasons, wrong = collections.Counter(), []
    with Target([program("storm"), 64, 10]) as target:
        expected = (10, sum(8008 + 16 * number for number in range(10)))
        for number in range(max(4, COPIES // 50)):
            answer = seep.leaks(target.pid, "--json", *COPY)
            if answer.status == seep.COULD_NOT:
                reason = answer.err.strip() or "; ".join(answer.report()["warnings"])
                assert reason, answer
                reasons[reason.splitlines()[0]] += 1
            elif seep.definite(answer.report()) != expected:
                wrong.append((number, seep.definite(answer.report())))
        target.assert_unharmed()
    answered = number + 1 - sum(reasons.values())
    print(f"  {answered} of {number + 1} looks answered; others: {dict(reasons)}")
    assert not wrong, f"expected {expected}: {wrong}"
    assert answered > number / 2, reasons


def run_looked_at(command, copies_at_least=5):
    """Runs it alone, then looked at all the time; returns how many looks were answered."""
    def run(watch):
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as process:
            watch(process)
            out = process.communicate(timeout=300)[0]
        return out, process.returncode

    answered = 0

    def watch(process):
        nonlocal answered
        while process.poll() is None:
            answer = seep.leaks(process.pid, "--json", *COPY)
            answered += answer.status in (seep.NONE, seep.FINDINGS)

    alone, looked_at = run(lambda _: None), run(watch)
    assert looked_at == alone, "\n".join(difflib.unified_diff(
        *(repr(run).split("\\n") for run in (alone, looked_at)), "alone", "looked at",
        n=1, lineterm=""))
    print(f"  {answered} looks answered")
    assert answered >= copies_at_least, "it was over too soon"


@case
def forking_shell():
    """a shell that starts hundreds of processes says the same, and misses no child's end"""
    needs("bash")
    script = ("set -e; for i in {1..500}; do x=$(echo $i | tr 0-9 a-j); "
              "(exit $((i % 7))) || y=$?; /bin/true & wait $!; echo $i $x ${y:-0}; done; "
              "for i in {1..20}; do sleep 0.0$((i % 5)) & done; wait; jobs; echo done")
    run_looked_at(["bash", "-c", script])


@case
def jit():
    """node, which compiles while it runs, computes the same"""
    needs("node")
    script = ("const h = o => { let x = 7; for (let i = 0; i < 3e5; i++) "
              "{ o['k' + (i % 97)] = [i, x]; x = (x * 31 + i) % 1000003; } return x; };"
              "let s = 0; for (let r = 0; r < 150; r++) { s = (s * 7 + h({})) % 998244353;"
              " s += new Function('a', `return a * ${r} % 13`)(s); } console.log(s)")
    run_looked_at(["node", "-e", script])


@case
def under_timeout():
    """a program under timeout(1) is ended by it, in time, with its status"""
    command = ["timeout", "-s", "TERM", "2", program("ticker"), "/dev/null"]
    counter = [*command[:-1], f"/tmp/seep-test-{os.getpid()}"]
    begin = time.monotonic()
    try:
        with Target(counter) as timeout:
            child = next(iter(map(int, pathlib.Path(
                f"/proc/{timeout.pid}/task/{timeout.pid}/children").read_text().split())))
            while timeout.is_running():
                for pid in (child, timeout.pid):
                    seep.leaks(pid, *COPY)
            assert timeout.wait() == 124, timeout.wait()
    finally:
        pathlib.Path(counter[-1]).unlink()
    assert 1.9 < time.monotonic() - begin < 4


@case
def types_take_a_copy():
    """Finding types takes long: 12 MB are copied for it, and not else"""
    script = "kept = [str(i) * 20 for i in range(60000)]; print('READY', flush=True); input()"
    with Target(["/usr/bin/python3", "-c", script], env={"PYTHONMALLOC": "malloc"},
                stdin=subprocess.PIPE) as target:
        for options, how in (((), "stop"), (("--types",), "copy")):
            summary = seep.leaks(target.pid, "--json", "--max-pause", "20s",
                                 *options).report()["summary"]
            assert summary["freeze"] == how, summary
        target.assert_unharmed()


if __name__ == "__main__":
    sys.exit(cases.main())
