#!/usr/bin/python3
"""A frozen copy leaves no trace when it ends, whatever the target thinks of its children, and
whether or not the target itself ends first.

ENDS is how often each case looks; 20 unless set.
"""

import os
import json
import pathlib
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from copies import COPY, adopt_orphans, children, look, reap_orphans, settle
from harness import cases, seep
from harness.cases import Skip, case, program
from harness.target import Target
from ticker import assert_found

ENDS = int(os.environ.get("ENDS", "20"))
HEAP_MB = 60


def tell(target, line):
    target.process.stdin.write(line + b"\n")
    target.process.stdin.flush()


def look_at_parent(way):
    with Target([program("parent"), way], stdin=subprocess.PIPE) as target:
        for _ in range(ENDS):
            assert_found(look(target))
            settle(target, {})
        tell(target, b"exit")
        out = target.rest_of_output()
        assert out == b"READY\n", out
        assert target.wait() == 7


@case
def ignoring():
    """a target that ignores SIGCHLD"""
    look_at_parent("ignoring")


@case
def not_waiting():
    """a target that has set SA_NOCLDWAIT"""
    look_at_parent("not-waiting")


@case
def subreaper():
    """a target that inherits orphans"""
    look_at_parent("subreaper")


@case
def reaping():
    """a target that waits for whatever child there is, with __WALL: it never gets the copy"""
    look_at_parent("reaping")


@case
def first_process():
    """a target that is process 1 of its pid namespace"""
    command = ["unshare", "--pid", "--fork", "--kill-child", program("parent"), "ordinary"]
    if subprocess.run([*command[:4], "true"], check=False,
                      stderr=subprocess.DEVNULL).returncode:
        raise Skip("no pid namespaces here")
    with Target(command, stdin=subprocess.PIPE) as unshare:
        pid = next(iter(children(unshare.pid)))
        for _ in range(ENDS):
            answer = seep.leaks(pid, "--json", *COPY)
            assert_found(answer)
            assert answer.report()["summary"]["freeze"] == "copy", answer
            assert not children(pid), children(pid)
        tell(unshare, b"exit")
        assert unshare.wait() == 7


def end_meanwhile(end, options=COPY, may_change=False):
    """Looks at targets that `end` ends at a random instant; returns each target's status."""
    adopt_orphans()
    counts = {}
    for _ in range(ENDS):
        with Target([program("parent"), "ordinary", HEAP_MB],
                    stdin=subprocess.PIPE) as target:
            begin = time.monotonic()
            looker = subprocess.Popen([seep.program(), "leaks", "--json", *options,
                                       "--max-pause", "20s", str(target.pid)],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)
            time.sleep(random.uniform(0, 0.15))
            end(target)
            out, err = looker.communicate(timeout=30)
            assert looker.returncode in (seep.NONE, seep.FINDINGS, seep.COULD_NOT), (
                f"status {looker.returncode}: {err}")
            if looker.returncode == seep.NONE:
                # True only of the program that came after: it has next to no heap.
                heap_bytes = json.loads(out)["summary"]["heap_bytes"]
                assert may_change and heap_bytes < HEAP_MB << 20, f"no leaks in {out}"
            assert looker.returncode != seep.COULD_NOT or len((out + err).strip()) > 20, err
            assert time.monotonic() - begin < 20, "it took too long"
            counts[looker.returncode] = counts.get(looker.returncode, 0) + 1
            yield target
            give_up = time.monotonic() + 5
            while reap_orphans({target.pid}):
                assert time.monotonic() < give_up, reap_orphans({target.pid})
                time.sleep(0.005)
    print(f"  {counts.get(seep.FINDINGS, 0)} answered, "
          f"{counts.get(seep.COULD_NOT, 0)} said why not")


@case
def exits():
    """the target exits meanwhile: with its own status, and no copy stays"""
    for target in end_meanwhile(lambda target: tell(target, b"exit")):
        assert target.wait(10) == 7


@case
def killed():
    """the target is killed meanwhile"""
    for target in end_meanwhile(lambda target: target.signal(signal.SIGKILL)):
        assert target.wait(10) == -signal.SIGKILL


@case
def execs():
    """the target becomes another program meanwhile: that program runs, and has no child"""
    for target in end_meanwhile(lambda target: tell(target, b"exec"), may_change=True):
        target.await_output(b"AGAIN\n", patience_s=10)
        settle(target, {})


if __name__ == "__main__":
    sys.exit(cases.main())
