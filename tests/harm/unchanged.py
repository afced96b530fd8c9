#!/usr/bin/python3
"""A target does the same whether it is looked at or not.

LOOKS is how often it is looked at; 200 unless set.
"""

import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness import cases, seep
from harness.cases import case, program
from harness.target import Target

LOOKS = int(os.environ.get("LOOKS", "200"))
LINES = [f"line number {number}, of {'x' * (number % 70)}\n".encode()
         for number in range(200)]


def run_chatter(look):
    """Feeds it line by line, looking in between; returns (stdout, stderr, status)."""
    process = subprocess.Popen([program("chatter")], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for line in LINES:
        process.stdin.write(line)
        process.stdin.flush()
        look(process)
    out, err = process.communicate(timeout=60)
    return out, err, process.returncode


@case
def output_and_status():
    """stdout, stderr and exit status of a filter with timers and children are unchanged"""
    answers = []

    def look(process):
        answers.append(seep.leaks(process.pid, "--json"))

    def rest(_):
        time.sleep(0.002)

    alone = run_chatter(rest)
    watched = run_chatter(look)
    for what, one, other in zip(("stdout", "stderr", "status"), alone, watched):
        assert one == other, f"{what} differs: {one!r}\n{other!r}"
    assert alone[2] == 23, alone
    answered = [answer for answer in answers if answer.status == seep.FINDINGS]
    print(f"  {len(answered)} of {len(answers)} looks answered")
    assert len(answered) > len(answers) * 0.9, answers[-1]


@case
def early_returns():
    """no blocking call of a target comes back early over many looks"""
    with Target([program("waits")], stdin=subprocess.PIPE) as target:
        answered = 0
        for _ in range(LOOKS):
            answer = seep.leaks(target.pid, "--max-pause", "2s")
            assert answer.status in (seep.NONE, seep.FINDINGS, seep.COULD_NOT), answer
            answered += answer.status != seep.COULD_NOT
        target.assert_unharmed()
        target.process.stdin.write(b"\n")
        target.process.stdin.flush()
        lines = target.rest_of_output().decode().splitlines()[1:]
        assert target.wait() == 0
    early = dict(line.split("\t") for line in lines)
    assert len(early) > 30, early
    print(f"  {len(early)} calls, {answered} of {LOOKS} looks answered")
    assert answered > LOOKS * 0.9, answer
    disturbed = {call: times for call, times in early.items() if times != "0"}
    assert not disturbed, f"early returns: {disturbed}"


if __name__ == "__main__":
    sys.exit(cases.main())
