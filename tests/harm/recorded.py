#!/usr/bin/python3
"""`seep record` records every allocation of a program, and leaves its output and status alone."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness import cases, seep
from harness.cases import case, program
from harness.target import PATIENCE_S, Target, temporary_folder
from harness.trace import EXITED, KILLED, TO_THE_END, Trace

SIZE = 4321  # that nothing else allocates


def command(*words, options=(), trace=None):
    where = ("-o", trace) if trace else ()
    return [seep.program(), "record", *where, *options, "--", *map(str, words)]


def record(*words, options=(), status=0, **more):
    """(the trace, what the program wrote, what seep said)"""
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "trace")
        done = subprocess.run(command(*words, options=options, trace=path), check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=PATIENCE_S, **more)
        assert done.returncode == status, (done.returncode, done.stderr)
        trace = Trace(path).check() if path.exists() else None
        return trace, done.stdout, done.stderr.decode()


def refused(*words, status, says):
    with temporary_folder() as folder:
        start = time.monotonic()
        done = subprocess.run(command(*words), check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, cwd=folder, timeout=PATIENCE_S)
        said = done.stderr.decode()
        assert done.returncode == status and says in said and "try: " in said, (done, said)
        assert not os.listdir(folder)
        return time.monotonic() - start


@case
def every_event():
    """every allocation and free of four threads is in the trace, with its time and thread"""
    trace, out, said = record(program("recorded"), 20000, SIZE, 4, 7, status=7)
    assert trace.sizes[SIZE] == 80000 and trace.live_bytes >= 40000 * SIZE
    assert len(trace.threads) == 5 and trace.strays == trace.lost == 0
    assert trace.summary["flags"] == EXITED | TO_THE_END and trace.summary["code"] == 7
    assert any(path.endswith("/recorded") for path in trace.paths if path), trace.paths
    assert out == b"" and said.count("\n") == 1 and "next: seep report " in said, said


def kept_books(words):
    """[(what, thread, (address, size) that went or None, the same that came)] of a program."""
    steps = []
    for line in words.decode().splitlines():
        what, *numbers = line.split()
        thread, old, old_size, new, new_size = map(int, numbers)
        steps.append((what, thread, (old, old_size) if old else None,
                      (new, new_size) if new else None))
    return steps


def history_by_books(steps, address):
    """What the program says of an address, as seep's report should have it."""
    kinds = {"m": "allocated", "c": "allocated", "r": "resized", "f": "freed"}
    for what, thread, old, new in steps:
        pair = [block if block and block[0] <= address < block[0] + block[1] else None
                for block in (old, new)]
        if any(pair):
            yield (kinds[what], thread, *pair)


def history_by_seep(path, address):
    """The same from the trace, of what the program did on purpose."""
    answer = seep.run("report", "--address", hex(address), "--top", "all", "--json", path)
    assert answer.status == seep.NONE, answer
    for event in json.loads(answer.out)["history"]["events"]:
        if event["stack"][0]["function"] != "act":
            continue
        assert event["stack"][1]["function"] == "take_step", event
        pair = [block and (int(block["address"], 16), block["bytes"])
                for block in (event["ended"], event["began"])]
        yield (event["event"], event["thread"], *pair)


@case
def histories_of_addresses():
    """what the trace tells of an address is what the program did there, event by event"""
    with temporary_folder() as folder:
        for threads in (1, 4):
            path = pathlib.Path(folder, "trace")
            done = subprocess.run(
                command(program("addressed"), 6000, threads, options=("--addresses",),
                        trace=path),
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True,
                timeout=PATIENCE_S)
            steps, seen = kept_books(done.stdout), 0
            assert len(steps) == 6000
            for number in range(1, 6000, 341):
                address, size = steps[number][3] or steps[number][2]
                address += number % size
                known = list(history_by_seep(path, address))
                assert known == list(history_by_books(steps, address)), hex(address)
                seen += len(known)
            assert seen > 100, seen
            os.unlink(path)


@case
def killed_by_itself():
    """what a program did before SIGKILL is in the trace"""
    trace, _, _ = record(program("recorded"), 5000, SIZE, 1, "kill", status=128 + 9)
    assert trace.sizes[SIZE] == 5000
    assert trace.summary["flags"] == KILLED | TO_THE_END and trace.summary["code"] == 9


@case
def streams():
    """stdin, stdout and stderr are the program's own"""
    trace, out, said = record("sh", "-c", "cat; echo problem >&2; exit 3", input=b"hello",
                              status=3)
    assert out == b"hello" and said.startswith("problem\n") and trace.allocations


@case
def default_name():
    """a trace is called seep.NAME.PID.trace, and only its owner may read it"""
    with temporary_folder() as folder:
        subprocess.run(command("true"), check=True, cwd=folder, stderr=subprocess.PIPE)
        name, = os.listdir(folder)
        assert name.startswith("seep.true.") and name.endswith(".trace"), name
        assert os.stat(pathlib.Path(folder, name)).st_mode & 0o777 == 0o600


@case
def small_left_out():
    """--min-size leaves smaller blocks out"""
    trace, _, _ = record(program("recorded"), 1000, SIZE, 1, 0,
                         options=("--min-size", str(SIZE)))
    assert trace.sizes[SIZE] == 1000 and min(trace.sizes) >= SIZE, trace.sizes
    trace, _, _ = record(program("recorded"), 1000, SIZE, 1, 0,
                         options=("--min-size", str(SIZE + 1)))
    assert SIZE not in trace.sizes


@case
def replaced():
    """of a program that executes another, the first part is there, and seep says so"""
    trace, _, said = record(program("recorded"), 1000, SIZE, 1, "exec")
    assert trace.sizes[SIZE] == 1000 and "executed another" in said, said
    assert not trace.summary["flags"] & TO_THE_END


@case
def not_started():
    """what cannot be recorded is not started"""
    with temporary_folder() as folder:
        plain = pathlib.Path(folder, "plain")
        plain.write_text("no program")
        refused(plain, status=126, says="Permission denied")
    refused("no-such-command", status=127, says="No such file")
    refused("/etc", status=126, says="Permission denied")


@case
def static_refused():
    """a static program is refused at once, with the alternative"""
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "still")
        subprocess.run(("gcc", "-static", "-x", "c", "-", "-o", path), check=True,
                       input=b"int main(void) { return 0; }")
        refused(path, status=seep.COULD_NOT, says="seep leaks --at-exit -- ")


@case
def terminated():
    """SIGTERM to seep is SIGTERM to the program"""
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "trace")
        words = command(program("recorded"), 1000, SIZE, 1, "wait", trace=path)
        with Target(words, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as target:
            os.kill(target.pid, signal.SIGTERM)
            assert target.wait() == 128 + signal.SIGTERM
            trace = Trace(path).check()
            assert trace.sizes[SIZE] == 1000 and trace.summary["code"] == signal.SIGTERM


@case
def seep_killed():
    """when seep is killed the program goes on, and what was written is readable"""
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "trace")
        fifo = pathlib.Path(folder, "go")
        os.mkfifo(fifo)
        words = command(program("recorded"), 100000, SIZE, 1, "wait", "wait", trace=path)
        with open(fifo, "r+b", buffering=0) as go, \
                Target(words, stdin=go, stderr=subprocess.DEVNULL) as target:
            give_up = time.monotonic() + PATIENCE_S
            while Trace(path).sizes.get(SIZE, 0) < 100000:
                assert time.monotonic() < give_up
                time.sleep(0.2)
            os.kill(target.pid, signal.SIGKILL)
            target.wait()
            target.output = b""
            go.write(b"g")
            target.await_output(b"READY\n")
            go.write(b"g")
            target.rest_of_output()
            trace = Trace(path)
            assert not trace.is_whole and trace.sizes[SIZE] == 100000


def ask(*words, status=0):
    done = subprocess.run((seep.program(), *map(str, words)), check=False,
                          stderr=subprocess.PIPE, timeout=PATIENCE_S)
    assert done.returncode == status, done
    return done.stderr.decode()


@case
def controlled():
    """a recording is paused, goes on, and has marks, as it is asked to"""
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "trace")
        words = command(program("recorded"), 100, SIZE, 1, "wait", "wait", "wait", 0,
                        options=("--paused",), trace=path)
        with Target(words, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as target:
            children = pathlib.Path(f"/proc/{target.pid}/task/{target.pid}/children")
            pid, = children.read_text().split()
            for words in ("ctl", pid, "start"), ("mark", pid, "one"), ("ctl", pid, "stop"):
                if words[-1] == "stop":
                    target.output = b""
                    target.process.stdin.write(b"g")
                    target.process.stdin.flush()
                    target.await_output(b"READY\n")
                ask(*words)
            ask("mark", pid, "x" * 1001, status=seep.USAGE)
            target.process.stdin.write(b"gg")
            target.process.stdin.flush()
            assert target.wait() == 0
        trace = Trace(path).check()
        assert trace.sizes[SIZE] == 100 and trace.pauses == 2 and trace.marks == ["one"]
    assert "is not being recorded" in ask("mark", os.getpid(), "x", status=seep.COULD_NOT)


def held_up(on_full):
    """(the trace, whether the program came to its end without seep)"""
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "trace")
        words = command(program("recorded"), 50000, SIZE, 1, "wait", "wait",
                        options=("--on-full", on_full), trace=path)
        with Target(words, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as target:
            os.kill(target.pid, signal.SIGSTOP)
            target.output = b""
            target.process.stdin.write(b"g")
            target.process.stdin.flush()
            try:
                target.await_output(b"READY\n", patience_s=1 if on_full == "block" else 60)
                came = True
            except AssertionError:
                came = False
            os.kill(target.pid, signal.SIGCONT)
            if not came:
                target.await_output(b"READY\n")
            target.process.stdin.write(b"g")
            target.process.stdin.flush()
            assert target.wait() == 0
            return Trace(path).check(), came


@case
def full_blocks():
    """a program that is faster than seep waits, and nothing is lost"""
    trace, came = held_up("block")
    assert not came and trace.lost == 0 and trace.sizes[SIZE] == 100000, (
        came, trace.lost, trace.sizes)


@case
def full_drops():
    """with --on-full drop it goes on, and what is lost is counted"""
    trace, came = held_up("drop")
    assert came and trace.lost and trace.sizes[SIZE] < 100000
    assert trace.sizes[SIZE] + trace.frees + trace.strays + trace.lost >= 150000, vars(trace)


sys.exit(cases.main())
