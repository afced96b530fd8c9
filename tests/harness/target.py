"""Programs that a test looks at: started, awaited, and ended whatever happens."""

import os
import pathlib
import select
import signal
import subprocess
import tempfile
import time

PATIENCE_S = 120


class Target:
    """A program that says READY on its stdout when there is something to see.

    Use it in a `with`: the program is killed at the end, by its pid.
    """

    def __init__(self, command, ready=b"READY\n", env=None, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        self.command = [str(word) for word in command]
        self.process = subprocess.Popen(self.command, env={**os.environ, **(env or {})},
                                        **options)
        self.pid = self.process.pid
        self.output = b""
        if ready:
            self.await_output(ready)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def await_output(self, text, patience_s=PATIENCE_S):
        """Waits until stdout has shown `text`."""
        give_up = time.monotonic() + patience_s
        stream = self.process.stdout.fileno()
        while text not in self.output:
            left_s = give_up - time.monotonic()
            if left_s <= 0 or not select.select([stream], [], [], left_s)[0]:
                raise AssertionError(f"{self.command}: no {text!r} within {patience_s} s; "
                                     f"so far {self.output[-2000:]!r}")
            some = os.read(stream, 65536)
            if not some:
                raise AssertionError(f"{self.command} ended with {self.process.wait()} "
                                     f"before {text!r}; it said {self.output[-2000:]!r}")
            self.output += some

    def rest_of_output(self):
        """All that it says until it ends."""
        self.output += self.process.stdout.read()
        self.process.stdout.close()
        return self.output

    def wait(self, patience_s=PATIENCE_S):
        """Its exit status as subprocess has it: minus the signal if one killed it."""
        return self.process.wait(patience_s)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()

    def signal(self, number):
        self.process.send_signal(number)

    def is_running(self):
        return self.process.poll() is None

    def status(self, field, tid=None):
        """A line of /proc/PID/status, or of one thread's."""
        folder = f"/proc/{self.pid}" + (f"/task/{tid}" if tid else "")
        for line in pathlib.Path(folder, "status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name == field:
                return value.strip()
        return None

    def threads(self):
        return [int(name) for name in os.listdir(f"/proc/{self.pid}/task")]

    def state(self):
        """R, S, D, T (stopped), t (traced), Z."""
        return self.status("State")[0]

    def tracer(self):
        return int(self.status("TracerPid"))

    def await_state(self, states, patience_s=10):
        give_up = time.monotonic() + patience_s
        while self.state() not in states:
            assert time.monotonic() < give_up, f"state {self.state()}, not one of {states}"
            time.sleep(0.002)

    def assert_unharmed(self):
        """Runs, and nobody traces or stopped any of its threads."""
        assert self.is_running(), f"{self.command} ended with {self.process.returncode}"
        for tid in self.threads():
            try:
                state, tracer = self.status("State", tid), self.status("TracerPid", tid)
            except FileNotFoundError:
                continue  # that thread has ended meanwhile
            assert tracer == "0", f"thread {tid} is still traced by {tracer}"
            assert state[0] not in "Tt", f"thread {tid} is left in state {state}"


def temporary_folder():
    return tempfile.TemporaryDirectory(prefix="seep-test-")


def word_of_status(status):
    return signal.Signals(-status).name if status < 0 else f"status {status}"
