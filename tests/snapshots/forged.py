#!/usr/bin/python3
"""Snapshots whose stored answers somebody forged, with the right checksums: refused, or found anew."""

import json
import pathlib
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

# pylint: disable=wrong-import-position
from harness import cases, seep
from harness.cases import case
from harness.target import Target, temporary_folder

GROUPS, ROWS, EDGES, CODES, LIVE, CYCLIC, PARENTS, RETAINED, ROOT_GROUPS = range(64, 73)
NONE = 0xffffffff
VIEWS = ("dominators", "roots", "histogram", "cycles")


class Forgery:
    """A snapshot, whose arrays are read and replaced."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder, "file")
        with Target([cases.program("leaker")], stdin=subprocess.PIPE) as target:
            for deed in ("keep 300 40", "lose 100 24"):
                target.output = b""
                target.process.stdin.write(deed.encode() + b"\n")
                target.process.stdin.flush()
                target.await_output(b"done\n")
            target.await_state("S")
            answer = seep.run("snapshot", "--answers", "--max-pause", "20s", "-o", self.path,
                              target.pid)
            assert answer.status == seep.NONE, answer
        self.whole = self.path.read_bytes()
        self.nr_edges = len(self.array(EDGES, "I"))
        self.nr_blocks = len(self.array(CODES, "H"))

    def array(self, number, form):
        done = subprocess.run((cases.program("forge"), self.path, str(number)), check=True,
                              stdout=subprocess.PIPE)
        size = struct.calcsize(form)
        return list(struct.unpack(f"<{len(done.stdout) // size}{form}", done.stdout))

    def forge(self, number, form, values):
        subprocess.run((cases.program("forge"), self.path, str(number), "-"), check=True,
                       input=struct.pack(f"<{len(values)}{form}", *values))

    def restore(self):
        self.path.write_bytes(self.whole)

    def answers(self, *options):
        found = [seep.run("heap", "--json", *options, self.path, view) for view in VIEWS]
        for answer in found:
            assert answer.status == seep.NONE, answer
        return [json.loads(answer.out)["rows"] for answer in found]


def assert_refused(forgery, words, view="roots"):
    answer = seep.run("heap", "--json", forgery.path, view)
    assert answer.status == seep.COULD_NOT and not answer.out, answer
    lines = answer.err.splitlines()
    assert len(lines) <= 2 and lines[0].startswith("seep: ") and words in lines[0], answer


def bits(words):
    return [bit for bit in range(64 * len(words)) if words[bit // 64] >> bit % 64 & 1]


def flipped(words, bit):
    return [word ^ 1 << bit % 64 if i == bit // 64 else word for i, word in enumerate(words)]


def forged(forgery, number, form, at, value):
    values = forgery.array(number, form)
    values[at] = value
    forgery.forge(number, form, values)


@case
def graphs():
    """Arrays of the graph that are of no graph."""
    with temporary_folder() as folder:
        forgery = Forgery(folder)
        for number, form, at, value, words in (
                (GROUPS, "Q", 0, 1 << 63, "blocks that cannot be"),
                (ROWS, "Q", 0, 5, "blocks that cannot be"),
                (ROWS, "B", 8, 126, "blocks that cannot be"),
                (EDGES, "I", 0, forgery.nr_blocks << 2, "all of the graph"),
                (EDGES, "I", 0, 3, "all of the graph"),
                (CODES, "H", 0, 0xfffe, "a type of no name")):
            forgery.restore()
            forged(forgery, number, form, at, value)
            assert_refused(forgery, words)


@case
def live_blocks():
    """No root and nothing live leads to what is called dead; nothing is live by itself."""
    with temporary_folder() as folder:
        forgery = Forgery(folder)
        live = forgery.array(LIVE, "Q")
        dead = sorted(set(range(forgery.nr_blocks)) - set(bits(live)))
        assert len(dead) >= 90, dead
        for bit in bits(live)[::40]:
            forgery.restore()
            forgery.forge(LIVE, "Q", flipped(live, bit))
            assert_refused(forgery, "live blocks that hold dead ones")
        for bit in dead[::20]:
            forgery.restore()
            forgery.forge(LIVE, "Q", flipped(live, bit))
            assert_refused(forgery, "live blocks that ")
        forgery.restore()
        forgery.forge(LIVE, "Q", [0] * len(live))
        assert_refused(forgery, "live blocks that hold dead ones")


@case
def kinds():
    """seep leaks believes no answers: its kinds are found out anew."""
    with temporary_folder() as folder:
        forgery = Forgery(folder)
        before = seep.leaks(forgery.path, "--json")
        assert before.status == seep.FINDINGS, before
        forgery.forge(LIVE, "Q", [2 ** 64 - 1] * len(forgery.array(LIVE, "Q")))
        after = seep.leaks(forgery.path, "--json")
        assert (after.status, after.report()["findings"]) == \
            (before.status, before.report()["findings"]), after


@case
def cyclic_blocks():
    """A block on a cycle leads to another that is on one."""
    with temporary_folder() as folder:
        forgery = Forgery(folder)
        cyclic = forgery.array(CYCLIC, "Q")
        outside = sorted(set(range(forgery.nr_blocks)) - set(bits(cyclic)))
        for bit in outside[::60]:
            forgery.restore()
            forgery.forge(CYCLIC, "Q", flipped(cyclic, bit))
            assert_refused(forgery, "cycles that are none", "cycles")


@case
def dominators():
    """Parents that are no tree, sums that are none, and the dead above the living."""
    with temporary_folder() as folder:
        forgery = Forgery(folder)
        parents = forgery.array(PARENTS, "I")
        retained = forgery.array(RETAINED, "Q")
        live = set(bits(forgery.array(LIVE, "Q")))
        top = next(i for i in range(forgery.nr_blocks) if parents[i] == NONE)
        child = next(i for i in range(forgery.nr_blocks) if parents[i] < forgery.nr_blocks)
        other = next(i for i in range(forgery.nr_blocks) if i not in (child, parents[child]))
        for at, value, words in ((child, child, "of no tree"), (child, len(parents), "of no tree"),
                                 (parents[child], child, "of no tree"),
                                 (child, other, "dominators "), (child, NONE, "do not add up"),
                                 (len(parents) - 1, top, "of no tree")):
            forgery.restore()
            forged(forgery, PARENTS, "I", at, value)
            assert_refused(forgery, words, "dominators")
        for value in (0, retained[child] + 8, 1 << 63, 2 ** 64 - 1):
            forgery.restore()
            forged(forgery, RETAINED, "Q", child, value)
            assert_refused(forgery, "dominators ", "dominators")
        # With sums to match: a lost block keeps what is live.
        lost = next(i for i in range(forgery.nr_blocks) if i not in live and parents[i] == NONE)
        kept = next(i for i in range(forgery.nr_blocks)
                    if i in live and parents[i] == NONE and retained[i] > 0)
        forgery.restore()
        parents[kept] = lost
        retained[lost] += retained[kept]
        forgery.forge(PARENTS, "I", parents)
        forgery.forge(RETAINED, "Q", retained)
        assert_refused(forgery, "lost dominators", "dominators")


@case
def found_anew():
    """Groups of roots that turn out others cost time alone; --recompute believes no answer."""
    with temporary_folder() as folder:
        forgery = Forgery(folder)
        expected = forgery.answers()
        assert forgery.answers("--recompute") == expected
        groups = forgery.array(ROOT_GROUPS, "I")
        for value in (NONE, 0, 1 << 31):
            forgery.restore()
            forgery.forge(ROOT_GROUPS, "I", [value] * len(groups))
            assert forgery.answers() == expected, value
        for number, form in ((LIVE, "Q"), (CYCLIC, "Q"), (PARENTS, "I"), (RETAINED, "Q")):
            forgery.restore()
            forgery.forge(number, form, [1] * len(forgery.array(number, form)))
            assert forgery.answers("--recompute") == expected, number


sys.exit(cases.main())
