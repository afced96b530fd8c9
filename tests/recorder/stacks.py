#!/usr/bin/python3
"""Stacks of the programs that bench/record records, as unwind and as libunwind give them.

Each program runs with libcompared_stacks.so, which takes the stack of one allocation in EVERY (from
the environment; 97), in both ways. None may differ; LEAST is how many there must be in all.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "bench"))

import record_workloads
from harness import cases
from harness.cases import case, program
from harness.target import temporary_folder

EVERY = int(os.environ.get("EVERY", "97"))
LEAST = int(os.environ.get("LEAST", "100000"))

LINE = re.compile(r"^compared (\d+) same (\d+) partly (\d+) stepped (\d+) different (\d+)$",
                  re.MULTILINE)


def run(workload, told):
    """Adds what the workload's processes tell to the file `told`."""
    environment = {**os.environ, **workload.environment, "COMPARED_EVERY": str(EVERY),
                   "COMPARED_STACKS": str(told),
                   "LD_PRELOAD": str(program("libcompared_stacks.so"))}
    with open(workload.stdin, "rb") as stdin:
        process = subprocess.Popen(workload.command, stdin=stdin, stdout=subprocess.DEVNULL,
                                   env=environment)
    if workload.driver:
        record_workloads.drive(workload)
    assert process.wait(timeout=3600) == 0, f"{workload.name} ended with {process.returncode}"


@case
def programs():
    """the stacks of real programs are libunwind's"""
    compared = 0
    with temporary_folder() as folder:
        for workload in record_workloads.make(folder, os.environ["BENCH_PROGRAMS"]):
            if not shutil.which(workload.command[0]):
                print(f"  {workload.name}: not installed")
                continue
            told = pathlib.Path(folder, "told")
            run(workload, told)
            text = told.read_text()
            told.unlink()
            counts = [sum(map(int, column)) for column in zip(*LINE.findall(text))]
            print(f"  {workload.name}: {counts[0]} stacks, {counts[1]} the same, "
                  f"{counts[2]} of them only as far as there are rules")
            assert counts[4] == 0 and counts[0] == counts[1], text
            assert counts[0] > 0 and counts[2] * 100 < counts[0], text
            compared += counts[0]
    print(f"  {compared} stacks in all")
    assert compared >= LEAST


if __name__ == "__main__":
    sys.exit(cases.main())
