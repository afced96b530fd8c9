#!/usr/bin/python3
"""Holds what seep says of a core against what it says of the process itself.

Usage: same.py PROGRAM

The program plants blocks in known shapes and waits (tests/programs). At that moment it is
looked at alive, then gdb's gcore and `seep core` write a core of it, and the kernel writes the
last when it is ended by SIGABRT. Of all of them seep must give the same findings (kind,
blocks, bytes, type, fingerprint) and the same kind to every block.

What is different on purpose: a core does not have what the kernel held for the process, so
what only that leads to is lost in a core; seep says so in a warning. Those blocks, and no
others, may differ, from reachable to lost.
"""

import os
import pathlib
import resource
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness import seep
from harness.cases import SKIPPED_STATUS
from harness.target import Target, temporary_folder

HELD_WARNING = "what the kernel held"
OF_THE_KERNEL = "kernel"
NO_KERNEL_CORE = ("the kernel does not write cores into the folder of the process here: "
                  "/proc/sys/kernel/core_pattern is {}")


def findings(report):
    return sorted((finding["kind"], finding["fingerprint"], finding["blocks"],
                   finding["bytes"], finding["type"]) for finding in report["findings"])


def look(target):
    """(report, {block: (size, kind)}) of a process or a core."""
    report, blocks = seep.all_blocks(target, "--strict")
    return report, blocks


def cores_can_be_unlimited():
    resource.setrlimit(resource.RLIMIT_CORE,
                       (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)


def gcore(target, folder):
    done = subprocess.run(["gcore", "-o", folder / "gcore", str(target.pid)], check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return folder / f"gcore.{target.pid}"


def own_core(target, folder):
    answer = seep.run("core", "-o", folder / "own", "--max-pause", "20s", target.pid)
    assert answer.status == seep.NONE, answer
    assert (folder / "own").stat().st_mode & 0o777 == 0o600
    return folder / "own"


def kernel_core(target, folder):
    """Ends the process. None where the kernel puts its cores elsewhere."""
    before = set(folder.iterdir())
    target.signal(signal.SIGABRT)
    target.wait()
    made = [path for path in set(folder.iterdir()) - before if "core" in path.name]
    return made[0] if made else None


def roots_of(pid):
    answer = seep.leaks(pid, "--kinds", "all", "--group-by", "root", "--json", "--strict",
                        "--examples", seep.ALL_EXAMPLES)
    return seep.roots(answer.report())


def compare(name, core, live, held):
    """`held`: blocks that the kernel, or a block that it holds, leads to."""
    live_report, live_blocks = live
    report, blocks = look(core)
    changed = {address for address in live_blocks.keys() | blocks.keys()
               if live_blocks.get(address) != blocks.get(address)}
    print(f"  {name}: {len(blocks)} blocks, {len(changed)} differ")
    assert changed <= held, [hex(address) for address in sorted(changed - held)]
    for address in changed:
        assert live_blocks[address][1] == "reachable", hex(address)
        assert blocks[address][0] == live_blocks[address][0], hex(address)
        assert blocks[address][1] in ("definite", "indirect"), hex(address)
    if not changed:
        assert findings(report) == findings(live_report), (findings(report),
                                                           findings(live_report))
    assert report["target"]["file"] == str(core)
    assert report["target"]["pid"] == live_report["target"]["pid"]
    assert report["summary"]["pause_ms"] == 0
    assert report["summary"]["threads"] == live_report["summary"]["threads"]
    assert report["summary"]["coverage_percent"] == live_report["summary"]["coverage_percent"]
    lost = any(report["summary"]["kinds"][kind]["blocks"] for kind in ("definite", "possible"))
    assert [HELD_WARNING in warning for warning in report["warnings"]] == [True] * lost


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    with temporary_folder() as name:
        folder = pathlib.Path(name)
        with Target([program], cwd=folder, preexec_fn=cores_can_be_unlimited) as target:
            live = look(target.pid)
            held = {address for address, root in roots_of(target.pid).items()
                    if root and OF_THE_KERNEL in root}
            if not program.name.startswith("kernel"):
                assert not held, "only one program has the kernel hold blocks"
            cores = [("gcore", gcore(target, folder)),
                     ("seep core", own_core(target, folder))]
            target.assert_unharmed()
            for writer, core in cores:
                compare(writer, core, live, held)
            core = kernel_core(target, folder)
        if not core:
            print(NO_KERNEL_CORE.format(
                pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()))
            sys.exit(SKIPPED_STATUS)
        compare("kernel", core, live, held)


if __name__ == "__main__":
    main()
