#!/usr/bin/python3
"""Targets in awkward states: each is answered, or refused with the cause, and goes on."""

import os
import pathlib
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness import cases, seep
from harness.cases import case, needs, program
from harness.target import Target, temporary_folder
from ticker import Ticker, assert_found

def assert_answered_or_refused(answer, within_s=None):
    """Either the planted block, or exit 3 and a sentence."""
    if answer.status == seep.COULD_NOT:
        assert len(answer.err.strip()) > 20 or "warnings" in answer.out, answer
        print(f"  refused: {answer.err.strip()}")
    else:
        assert_found(answer)
        print("  answered")
    if within_s:
        assert answer.seconds < within_s, f"took too long: {answer}"


@case
def stopped():
    """a SIGSTOP'ed target is answered, stays stopped, and its parent notices nothing"""
    with temporary_folder() as folder, Ticker(folder) as target:
        target.signal(signal.SIGSTOP)
        target.await_state("T")
        assert os.waitpid(target.pid, os.WUNTRACED | os.WNOHANG)[0] == target.pid
        progress = target.progress()
        for _ in range(10):
            assert_found(seep.leaks(target.pid, "--json"))
            # On its way back to rest it passes through the kernel, but never runs itself.
            target.await_state("T", patience_s=1)
            assert target.tracer() == 0
            seen = os.waitpid(target.pid, os.WUNTRACED | os.WCONTINUED | os.WNOHANG)
            assert seen == (0, 0), f"the parent was told {seen}"
        assert target.progress() == progress, "it ran while it was to be stopped"
        target.signal(signal.SIGCONT)
        target.await_state("SR")
        target.assert_goes_on()


@case
def stopped_meanwhile():
    """stopping and continuing a target during looks leaves it as its user wants it"""
    with temporary_folder() as folder, Ticker(folder, 20, 5) as target:
        for number in range(20):
            looker = subprocess.Popen([seep.program(), "leaks", "--json", str(target.pid)],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE, text=True)
            time.sleep(random.uniform(0, 0.04))
            target.signal(signal.SIGSTOP)
            if number % 2:
                time.sleep(random.uniform(0, 0.02))
                target.signal(signal.SIGCONT)
            _, err = looker.communicate(timeout=30)
            assert looker.returncode in (seep.FINDINGS, seep.COULD_NOT), err
            if number % 2:
                target.await_state("SR")
            else:
                target.await_state("T")
                target.signal(signal.SIGCONT)
            target.assert_goes_on()


@case
def traced_by_strace():
    """a target that strace traces is refused at once, naming strace; both go on"""
    needs("strace")
    with temporary_folder() as folder, Ticker(folder) as target:
        with Target(["strace", "-o", f"{folder}/trace", "-p", target.pid], ready=None,
                    stderr=subprocess.DEVNULL) as tracer:
            give_up = time.monotonic() + 10
            while target.tracer() != tracer.pid:
                assert time.monotonic() < give_up, "strace does not attach"
                time.sleep(0.01)
            answer = seep.leaks(target.pid)
            assert answer.status == seep.COULD_NOT, answer
            assert answer.seconds < 1, answer
            assert "strace" in answer.err and str(tracer.pid) in answer.err, answer
            assert target.tracer() == tracer.pid
            assert tracer.is_running()
            tracer.signal(signal.SIGINT)
            tracer.wait()
        target.assert_goes_on()
        assert_found(seep.leaks(target.pid, "--json"))


@case
def traced_by_gdb():
    """a target that gdb has started is refused at once, naming gdb"""
    needs("gdb")
    with temporary_folder() as folder:
        counter = pathlib.Path(folder, "counter")
        with Target(["gdb", "-q", "-nx", "-batch", "-ex", "set debuginfod enabled off",
                     "-ex", "run", "--args", program("ticker"), counter],
                    stderr=subprocess.DEVNULL) as tracer:
            children = pathlib.Path(f"/proc/{tracer.pid}/task/{tracer.pid}/children")
            pid = next(int(child) for child in children.read_text().split()
                       if os.readlink(f"/proc/{child}/exe").endswith("/ticker"))
            answer = seep.leaks(pid)
            os.kill(pid, signal.SIGKILL)
            tracer.wait()
        assert answer.status == seep.COULD_NOT, answer
        assert answer.seconds < 1, answer
        assert "gdb" in answer.err and str(tracer.pid) in answer.err, answer


@case
def dying():
    """200 looks at targets that end meanwhile: no crash, no hang, their status unchanged"""
    counts = {"answered": 0, "refused": 0}
    for number in range(200):
        # READY comes when it begins; a look takes some milliseconds.
        life_us = random.randrange(0, 12000)
        with Target([program("brief"), life_us, number % 4]) as target:
            answer = seep.leaks(target.pid, "--max-pause", "2s")
            assert answer.status in (seep.NONE, seep.FINDINGS, seep.COULD_NOT), answer
            if answer.status == seep.COULD_NOT:
                assert answer.err.strip(), answer
            counts["refused" if answer.status == seep.COULD_NOT else "answered"] += 1
            status = target.wait()
            assert status == 42, f"it ended with {status}: {answer}"
    print(f"  {counts['answered']} answered, {counts['refused']} refused")


@case
def killed_target():
    """a target killed with SIGKILL during a look: an answer or a sentence, and it is gone"""
    for _ in range(30):
        with temporary_folder() as folder, Ticker(folder, 20, 3) as target:
            looker = subprocess.Popen([seep.program(), "leaks", str(target.pid)],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE, text=True)
            time.sleep(random.uniform(0, 0.03))
            target.signal(signal.SIGKILL)
            assert target.wait(patience_s=5) == -signal.SIGKILL
            _, err = looker.communicate(timeout=30)
            assert looker.returncode in (seep.FINDINGS, seep.COULD_NOT), err
            if looker.returncode == seep.COULD_NOT:
                assert err.strip()


@case
def vforking():
    """a parent in vfork, and its child in the parent's memory: answered or refused, unharmed"""
    with Target([program("vforking")]) as target:
        children = pathlib.Path(f"/proc/{target.pid}/task/{target.pid}/children")
        give_up = time.monotonic() + 5
        while not children.read_text():
            assert time.monotonic() < give_up
            time.sleep(0.001)
        child = int(children.read_text())
        # The parent cannot stop before the child's exec: so this is about the pause.
        briefly = ("--json", "--max-pause", "200ms")
        print("  the parent:")
        assert_answered_or_refused(seep.leaks(target.pid, *briefly), within_s=1.5)
        print("  the child:")
        assert_answered_or_refused(seep.leaks(child, *briefly), within_s=1.5)
        out = target.rest_of_output()
        status = target.wait()
        assert out.endswith(b"child ended with 0\n"), out
        assert status == 7, status


@case
def thousand_threads():
    """a target of 1,000 threads is answered, and every thread goes on"""
    with Target([program("crowd"), 1000]) as target:
        assert len(target.threads()) == 1001
        answer = seep.leaks(target.pid, "--json", "--max-pause", "5s")
        assert_found(answer)
        report = answer.report()
        assert report["summary"]["threads"] == 1001, report["summary"]
        print(f"  paused for {report['summary']['pause_ms']} ms")
        time.sleep(0.1)
        target.assert_unharmed()
        assert len(target.threads()) == 1001


def look_at_seccomped(how):
    with Target([program("seccomped"), how], stdin=subprocess.PIPE) as target:
        for _ in range(20):
            assert_answered_or_refused(seep.leaks(target.pid, "--json"))
            target.assert_unharmed()
        target.process.stdin.write(b"go on\n")
        target.process.stdin.flush()
        out = target.rest_of_output()
        assert out.endswith(b"ALIVE\n"), out
        assert target.wait() == 7


@case
def seccomp_strict():
    """a target in strict seccomp mode is not killed by being looked at"""
    look_at_seccomped("strict")


@case
def seccomp_filter():
    """a target whose filter kills on all but a few calls is not killed by being looked at"""
    look_at_seccomped("filter")


@case
def looked_at_twice():
    """two looks at one target at the same time: each answers or names the other"""
    with temporary_folder() as folder, Ticker(folder, 50, 3) as target:
        command = [seep.program(), "leaks", "--json", "--max-pause", "5s", str(target.pid)]
        for _ in range(10):
            lookers = [subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        text=True) for _ in range(2)]
            for looker in lookers:
                _, err = looker.communicate(timeout=60)
                assert looker.returncode in (seep.FINDINGS, seep.COULD_NOT), err
                if looker.returncode == seep.COULD_NOT:
                    assert "seep" in err, err
            target.assert_goes_on()


@case
def stale_pointers_of_all_threads():
    """what functions that have returned left on any live thread's stack tells who held a leak"""
    with Target([program("stale")]) as target:
        findings = seep.leaks(target.pid, "--json").report()["findings"]
        holders = {example["size"]: example["last_holder"] or "nobody"
                   for finding in findings for example in finding["examples"]}
        assert set(holders) == {504, 520}, holders
        for holder in holders.values():
            assert holder.startswith("a function that has returned (a stale pointer"), holders
        target.assert_unharmed()


if __name__ == "__main__":
    sys.exit(cases.main())
