#!/usr/bin/python3
"""Snapshots that are cut short, changed, or no snapshots: an honest answer or one sentence."""

import os
import pathlib
import random
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from harness import cases, seep
from harness.cases import Skip, case
from harness.target import Target, temporary_folder

FILE_HEADER = 24
CHUNK_HEADER = struct.Struct("<IHHQQQQ")
TYPES = {1: "meta", 2: "regions", 3: "modules", 4: "threads", 5: "doubted", 6: "types", 7: "places", 8: "roots", 9: "stale", 10: "blocks",
         11: "edges", 12: "hashes", 13: "core", 15: "end", 24: "places of edges",
         25: "far places", 26: "every root", 27: "arrays", 28: "frames", 16: "sites",
         17: "sites of blocks", 18: "arenas", 29: "spare",
         31: "counts"}
# Arrays of the graph, which stand for blocks and edges, and those that only views of heaps ask for.
TYPES |= dict.fromkeys(range(64, 69), "array") | dict.fromkeys(range(69, 75), "array of answers")
ALL = ("--json", "--strict", "--kinds", "all", "--examples", seep.ALL_EXAMPLES)
SEED = int(os.environ.get("SEED", "20"))
# At so many chunks a file is cut; None: at every one.
CUTS = int(os.environ["CUTS"]) if "CUTS" in os.environ else None


def chunks(data):
    """Yields (offset, type's name, end) of each chunk."""
    at = FILE_HEADER
    while at < len(data):
        number, _, _, stored, _, _, _ = CHUNK_HEADER.unpack_from(data, at)
        end = at + CHUNK_HEADER.size + stored
        yield at, TYPES[number], end
        at = end


def snapshot_of(folder, *deeds, options=()):
    """The bytes of a snapshot of a program that did these deeds."""
    path = pathlib.Path(folder, "whole")
    with Target([cases.program("leaker")], stdin=subprocess.PIPE) as target:
        for deed in deeds:
            target.output = b""
            target.process.stdin.write(deed.encode() + b"\n")
            target.process.stdin.flush()
            target.await_output(b"done\n")
        answer = seep.run("snapshot", "--answers", "--max-pause", "20s", *options, "-o", path,
                          target.pid)
        assert answer.status == seep.NONE, answer
    return path.read_bytes()


def ask(folder, data, *options):
    path = pathlib.Path(folder, "file")
    path.write_bytes(data)
    return seep.leaks(path, *(options or ALL))


def comparable(answer):
    report = answer.report()
    del report["target"]["file"]
    return answer.status, report


def assert_refused(answer, words=""):
    """One sentence that names the file; a remedy may follow."""
    assert answer.status == seep.COULD_NOT and answer.out == "", answer
    lines = answer.err.splitlines()
    assert lines[0].startswith("seep: ") and "/file" in lines[0] and words in lines[0], answer
    assert len(lines) <= 2, answer


@case
def cut_anywhere():
    """What is left of a file never tells of leaks that the whole does not know, nor of none."""
    with temporary_folder() as folder:
        data = snapshot_of(folder, "keep 90000 40", "lose 45000 24")
        bounds = {name: (at, end) for at, name, end in chunks(data)}
        chance = random.Random(SEED)
        places = [chance.choice((at + 1, (at + end) // 2)) for at, _, end in chunks(data)]
        # Most chunks come behind the blocks.
        places = places if CUTS is None else chance.sample(places, CUTS)
        first = min(at for at, name, _ in chunks(data) if name == "blocks")
        places += chance.sample(range(first, bounds["blocks"][1]), 10)
        assert sum(name == "blocks" for _, name, _ in chunks(data)) >= 3
        whole = ask(folder, data)
        full = seep.blocks(whole.report())
        partly = 0
        for place in sorted(places):
            answer = ask(folder, data[:place])
            if answer.status == seep.COULD_NOT and not answer.out:
                assert_refused(answer)
                assert place <= bounds["blocks"][1], answer
                continue
            if answer.out == whole.out:
                continue
            report = answer.report()
            found = seep.blocks(report)
            assert all(full[address][0] == size for address, (size, _) in found.items()), place
            lost = {address for address, (_, kind) in found.items()
                    if kind in ("definite", "indirect")}
            if len(found) == len(full) and report["summary"]["coverage_percent"] == 100:
                assert found == full, place
                continue
            partly += 1
            assert not lost, f"cut at {place}: {len(lost)} blocks are called lost"
            assert report["summary"]["coverage_percent"] < 100, answer
            assert any("cut short" in warning for warning in report["warnings"]), answer
            assert answer.status in (seep.FINDINGS, seep.COULD_NOT), answer
        print(f"  {len(places)} cuts, {partly} of them with a part of the blocks")
        assert partly >= 5


@case
def flipped_bytes():
    """A changed byte is told with its chunk, or stands where nothing depends on it."""
    with temporary_folder() as folder:
        data = snapshot_of(folder, "keep 300 40", "lose 100 24")
        expected = comparable(ask(folder, data))
        unread = ("regions", "modules", "threads", "frames", "counts", "places of edges", "far places",
                  "every root", "hashes", "blocks", "edges", "array of answers")
        skipped = {place for at, name, end in chunks(data) if name in unread
                   for place in range(at + CHUNK_HEADER.size, end)}
        places = list(range(FILE_HEADER + CHUNK_HEADER.size))
        places += random.Random(SEED).sample(range(len(data)), 150)
        for place in places:
            changed = bytearray(data)
            changed[place] ^= 1 << place % 8
            answer = ask(folder, bytes(changed))
            if place in skipped:
                assert comparable(answer) == expected, answer
                continue
            assert_refused(answer)
            chunk = [name for at, name, end in chunks(data)
                     if at + CHUNK_HEADER.size <= place < end]
            if chunk:
                assert f'the chunk "{chunk[0]}" at offset ' in answer.err, answer


@case
def other_files():
    """What is no snapshot, or of another format, is said to be that."""
    with temporary_folder() as folder:
        data = snapshot_of(folder, "lose 1 24")
        assert_refused(ask(folder, data[:10]), "ends within its header")
        newer = data[:8] + struct.pack("<H", 2) + data[10:]
        assert_refused(ask(folder, newer), "is of format 2; this seep reads format 1")
        assert_refused(ask(folder, data[:FILE_HEADER]), "was cut short after 24 bytes")
        assert_refused(ask(folder, b"\x00" * 100))
        assert_refused(ask(folder, b""))


@case
def unknown_chunks():
    """Chunks of types that are not known are skipped; behind the end nothing counts."""
    with temporary_folder() as folder:
        data = snapshot_of(folder, "keep 30 40", "lose 10 24")
        expected = comparable(ask(folder, data))
        path = pathlib.Path(folder, "file")
        answer = ask(folder, data + b"garbage")
        assert comparable(answer) == expected, answer
        # An unknown chunk made of a known one: the hashes, under another number.
        at = next(at for at, name, _ in chunks(data) if name == "hashes")
        renumber = [cases.program("renumber"), path, str(at), "40"]
        path.write_bytes(data)
        subprocess.run(renumber, check=True)
        assert path.read_bytes() != data
        answer = seep.leaks(path, *ALL)
        assert comparable(answer) == expected, answer


@case
def contents_that_are_not_there():
    """A graph alone is no memory to look at; what is cut short is no whole core."""
    with temporary_folder() as folder:
        data = snapshot_of(folder, "lose 10 24")
        path, output = pathlib.Path(folder, "file"), pathlib.Path(folder, "again")
        path.write_bytes(data)
        answer = seep.run("snapshot", "-o", output, path)
        assert_refused(answer, "is a snapshot without contents")
        data = snapshot_of(folder, "lose 10 24", options=("--contents",))
        first = next(at for at, name, _ in chunks(data) if name == "core")
        for place in random.Random(SEED).sample(range(first, len(data)), 20):
            path.write_bytes(data[:place])
            answer = seep.run("snapshot", "-o", output, path)
            assert answer.status in (seep.NONE, seep.COULD_NOT), answer
            assert answer.status == seep.NONE or not output.exists(), answer
            output.unlink(missing_ok=True)
            whole = seep.leaks(path, *ALL)
            assert whole.status == seep.FINDINGS, whole


@case
def a_full_disk():
    """Where there is no room nothing is left behind, and one sentence says so."""
    with temporary_folder() as folder:
        full = pathlib.Path(folder, "full")
        full.mkdir()
        mounted = subprocess.run(("mount", "-t", "tmpfs", "-o", "size=64k", "none", full),
                                 stderr=subprocess.PIPE, text=True, check=False)
        if mounted.returncode:
            raise Skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
        try:
            with Target([cases.program("leaker")], stdin=subprocess.PIPE) as target:
                target.process.stdin.write(b"keep 100000 48\n")
                target.process.stdin.flush()
                target.await_output(b"done\n")
                for options in ((), ("--contents",)):
                    path = full / "snapshot"
                    answer = seep.run("snapshot", "--max-pause", "20s", *options, "-o", path,
                                      target.pid)
                    assert answer.status == seep.COULD_NOT, answer
                    assert f"{path}" in answer.err, answer
                    assert list(full.iterdir()) == [], answer
                target.assert_unharmed()
        finally:
            subprocess.run(("umount", full), check=True)


if __name__ == "__main__":
    sys.exit(cases.main())
