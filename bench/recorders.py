"""The tools that record allocations, and what each does to a command."""
import dataclasses
import glob
import os
import shutil
from typing import Callable

LIBRARIES = "/usr/lib/x86_64-linux-gnu"


@dataclasses.dataclass
class Recorder:
    name: str
    wrap: Callable  # (context, command, file) -> (command, environment)
    rounds: int = 0  # 0: as many as asked for


def plain(_context, command, _file):
    return command, {}


def seep(context, command, file):
    return [context.seep, "record", "-o", file, "--", *command], {}


def heaptrack(_context, command, file):
    return ["heaptrack", "-o", file, *command], {}


def leak_sanitizer(_context, command, file):
    return command, {"LD_PRELOAD": f"{LIBRARIES}/liblsan.so.0",
                     "LSAN_OPTIONS": f"exitcode=0:log_path={file}"}


def jemalloc(_context, command, file):
    return command, {"LD_PRELOAD": f"{LIBRARIES}/libjemalloc.so.2",
                     "MALLOC_CONF": f"prof:true,lg_prof_sample:0,prof_final:true,prof_prefix:{file}"}


def gperftools(_context, command, file):
    return command, {"LD_PRELOAD": f"{LIBRARIES}/libtcmalloc.so.4", "HEAPPROFILE": file}


def massif(_context, command, file):
    return ["valgrind", "-q", "--tool=massif", f"--massif-out-file={file}", *command], {}


PROBES = ("uprobe:{libc}:malloc {{ @[ustack(30)] = sum(arg0); @n = count(); }} "
          "uprobe:{libc}:free {{ @f = count(); }}")


def bpftrace(_context, command, file):
    probes = PROBES.format(libc=f"{LIBRARIES}/libc.so.6")
    return ["bpftrace", "-q", "-o", file, "-e", probes, "-c", " ".join(command)], {}


RECORDERS = [
    Recorder("plain", plain),
    Recorder("seep", seep),
    Recorder("heaptrack", heaptrack),
    Recorder("LeakSanitizer", leak_sanitizer),
    Recorder("jemalloc prof", jemalloc, rounds=1),
    Recorder("gperftools", gperftools, rounds=1),
    Recorder("massif", massif, rounds=1),
    Recorder("bpftrace", bpftrace, rounds=1),
]


def is_there(recorder):
    """Whether its program or library is on this machine."""
    return {
        "heaptrack": lambda: shutil.which("heaptrack"),
        "LeakSanitizer": lambda: glob.glob(f"{LIBRARIES}/liblsan.so.0"),
        "jemalloc prof": lambda: glob.glob(f"{LIBRARIES}/libjemalloc.so.2"),
        "gperftools": lambda: glob.glob(f"{LIBRARIES}/libtcmalloc.so.4"),
        "massif": lambda: shutil.which("valgrind"),
        "bpftrace": lambda: shutil.which("bpftrace"),
    }.get(recorder.name, lambda: True)()


def bytes_of(file):
    """Of what it wrote: a name that begins so."""
    return sum(os.path.getsize(found) for found in glob.glob(glob.escape(file) + "*"))
