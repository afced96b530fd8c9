"""Programs under the runtime, with a drain (drain.c) as their recorder."""

import os
import pathlib
import struct
import subprocess

from harness.cases import program
from harness.target import temporary_folder

COUNTED = ("allocations", "bytes", "frees", "resizes", "resized_bytes")
TROUBLE_NO_CLOCK = 4
JOINED, LEFT = 1, 2


def runtime():
    return os.environ["RUNTIME"]


def is_musl():
    """Whether the programs are musl's."""
    return os.environ.get("LIBC") == "musl"


class Recording:
    """What a command did (status, out) and what was recorded of it (a number by name)."""

    def __init__(self, done, numbers, counts):
        self.status, self.out = done.returncode, done.stdout
        self.numbers, self.counts = numbers, counts

    @classmethod
    def read(cls, done, report, counts):
        """From what drain.c and counting.c have written."""
        numbers = {name: int(number) for name, number in
                   (line.split() for line in report.read_text().splitlines())}
        values = struct.unpack("6Q", counts.read_bytes()[:48])[1:]
        return cls(done, numbers, dict(zip(COUNTED, values)))

    def __getitem__(self, name):
        return self.numbers[name]

    def check_form(self):
        """Records are well formed, in order of time, and name nodes that exist."""
        for name in ("malformed", "disordered", "nodeless"):
            assert self[name] == 0, self.numbers
        return self

    def check_told(self):
        """Every event is there or told to be lost, by an independent count."""
        self.check_form()
        recorded, counted = (sum(numbers[name] for name in ("allocations", "frees", "resizes"))
                             for numbers in (self, self.counts))
        lost = self["lost"] + self["lost_events"]
        assert recorded + lost == counted, f"{recorded} and {lost} lost, {counted} counted"
        return self

    def check_complete(self):
        """Every event is there, by an independent count."""
        self.check_form()
        assert self["lost"] == self["lost_events"] == self["gaps"] == 0, self.numbers
        recorded = {name: self[name] for name in COUNTED}
        assert recorded == self.counts, f"recorded {recorded}, counted {self.counts}"
        return self


def record(command, *options, counted=True, libraries=(), env=None, **how):
    """Runs the command under the runtime (and what counts independently)."""
    with temporary_folder() as folder:
        report, counts = pathlib.Path(folder, "report"), pathlib.Path(folder, "counts")
        counts.write_bytes(bytes(4096))
        preloaded = [runtime(), *libraries]
        if counted:
            preloaded.append(program("libcounting.so"))
        done = subprocess.run(
            [program("drain"), "--preload", ":".join(map(str, preloaded)), "--report",
             report, *options, "--", *map(str, command)],
            env={**os.environ, **(env or {}), "COUNTS": str(counts)}, timeout=60,
            stdout=subprocess.PIPE, check=False, **how)
        return Recording.read(done, report, counts)


def run_alone(command, env=None, **how):
    """The command's (status as a shell has it, output) without a recorder."""
    done = subprocess.run(list(map(str, command)), env={**os.environ, **(env or {})},
                          timeout=60, stdout=subprocess.PIPE, check=False, **how)
    status = done.returncode
    return (status if status >= 0 else 128 - status), done.stdout
