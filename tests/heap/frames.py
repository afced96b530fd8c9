#!/usr/bin/python3
"""The calls that hold blocks, of every thread (framed.c): in a process, a core and a snapshot.

Usage: frames.py PROGRAM
"""

import json
import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

# pylint: disable=wrong-import-position
from harness import seep
from harness.target import Target, temporary_folder


def ask(command, target, *words):
    answer = seep.run(command, "--json", "--max-pause", "20s", target, *words)
    assert answer.status == seep.NONE, answer
    return json.loads(answer.out)


def check(target, held, module):
    """Each call keeps its blocks alive, and nothing else is said of them."""
    roots = ask("heap", target, "--top", "all", "roots")["rows"]
    for thread, function in set(held.values()):
        name = f"thread {thread}, {function}() in {module}"
        found = [row for row in roots if row["root"] == name]
        assert len(found) == 1, (name, [row["root"] for row in roots])
        row, = found
        blocks = [key for key, value in held.items() if value == (thread, function)]
        least = {"lend": 3000, "recurse": 4000, "on_signal": 5000, "interrupted": 6000,
                 "main": 7000}[function] * len(blocks)
        assert least <= row["retained_bytes"] <= least + 1100 * len(blocks), (row, least)
        assert row["kind"] == "stack" and row["thread"] == thread, row
        assert row["symbol"] == function and row["module"] == module, row
    for address, (thread, function) in held.items():
        ways = json.dumps(ask("heap", target, "paths", hex(address)))
        assert f"thread {thread}, {function}() in {module}" in ways, (function, ways)
    assert any(f"borrow() in {module} at 0x" in json.dumps(ask("heap", target, "paths", hex(a)))
               for a, (_, function) in held.items() if function == "lend"), "place of a word"


def main(program):
    with Target([program], env={"MALLOC_PERTURB_": "0"}) as target, temporary_folder() as folder:
        held = {int(address, 16): (int(thread), function) for thread, function, address in
                re.findall(r"^(\d+) (\w+) (0x[0-9a-f]+)$", target.output.decode(), re.M)}
        assert len(held) == 2 * 5 + 2 + 1, held
        core, snapshot = pathlib.Path(folder, "core"), pathlib.Path(folder, "snapshot")
        assert seep.run("core", "-o", core, target.pid).status == seep.NONE
        assert seep.run("snapshot", "-o", snapshot, target.pid).status == seep.NONE
        for one in (target.pid, core, snapshot):
            check(one, held, pathlib.Path(program).name)


main(sys.argv[1])
