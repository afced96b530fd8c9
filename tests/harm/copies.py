"""What the tests of the frozen copy share: who holds it, and that nobody is left behind."""

import contextlib
import ctypes
import os
import pathlib
import time

from harness import seep

COPY = ("--freeze", "copy")
PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """What a killed seep leaves behind becomes a child of this script, and can be waited for."""
    assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def stat_of(pid):
    """(name, state, parent) of a process, None if it is gone."""
    with contextlib.suppress(OSError):
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
        name, _, rest = text.partition("(")[2].rpartition(")")
        state, parent = rest.split()[:2]
        return name, state, int(parent)
    return None


def children(pid):
    """{pid: (name, state)}"""
    found = {}
    for entry in os.listdir("/proc"):
        seen = stat_of(entry) if entry.isdigit() else None
        if seen and seen[2] == pid:
            found[int(entry)] = seen[:2]
    return found


def children_now(pid):
    """The pids alone, and faster."""
    with contextlib.suppress(OSError):
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(word) for word in text.split()]
    return []


def await_tracer(looker, patience_s=2):
    """The pid of the tracer of a seep that this script has started; None if it ends first."""
    give_up = time.monotonic() + patience_s
    while looker.poll() is None and time.monotonic() < give_up:
        for pid in children_now(looker.pid):
            seen = stat_of(pid)
            if seen and seen[0] == "seep-tracer" and seen[2] == looker.pid:
                return pid
    return None


def reap_orphans(but):
    """Takes the status of those that have ended; returns who of this script's children
    is left besides `but`."""
    for pid in children_now(os.getpid()):
        if pid not in but:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
    return {pid: seen for pid, seen in children(os.getpid()).items() if pid not in but}


def settle(target, before, patience_s=5):
    """Soon nobody traces the target, it has the children it had, and no tracer is left."""
    give_up = time.monotonic() + patience_s
    while True:
        try:
            target.assert_unharmed()
            left = {pid: seen for pid, seen in children(target.pid).items()
                    if pid not in before}
            assert not left, f"left in the target: {left}"
            orphans = reap_orphans({target.pid})
            assert not orphans, f"still there: {orphans}"
            return
        except AssertionError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.005)


def look(target, *options, **run_options):
    """Looks through a copy, and expects one; returns the answer."""
    answer = seep.leaks(target.pid, "--json", *COPY, *options, **run_options)
    assert answer.status in (seep.NONE, seep.FINDINGS), answer
    assert answer.report()["summary"]["freeze"] == "copy", answer
    return answer
