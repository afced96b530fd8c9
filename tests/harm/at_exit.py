#!/usr/bin/python3
"""`seep leaks --at-exit -- CMD` sees what CMD has lost, however it ends, and leaves its
output and its status alone."""

import json
import os
import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness import cases, seep
from harness.cases import case, program
from harness.target import temporary_folder


def look_at_end(command, *options, status=seep.FINDINGS, stdin=b"", env=None):
    """Returns (report, the command's stdout, seep's stderr)."""
    with temporary_folder() as folder:
        report = pathlib.Path(folder, "report.json")
        done = subprocess.run([seep.program(), "leaks", "--at-exit", "--json", "-o", report,
                               *options, "--", *map(str, command)], input=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30,
                              check=False, env={**os.environ, **(env or {})})
        said = f"status {done.returncode}, stderr: {done.stderr[-1500:].decode()}"
        assert done.returncode == status, said
        assert report.exists(), f"no report; {said}"
        return json.loads(report.read_text()), done.stdout, done.stderr


def end_by(way, name="exits"):
    report, out, _ = look_at_end([program(name), way])
    kinds = report["summary"]["kinds"]
    assert kinds["definite"] == {"blocks": 1, "bytes": 8008}, kinds
    assert kinds["indirect"] == {"blocks": 2, "bytes": 96}, kinds
    assert out == b"READY\n", out
    return report


@case
def by_return():
    """main returns"""
    end_by("return")


@case
def by_exit():
    """exit()"""
    end_by("exit")


@case
def by_raw_exit():
    """_exit()"""
    end_by("_exit")


@case
def by_exit_in_thread():
    """exit() in a thread"""
    end_by("thread-exit")


@case
def by_last_thread():
    """main ends with pthread_exit(), the last thread returns"""
    end_by("last-thread")


@case
def by_abort():
    """abort()"""
    end_by("abort")


@case
def by_own_signal():
    """killed by SIGTERM, which it sends itself"""
    end_by("killed")


@case
def by_fault():
    """killed by a fault"""
    end_by("fault")


@case
def by_signal_from_outside():
    """killed by SIGTERM from outside while it waits"""
    with temporary_folder() as folder:
        report = pathlib.Path(folder, "report.json")
        looker = subprocess.Popen([seep.program(), "leaks", "--at-exit", "--json", "-o",
                                   report, "--", program("exits"), "wait"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert looker.stdout.readline() == b"READY\n"
        children = pathlib.Path(f"/proc/{looker.pid}/task/{looker.pid}/children")
        child = int(children.read_text().split()[0])
        os.kill(child, signal.SIGTERM)
        looker.stdout.read()
        assert looker.wait(60) == seep.FINDINGS
        kinds = json.loads(report.read_text())["summary"]["kinds"]
        assert kinds["definite"] == {"blocks": 1, "bytes": 8008}, kinds


@case
def threads_hold():
    """eight threads that hold the last pointers as the process ends: roots, however it ends"""
    for way, nr_threads in (("exit", 9), ("_exit", 9), ("thread-exit", 10), ("killed", 9)):
        for _ in range(10):
            report = end_by(way, "holders")
            assert report["summary"]["threads"] == nr_threads, report["summary"]
            assert report["summary"]["kinds"]["possible"]["blocks"] == 0, report["summary"]


@case
def nothing_lost():
    """a command that loses nothing: exit 0"""
    report, out, _ = look_at_end(["/bin/echo", "hello"], status=seep.NONE)
    assert out == b"hello\n", out
    assert report["summary"]["kinds"]["definite"]["blocks"] == 0


@case
def streams():
    """the command's stdin, stdout and stderr stay its own"""
    text = b"".join(b"line %d\n" % number for number in range(100))
    alone = subprocess.run([program("chatter")], input=text, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, check=False)
    _, out, err = look_at_end([program("chatter")], stdin=text)
    assert out == alone.stdout, out
    assert alone.stderr in err, err


@case
def text_report():
    """without --json and -o the report goes to stderr, and stdout is the command's"""
    done = subprocess.run([seep.program(), "leaks", "--at-exit", "--", program("exits"),
                           "return"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == seep.FINDINGS, done
    assert done.stdout == "READY\n", done.stdout
    assert "8008" in done.stderr or "8.0 kB" in done.stderr, done.stderr


@case
def json_needs_a_file():
    """--json without -o is refused as bad usage before the command starts"""
    done = subprocess.run([seep.program(), "leaks", "--at-exit", "--json", "--",
                           program("exits"), "return"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                          check=False)
    assert done.returncode == seep.USAGE, done
    assert done.stdout == b"", done.stdout


@case
def cannot_start():
    """a command that is not there, or is no program: exit 3 or 2, with the cause"""
    for command in ("/no/such/program", "/etc/passwd"):
        done = subprocess.run([seep.program(), "leaks", "--at-exit", "--", command],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        assert done.returncode in (seep.USAGE, seep.COULD_NOT), done
        assert command in done.stderr, done.stderr


@case
def with_children():
    """the command's children are let be, and the look is at the command itself"""
    report, out, _ = look_at_end(
        ["/bin/sh", "-c", f"'{program('exits')}' return; '{program('exits')}' abort; "
                          "echo done $?"], status=seep.NONE)
    assert out.endswith(b"done 134\n"), out
    assert report["target"]["name"] in ("sh", "dash"), report["target"]


@case
def through_exec():
    """a command that becomes another program by exec is looked at as that program"""
    report, _, _ = look_at_end(["/bin/sh", "-c", f"exec '{program('exits')}' return"])
    assert report["summary"]["kinds"]["definite"]["bytes"] == 8008


if __name__ == "__main__":
    sys.exit(cases.main())
