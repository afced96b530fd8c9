#!/usr/bin/python3
"""Programs do the same with and without the runtime: what they say, and how they end."""

import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import cases
from harness.cases import Skip, case, program
from harness.target import temporary_folder
from recording import JOINED, LEFT, TROUBLE_NO_CLOCK, record, run_alone, runtime

CANNOT_HERE = 77  # what lives.c returns then


def same(command, *options, **how):
    """Records the command, and checks that it noticed nothing."""
    alone = run_alone(command, **{name: how[name] for name in how
                                  if name not in ("counted", "libraries")})
    if alone[0] == CANNOT_HERE:
        raise Skip("this machine does not let it")
    recording = record(command, *options, **how)
    assert (recording.status, recording.out) == alone, \
        f"alone {alone}, recorded {(recording.status, recording.out)}"
    return recording.check_form()


def live(name, *options, **how):
    return same([program("lives"), name], *options, **how)


# Lives that are recorded to the last event.
COMPLETE = {
    "aborts": "abort()",
    "bare-stacks": "unmaps a coroutine's stack right below its thread's",
    "closes-all": "closes all descriptors",
    "constructors": "allocates before main()",
    "destructors": "allocates at exit and in destructors of thread-specific data",
    "ended-by-signal": "is ended by a signal",
    "ends-in-thread": "main ends with pthread_exit()",
    "executes": "executes another program, after it could not",
    "filtered": "allows itself only a few system calls, by a filter",
    "fork-beside-threads": "forks while threads allocate",
    "fork-beside-made-code": "forks while a thread runs code that no file has",
    "fork-storm": "forks a hundred times",
    "handlers": "allocates in signal handlers",
    "handlers-on-other-stack": "allocates in signal handlers on a stack of their own",
    "jumps": "jumps out of hooks",
    "little-memory": "has next to no address space",
    "no-descriptors": "has no descriptor left",
    "no-error-of-loaders": "asks the loader whether there was an error",
    "other-user": "changes its user",
    "raw-ends": "has thousands of threads that end past libc",
    "thousands": "has thousands of threads",
    "unsets": "takes the preload out of its environment",
    "vfork-filtered": "has a child of vfork() that forbids itself system calls",
    "vfork-raw-ends": "has children of vfork() that end past libc",
    "vforks": "vfork() and exec…()",
    "walks-loaded": "allocates where it walks the loader's list, while libraries come and go",
}


def add_complete(name, what):
    def function():
        live(name).check_complete()
    function.__name__ = name.replace("-", "_")
    function.__doc__ = what
    case(function)


for _name, _what in COMPLETE.items():
    add_complete(_name, _what)


@case
def handlers_on_disarmed_stack():
    """allocates in handlers on a stack that is disarmed meanwhile"""
    # There is not always a place for all that interrupt one event, as when it waits for room.
    recording = live("handlers-on-disarmed-stack").check_told()
    assert recording["lost"] < recording["allocations"], recording.numbers


@case
def strictly():
    """seccomp's strict mode, which forbids the clock, ends the recording"""
    recording = live("strictly")
    assert (recording["state"], recording["trouble"]) == (LEFT, TROUBLE_NO_CLOCK)


@case
def forks_are_told():
    """a fork leaves an event; children are not recorded"""
    recording = live("fork-storm")
    assert recording["forks"] == 100 and recording["threads"] == 1, recording.numbers


@case
def executing_is_told():
    """each exec leaves an event, and the last leaves the session"""
    recording = live("executes")
    assert recording["execs"] == 2 and recording["state"] == LEFT, recording.numbers


@case
def full_rings_block():
    """a recorder that reads nothing for a while loses nothing"""
    recording = same([program("blocks")], "--pause", "300").check_complete()
    assert recording["allocations"] > 100000, recording.numbers


@case
def full_rings_drop():
    """where full rings drop, what is dropped is told to the last event"""
    recording = same([program("blocks")], "--pause", "300", "--drop")
    counted = sum(recording.counts[name] for name in ("allocations", "frees", "resizes"))
    recorded = sum(recording[name] for name in ("allocations", "frees", "resizes"))
    assert recording["lost"] > 0 and recording["thread_ends"] == 4, recording.numbers
    assert recorded + recording["lost"] == counted, (recording.numbers, recording.counts)


@case
def recorder_killed():
    """the recorder is killed in the middle, and the program goes on as if there were none"""
    with temporary_folder() as folder:
        said = pathlib.Path(folder, "said")
        # The shell that waits for the program is the recorder's parent, too.
        script = f"{program('drain')} --preload {runtime()} --die 20000 -- " \
                 f"{program('lives')} long-life"
        done = subprocess.run(["/bin/sh", "-c", f"{script} > {said}"], timeout=60,
                              check=False)
        assert done.returncode == 128 + signal.SIGKILL, done
        give_up = time.monotonic() + 30
        while said.read_bytes() != b"lived\n" and time.monotonic() < give_up:
            time.sleep(0.05)
        assert said.read_bytes() == b"lived\n", said.read_bytes()


@case
def allocator_without_sizes():
    """an allocator that does not tell the sizes of its blocks is not asked by way of libc's"""
    recording = same([program("lives"), "closes-all"], "--min-size", "100", counted=False,
                     libraries=[program("libpages.so")])
    assert 3000 < recording["allocations"] < 3500 < recording["frees"], recording.numbers


@case
def make():
    """make -j2 of a small tree, which runs a hundred processes"""
    if not shutil.which("make"):
        raise Skip("make is not installed")
    with temporary_folder() as folder:
        rules = "all: " + " ".join(f"{i}.out" for i in range(50)) + "\n"
        rules += "%.out:\n\t@echo $* | tr 0-9 a-j > $@; cat $@ > /dev/null\n"
        pathlib.Path(folder, "Makefile").write_text(rules)
        recording = record(["make", "-s", "-j2", "-C", folder]).check_complete()
        assert recording.status == 0 and recording["allocations"] > 100, recording.numbers
        assert pathlib.Path(folder, "37.out").read_text() == "dh\n"


@case
def static_program():
    """a static program runs, and nobody joins"""
    recording = same([program("static-life")])
    assert recording["state"] == recording["threads"] == 0, recording.numbers


@case
def setuid_program():
    """a setuid program does not join when another user runs it"""
    if os.geteuid() != 0:
        raise Skip("only root can make one for another user")
    with temporary_folder() as folder:
        os.chmod(folder, 0o755)
        copy = pathlib.Path(folder, "lives")
        shutil.copy(program("lives"), copy)
        os.chmod(copy, 0o755 | stat.S_ISUID)
        recording = record(["setpriv", "--reuid", "65534", "--clear-groups", copy,
                            "constructors"])
        assert recording.status == 3, recording.status
        assert recording.out == b"made before main\n", recording.out


@case
def sanitized_program():
    """a program with AddressSanitizer inside says what it says about any preload, or works"""
    with temporary_folder() as folder:
        source, made = pathlib.Path(folder, "main.c"), pathlib.Path(folder, "main")
        source.write_text("#include <stdlib.h>\nint main(void) { free(malloc(9)); }\n")
        compiled = subprocess.run(["cc", "-fsanitize=address", source, "-o", made],
                                  stderr=subprocess.DEVNULL, check=False)
        if compiled.returncode != 0:
            raise Skip("no sanitizer here")
        recording = record([made], counted=False, stderr=subprocess.DEVNULL,
                           env={"ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"})
        assert recording.status == 0, recording.status
        recording.check_form()


@case
def second_program_keeps_out():
    """a child that inherits the session does not join it"""
    recording = record(["/bin/sh", "-c", f"{program('lives')} closes-all; exit 5"])
    assert recording.status == 5 and recording["state"] == JOINED, recording.numbers
    recording.check_complete()


sys.exit(cases.main())
