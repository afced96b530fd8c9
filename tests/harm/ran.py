#!/usr/bin/python3
"""`seep run` names what a program lost, where it was allocated, and ends as it was asked to."""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import jsonschema

from harness import cases, seep
from harness.cases import case, program
from harness.target import PATIENCE_S, temporary_folder

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LINE = next(number for number, text in
            enumerate((ROOT / "tests/harm/lost.c").read_text().splitlines(), 1)
            if "the test knows this line" in text)


def run(*words, options=(), status=0, of="lost"):
    """(what the program wrote, what seep said)"""
    done = subprocess.run([seep.program(), "run", *options, "--", program(of), *words],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                          timeout=PATIENCE_S)
    assert done.returncode == status, (done.returncode, done.stderr.decode())
    return done.stdout, done.stderr.decode()


def report(*words, options=(), **more):
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "report")
        run(*words, options=("--json", "-o", path, *options), **more)
        return json.loads(path.read_text())


def check_ten_items(found):
    """One list of ten items, of which only the first is not held by another."""
    kinds = found["summary"]["kinds"]
    assert kinds["definite"]["blocks"] == 1 and kinds["indirect"]["blocks"] == 9, kinds
    stack = found["findings"][0]["stack"]
    assert any(frame["function"] == "make_items" and frame["line"] == LINE and
               frame["file"].endswith("lost.c") for frame in stack), stack
    assert any(frame["function"] == "main" for frame in stack), stack


@case
def names_the_line():
    """every leak has its kind, its stack, and the source line"""
    out, said = run("lose")
    assert out == b"done\n" and f"lost.c:{LINE}" in said, said
    found = report("lose")
    check_ten_items(found)
    jsonschema.validate(found, json.loads((ROOT / "doc/run.schema.json").read_text()))


@case
def nothing_lost():
    """a program that loses nothing"""
    out, said = run("keep")
    assert out == b"done\n" and said.startswith("no leaks"), said
    assert report("keep")["findings"] == []


@case
def exit_status():
    """the program's own, unless a condition holds"""
    run("lose", "5", status=5)
    run("lose", "5", options=("--error-exitcode", "9"), status=9)
    run("keep", "5", options=("--error-exitcode", "9"), status=5)
    run("lose", options=("--fail-on", "leak"), status=1)
    run("lose", options=("--fail-on", "growth>1M"), status=0)
    run("lose", options=("--fail-on", "growth>100"), status=1)


@case
def baseline():
    """what an earlier run found does not count"""
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "before")
        run("lose", options=("--json", "-o", path))
        run("lose", options=("--baseline", path, "--fail-on", "leak"))
        run("keep", options=("--json", "-o", path))
        run("lose", options=("--baseline", path, "--fail-on", "leak"), status=1)


@case
def other_allocator():
    """jemalloc, which seep could not walk"""
    found = report("lose", of="lost-jemalloc")
    assert "glibc" not in (found["target"]["allocator"] or ""), found["target"]
    check_ten_items(found)


if __name__ == "__main__":
    sys.exit(cases.main())
