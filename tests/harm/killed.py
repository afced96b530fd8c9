#!/usr/bin/python3
"""seep killed at any instant leaves its target running, untraced and not stopped.

KILLS is how often it is tried; 100 unless set.
"""

import os
import pathlib
import random
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness import cases, seep
from harness.cases import case
from harness.target import temporary_folder
from ticker import Ticker

KILLS = int(os.environ.get("KILLS", "100"))


def typical_look_s(target):
    return statistics.median(seep.leaks(target.pid).seconds for _ in range(9))


def settle(target):
    """Whoever cleans up after a killed seep has a second to do so."""
    give_up = time.monotonic() + 1
    while True:
        try:
            target.assert_unharmed()
            return
        except AssertionError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.002)


def kill_often(number):
    with temporary_folder() as folder, Ticker(folder, 30, 5) as target:
        in_time = 0
        for kill in range(KILLS):
            if kill % 100 == 0:
                look_s = typical_look_s(target)
            looker = subprocess.Popen([seep.program(), "leaks", str(target.pid)],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            time.sleep(random.uniform(0, look_s))
            looker.send_signal(number)
            in_time += looker.wait(30) == -number
            settle(target)
            target.assert_goes_on()
        print(f"  killed {in_time} of {KILLS} times before its end; "
              f"a look takes {look_s * 1000:.0f} ms")
        assert in_time > KILLS / 4, "seep was too fast for this test to mean anything"
        answer = seep.leaks(target.pid, "--json")
        assert seep.definite(answer.report()) == (1, 8008), answer


@case
def by_sigkill():
    """SIGKILL at random instants"""
    kill_often(signal.SIGKILL)


@case
def by_sigint():
    """Ctrl-C at random instants"""
    kill_often(signal.SIGINT)


@case
def by_closed_pipe():
    """a reader of the report that goes away leaves the target running"""
    with temporary_folder() as folder, Ticker(folder, 5) as target:
        for _ in range(10):
            looker = subprocess.Popen([seep.program(), "leaks", "--json", "--kinds", "all",
                                       "--examples", "100000", str(target.pid)],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL)
            looker.stdout.read(10)
            looker.stdout.close()
            looker.wait(30)
            settle(target)
            target.assert_goes_on()


if __name__ == "__main__":
    sys.exit(cases.main())
