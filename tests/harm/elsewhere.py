#!/usr/bin/python3
"""Targets whose files are not where their paths say: in a container with other files, or
deleted or replaced since they started. The answer is that of the same program at home.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness import cases, seep
from harness.cases import Skip, case, program
from harness.target import Target, temporary_folder

# Its classes and its variables have names; the file that has this path at home has others.
SUBJECT = "containers-O2"
PATH_INSIDE = "/bin/ls"
OWN_CLASS = "class (anonymous namespace)::square"
OWN_VARIABLE = "(anonymous namespace)::kept"


def subject():
    if os.geteuid() != 0:
        raise Skip("only root may open what is mapped but is not there any more")
    return program("../programs") / SUBJECT


def libraries(path):
    """The shared libraries and the loader of a program."""
    done = subprocess.run(["ldd", path], stdout=subprocess.PIPE, text=True, check=True)
    return re.findall(r"(/\S+) \(0x", done.stdout)


def findings(pid, name):
    """All that is said of each finding, less addresses and what the file is called."""
    found = []
    for grouping in ("cause", "root"):
        answer = seep.leaks(pid, "--kinds", "all", "--group-by", grouping, "--json")
        assert answer.status == seep.FINDINGS, answer
        report = answer.report()
        assert report["summary"]["coverage_percent"] == 100, answer
        for finding in report["findings"]:
            root = re.sub(r"at 0x[0-9a-f]+|(?<=\.so)\.[0-9.]+", "", finding["root"] or "")
            found.append((grouping, finding["kind"], finding["type"], finding["blocks"],
                          finding["bytes"], finding["retained_bytes"],
                          finding["fingerprint"] if grouping == "cause" else None,
                          root.replace(f" {name}:", " SUBJECT:")))
    return sorted(found, key=repr)


def findings_at_home():
    with Target([subject()]) as target:
        found = findings(target.pid, SUBJECT)
    types = {finding[2] for finding in found}
    roots = {finding[7] for finding in found}
    assert OWN_CLASS in types, types
    assert f"global SUBJECT:{OWN_VARIABLE}" in roots, roots
    return found


def assert_same(there, home):
    assert there == home, "\n".join(
        ["not the same:"] + [f"  there: {finding}" for finding in there if finding not in home]
        + [f"  home:  {finding}" for finding in home if finding not in there])


def fill_root(root):
    """A root folder with the subject at the path of another program, and what it needs."""
    files = {PATH_INSIDE: subject(), **{path: path for path in libraries(subject())}}
    for inside, outside in files.items():
        copy = root / inside[1:]
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(outside, copy)


def look_into_container(*options):
    home = findings_at_home()
    with temporary_folder() as folder:
        fill_root(pathlib.Path(folder))
        command = [program("contained"), *options, folder, PATH_INSIDE]
        with Target(command, ready=None, stderr=subprocess.PIPE) as container:
            try:
                container.await_output(b"READY\n")
            except AssertionError as error:
                if container.wait() == cases.SKIPPED_STATUS:
                    raise Skip(container.process.stderr.read().decode()) from error
                raise
            children = pathlib.Path(f"/proc/{container.pid}/task/{container.pid}/children")
            pid = int(children.read_text())
            assert os.readlink(f"/proc/{pid}/exe") == PATH_INSIDE
            assert_same(findings(pid, pathlib.Path(PATH_INSIDE).name), home)
            assert container.is_running()


@case
def container():
    """in a container, seen from the host: by the files inside, not by the host's"""
    look_into_container()


@case
def container_with_users():
    """the same in a user namespace of its own"""
    look_into_container("--user")


def look_after(change):
    """Looks at a copy of the subject, with copied libraries, after change(file) to each."""
    home = findings_at_home()
    with temporary_folder() as folder:
        fill_root(pathlib.Path(folder))
        folder = pathlib.Path(folder)
        own = folder / PATH_INSIDE[1:]
        needed = [folder / path[1:] for path in libraries(subject()) if "ld-linux" not in path]
        paths = ":".join({str(path.parent) for path in needed})
        with Target([own], env={"LD_LIBRARY_PATH": paths}) as target:
            for path in (own, *needed):
                change(path)
            assert_same(findings(target.pid, own.name), home)
            target.assert_unharmed()


@case
def deleted():
    """the program and its libraries are deleted while it runs"""
    look_after(pathlib.Path.unlink)


@case
def upgraded():
    """the program and its libraries are replaced by other files while it runs"""
    def replace(path):
        other = path.with_suffix(".new")
        shutil.copy("/bin/ls", other)
        other.rename(path)
    look_after(replace)


if __name__ == "__main__":
    sys.exit(cases.main())
