#!/usr/bin/python3
"""What seep tells of two moments: --diff-from a snapshot, and --interval."""

import json
import os
import pathlib
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from harness import cases, seep
from harness.cases import case
from harness.target import Target, temporary_folder


class Leaker(Target):
    def __init__(self):
        super().__init__([cases.program("leaker")], stdin=subprocess.PIPE)

    def do(self, *deeds):
        for deed in deeds:
            self.output = b""
            self.process.stdin.write(deed.encode() + b"\n")
            self.process.stdin.flush()
            self.await_output(b"done\n")


def take(target, path):
    answer = seep.run("snapshot", "--max-pause", "20s", "-o", path, target)
    assert answer.status == seep.NONE, answer
    return path


def compare(target, path, *options):
    answer = seep.leaks(target, "--json", "--diff-from", path, *options)
    return answer, answer.report()


def new(report, kind="definite"):
    count = report["diff"]["kinds"][kind]
    return count["blocks"], count["bytes"]


@case
def new_and_grown():
    """Only what was lost since is listed: one finding new, one grown, one as before."""
    with temporary_folder() as folder, Leaker() as target:
        target.do("lose 3 100", "lose 5 200")
        path = take(target.pid, pathlib.Path(folder, "before"))
        answer, report = compare(target.pid, path)
        assert answer.status == seep.NONE and not report["findings"], answer
        assert report["diff"]["same_process"] and report["diff"]["unchanged"] == 2, answer
        target.do("lose 4 200", "lose 2 300")
        answer, report = compare(target.pid, path)
        assert answer.status == seep.FINDINGS, answer
        assert report["diff"]["unchanged"] == 1 and not report["diff"]["gone"], answer
        assert new(report) == (6, 4 * 200 + 2 * 312), answer
        found = {finding["change"]: finding for finding in report["findings"]}
        assert found["grown"]["blocks"] == 9 and found["grown"]["new_blocks"] == 4, answer
        assert found["new"]["blocks"] == found["new"]["new_blocks"] == 2, answer
        assert len(found["grown"]["examples"]) == 3, answer
        text = seep.leaks(target.pid, "--diff-from", path)
        assert text.status == seep.FINDINGS, text
        assert text.out.startswith(f"2 new leaks since {path}: 1.4 kB lost in 6 blocks"), text
        target.assert_unharmed()


@case
def examples_are_new_ones():
    """A finding that has grown shows where the new blocks are, not the old ones."""
    with temporary_folder() as folder, Leaker() as target:
        target.do("lose 4 200")
        path = take(target.pid, pathlib.Path(folder, "before"))
        _, old = seep.all_blocks(target.pid, "--exclude", "nothing")
        target.do("lose 2 200")
        _, report = compare(target.pid, path, "--examples", "100")
        examples = [example for finding in report["findings"] for example in finding["examples"]]
        assert len(examples) == 2, report
        assert all(int(example["address"], 16) not in old for example in examples), report


@case
def two_snapshots():
    """The same from files alone, after the process has ended."""
    with temporary_folder() as folder:
        with Leaker() as target:
            target.do("lose 3 100")
            before = take(target.pid, pathlib.Path(folder, "before"))
            target.do("lose 2 100")
            after = take(target.pid, pathlib.Path(folder, "after"))
        answer, report = compare(after, before)
        assert answer.status == seep.FINDINGS and report["diff"]["same_process"], answer
        assert new(report) == (2, 2 * 104), answer


@case
def another_run():
    """Between two runs the numbers of blocks with one fingerprint are compared."""
    with temporary_folder() as folder:
        with Leaker() as target:
            target.do("lose 3 100", "lose 7 400")
            before = take(target.pid, pathlib.Path(folder, "before"))
        with Leaker() as target:
            target.do("lose 3 100")
            answer, report = compare(target.pid, before)
            assert answer.status == seep.NONE and not report["findings"], answer
            assert not report["diff"]["same_process"], answer
            assert [(f["kind"], f["blocks"]) for f in report["diff"]["gone"]] == [
                ("definite", 7)], answer
            target.do("lose 1 100")
            answer, report = compare(target.pid, before)
            assert answer.status == seep.FINDINGS and new(report) == (1, 104), answer


@case
def reachable_growth():
    """--kinds reachable tells what has grown without being lost; that is no failure."""
    with temporary_folder() as folder, Leaker() as target:
        target.do("keep 5 500")
        path = take(target.pid, pathlib.Path(folder, "before"))
        target.do("keep 6 500")
        answer, report = compare(target.pid, path, "--kinds", "reachable")
        assert answer.status == seep.NONE, answer
        grown = [f for f in report["findings"] if f["new_blocks"] == 6]
        assert len(grown) == 1 and grown[0]["change"] == "grown", answer
        target.do("free")
        answer, report = compare(target.pid, path, "--kinds", "reachable")
        assert 4 in [f["blocks"] for f in report["diff"]["gone"]], answer


@case
def not_a_snapshot():
    """What cannot be compared with is refused before the process is stopped."""
    with temporary_folder() as folder, Leaker() as target:
        text = pathlib.Path(folder, "text")
        text.write_text("hello")
        for path, words in ((text, f"{text} is no snapshot"),
                            (f"{folder}/none", f"cannot read {folder}/none: No such file")):
            answer = seep.leaks(target.pid, "--diff-from", path)
            assert answer.status == seep.COULD_NOT and words in answer.err, answer
            assert "seep snapshot -o FILE TARGET" in answer.err, answer


class Watch:
    """seep leaks --interval, whose lines are awaited one by one."""

    def __init__(self, target, *options):
        command = [seep.program(), "leaks", "--json", "--interval", "200ms", "--max-pause", "20s",
                   *options, str(target)]
        # What a sanitizer keeps of freed memory is not held by seep.
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, env={**os.environ, "ASAN_OPTIONS": sanitizer})

    def next(self):
        return json.loads(self.process.stdout.readline())

    def end(self):
        """(exit status, reports that were left, stderr)"""
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, [json.loads(line) for line in out.splitlines()], err


@case
def interval_lists_what_is_new():
    """The first look lists all, every other one what came since the one before."""
    with Leaker() as target:
        target.do("lose 3 100")
        watch = Watch(target.pid)
        first = watch.next()
        assert first["diff"] is None and seep.definite(first) == (3, 312), first
        target.do("lose 2 100", "lose 1 400")
        lost = []
        while sum(blocks for blocks, _ in lost) < 3:
            report = watch.next()
            assert report["diff"]["same_process"] and report["diff"]["from"] is None, report
            lost.append(new(report))
        assert sum(blocks for blocks, _ in lost) == 3, lost
        for _ in range(3):
            report = watch.next()
            assert new(report) == (0, 0) and not report["findings"], report
        target.process.stdin.close()
        assert target.wait() == 0
        target.process.stdin = None
        status, _, err = watch.end()
        assert status == seep.FINDINGS, (status, err)
        assert err == f"seep: process {target.pid} has ended.\n", err


@case
def interval_counts():
    """--count N looks so often; a process that loses nothing gives 0."""
    with Leaker() as target:
        target.do("keep 3 100")
        status, reports, err = Watch(target.pid, "--count", "3").end()
        assert (status, len(reports), err) == (seep.NONE, 3, ""), (status, reports, err)
        target.assert_unharmed()


@case
def interval_is_interrupted():
    """SIGINT and SIGTERM end it between looks, with what was found as its status."""
    for number in (signal.SIGINT, signal.SIGTERM):
        with Leaker() as target:
            target.do("lose 3 100")
            watch = Watch(target.pid)
            watch.next()
            watch.process.send_signal(number)
            status, _, err = watch.end()
            assert (status, err) == (seep.FINDINGS, ""), (number, status, err)
            target.assert_unharmed()


@case
def interval_from_a_snapshot():
    """With --diff-from the first look is compared too."""
    with temporary_folder() as folder, Leaker() as target:
        target.do("lose 3 100")
        path = take(target.pid, pathlib.Path(folder, "before"))
        target.do("lose 1 100")
        status, reports, err = Watch(target.pid, "--diff-from", path, "--count", "2").end()
        assert status == seep.FINDINGS and err == "", (status, err)
        assert [new(report)[0] for report in reports] == [1, 0], reports
        assert [report["diff"]["from"] for report in reports] == [str(path), None], reports


@case
def interval_memory_does_not_grow():
    """After two hundred looks seep holds no more than after twenty."""
    with Leaker() as target:
        target.do("lose 1000 100")
        watch = Watch(target.pid, "--interval", "5ms")

        def resident_kib():
            for line in pathlib.Path(f"/proc/{watch.process.pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
            raise AssertionError("no VmRSS")

        for _ in range(20):
            watch.next()
        before = resident_kib()
        for _ in range(180):
            watch.next()
        after = resident_kib()
        watch.process.send_signal(signal.SIGTERM)
        watch.end()
        print(f"  {before} KiB after 20 looks, {after} after 200")
        assert after <= before + 2048, (before, after)


if __name__ == "__main__":
    sys.exit(cases.main())
