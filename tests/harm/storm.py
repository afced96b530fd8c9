#!/usr/bin/python3
"""Looks at a program whose 16 threads allocate and free as fast as they can: nothing is
ever lost there, so nothing may be reported, and every look answers or says why not.

LOOKS is how often each case looks; 15 unless set.
"""

import collections
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness import cases, seep
from harness.cases import case, program
from harness.target import Target

LOOKS = int(os.environ.get("LOOKS", "15"))
THREADS = 16


def look_often(nr_lost, *options):
    expected = (nr_lost, sum(8008 + 16 * number for number in range(nr_lost)))
    reasons = collections.Counter()
    pauses, stops, wrong = [], [], []
    with Target([program("storm"), THREADS, nr_lost]) as target:
        for number in range(LOOKS):
            answer = seep.leaks(target.pid, "--json", "--max-pause", "2s", *options)
            if answer.status == seep.COULD_NOT:
                reason = answer.err.strip() or "; ".join(answer.report()["warnings"])
                assert reason, f"look {number} gave no reason: {answer}"
                reasons[reason.splitlines()[0]] += 1
                continue
            report = answer.report()
            pauses.append(report["summary"]["pause_ms"])
            stops.append(report["summary"]["looks"])
            count = seep.definite(report)
            if count != expected:
                wrong.append(f"look {number}: definite {count}, expected {expected}: "
                             f"{str(report['findings'])[:600]}")
        target.assert_unharmed()
    answered = LOOKS - sum(reasons.values())
    print(f"  {LOOKS} looks: {answered} answered, {sum(reasons.values())} said why not")
    for reason, times in reasons.most_common(5):
        print(f"    {times} times: {reason}")
    if pauses:
        pauses.sort()
        print(f"  pause: median {pauses[len(pauses) // 2]:.1f} ms, "
              f"longest {pauses[-1]:.1f} ms; stops: at most {max(stops)} per look")
    assert not wrong, f"{len(wrong)} wrong answers, the first: {wrong[0]}"
    assert answered >= LOOKS / 2, "most looks gave no answer"


@case
def nothing_lost():
    """no leak is invented"""
    look_often(0)


@case
def some_lost():
    """exactly the ten blocks are reported that were lost before the storm"""
    look_often(10)


@case
def strict():
    """the same when interior pointers do not count"""
    look_often(10, "--strict")


if __name__ == "__main__":
    sys.exit(cases.main())
