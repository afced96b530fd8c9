#!/usr/bin/python3
"""`seep run` names what a program lost, where it was allocated, and ends as it was asked to."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from xml.etree import ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import jsonschema

from harness import cases, seep
from harness.cases import case, program
from harness.target import PATIENCE_S, temporary_folder

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LINE = next(number for number, text in
            enumerate((ROOT / "tests/harm/lost.c").read_text().splitlines(), 1)
            if "the test knows this line" in text)
HAIL_S = 0.2


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


def suppressed(rules):
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "rules")
        path.write_text(rules)
        return report("lose", options=("--suppressions", path))


@case
def rules_about_stacks():
    """Valgrind's and LeakSanitizer's rules count, and one about another stack does not"""
    for rules in ("{\n x\n Memcheck:Leak\n fun:malloc\n fun:make_items\n}\n",
                  "{\n x\n Memcheck:Leak\n fun:make_items\n fun:lose\n ...\n}\n",
                  "{\n x\n Memcheck:Leak\n ...\n obj:*/lost\n}\n",
                  "leak:make_it\n", "leak:lost.c\n"):
        found = suppressed(rules)
        assert found["findings"] == [], (rules, found["findings"])
        assert found["summary"]["kinds"]["suppressed"]["blocks"] >= 10, rules
        assert found["suppressions"][0]["state"] == "used", rules
    found = suppressed("{\n x\n Memcheck:Leak\n fun:malloc\n fun:lose\n}\n")
    check_ten_items(found)
    assert found["suppressions"][0]["state"] == "unused", found["suppressions"]


@case
def generated_rules():
    """what --gen-suppressions writes suppresses what it was made from"""
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "rules")
        run("lose", options=("--gen-suppressions", "-o", path))
        run("lose", options=("--suppressions", path, "--fail-on", "leak"))


@case
def for_servers():
    """JUnit and SARIF name the leak and its line"""
    with temporary_folder() as folder:
        junit, sarif = pathlib.Path(folder, "x.xml"), pathlib.Path(folder, "x.sarif")
        options = ("--junit", junit, "--sarif", sarif)
        run("lose", options=options)
        suite = ElementTree.parse(junit).getroot().find("testsuite")
        assert suite.get("tests") == "1" and suite.get("failures") == "1", suite.attrib
        assert "make_items" in suite.find("testcase/failure").get("message")
        result = json.loads(sarif.read_text())["runs"][0]["results"][0]
        place = result["locations"][0]["physicalLocation"]
        assert place["region"]["startLine"] == LINE, place
        assert place["artifactLocation"]["uri"].endswith("/lost.c"), place
        assert result["ruleId"] == "leak/definite", result
        run("keep", options=options)
        suite = ElementTree.parse(junit).getroot().find("testsuite")
        assert suite.get("failures") == "0", suite.attrib
        assert json.loads(sarif.read_text())["runs"][0]["results"] == []


def status_of(*command):
    return subprocess.run([seep.program(), "run", "-o", "/dev/null", "--", *command],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, timeout=PATIENCE_S,
                          check=False).returncode


@case
def other_ends():
    """signals give 128 and their number, what cannot be started 126 or 127, others their own"""
    for how, status in (("abort", 134), ("segv", 139), ("kill", 137), ("exec", 0),
                        ("_exit", 3)):
        assert status_of(program("ends"), how) == status, how
    assert status_of("/no/such/program") == 127
    assert status_of("/etc/passwd") == 126
    for how in ("abort", "segv", "kill", "_exit"):
        with temporary_folder() as folder:
            path = pathlib.Path(folder, "report")
            subprocess.run([seep.program(), "run", "--json", "-o", path, "--",
                            program("ends"), how], stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
                           timeout=PATIENCE_S)
            found = json.loads(path.read_text())
            kinds = found["summary"]["kinds"]
            assert kinds["definite"] == {"blocks": 1, "bytes": 1000}, (how, kinds)
            assert found["findings"][0]["site"]["function"] == "lose", (how, found)


def hail_at_start(*words):
    """Sends whatever seep starts one signal after another, for a while: all that time it may do
    little else than stop for them. Then it must come to its end."""
    with subprocess.Popen([seep.program(), *words, "--", "/bin/true"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        children = pathlib.Path(f"/proc/{running.pid}/task/{running.pid}/children")
        enough = time.monotonic() + HAIL_S
        while running.poll() is None and time.monotonic() < enough:
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                for child in children.read_text().split() * 100:
                    os.kill(int(child), signal.SIGWINCH)
        try:
            running.wait(timeout=PATIENCE_S / 6)
        except subprocess.TimeoutExpired:
            running.kill()
            raise AssertionError(f"{words} waits for ever") from None


@case
def signals_at_start():
    """a signal that comes when the program is about to run does not stop it for ever"""
    for _ in range(20):
        hail_at_start("run")
        hail_at_start("leaks", "--at-exit")


@case
def own_memory():
    """the runtime's memory is marked, so that what it keeps of stacks holds no block"""
    def marked(*prefix):
        text = subprocess.run([*prefix, "/bin/cat", "/proc/self/smaps"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
                              timeout=PATIENCE_S).stdout.decode()
        return sum(line.startswith("VmFlags:") and {"dd", "rr"} <= set(line.split())
                   for line in text.splitlines())
    assert marked() == 0
    assert marked(seep.program(), "run", "--") >= 3


if __name__ == "__main__":
    sys.exit(cases.main())
