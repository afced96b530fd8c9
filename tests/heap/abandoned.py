#!/usr/bin/python3
"""What a static keeps for ever is told by seep heap abandoned; what a cache keeps is not (growing.cpp)."""

import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

# pylint: disable=wrong-import-position
from harness import cases, seep
from harness.cases import case
from harness.target import Target, temporary_folder

LOOKS = 3
CACHES = ("recent", "memo", "front", "back", "pool", "settings")


def rows_of(shape, form, options=()):
    """The rows of "abandoned" after so many rounds, and the variable that the shape is in."""
    with temporary_folder() as folder:
        paths = [pathlib.Path(folder, f"{i}.seep") for i in range(LOOKS)]
        with Target([cases.program("growing"), shape, form], stdin=subprocess.PIPE) as target:
            root = re.search(r"^root (\w+)$", target.output.decode(), re.M)[1]
            for path in paths:
                for tid in target.threads():
                    while target.status("State", tid)[0] != "S":
                        pass
                answer = seep.run("snapshot", "--max-pause", "20s", *options, "-o", path,
                                  target.pid)
                assert answer.status == seep.NONE, answer
                target.output = b""
                target.process.stdin.write(b"\n")
                target.process.stdin.flush()
                target.await_output(b"done\n")
        answer = seep.run("heap", "--json", paths[-1], "abandoned", *paths[:-1])
        assert answer.status == seep.NONE, answer
        return json.loads(answer.out)["rows"], root


def names(rows):
    return [(row["root"], row["type"], row["abandoned_bytes"]) for row in rows[:5]]


def of_all(form):
    shapes = subprocess.run([cases.program("growing")], check=True, stdout=subprocess.PIPE,
                            text=True).stdout.split()
    assert len(shapes) == 20, shapes
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return dict(zip(shapes, pool.map(lambda shape: rows_of(shape, form), shapes)))


def is_of(row, *variables):
    return any(re.search(rf"\b{name}\b", row["root"] or "") for name in variables)


@case
def leaks():
    """In 19 of 20 programs the leak is among the first three, and no cache is ever the first."""
    found = of_all("leaking")
    missed = {shape: names(rows) for shape, (rows, root) in found.items()
              if not any(is_of(row, root) for row in rows[:3])}
    wrong = {shape: names(rows) for shape, (rows, _) in found.items()
             if rows and is_of(rows[0], *CACHES)}
    print(f"  {len(found) - len(missed)} of {len(found)} leaks, {len(wrong)} caches in front")
    assert len(missed) <= len(found) // 20 and not wrong, (missed, wrong)


@case
def caches():
    """Nothing is called abandoned where all is bounded."""
    wrong = {shape: names(rows) for shape, (rows, _) in of_all("bounded").items() if rows}
    assert not wrong, wrong


sys.exit(cases.main())
