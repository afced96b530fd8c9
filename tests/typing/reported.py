#!/usr/bin/python3
"""seep leaks --types names what debug information tells, of a process and of a snapshot of it.

Usage: reported.py SEEP PROGRAM
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from harness.target import Target


def types_of(seep, target, *options):
    """Blocks by type, and what the summary says of types."""
    command = [seep, "leaks", "--json", "--kinds", "all", "--group-by", "type", *options, target]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if result.returncode not in (0, 1):
        sys.exit(f"seep leaks failed: {result.stderr}")
    report = json.loads(result.stdout)
    blocks = {}
    for finding in report["findings"]:
        blocks[finding["type"]] = blocks.get(finding["type"], 0) + finding["blocks"]
    return blocks, report["summary"]["types"]


def main(seep, program):
    with Target([program]) as target, tempfile.TemporaryDirectory() as folder:
        pid, file = str(target.pid), os.path.join(folder, "typed.seep")
        truth = target.output.decode().splitlines()
        typed, summary = types_of(seep, pid, "--types")
        plain, nothing = types_of(seep, pid)
        subprocess.run([seep, "snapshot", "--types", "-o", file, pid], check=True,
                       capture_output=True, timeout=60)
        target.kill()
        stored, stored_summary = types_of(seep, file, "--types")
    wanted = {name: sum(line.endswith(f" told struct {name}") for line in truth)
              for name in ("item", "payload", "branch")}
    assert all(wanted.values()), wanted
    for name, blocks in wanted.items():
        assert typed.get(name) == blocks, f"{typed.get(name)} blocks of {name}, not {blocks}"
        assert name not in plain, f"{name} is told without --types"
    assert nothing is None
    assert 0 < summary["known"]["blocks"] < summary["all"]["blocks"]
    assert stored == typed, set(stored.items()) ^ set(typed.items())
    assert stored_summary == summary
    print(f"{wanted} told, as in the snapshot; {summary}")


if __name__ == "__main__":
    main(*sys.argv[1:])
