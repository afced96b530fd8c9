#!/usr/bin/python3
"""`seep report --group-by type` tells types that are true, and all of them where it can."""

import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness import cases, seep
from harness.cases import case, program
from harness.target import PATIENCE_S, temporary_folder

UNKNOWN = "unknown, "


def types_of(*words):
    """({type: (blocks, bytes)} by seep, the same by the program, all allocations)"""
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "trace")
        done = subprocess.run([seep.program(), "record", "-o", path, "--", *words],
                              check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=PATIENCE_S)
        answer = seep.run("report", "--group-by", "type", "--top", "all", "--json", path)
    assert answer.status == seep.NONE, answer
    report = json.loads(answer.out)
    assert report["group_by"] == "type"
    told = {row["label"]: (row["counts"]["allocations"], row["counts"]["total_bytes"])
            for row in report["rows"]}
    assert len(told) == len(report["rows"]), "two rows of one type"
    true = {}
    for line in done.stdout.decode().splitlines():
        name, blocks, size = line.split("\t")
        name = f"{UNKNOWN}{name[1:]}-byte block" if name.startswith("?") else name
        true[name] = (int(blocks), int(size))
    return told, true, report["summary"]["allocations"]


def known(types):
    return {name: counts for name, counts in types.items() if not name.startswith(UNKNOWN)}


@case
def all_types():
    """with debug information every type is told, with its blocks and bytes, and none besides"""
    for name in ("typed-O0", "typed-O2", "folded-O0", "folded-O2", "folded-local-O0"):
        told, true, _ = types_of(program(name))
        assert len(known(true)) > 7 and known(told) == known(true), (name, told, true)
        for label, counts in true.items():
            assert told[label] == counts, (name, label, told[label], counts)


@case
def nothing_false():
    """without it, or where functions were made one, a type is told rightly or not at all"""
    for name in ("typed-bare-O0", "typed-bare-O2", "typed-at-link", "folded-local-O2",
                 "folded-local-Os", "folded-at-link", "folded-linker"):
        if not pathlib.Path(os.environ["PROGRAMS"], name).exists():
            continue  # the linker does not fold
        told, true, _ = types_of(program(name))
        for label, counts in known(told).items():
            assert label in true, (name, label)
            assert counts == true[label], (name, label, counts, true[label])
    assert known(types_of(program("typed-bare-O2"))[0]), "strings are known without it"


@case
def none_in_c():
    """of a C program no type is known: blocks are told by size"""
    told, _, allocations = types_of(program("recorded"), "1000", "4321", "1", "0")
    assert not known(told), told
    assert told[f"{UNKNOWN}up to 8 KiB block"] == (1000, 4321000), told
    assert sum(blocks for blocks, _ in told.values()) == allocations


if __name__ == "__main__":
    sys.exit(cases.main())
