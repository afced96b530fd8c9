"""What is measured: programs with a heap of known making, and how to start and end them.

A workload starts as a target that stays at rest until its end (seep, gcore), or as a run that
ends by itself with the heap still in place (valgrind and LeakSanitizer check at exit).
To add one: a subclass of Workload, and a row in all_workloads().
"""
import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time

GIB = 1 << 30
HERE = os.path.dirname(os.path.abspath(__file__))
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def end_with_parent():
    """In the child: a target of several GB must not outlive the benchmark, however that ends."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_for_ready(target, timeout_s):
    """Reads the target's stdout until its READY line, which it returns."""
    deadline = time.monotonic() + timeout_s
    text = b""
    while b"\n" not in text[text.find(b"READY"):] or b"READY" not in text:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([target.stdout], [], [], left)[0]:
            raise RuntimeError(f"target {target.args[0]} was not ready after {timeout_s} s")
        part = os.read(target.stdout.fileno(), 4096)
        if not part:
            raise RuntimeError(f"target {target.args[0]} ended before it was ready")
        text += part
    return next(line for line in text.decode().splitlines() if line.startswith("READY"))


def anonymous_bytes(pid):
    """Private anonymous memory in use: the heap, up to a few hundred KB of stacks and .bss."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("Anonymous:"):
                return int(line.split()[1]) << 10
    raise RuntimeError(f"/proc/{pid}/smaps_rollup has no Anonymous line")


class Workload:
    """name: for tables; gib: size of the heap, roughly; planted: its leaks are known."""
    planted = False
    environment = {}
    stdin_text = None

    def __init__(self, name, gib):
        self.name = name
        self.gib = gib

    def target_command(self, manifest):
        raise NotImplementedError

    def exit_command(self):
        raise NotImplementedError

    def exit_stdin(self):
        return None

    def lsan(self, tools):
        """(command, environment) of the run under LeakSanitizer, or None."""
        if not tools.lsan_library:
            return None
        return self.exit_command(), {"LD_PRELOAD": tools.lsan_library}

    @contextlib.contextmanager
    def target(self, manifest):
        """A running target at rest: (pid, READY line). It is killed at the end."""
        process = subprocess.Popen(
            self.target_command(manifest), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, **self.environment}, preexec_fn=end_with_parent)
        try:
            if self.stdin_text:
                process.stdin.write(self.stdin_text.encode())
                process.stdin.flush()
            ready = wait_for_ready(process, timeout_s=60 + 60 * self.gib)
            time.sleep(0.2)
            yield process.pid, ready
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()


class Generated(Workload):
    planted = True

    def __init__(self, gib, programs):
        super().__init__(f"generated, {gib:g} GB", gib)
        self.programs = programs
        self.arguments = ["--bytes", str(int(gib * GIB)), "--seed", "1"]

    def target_command(self, manifest):
        return [os.path.join(self.programs, "heap_generator"), *self.arguments,
                "--manifest", manifest]

    def exit_command(self):
        return [os.path.join(self.programs, "heap_generator"), *self.arguments, "--exit"]

    def lsan(self, tools):
        program = os.path.join(self.programs, "heap_generator_lsan")
        if not os.path.exists(program):
            return None
        return [program, *self.arguments, "--exit"], {}


class Python(Workload):
    environment = {"PYTHONMALLOC": "malloc"}

    def __init__(self, megabytes):
        super().__init__("python3", megabytes / 1024)
        self.command = ["/usr/bin/python3", os.path.join(HERE, "python_heap.py"), str(megabytes)]

    def target_command(self, manifest):
        return self.command

    def exit_command(self):
        return [*self.command, "--exit"]


class Sqlite(Workload):
    """The shell with a :memory: database; `.system` speaks at once, stdout waits in a buffer."""
    BYTES_PER_ROW = 335

    def __init__(self, megabytes):
        super().__init__("sqlite3", megabytes / 1024)
        rows = megabytes * (1 << 20) // self.BYTES_PER_ROW
        self.stdin_text = f"""
PRAGMA temp_store = memory;
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, owner INTEGER, body BLOB);
CREATE INDEX item_name ON item (name);
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
INSERT INTO item SELECT i, printf('item %d of %d', i * 2654435761 % 1000003, i),
    i * 40503 % 65537, zeroblob(100 + i * 7919 % 101) FROM n;
CREATE INDEX item_owner ON item (owner, name);
.system echo READY
"""

    def target_command(self, manifest):
        return ["/usr/bin/sqlite3", ":memory:"]

    def exit_command(self):
        return ["/usr/bin/sqlite3", ":memory:"]

    def exit_stdin(self):
        """`.exit` with a status other than 0 ends the shell without closing the database."""
        return self.stdin_text + ".exit 7\n"


def all_workloads(programs, quick):
    if quick:
        return [Generated(0.01, programs), Python(10), Sqlite(10)]
    return [Generated(0.1, programs), Generated(1, programs), Generated(4, programs),
            Python(100), Sqlite(100)]


if __name__ == "__main__":
    sys.exit("this is a part of bench/run")
