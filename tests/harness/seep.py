"""Runs seep, and reads its reports."""

import json
import os
import subprocess
import time

NONE, FINDINGS, USAGE, COULD_NOT = 0, 1, 2, 3

# More than any test program has.
ALL_EXAMPLES = "100000000"


def program():
    path = os.environ.get("SEEP")
    if not path or not os.access(path, os.X_OK):
        raise SystemExit("SEEP must name the seep that is to be tested, "
                         "as in SEEP=build/seep")
    return os.path.abspath(path)


class Answer:
    """What one run of seep gave."""

    def __init__(self, command, status, out, err, seconds):
        self.command = command
        self.status = status
        self.out = out
        self.err = err
        self.seconds = seconds

    def __str__(self):
        return (f"{' '.join(self.command)}\n  status {self.status} after "
                f"{self.seconds:.2f} s\n  stdout: {self.out[:1500]}\n"
                f"  stderr: {self.err[:1500]}")

    def report(self):
        """The JSON report; only an answer has one."""
        assert self.status in (NONE, FINDINGS, COULD_NOT), self
        try:
            report = json.loads(self.out)
        except ValueError as error:
            raise AssertionError(f"not JSON ({error}): {self}") from error
        assert report.get("schema") == "seep.leaks/1", self
        return report


def run(*arguments, prefix=(), timeout_s=120, **options):
    """Runs `PREFIX... seep ARGUMENTS...`."""
    command = [*map(str, prefix), program(), *map(str, arguments)]
    begin = time.monotonic()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, errors="replace",
                          timeout=timeout_s, check=False, **options)
    return Answer(command, done.returncode, done.stdout, done.stderr,
                  time.monotonic() - begin)


def leaks(target, *options, **run_options):
    """A loaded machine takes its time: unless a test is about the pause, it may be long."""
    if "--max-pause" not in options:
        options = ("--max-pause", "20s", *options)
    return run("leaks", target, *options, **run_options)


def blocks(report):
    """{address: (size, kind)} of all blocks in a report made with all kinds and examples."""
    found = {}
    for finding in report["findings"]:
        examples = finding["examples"]
        assert len(examples) == finding["blocks"], (
            f"finding of {finding['blocks']} blocks lists {len(examples)}: {finding['type']}")
        for example in examples:
            address = int(example["address"], 16)
            assert address not in found, f"{example['address']} is listed twice"
            found[address] = (example["size"], finding["kind"])
    return found


def roots(report):
    """{address: what keeps the block} of a report that is grouped by root."""
    return {int(example["address"], 16): finding["root"]
            for finding in report["findings"] for example in finding["examples"]}


def all_blocks(pid, *options):
    """Looks at a process; returns (report, blocks)."""
    answer = leaks(pid, "--kinds", "all", "--json", "--examples", ALL_EXAMPLES,
                   "--max-pause", "5s", *options)
    assert answer.status in (NONE, FINDINGS), answer
    report = answer.report()
    return report, blocks(report)


def definite(report):
    """(blocks, bytes)"""
    count = report["summary"]["kinds"]["definite"]
    return count["blocks"], count["bytes"]
