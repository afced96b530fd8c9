#!/usr/bin/python3
"""What speaks against a frozen copy, or makes it fail, is named; the target is unharmed.
"""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from cgroup import Cgroup
from copies import COPY, children, look
from harness import cases, seep
from harness.cases import Skip, case, needs, program
from harness.target import Target, temporary_folder
from ticker import Ticker, assert_found
from users import NOBODY, PublicFolder, as_user, must_be_root, run_as

# Each takes a while, with so much to do for the processor.
HAILED_LOOKS = 8


def assert_names(answer, *words):
    """No copy: exit 3, at once, with a sentence that has these words, and what to do instead."""
    assert answer.status == seep.COULD_NOT, answer
    assert answer.seconds < 5, answer
    for word in words:
        assert word in answer.err, f"no {word!r} in {answer}"
    assert "\n      try: " in answer.err, f"no remedy in {answer}"
    print("  " + answer.err.strip().replace("\n", "\n  "))


def assert_doctor_names(target, *words):
    text = " ".join(seep.run("doctor", target.pid).out.split())
    for word in words:
        assert word in text, f"the doctor does not say {word!r}: {text}"


def assert_goes_on(target, before=()):
    target.assert_unharmed()
    left = {pid: seen for pid, seen in children(target.pid).items() if pid not in before}
    assert not left, f"left in the target: {left}"


# ---- seccomp

def say_alive(target):
    target.process.stdin.write(b"go on\n")
    target.process.stdin.flush()
    assert target.rest_of_output().endswith(b"ALIVE\n"), target.output
    assert target.wait() == 7


def look_at_seccomped(how):
    with Target([program("seccomped"), how], stdin=subprocess.PIPE) as target:
        for _ in range(20):
            assert_found(look(target))
            assert_goes_on(target)
        say_alive(target)


@case
def seccomp_clone():
    """a filter that kills for clone(): root suspends it, and has a copy"""
    must_be_root()
    look_at_seccomped("clone")


@case
def seccomp_filter():
    """a filter that kills for all but a few calls: the same"""
    must_be_root()
    look_at_seccomped("filter")


@case
def seccomp_strict():
    """strict mode: the same"""
    must_be_root()
    look_at_seccomped("strict")


@case
def seccomp_unprivileged():
    """filters of a user's own program, looked at by that user: seccomp is the reason"""
    must_be_root()
    with PublicFolder() as folder:
        seccomped = folder.copy(program("seccomped"))
        for how in ("filter", "clone", "strict"):
            command = [*as_user(NOBODY), seccomped, how]
            with Target(command, stdin=subprocess.PIPE) as target:
                assert_names(run_as(folder, NOBODY, "leaks", *COPY, target.pid), "seccomp")
                assert_goes_on(target)
                # Stopping and reading needs none of its calls.
                assert_found(run_as(folder, NOBODY, "leaks", "--json", target.pid))
                said = " ".join(run_as(folder, NOBODY, "doctor", target.pid).out.split())
                assert "only root (CAP_SYS_ADMIN) may suspend that" in said, said
                say_alive(target)


# ---- no room

@case
def pids_max():
    """a cgroup that may have no more processes"""
    with Cgroup("pids") as group, temporary_folder() as folder:
        with Ticker(folder, preexec_fn=group.enter) as target:
            group.write("pids.max", 1)
            assert_names(seep.leaks(target.pid, *COPY), "may not start another process",
                         str(group.path))
            assert_doctor_names(target, "may not start another process")
            assert_goes_on(target)
            group.write("pids.max", 2)
            assert_names(seep.leaks(target.pid, *COPY), "may not start another process")
            group.write("pids.max", "max")
            assert_found(look(target))
            target.assert_goes_on()


def limited_target(folder):
    """A target of nobody's that may start no process, ever."""
    (folder.path / "counter").touch()
    (folder.path / "counter").chmod(0o666)
    return Target([*as_user(NOBODY), "prlimit", "--nproc=0", folder.copy(program("ticker")),
                   folder.path / "counter"])


@case
def rlimit_nproc():
    """a user who may have no more processes: clone() fails, and says so"""
    must_be_root()
    with PublicFolder() as folder, limited_target(folder) as target:
        for answer in (seep.leaks(target.pid, *COPY),
                       run_as(folder, NOBODY, "leaks", *COPY, target.pid)):
            assert_names(answer, "clone() failed", "Resource temporarily unavailable")
            assert_goes_on(target)
        assert_found(seep.leaks(target.pid, "--json"))


@case
def rlimit_as():
    """an address space that may not grow: mmap() fails, and says so"""
    with temporary_folder() as folder, Ticker(folder) as target:
        limit = int(target.status("VmSize").split()[0]) * 1024
        subprocess.run(["prlimit", f"--pid={target.pid}", f"--as={limit}"], check=True)
        assert_names(seep.leaks(target.pid, *COPY), "mmap() failed",
                     "Cannot allocate memory")
        assert_goes_on(target)
        target.assert_goes_on()


@case
def memcg_full():
    """a memory cgroup with less room than a copy can come to need"""
    limit = 160 << 20
    with Cgroup("memory", memory__limit_in_bytes=limit) as group:
        with Target([program("rewriter"), 110], preexec_fn=group.enter) as target:
            assert_names(seep.leaks(target.pid, *COPY), "MB are left", str(group.path))
            assert_doctor_names(target, "a copy can come to need")
            report = seep.leaks(target.pid, "--json").report()
            assert "are left" in report["summary"]["why_stopped"], report["summary"]
            assert_goes_on(target)


# ---- states

@case
def userfaultfd():
    """a program that handles its own page faults"""
    script = ("import ctypes, time; f = ctypes.CDLL(None, use_errno=True).syscall(323, 1); "
              "print('READY' if f >= 0 else 'NONE', flush=True); time.sleep(1000)")
    with Target([sys.executable, "-c", script], ready=b"\n") as target:
        if b"READY" not in target.output:
            raise Skip("this kernel gives no userfaultfd")
        assert_names(seep.leaks(target.pid, *COPY), "userfaultfd")
        assert_doctor_names(target, "userfaultfd")
        assert_goes_on(target)


@case
def group_stopped():
    """a target that was stopped by a signal stays so, and needs no copy"""
    with temporary_folder() as folder, Ticker(folder) as target:
        target.signal(signal.SIGSTOP)
        target.await_state("T")
        assert_names(seep.leaks(target.pid, *COPY), "stopped already")
        assert_found(seep.leaks(target.pid, "--json"))
        target.await_state("T")
        target.signal(signal.SIGCONT)
        target.await_state("SR")
        target.assert_goes_on()


@case
def stopped_meanwhile():
    """SIGSTOP and SIGCONT at random instants of a look through a copy"""
    with temporary_folder() as folder, Ticker(folder, 20, 5) as target:
        for number in range(30):
            looker = subprocess.Popen([seep.program(), "leaks", *COPY, "--max-pause", "20s",
                                       str(target.pid)], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            time.sleep(0.001 * number)
            target.signal(signal.SIGSTOP)
            time.sleep(0.005)
            if number % 2:
                target.signal(signal.SIGCONT)
            err = looker.communicate(timeout=30)[1]
            assert looker.returncode in (seep.FINDINGS, seep.COULD_NOT), err
            if number % 2 == 0:
                target.await_state("T")
                target.signal(signal.SIGCONT)
            target.await_state("SR")
            assert_goes_on(target)
            target.assert_goes_on()


@case
def vforking():
    """a parent that the kernel holds in vfork() is given up in time"""
    with Target([program("vforking")]) as target:
        give_up = time.monotonic() + 5
        while not children(target.pid):
            assert time.monotonic() < give_up
            time.sleep(0.001)
        answer = seep.leaks(target.pid, *COPY, "--max-pause", "200ms")
        assert_names(answer, "vfork")
        assert answer.seconds < 1.5, answer
        assert target.rest_of_output().endswith(b"child ended with 0\n"), target.output
        assert target.wait() == 7


@case
def hailed():
    """every thread is in a signal handler, or on its way into one: answered, or said why not"""
    reasons = []
    with Target([program("hailed"), 4]) as target:
        for _ in range(HAILED_LOOKS):
            answer = seep.leaks(target.pid, "--json", *COPY)
            if answer.status == seep.COULD_NOT:
                assert len(answer.err.strip()) > 20, answer
                reasons.append(answer.err.strip().splitlines()[0])
            else:
                assert_found(answer)
            assert_goes_on(target)
    print(f"  {HAILED_LOOKS - len(reasons)} of {HAILED_LOOKS} answered; others: {sorted(set(reasons))}")


@case
def user_namespace():
    """root of a user namespace has no right to what is outside"""
    needs("unshare")
    if subprocess.run(["unshare", "-U", "-r", "true"], check=False,
                      stderr=subprocess.DEVNULL).returncode:
        raise Skip("no user namespaces here")
    with temporary_folder() as folder, Ticker(folder) as target:
        answer = seep.leaks(target.pid, *COPY, prefix=["unshare", "-U", "-r"])
        assert_names(answer, "permission")
        target.assert_goes_on()


# ---- strict overcommit: of the whole machine, and so in `make soak` alone

def commit_kb(name):
    text = pathlib.Path("/proc/meminfo").read_text()
    return int(re.search(rf"^{name}: +([0-9]+) kB$", text, re.M).group(1))


@contextlib.contextmanager
def strict_overcommit(room_mb):
    """The kernel may promise so much more than it has promised, and does no more than that."""
    settings = {name: pathlib.Path("/proc/sys/vm", name)
                for name in ("overcommit_memory", "overcommit_kbytes", "overcommit_ratio")}
    before = {name: path.read_text() for name, path in settings.items()}
    try:
        settings["overcommit_kbytes"].write_text(str(commit_kb("Committed_AS") + room_mb * 1024))
        settings["overcommit_memory"].write_text("2")
        yield
    finally:
        settings["overcommit_memory"].write_text(before["overcommit_memory"])
        # Either of the two sets the other to 0.
        kept = "overcommit_ratio" if before["overcommit_kbytes"].strip() == "0" \
            else "overcommit_kbytes"
        settings[kept].write_text(before[kept])


@case
def strict_overcommit_full():
    """where a copy would be promised what others need, there is none; where there is room, one"""
    must_be_root()
    heap_mb = 1024
    with Target([program("rewriter"), heap_mb]) as target:
        with strict_overcommit(heap_mb // 2):
            assert_names(seep.leaks(target.pid, *COPY), "vm.overcommit_memory is 2")
            assert_doctor_names(target, "vm.overcommit_memory is 2")
            answer = seep.leaks(target.pid, "--json")
            assert_found(answer)
            assert answer.report()["summary"]["freeze"] == "stop", answer.report()["summary"]
            assert_goes_on(target)
        with strict_overcommit(heap_mb * 4):
            answer = seep.leaks(target.pid, "--json", *COPY)
            assert_found(answer)
            assert answer.report()["summary"]["freeze"] == "copy", answer.report()["summary"]
            assert_goes_on(target)


# ---- whom seep signals

@case
def no_wild_signal():
    """when clone() fails, nothing is signalled by a number that is no verified process"""
    must_be_root()
    needs("strace")
    with PublicFolder() as folder, limited_target(folder) as target:
        with Target(["sleep", "1000"], ready=None, start_new_session=True) as bystander:
            log = folder.path / "strace"
            command = ["strace", "-f", "-qq", "-o", log, "-e",
                       "trace=kill,tkill,tgkill,pidfd_send_signal,rt_sigqueueinfo,"
                       "rt_tgsigqueueinfo,ptrace,clone,fork,vfork"]
            # LeakSanitizer, where seep has it, does not work under strace.
            options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
            answer = seep.leaks(target.pid, *COPY, prefix=command,
                                env={**os.environ, "ASAN_OPTIONS": options})
            assert_names(answer, "clone() failed")
            calls = log.read_text()
            assert "PTRACE_SEIZE" in calls, calls
            wild = re.findall(r"^.*\b(?:kill|tkill|tgkill)\((?:-|0\b|1,).*$", calls, re.M)
            sent = re.findall(r"^.*\b(?:kill|tgkill|tkill|pidfd_send_signal)\(.*$", calls, re.M)
            assert not wild, wild
            assert not sent, f"there was nobody to signal: {sent}"
            assert bystander.is_running()
            assert_goes_on(target)


if __name__ == "__main__":
    sys.exit(cases.main())
