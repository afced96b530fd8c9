#!/usr/bin/python3
"""The runtime of arm64 in programs that are emulated, as the recorder is: every event is there, and
the programs do what they do without it.

The emulator lets no part of a mapping be mapped again, as the runtime does for more rings: more than
two threads at a time are not to be had. It takes no notice of MADV_WIPEONFORK, which is what tells
children that they are not recorded: nothing here forks. Programs that timers interrupt while they jump
out of handlers end by a fault in libc, or never (doc/NOTES.md): none does that here.
"""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "runtime"))

from harness import cases
from harness.cases import case, program
from harness.target import temporary_folder
from recording import JOINED, Recording


def emulated(name, *arguments, **environment):
    """The command that emulates a program, with variables that are the program's alone."""
    variables = [word for name, value in environment.items() for word in ("-E", f"{name}={value}")]
    return [os.environ["QEMU"], "-L", os.environ["ROOT"], *variables,
            str(program(f"aarch64-{name}")), *arguments]


def run(command):
    return subprocess.run(command, timeout=120, stdout=subprocess.PIPE, check=False)


def record(name, *arguments, check=Recording.check_complete):
    """Records a program, with an independent count, and checks that it noticed nothing."""
    alone = run(emulated(name, *arguments))
    with temporary_folder() as folder:
        report, counts = pathlib.Path(folder, "report"), pathlib.Path(folder, "counts")
        counts.write_bytes(bytes(4096))
        libraries = [str(program(library)) for library in ("libseep-runtime.so", "libcounting.so")]
        done = run(emulated("drain", "--report", str(report), "--",
                            *emulated(name, *arguments, LD_PRELOAD=":".join(libraries),
                                      COUNTS=str(counts))))
        recording = Recording.read(done, report, counts)
    # A shell's word for a signal, which the emulator passes on.
    status = alone.returncode if alone.returncode >= 0 else 128 - alone.returncode
    assert (recording.status, recording.out) == (status, alone.stdout), \
        f"alone {alone}, recorded {recording.status, recording.out}"
    assert recording["state"] == JOINED, recording.numbers
    return check(recording)


@case
def blocks():
    """a thousand blocks, every other one freed"""
    recording = record("recorded", "1000", "32", "1", "7")
    assert recording.status == 7 and recording["allocations"] >= 1000, recording.numbers
    assert recording["without_stack"] == 0, recording.numbers
    assert recording["own_nodes"] == 0, recording.numbers


@case
def many_blocks():
    """more events than a ring has room for: the program waits for the recorder, and goes on"""
    recording = record("recorded", "60000", "24", "1", "0")
    assert recording["allocations"] >= 60000, recording.numbers


@case
def handlers():
    """a program that allocates in handlers of signals"""
    record("lives", "handlers")


@case
def handlers_on_other_stack():
    """the same on a stack of their own"""
    record("lives", "handlers-on-other-stack")


@case
def constructors():
    """a program that allocates before main()"""
    record("lives", "constructors")


@case
def libraries():
    """a library that is loaded and unloaded over and over"""
    recording = record("lives", "libraries")
    assert recording["unloads"] == 20 and recording["without_stack"] == 0, recording.numbers
    assert recording["own_nodes"] == 0, recording.numbers


@case
def aborts():
    """a program that ends by abort()"""
    record("lives", "aborts")


sys.exit(cases.main())
