#!/usr/bin/python3
"""A target that rewrites all of its memory, close to the limit of its cgroup, is never
pushed over it by being looked at.

RUNS is how often it is tried; 10 unless set.
"""

import collections
import contextlib
import json
import os
import pathlib
import random
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from cgroup import Cgroup
from harness import cases, seep
from harness.cases import case, program
from harness.target import Target
from ticker import assert_found

RUNS = int(os.environ.get("RUNS", "10"))
LOOKS_PER_RUN = 3


def nr_kills(group):
    lines = dict(line.split() for line in group.read("memory.oom_control").splitlines())
    return int(lines.get("oom_kill", 0))


def nr_hits(group):
    return int(group.read("memory.failcnt"))


def look_at_rewriter(fill, limit_mb, how, counts):
    with Cgroup("memory", memory__limit_in_bytes=limit_mb << 20) as group:
        heap_mb = int(limit_mb * fill / 100) - 2
        with Target([program("rewriter"), heap_mb], preexec_fn=group.enter) as target:
            hits = nr_hits(group)
            for _ in range(LOOKS_PER_RUN):
                answer = seep.leaks(target.pid, "--json", "--freeze", how)
                if answer.status == seep.COULD_NOT:
                    assert how == "copy" and len(answer.err.strip()) > 20, answer
                    counts["refused"] += 1
                else:
                    assert_found(answer)
                    counts[answer.report()["summary"]["freeze"]] += 1
                assert target.is_running(), f"at {fill} % of {limit_mb} MB it was killed"
            assert nr_kills(group) == 0, group.read("memory.oom_control")
            counts["limit hit"] += nr_hits(group) - hits
            target.assert_unharmed()


def look_at_rewriters(how):
    counts = collections.Counter()
    for number in range(RUNS):
        fill = 60 + 39 * number // max(1, RUNS - 1)
        look_at_rewriter(fill, random.choice((128, 256, 512)), how, counts)
    print(f"  {RUNS} targets at 60 to 99 %, 0 kills: {dict(counts)}")


@case
def automatic():
    """at 60 to 99 % of the limit, --freeze auto"""
    look_at_rewriters("auto")


@case
def copied():
    """at 60 to 99 % of the limit, --freeze copy: mostly refused"""
    look_at_rewriters("copy")


@case
def roomy():
    """where there is room for a copy of all that is rewritten, there is a copy"""
    counts = collections.Counter()
    for _ in range(max(2, RUNS // 5)):
        look_at_rewriter(40, 512, "copy", counts)
    print(f"  at 40 %, 0 kills: {dict(counts)}")
    assert counts["copy"], counts


@case
def squeezed():
    """a limit that comes down while a copy lives: the copy goes, the target stays

    When the guard does not get its turn in time, the kernel takes the copy: that is what its
    oom_score_adj is for. The kills are counted here, and none is the target's.
    """
    counts = collections.Counter()
    for _ in range(max(2, RUNS // 5)):
        with Cgroup("memory", memory__limit_in_bytes=512 << 20) as group:
            with Target([program("rewriter"), 200], preexec_fn=group.enter) as target:
                looker = subprocess.Popen(
                    [seep.program(), "leaks", "--json", "--freeze", "copy", "--max-pause",
                     "5s", str(target.pid)], stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                time.sleep(random.uniform(0.02, 0.08))
                usage = int(group.read("memory.usage_in_bytes"))
                with contextlib.suppress(OSError):  # it has come to use more already
                    group.write("memory.limit_in_bytes", usage + (80 << 20))
                out, err = looker.communicate(timeout=60)
                assert looker.returncode in (seep.FINDINGS, seep.COULD_NOT), err
                assert out or err.strip(), "no reason given"
                how = json.loads(out)["summary"]["freeze"] if out else "refused"
                counts[how] += 1
                target.assert_unharmed()
                counts["copy taken by the kernel"] += nr_kills(group)
    print(f"  the target was never killed: {dict(counts)}")


if __name__ == "__main__":
    sys.exit(cases.main())
