"""A cgroup of a test's own, below the one it runs in, and taken away afterwards."""

import contextlib
import os
import pathlib
import time

from harness.cases import Skip


class Cgroup:
    """One of v1. Use it in a `with`; whoever is in it must have ended by then."""

    def __init__(self, controller, **limits):
        lines = pathlib.Path("/proc/self/cgroup").read_text().splitlines()
        own = next((line.split(":", 2)[2] for line in lines
                    if controller in line.split(":")[1].split(",")), None)
        if own is None or os.geteuid() != 0:
            raise Skip(f"no cgroup v1 of the controller {controller} that root may divide")
        parent = pathlib.Path("/sys/fs/cgroup", controller, own.strip("/"))
        self.path = parent / f"seep-test-{os.getpid()}"
        self.limits = limits

    def __enter__(self):
        try:
            self.path.mkdir()
        except OSError as error:
            raise Skip(f"{self.path} cannot be made: {error}") from error
        for name, value in self.limits.items():
            self.write(name.replace("__", "."), value)
        return self

    def __exit__(self, *_):
        give_up = time.monotonic() + 5
        while self.path.exists():
            with contextlib.suppress(OSError):
                self.path.rmdir()
                return
            assert time.monotonic() < give_up, f"{self.path} is still in use"
            time.sleep(0.01)

    def write(self, name, value):
        (self.path / name).write_text(f"{value}\n")

    def read(self, name):
        return (self.path / name).read_text()

    def enter(self):
        """For preexec_fn: whoever calls it is in this cgroup from then on."""
        self.write("cgroup.procs", os.getpid())


class Cgroup2(Cgroup):
    """The same of v2, where the machine has the controller there and lets a test have it."""

    def __init__(self, controller, **limits):  # pylint: disable=super-init-not-called
        mounts = (line.split() for line in pathlib.Path("/proc/mounts").read_text().splitlines())
        root = next((words[1] for words in mounts if words[2] == "cgroup2"), None)
        lines = pathlib.Path("/proc/self/cgroup").read_text().splitlines()
        own = next((line[3:] for line in lines if line.startswith("0::")), None)
        if root is None or own is None or os.geteuid() != 0:
            raise Skip("no cgroup v2 that root may divide")
        parent = pathlib.Path(root, own.strip("/"))
        if controller not in (parent / "cgroup.controllers").read_text().split():
            raise Skip(f"{parent} has no controller {controller}")
        if controller not in (parent / "cgroup.subtree_control").read_text().split():
            try:
                (parent / "cgroup.subtree_control").write_text(f"+{controller}\n")
            except OSError as error:
                raise Skip(f"{parent} does not give {controller} to others: {error}") from error
        self.path = parent / f"seep-test-{os.getpid()}"
        self.limits = limits
