"""Programs under seep record that a test looks at while they are recorded."""

import os
import pathlib
import signal
import subprocess

from harness import seep
from harness.target import Target


class Recorded(Target):
    """A program under seep record, which is this target's process and ends with it."""

    def __init__(self, trace, command, *options, **target_options):
        target_options.setdefault("stdin", subprocess.PIPE)
        super().__init__([seep.program(), "record", *options, "-o", trace, "--", *command],
                         stderr=subprocess.DEVNULL, **target_options)
        self.trace = trace
        children = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        self.program, = map(int, children.split())

    def kill(self):
        """seep ends with the program, which nobody but seep has waited for while seep runs."""
        if self.is_running():
            os.kill(self.program, signal.SIGKILL)
        super().kill()
