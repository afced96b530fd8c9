"""Memcheck's view of a program that waits: asked through vgdb, so that both tools look at
the same moment, and block by block."""

import os
import pathlib
import re
import subprocess
import time

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

LEAK_CHECK = ("leak_check", "full", "kinds", "all", "heuristics", "all", "any", "unlimited")

# At exit there is one chance to ask, before the number of loss records is known.
MOST_RECORDS = 2000


def parse_blocks(block_lists):
    """{address: (size asked for, kind)}"""
    found, kind = {}, None
    for line in block_lists.splitlines():
        record, block = RECORD.search(line), BLOCK.match(line)
        if record:
            kind = KINDS[record.group(1)]
        elif block:
            found[int(block.group(1), 16)] = (int(block.group(2)), kind)
    return found


class Memcheck(Target):
    """A program under Memcheck; with at_exit, it waits at its end to be asked. `redzone`: bytes
    between blocks; another one puts every block at another address."""

    def __init__(self, command, folder, at_exit=False, redzone=16, **options):
        self.log = pathlib.Path(folder, "valgrind.log")
        self.prefix = f"--vgdb-prefix={folder}/vgdb"
        valgrind = ["valgrind", "-q", self.prefix, f"--log-file={self.log}",
                    "--leak-check=no", "--run-libc-freeres=no", "--num-callers=2",
                    "--keep-stacktraces=alloc", f"--redzone-size={redzone}"]
        if at_exit:
            valgrind.append("--vgdb-stop-at=exit")
        try:
            super().__init__([*valgrind, *command], **options)
        except AssertionError as error:
            log = self.log.read_text() if self.log.exists() else "nothing"
            raise AssertionError(f"{error}; Valgrind said: {log[:1500]}") from error

    def ask(self, *question):
        command = ["vgdb", self.prefix, f"--pid={self.pid}", *question]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120, check=False,
                              env={**os.environ, "LC_ALL": "C"})
        assert done.returncode == 0, f"{' '.join(command)[:200]}: {done.stderr}"
        return done.stdout

    def blocks(self):
        """{address: (size asked for, kind)} of all blocks."""
        records = RECORD.findall(self.ask(*LEAK_CHECK))
        if not records:
            return {}
        last = records[-1][1].replace(",", "")
        return parse_blocks(self.ask("block_list", f"1..{last}", "unlimited"))

    def holders(self, address, size):
        """Who points at a block, in Memcheck's words."""
        return self.ask("who_points_at", hex(address), str(size))

    def blocks_at_exit(self, patience_s=300):
        """As blocks(), of a program started with at_exit; it ends then."""
        give_up = time.monotonic() + patience_s
        while not (self.log.exists() and "(action at exit)" in self.log.read_text()):
            assert self.is_running() and time.monotonic() < give_up, "it does not end"
            time.sleep(0.02)
        lists = [word for number in range(1, MOST_RECORDS + 1)
                 for word in ("-c", "block_list", str(number), "unlimited")]
        answer = self.ask(*LEAK_CHECK, *lists)
        records = RECORD.findall(answer)
        assert not records or int(records[0][1].replace(",", "")) <= MOST_RECORDS, answer
        return parse_blocks(answer)
