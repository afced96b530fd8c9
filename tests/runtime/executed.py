#!/usr/bin/python3
"""`seep record --follow-exec` goes on with the programs that a process executes in its place."""

import json
import os
import pathlib
import shutil
import signal
import stat
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness import cases, seep
from harness.cases import case, program
from harness.target import PATIENCE_S, Target, temporary_folder
from harness.trace import EXITED, KILLED, TO_THE_END, Trace

SIZE = 4321  # that nothing else allocates
FOLLOW = "--follow-exec"
NOT_RECORDED = "executed another, which was not recorded"


def executing(*words):
    return [str(program("executing")), *map(str, words)]


def blocks(number, size=SIZE):
    return ["blocks", number, size]


def command(words, path, *options):
    return [seep.program(), "record", "-o", str(path), *options, "--", *map(str, words)]


def record(words, *options, status=0):
    """(the trace, what the program wrote, what seep said)"""
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "trace")
        done = subprocess.run(command(words, path, *options), check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=PATIENCE_S)
        assert done.returncode == status, (done.returncode, done.stderr)
        return Trace(path).check(), done.stdout, done.stderr.decode()


def report(words, *options):
    """The report in JSON of a recording."""
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "trace")
        subprocess.run(command(words, path, FOLLOW), check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.PIPE, timeout=PATIENCE_S)
        answer = seep.run("report", "--json", "--top", "all", *options, path)
        assert answer.status == seep.NONE, answer
        return json.loads(answer.out)


def names(trace):
    return [os.path.basename(each.path) for each in trace.programs[1:]]


def of_size(trace, size=SIZE):
    """How many blocks of it each program allocated."""
    return [each.sizes.get(size, 0) for each in trace.programs]


def assert_code_is_of_one_program(trace):
    """Of the code of a program that is gone, no later node is taken for a call."""
    firsts = sorted({node for _, node, _ in trace.code})
    for _, first, end in trace.code:
        assert end is None or first <= end, trace.code
    assert len({end for _, _, end in trace.code}) == len(trace.programs), trace.code
    assert firsts, trace.code


@case
def by_a_shell():
    """sh -c 'exec PROGRAM': all of both, and what was live ends at the execution"""
    words = ["sh", "-c", f"exec {program('executing')} blocks 101 {SIZE} 5"]
    trace, _, said = record(words, FOLLOW, status=5)
    assert names(trace) == ["executing"] and of_size(trace) == [0, 101], vars(trace)
    assert trace.programs[0].allocations > 10
    (_, ended, _), = trace.executions
    first = trace.programs[0]
    assert ended == first.allocations - first.resizes - first.frees, (ended, vars(first))
    assert trace.live_bytes >= 51 * SIZE and trace.live_bytes < 52 * SIZE + 10000
    assert trace.summary["flags"] == EXITED | TO_THE_END and trace.summary["code"] == 5
    assert said.count("\n") == 1 and "recorded sh, then executing" in said, said
    assert_code_is_of_one_program(trace)


class Counts:
    """A file in which a program is counted by the library that is preloaded into it."""

    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(4096))

    def read(self):
        """(allocations and resizes, bytes, frees)"""
        allocations, size, frees, resizes, resized = struct.unpack(
            "5Q", self.path.read_bytes()[8:48])
        return allocations + resizes, size + resized, frees


@case
def under_a_filter():
    """where a filter ends who makes a call that libc does not make"""
    words = [program("forbidding"), *executing(*blocks(40))]
    trace, _, _ = record(words, FOLLOW)
    assert names(trace) == ["executing"] and of_size(trace)[1] == 40, vars(trace)


@case
def counted():
    """every event of each of three programs is there, by an independent count"""
    real = shutil.which("python3")
    with temporary_folder() as folder:
        counts = [Counts(pathlib.Path(folder, str(i))) for i in range(3)]
        then = [["env", f"COUNTS={each.path}"] for each in counts]
        script = f"import os; os.execv('{program('blocks')}', ['blocks'])"
        preload = f"LD_PRELOAD={os.environ['RUNTIME']}:{program('libcounting.so')}"
        words = [*then[0], preload, *executing(*blocks(1000), "exec"), *then[1],
                 *executing("failing", *blocks(500), "exec"), *then[2], real, "-c", script]
        trace, _, _ = record(words, FOLLOW)
        assert names(trace) == ["executing", "env", "executing", "env", "python3", "blocks"]
        for i, each in enumerate(counts):
            recorded = trace.programs[2 * i + 1]
            assert (recorded.allocations, recorded.bytes,
                    recorded.frees + (trace.strays if i == 2 else 0)) == each.read(), (
                        i, vars(recorded), each.read())
        assert trace.lost == 0 and of_size(trace) == [0, 1000, 0, 500, 0, 0, 0]


@case
def long_chain():
    """a program that executes itself again and again, faster than seep looks"""
    words = executing("7")
    for i in range(50):
        words = executing(*blocks(10 + i), "exec", *words)
    trace, _, said = record(words, FOLLOW, status=7)
    assert of_size(trace) == [59 - i for i in range(50)] + [0], of_size(trace)
    assert trace.summary["executions"] == 50 and said.count("\n") == 1, said
    assert_code_is_of_one_program(trace)


@case
def not_followed():
    """without the option the recording ends with the first program, and seep names the option"""
    words = executing(*blocks(100), "exec", *executing(*blocks(10)))
    trace, _, said = record(words)
    assert of_size(trace) == [100] and NOT_RECORDED in said and FOLLOW in said, said
    assert not trace.summary["flags"] & TO_THE_END and not trace.executions


@case
def failing():
    """an execution that fails leaves the recording as it is, with the option and without"""
    for options in (), (FOLLOW,):
        words = executing(*blocks(100), "failing", *blocks(50), "failing", 3)
        trace, _, said = record(words, *options, status=3)
        assert of_size(trace) == [150] and said.count("\n") == 1, said
        assert trace.summary["flags"] == EXITED | TO_THE_END


@case
def by_a_system_call():
    """what is executed without libc is followed too"""
    words = executing(*blocks(100), "called", *executing(*blocks(10)))
    trace, _, said = record(words, FOLLOW)
    assert of_size(trace) == [100, 10] and said.count("\n") == 1, said


@case
def children():
    """a child that executes something is not the process: nothing of it is recorded"""
    child = ["vfork", *blocks(1000), "exec", *executing(*blocks(2000)), "--"]
    words = executing(*blocks(100), *child, *blocks(50), "exec",
                      *executing(*blocks(10), *child, *blocks(20)))
    trace, _, said = record(words, FOLLOW)
    assert of_size(trace) == [150, 30] and said.count("\n") == 1, (of_size(trace), said)
    trace, _, said = record(["sh", "-c", f"{' '.join(words)}; exit 4"], FOLLOW, status=4)
    assert of_size(trace) == [0] and said.count("\n") == 1, (of_size(trace), said)


@case
def among_threads():
    """a thread executes a program while others allocate"""
    for _ in range(5):
        words = executing(*blocks(100), "threads", *executing(*blocks(10), 6))
        trace, _, said = record(words, FOLLOW, status=6)
        assert of_size(trace) == [100, 10] and said.count("\n") == 1, said
        assert of_size(trace, 777)[0] > 3000 and of_size(trace, 777)[1] == 0
        (_, ended, _), = trace.executions
        assert ended >= 50, trace.executions


def build_static(path):
    subprocess.run(("gcc", "-static", "-x", "c", "-", "-o", path), check=True, input=b"""
#include <unistd.h>
int main(int argc, char **argv) {
	char byte;
	(void)!write(1, "READY\\n", 6);
	(void)!read(0, &byte, 1);
	if (argc > 1)
		execv(argv[1], argv + 1);
	return 8;
}""")


def go_on(target):
    target.process.stdin.write(b"g")
    target.process.stdin.flush()


def record_waiting(words, path, *options):
    """Lets the program wait for a moment; (its status, what seep said)"""
    with open(str(path) + ".said", "w+", encoding="utf-8") as said:
        with Target(command(words, path, *options), stdin=subprocess.PIPE,
                    stderr=said) as target:
            time.sleep(0.2)
            go_on(target)
            status = target.wait()
        said.seek(0)
        return status, said.read()


@case
def static_program():
    """a static program runs, and seep says that it is one; what it executes is followed"""
    with temporary_folder() as folder:
        static, path = pathlib.Path(folder, "still"), pathlib.Path(folder, "trace")
        build_static(static)
        words = executing(*blocks(100), "exec", static)
        status, said = record_waiting(words, path, FOLLOW)
        trace = Trace(path).check()
        assert status == 8 and of_size(trace) == [100], (status, said)
        assert NOT_RECORDED in said and f"{static} is a static program" in said, said
        assert not trace.summary["flags"] & TO_THE_END
        status, said = record_waiting([*words, *executing(*blocks(10), 9)], path, FOLLOW)
        trace = Trace(path).check()
        assert status == 9 and of_size(trace) == [100, 10], (status, said)
        assert NOT_RECORDED in said and f"{static} is a static program" in said, said


@case
def setuid_program():
    """a set-uid program runs, and nothing is recorded of it"""
    if os.getuid() != 0:
        raise cases.Skip("needs root, to make a set-uid program")
    with temporary_folder() as folder:
        os.chmod(folder, 0o755)
        other = 65534
        copy, path = pathlib.Path(folder, "gains"), pathlib.Path(folder, "trace")
        shutil.copy(program("executing"), copy)
        os.chown(copy, other, other)
        os.chmod(copy, 0o755 | stat.S_ISUID)
        if os.statvfs(folder).f_flag & os.ST_NOSUID:
            raise cases.Skip("set-uid programs are not honoured here")
        words = executing(*blocks(100), "exec", copy, *blocks(10), "wait", 6)
        status, said = record_waiting(words, path, FOLLOW)
        assert status == 6 and of_size(Trace(path).check()) == [100], said
        assert NOT_RECORDED in said and "set-uid" in said, said


@case
def another_environment():
    """a program that is given no environment is not recorded, and seep says so"""
    words = executing(*blocks(100), "bare", *executing(*blocks(10), 6))
    trace, _, said = record(words, FOLLOW, status=6)
    assert of_size(trace) == [100] and NOT_RECORDED in said and "LD_PRELOAD" in said, said


@case
def killed():
    """what the last program did before SIGKILL is in the trace"""
    script = f"{program('executing')} blocks 10 {SIZE} wait"
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "trace")
        words = ["sh", "-c", f"exec {script}"]
        with Target(command(words, path, FOLLOW), stdin=subprocess.PIPE,
                    stderr=subprocess.DEVNULL) as target:
            children_of = pathlib.Path(f"/proc/{target.pid}/task/{target.pid}/children")
            os.kill(int(children_of.read_text()), signal.SIGKILL)
            assert target.wait() == 128 + signal.SIGKILL
        trace = Trace(path).check()
        assert of_size(trace) == [0, 10]
        assert trace.summary["flags"] == KILLED | TO_THE_END, trace.summary


@case
def seep_stopped():
    """when seep does not run, what is executed waits for it, and then does not"""
    words = executing("wait", "exec", *executing("exec", *executing(*blocks(10), "wait", 6)))
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "trace")
        with open(pathlib.Path(folder, "said"), "w+", encoding="utf-8") as said, \
                Target(command(words, path, FOLLOW, "--on-full", "drop"),
                       stdin=subprocess.PIPE, stderr=said) as target:
            os.kill(target.pid, signal.SIGSTOP)
            target.output = b""
            go_on(target)
            target.await_output(b"READY\n")
            os.kill(target.pid, signal.SIGCONT)
            go_on(target)
            assert target.wait() == 6
        trace = Trace(path).check()
        assert of_size(trace) == [0, 0] and not trace.summary["flags"] & TO_THE_END
        words = pathlib.Path(folder, "said").read_text(encoding="utf-8")
        assert "1 of the programs that it executed" in words, words


@case
def seep_killed():
    """when seep is killed the program executes others as before"""
    words = executing("wait", "exec", *executing(*blocks(10), "wait", 6))
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "trace")
        with Target(command(words, path, FOLLOW), stdin=subprocess.PIPE,
                    stderr=subprocess.DEVNULL) as target:
            os.kill(target.pid, signal.SIGKILL)
            target.process.wait()
            target.output = b""
            go_on(target)
            target.await_output(b"READY\n")
            go_on(target)
            target.rest_of_output()
        assert not Trace(path).is_whole


@case
def paused_and_marked():
    """a pause lasts over an execution, and so do marks"""
    words = executing("wait", "exec", *executing(*blocks(10), "wait", *blocks(20)))
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "trace")
        with Target(command(words, path, FOLLOW), stdin=subprocess.PIPE,
                    stderr=subprocess.DEVNULL) as target:
            children_of = pathlib.Path(f"/proc/{target.pid}/task/{target.pid}/children")
            pid = children_of.read_text().strip()
            ask = [seep.program(), "ctl", pid]
            subprocess.run([*ask, "stop"], check=True)
            subprocess.run([seep.program(), "mark", pid, "before"], check=True)
            target.output = b""
            go_on(target)
            target.await_output(b"READY\n")
            subprocess.run([seep.program(), "mark", pid, "after"], check=True)
            subprocess.run([*ask, "start"], check=True)
            go_on(target)
            assert target.wait() == 0
        trace = Trace(path).check()
        assert of_size(trace) == [0, 20] and trace.marks == ["before", "after"]
        assert trace.pauses == 1, vars(trace)


@case
def reported():
    """seep report: what each program allocated, what went with it, and the peak of both"""
    words = executing(*blocks(100), "exec", *executing(*blocks(10)))
    found = report(words)
    summary, (execution,) = found["summary"], found["executions"]
    assert execution["program"] == str(program("executing")), execution
    assert execution["ended_bytes"] >= 50 * SIZE and execution["ended_blocks"] >= 50
    live = summary["allocations"] - summary["resizes"] - summary["frees"]
    assert summary["live_blocks"] == live - execution["ended_blocks"], found
    assert 5 * SIZE <= summary["live_bytes"] < 6 * SIZE, summary
    assert 51 * SIZE <= summary["peak_bytes"] < 53 * SIZE, summary
    assert found["target"]["name"] == "executing, then executing", found["target"]
    rows = [row["counts"] for row in found["rows"] if row["counts"]["largest_bytes"] == SIZE]
    assert sorted(row["allocations"] for row in rows) == [10, 100], rows
    assert sum(row["persistent_blocks"] for row in rows) == 5
    stacks = [[frame["function"] for frame in row["stack"]][:2] for row in found["rows"]
              if row["counts"]["largest_bytes"] == SIZE]
    assert stacks == [["blocks", "act"]] * 2, stacks


@case
def run_has_stacks():
    """seep run: leaks of the program that ran last have their stacks, at the program's lines"""
    words = executing(*blocks(100), "exec", *executing(*blocks(10)))
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "report")
        done = subprocess.run([seep.program(), "run", "--json", "-o", path, "--", "env",
                               *words], check=True, stderr=subprocess.PIPE,
                              timeout=PATIENCE_S)
        found = json.loads(path.read_text())
        finding, = (each for each in found["findings"] if each["bytes"] >= 3 * SIZE)
        functions = [frame["function"] for frame in finding["stack"]]
        assert functions[:3] == ["blocks", "act", "main"], functions
        assert finding["stack"][0]["file"].endswith("executing.c"), finding
        assert not found["warnings"], found["warnings"]
        assert found["target"]["name"] == "env, then executing", (found["target"], done)
        assert 51 * SIZE <= found["summary"]["peak_bytes"], found["summary"]
        assert found["summary"]["allocations"] > 110, found["summary"]
    answer = seep.run("run", "--", *words)
    assert "in blocks (executing.c:" in answer.err, answer
    assert "next: seep record --follow-exec --" in answer.err, answer


@case
def run_among_threads():
    """seep run: so have those of a program that a thread executed while others allocated"""
    for _ in range(3):
        answer = seep.run("run", "--", *executing(*blocks(100), "threads",
                                                  *executing(*blocks(10), 6)))
        assert answer.status == 6 and "lost in 5 blocks" in answer.err, answer
        assert "in blocks (executing.c:" in answer.err, answer
        assert "warning" not in answer.err, answer


sys.exit(cases.main())
