"""Memcheck's view of a program that waits: asked through vgdb, so that both tools look at
the same moment, and block by block."""

import os
import re
import subprocess

from harness.target import Target

KINDS = {
    "definitely lost": "definite",
    "indirectly lost": "indirect",
    "possibly lost": "possible",
    "still reachable": "reachable",
}

RECORD = re.compile(r"are (definitely lost|indirectly lost|possibly lost|still reachable) "
                    r"in loss record [\d,]+ of ([\d,]+)")
BLOCK = re.compile(r"^==\d+== (0x[0-9A-F]+)\[(\d+)\]")


class Memcheck(Target):
    """A program under Memcheck."""

    def __init__(self, command, folder, **options):
        self.prefix = f"--vgdb-prefix={folder}/vgdb"
        valgrind = ["valgrind", "-q", self.prefix, f"--log-file={folder}/valgrind.log",
                    "--leak-check=no", "--run-libc-freeres=no", "--num-callers=2",
                    "--keep-stacktraces=alloc"]
        super().__init__([*valgrind, *command], **options)

    def ask(self, *question):
        command = ["vgdb", self.prefix, f"--pid={self.pid}", *question]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120, check=False,
                              env={**os.environ, "LC_ALL": "C"})
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def blocks(self):
        """{address: (size asked for, kind)} of all blocks."""
        records = RECORD.findall(self.ask("leak_check", "full", "kinds", "all",
                                          "heuristics", "all", "any", "unlimited"))
        if not records:
            return {}
        last = records[-1][1].replace(",", "")
        found, kind = {}, None
        for line in self.ask("block_list", f"1..{last}", "unlimited").splitlines():
            record, block = RECORD.search(line), BLOCK.match(line)
            if record:
                kind = KINDS[record.group(1)]
            elif block:
                found[int(block.group(1), 16)] = (int(block.group(2)), kind)
        return found

    def holders(self, address, size):
        """Who points at a block, in Memcheck's words."""
        return self.ask("who_points_at", hex(address), str(size))
