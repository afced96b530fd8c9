#!/usr/bin/python3
"""seep killed at any instant while it looks through a copy leaves the target as it was; and
its tracer killed leaves no second program behind.

KILLS is how often it is tried; 40 unless set.
"""

import contextlib
import os
import pathlib
import random
import select
import signal
import statistics
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from copies import (COPY, adopt_orphans, await_tracer, children, look, reap_orphans,
                    settle, stat_of)
from harness import cases, seep
from harness.cases import case, program
from harness.target import Target, temporary_folder
from ticker import Ticker

KILLS = int(os.environ.get("KILLS", "40"))
HEAP_MB = 40


def start_look(target):
    return subprocess.Popen([seep.program(), "leaks", *COPY, "--max-pause", "20s",
                             str(target.pid)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def typical_look_s(target):
    return statistics.median(look(target).seconds for _ in range(5))


def kill_often(number):
    adopt_orphans()
    with temporary_folder() as folder, Ticker(folder, HEAP_MB, 5) as target:
        before, in_time = children(target.pid), 0
        look_s = typical_look_s(target)
        for _ in range(KILLS):
            looker = start_look(target)
            time.sleep(random.uniform(0, look_s))
            looker.send_signal(number)
            looker.communicate(timeout=30)
            in_time += looker.returncode == -number
            settle(target, before)
            target.assert_goes_on()
        print(f"  killed {in_time} of {KILLS} times before its end; "
              f"a look takes {look_s * 1000:.0f} ms")
        assert in_time > KILLS / 4, "seep was too fast for this test to mean anything"
        assert seep.definite(look(target).report()) == (1, 8008)


@case
def by_sigkill():
    """SIGKILL of seep"""
    kill_often(signal.SIGKILL)


@case
def by_sigint():
    """Ctrl-C"""
    kill_often(signal.SIGINT)


@case
def by_sigterm():
    """SIGTERM"""
    kill_often(signal.SIGTERM)


class Selfsame(Target):
    """The program that notices a second of its kind."""

    def __init__(self, folder):
        self.counter = pathlib.Path(folder, "counter")
        super().__init__([program("selfsame"), self.counter, HEAP_MB])

    def counts(self):
        """(how often it asked who it is, how often it was another)"""
        return struct.unpack("QQ", self.counter.read_bytes()[:16])


def kill_tracer(target, look_s):
    """Kills the tracer of one look at a random instant; False if that ended before."""
    looker = start_look(target)
    tracer = open_tracer(looker)
    alive = False
    if tracer:
        time.sleep(random.uniform(0, look_s))
        # An ended tracer, not yet waited for, can be read from, too.
        alive = not select.select([tracer], [], [], 0)[0]
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(tracer, signal.SIGKILL)
        os.close(tracer)
    said = looker.communicate(timeout=30)[1].decode()
    assert looker.returncode in (seep.FINDINGS, seep.COULD_NOT), said
    assert looker.returncode == seep.FINDINGS or said.strip(), "no reason given"
    return alive


def open_tracer(looker):
    """A pidfd, verified after it was opened to be of the tracer of that very seep."""
    pid = await_tracer(looker)
    with contextlib.suppress(OSError):
        descriptor = os.pidfd_open(pid or 0)
        if stat_of(pid)[::2] == ("seep-tracer", looker.pid):
            return descriptor
        os.close(descriptor)
    return None


def await_end_of_copy(target):
    """It is to end, or has, but for that it needs a turn of a processor like anybody."""
    give_up = time.monotonic() + 10
    while True:
        running = {pid: seen for pid, seen in children(target.pid).items() if seen[1] != "Z"}
        assert target.counts()[1] == 0, "the copy ran the target's code"
        if not running:
            return
        assert time.monotonic() < give_up, f"a copy goes on without its tracer: {running}"
        time.sleep(0.005)


@case
def tracer_by_sigkill():
    """SIGKILL of the tracer: never a second execution of the target's code"""
    adopt_orphans()
    killed = died = zombies = 0
    with temporary_folder() as folder:
        target = Selfsame(folder)
        look_s = typical_look_s(target)
        for _ in range(KILLS):
            killed += kill_tracer(target, look_s)
            await_end_of_copy(target)
            reap_orphans({target.pid})
            assert target.counts()[1] == 0, "the copy ran the target's code"
            zombies += len(children(target.pid))
            if not target.is_running():
                died += 1
            if not target.is_running() or children(target.pid):
                target.kill()
                target = Selfsame(folder)
                continue
            before, give_up = target.counts()[0], time.monotonic() + 5
            while target.counts()[0] == before:
                assert time.monotonic() < give_up, "the target makes no progress"
                time.sleep(0.001)
            target.assert_unharmed()
        target.kill()
    window_us = died / killed * look_s * 1e6 if killed else 0
    print(f"  {killed} of {KILLS} tracers killed in time: the target died {died} times (some "
          f"{window_us:.0f} us of a look of {look_s * 1000:.0f} ms), and had an ended copy "
          f"to wait for {zombies} times")
    assert killed > KILLS / 4, "the tracer was gone too often for this test to mean anything"
    assert zombies <= killed / 5, "seep does not take away what a killed tracer left"


if __name__ == "__main__":
    sys.exit(cases.main())
