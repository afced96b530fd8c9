#!/usr/bin/python3
"""Compares what seep says of blocks' types with what the program itself says.

Usage: told.py TYPES_OF PROGRAM
"""

import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from harness.target import Target


def plain(name):
    """A type's name however it is spelled."""
    name = re.sub(r"\b(struct|class|union) ", "", name)
    name = name.replace("long int", "long")
    name = re.sub(r"\bconst\b", "", name)
    return name.replace(" ", "")


def truth_of(output):
    """Address: (whether it must be told, type)."""
    facts = {}
    for line in output.decode().splitlines():
        if line.startswith("block "):
            _, address, wanted, name = line.split(" ", 3)
            facts[int(address, 16)] = (wanted == "told", plain(name))
    return facts


def told_of(types_of, pid):
    """Address: (type, evidence); the lines that warn, and that which sums up; times."""
    result = subprocess.run([types_of, str(pid)], capture_output=True, text=True, timeout=60)
    if result.returncode != 0:
        sys.exit(f"types-of failed: {result.stderr}")
    *blocks, summary = result.stdout.splitlines()
    told = {}
    warnings = [line for line in blocks if line.startswith("warning: ")]
    for line in blocks[:len(blocks) - len(warnings)]:
        _, address, _, evidence, name = line.split(" ", 4)
        told[int(address, 16)] = (plain(name), evidence)
    return told, [*warnings, summary], result.stderr.strip()


def compare(types_of, program):
    """The facts, the number of blocks that were told rightly, what was told wrongly, what was not told
    and must be; and what was said beside."""
    with Target([program], env={"MALLOC_PERTURB_": "0"}) as target:
        told, said_beside, times = told_of(types_of, target.pid)
        facts = truth_of(target.output)
    wrong, missing, right = [], [], 0
    for address, (wanted, name) in facts.items():
        if address not in told:
            sys.exit(f"no block at {address:#x}, which is a {name}")
        said, evidence = told[address]
        if said == "?":
            missing += [name] * wanted
        elif said.removesuffix("[]") != name.removesuffix("[]"):
            wrong.append(f"a {name} is no {said} (by {evidence})")
        else:
            right += 1
    return facts, right, wrong, missing, said_beside, times


def main(types_of, program):
    facts, right, wrong, missing, said_beside, times = compare(types_of, program)
    print(f"{len(facts)} blocks with known types: {right} told rightly, {len(wrong)} wrongly, "
          f"{len(missing)} not told that must be")
    print("\n".join(said_beside), "|", times)
    for name in sorted(set(missing)):
        print(f"not told: {missing.count(name)} of {name}")
    for sentence in sorted(set(wrong)):
        print(f"wrong, {wrong.count(sentence)} times: {sentence}")
    return 1 if wrong or missing or right == 0 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
