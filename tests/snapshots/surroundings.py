#!/usr/bin/python3
"""What a snapshot tells of the process around its heap is what /proc tells."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from harness import cases, seep
from harness.cases import case
from harness.target import Target, temporary_folder


def around(path):
    """{what: [fields of an entry]}"""
    out = subprocess.run([cases.program("around"), path], stdout=subprocess.PIPE, text=True,
                         check=True).stdout
    found = {"regions": [], "modules": [], "threads": []}
    for line in out.splitlines():
        what, *fields = line.split("\t")
        found[what].append(fields)
    return found


def regions_of(pid):
    """As around() has them: start, size, flags, offset, major, minor, inode, name."""
    for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
        addresses, rights, offset, device, inode, *name = line.split(None, 5)
        start, end = (int(word, 16) for word in addresses.split("-"))
        flags = sum(1 << bit for bit, letter in enumerate("rwxs") if rights[bit] == letter)
        major, minor = device.split(":")
        yield [f"{number:x}" for number in (start, end - start, flags, int(offset, 16),
                                            int(major, 16), int(minor, 16), int(inode))] + [
            name[0] if name else ""]


@case
def regions_modules_and_threads():
    """All of them are there, modules with their build-ids."""
    with temporary_folder() as folder, Target([cases.program("leaker")],
                                              stdin=subprocess.PIPE) as target:
        path = pathlib.Path(folder, "snapshot")
        answer = seep.run("snapshot", "--max-pause", "20s", "-o", path, target.pid)
        assert answer.status == seep.NONE, answer
        found = around(path)
        assert found["regions"] == list(regions_of(target.pid)), found["regions"]
        assert [int(thread[0], 16) for thread in found["threads"]] == target.threads(), found
        stack = next(region for region in found["regions"] if region[-1] == "[stack]")
        sp = int(found["threads"][0][2], 16)
        assert int(stack[0], 16) <= sp < int(stack[0], 16) + int(stack[1], 16), found
        notes = subprocess.run(["readelf", "-n", cases.program("leaker")], stdout=subprocess.PIPE,
                               text=True, check=True).stdout
        build_ids = {pathlib.Path(module[3]).name: module[4] for module in found["modules"]}
        assert f"Build ID: {build_ids['leaker']}" in notes, build_ids
        assert any(name.startswith("libc.so") for name in build_ids), build_ids


if __name__ == "__main__":
    sys.exit(cases.main())
