"""The target that most of these tests look at: it counts, and has lost one block."""

import pathlib
import struct
import time

from harness import seep
from harness.cases import program
from harness.target import Target

# What the targets here lose.
LOST_BYTES = 8008


class Ticker(Target):
    """The ticker; progress() is how far it has counted."""

    def __init__(self, folder, *arguments, **options):
        self.counter = pathlib.Path(folder, "counter")
        super().__init__([program("ticker"), self.counter, *arguments], **options)

    def progress(self):
        return struct.unpack("Q", self.counter.read_bytes()[:8])[0]

    def assert_goes_on(self):
        self.assert_unharmed()
        before, give_up = self.progress(), time.monotonic() + 5
        while self.progress() == before:
            assert time.monotonic() < give_up, "the target makes no progress"
            time.sleep(0.002)


def assert_found(answer):
    """The one planted block, and nothing else."""
    assert answer.status == seep.FINDINGS, answer
    count = seep.definite(answer.report())
    assert count == (1, LOST_BYTES), f"definite {count}: {answer}"
