"""How each tool is run and what is taken from the run. Times are wall-clock milliseconds.

A peer is a function (context) -> {figure: value}; it raises Failed with the cause where it gives
no answer, so that a missing figure is always explained. To add one: a function and a row in PEERS.
"""
import contextlib
import json
import os
import select
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Callable

MAX_PAUSE = "20s"
SAMPLE_EVERY_S = 0.002


class Failed(Exception):
    """A tool that gave no answer; the text says why."""


@dataclass
class Tools:
    """Where things are; None for what this machine has not got."""
    seep: str
    programs: str
    gcore: str = field(default_factory=lambda: shutil.which("gcore"))
    valgrind: str = field(default_factory=lambda: shutil.which("valgrind"))
    lsan_library: str = None

    def __post_init__(self):
        compiler = shutil.which("gcc")
        if not self.lsan_library and compiler:
            path = subprocess.run([compiler, "-print-file-name=liblsan.so"], text=True,
                                  stdout=subprocess.PIPE, check=False).stdout.strip()
            self.lsan_library = path if os.path.isabs(path) else None


@dataclass
class Context:
    """One round of one workload. pid and heap_bytes are those of the target at rest."""
    tools: Tools
    workload: object
    folder: str
    pid: int
    heap_bytes: int


@contextlib.contextmanager
def started(command, **arguments):
    """A child that is ended, by its own pid, if the measurement is."""
    environment = {**os.environ, "DEBUGINFOD_URLS": "", **arguments.pop("env", {})}
    process = subprocess.Popen(command, env=environment, **arguments)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def wait_for_end(process, timeout_s):
    """Popen.wait(timeout) sleeps up to 50 ms between looks; a pidfd tells at once."""
    fd = os.pidfd_open(process.pid)
    try:
        if not select.select([fd], [], [], timeout_s)[0]:
            raise Failed(f"did not end within {timeout_s} s")
    finally:
        os.close(fd)


def timed(context, command, timeout_s, env=None, stdin_text=None, good=(0,)):
    """Milliseconds from start to end of command, and what it wrote to stderr."""
    errors = os.path.join(context.folder, "stderr")
    text = os.path.join(context.folder, "stdin")
    with open(text, "w", encoding="ascii") as stdin:
        stdin.write(stdin_text or "")
    with open(text, "rb") as stdin, open(errors, "wb") as stderr:
        begin = time.perf_counter()
        with started(command, env=env or {}, stdin=stdin, stdout=subprocess.DEVNULL,
                     stderr=stderr) as process:
            wait_for_end(process, timeout_s)
            took = (time.perf_counter() - begin) * 1e3
            status = process.wait()
    with open(errors, encoding="utf-8", errors="replace") as stderr:
        said = stderr.read()
    if status not in good:
        last = said.strip().splitlines()[-1:] or ["said nothing"]
        how = f"with status {status}" if status >= 0 else f"by signal {-status}"
        raise Failed(f"ended {how}: {last[0][:200]}")
    return took, said


def memcpy(context):
    """The yardstick: one thread copies as many bytes as the heap has; median of five copies."""
    done = subprocess.run([os.path.join(context.tools.programs, "memcpy"), str(context.heap_bytes)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Failed(done.stderr.strip())
    return {"memcpy": statistics.median(map(float, done.stdout.split()))}


def seep_command(context, report, freeze):
    return [context.tools.seep, "leaks", str(context.pid), "--freeze", freeze, "--max-pause",
            MAX_PAUSE, "--json", "-o", report]


def timed_seep(context, freeze):
    """The whole command, as a user waits for it, and the summary of its report."""
    report = os.path.join(context.folder, "report.json")
    took, _ = timed(context, seep_command(context, report, freeze), 600, good=(0, 1))
    with open(report, encoding="utf-8") as text:
        summary = json.load(text)["summary"]
    if summary["freeze"] != freeze:
        raise Failed(f"was to {freeze}: {summary['why_stopped']}")
    return took, summary


def seep(context):
    """Through a frozen copy; the pause is the one the report states."""
    took, summary = timed_seep(context, "copy")
    return {"seep_total": took, "seep_pause": summary["pause_ms"],
            "seep_coverage": summary["coverage_percent"]}


def seep_stop(context):
    """The target stopped and read: what a copy is to be no slower than."""
    took, summary = timed_seep(context, "stop")
    return {"stop_total": took, "stop_pause": summary["pause_ms"]}


def pss_bytes(pid):
    """Proportional set size of a process and its children; 0 for one that is gone."""
    total = 0
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
            total = sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as children:
                total += sum(pss_bytes(int(child)) for child in children.read().split())
    except OSError:
        pass
    return total


def seep_memory(context):
    """Highest PSS of seep and its children. Sampling disturbs, so this run is not timed."""
    command = seep_command(context, os.path.join(context.folder, "report.json"), "copy")
    peak = samples = 0
    with started(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                 stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, pss_bytes(process.pid))
            samples += 1
            time.sleep(SAMPLE_EVERY_S)
    if process.returncode not in (0, 1) or not peak:
        raise Failed(f"ended with {process.returncode} after {samples} samples")
    return {"seep_peak_pss": peak, "seep_pss_samples": samples}


def gcore(context):
    """gdb's dump of the whole process, which stands still for it."""
    if not context.tools.gcore:
        raise Failed("not installed")
    free = shutil.disk_usage(context.folder).free
    if free < context.heap_bytes * 5 // 4:
        raise Failed(f"{free >> 20} MB free for a core of {context.heap_bytes >> 20} MB")
    prefix = os.path.join(context.folder, "core")
    core = f"{prefix}.{context.pid}"
    try:
        took, _ = timed(context, [context.tools.gcore, "-o", prefix, str(context.pid)], 900)
        if os.path.getsize(core) < context.heap_bytes:
            raise Failed("wrote a core smaller than the heap")
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(core)
    return {"gcore_total": took}


def run_to_exit(context, command, timeout_s, env=None, good=(0, 7)):
    """A run of the workload that ends by itself; sqlite3's ends with 7."""
    workload = context.workload
    return timed(context, command, timeout_s, env={**workload.environment, **(env or {})},
                 stdin_text=workload.exit_stdin(), good=good)


def native(context):
    """The same run without any tool, to compare valgrind and LeakSanitizer with."""
    took, _ = run_to_exit(context, context.workload.exit_command(), 300)
    return {"native": took}


def valgrind(context):
    if not context.tools.valgrind:
        raise Failed("not installed")
    log = os.path.join(context.folder, "memcheck")
    command = [context.tools.valgrind, "--leak-check=full", f"--log-file={log}",
               *context.workload.exit_command()]
    took, _ = run_to_exit(context, command, 1800)
    with open(log, encoding="utf-8", errors="replace") as text:
        if "LEAK SUMMARY" not in text.read():
            raise Failed("ended without a leak summary")
    return {"valgrind_total": took}


def leak_sanitizer(context):
    """Runs without and with the check at exit: the difference is what the check takes."""
    run = context.workload.lsan(context.tools)
    if not run:
        raise Failed("the compiler has no LeakSanitizer")
    command, environment = run
    took = {}
    for name, check in (("lsan_unchecked", 0), ("lsan_total", 1)):
        options = {"LSAN_OPTIONS": f"detect_leaks={check}:exitcode=7", **environment}
        took[name], said = run_to_exit(context, command, 900, env=options)
        if "fatal error" in said:
            raise Failed("LeakSanitizer has encountered a fatal error")
    took["lsan_check"] = took["lsan_total"] - took["lsan_unchecked"]
    return took


@dataclass(frozen=True)
class Peer:
    """slow: fewer rounds; once: one round; max_gib: no larger heaps."""
    name: str
    measure: Callable
    slow: bool = False
    once: bool = False
    max_gib: float = 1e9


PEERS = [
    Peer("memcpy", memcpy),
    Peer("seep", seep),
    Peer("stop", seep_stop),
    Peer("gcore", gcore, slow=True),
    Peer("native", native, slow=True, max_gib=1),
    Peer("lsan", leak_sanitizer, slow=True, max_gib=1),
    Peer("valgrind", valgrind, once=True, max_gib=1),
    Peer("memory", seep_memory, once=True),
]


if __name__ == "__main__":
    sys.exit("this is a part of bench/run")
