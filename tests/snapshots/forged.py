#!/usr/bin/python3
"""Snapshots whose checksums are right and whose answers are not: what is held is never told to be lost."""

import ctypes
import pathlib
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from harness import cases, seep
from harness.cases import case
from harness.target import Target, temporary_folder

FILE_HEADER = 24
CHUNK_HEADER = struct.Struct("<IHHQQQQ")
ZSTD = 1
EDGES, LIVE, PARENTS, RETAINED = 66, 68, 70, 71
NONE = 0xffffffff

LIBXXHASH = ctypes.CDLL("libxxhash.so.0")
LIBXXHASH.XXH3_64bits.restype = ctypes.c_uint64
LIBZSTD = ctypes.CDLL("libzstd.so.1")
LIBZSTD.ZSTD_decompress.restype = ctypes.c_size_t


def checksum(data):
    return LIBXXHASH.XXH3_64bits(data, ctypes.c_size_t(len(data)))


def expanded(payload, size):
    plain = ctypes.create_string_buffer(size)
    got = LIBZSTD.ZSTD_decompress(plain, ctypes.c_size_t(size), payload,
                                  ctypes.c_size_t(len(payload)))
    assert got == size, got
    return plain.raw


def chunk_of(kind, version, payload):
    """With the checksums that belong to it."""
    head = CHUNK_HEADER.pack(kind, version, 0, len(payload), len(payload), checksum(payload), 0)
    head = head[:-8]
    return head + struct.pack("<Q", checksum(head)) + payload


def forge(data, kind, change):
    """The file with the payload of every chunk of a kind changed in place."""
    out, at, nr = data[:FILE_HEADER], FILE_HEADER, 0
    while at < len(data):
        number, version, flags, stored, plain, _, _ = CHUNK_HEADER.unpack_from(data, at)
        end = at + CHUNK_HEADER.size + stored
        payload = data[at + CHUNK_HEADER.size:end]
        if number == kind:
            payload = bytearray(expanded(payload, plain) if flags & ZSTD else payload)
            change(payload)
            out += chunk_of(number, version, bytes(payload))
            nr += 1
        else:
            out += data[at:end]
        at = end
    assert nr, f"there is no chunk {kind}"
    return out


def snapshot_of(folder):
    path = pathlib.Path(folder, "whole")
    with Target([cases.program("leaker")], stdin=subprocess.PIPE) as target:
        for deed in (b"keep 3000 40\n", b"lose 100 24\n"):
            target.output = b""
            target.process.stdin.write(deed)
            target.process.stdin.flush()
            target.await_output(b"done\n")
        answer = seep.run("snapshot", "--answers", "--max-pause", "20s", "-o", path, target.pid)
        assert answer.status == seep.NONE, answer
    return path.read_bytes()


def ask(folder, data, *words):
    path = pathlib.Path(folder, "file")
    path.write_bytes(data)
    return seep.run(*(str(path) if word == "FILE" else word for word in words))


def assert_refused(answer, words):
    assert answer.status == seep.COULD_NOT and answer.out == "", answer
    lines = answer.err.splitlines()
    assert lines[0].startswith("seep: ") and "/file" in lines[0] and words in lines[0], answer
    assert len(lines) <= 2, answer


@case
def forging_changes_nothing_else():
    """The test's own writing of chunks is right."""
    with temporary_folder() as folder:
        data = snapshot_of(folder)
        for kind in (EDGES, LIVE, PARENTS, RETAINED):
            answer = ask(folder, forge(data, kind, lambda payload: None), "leaks", "FILE")
            assert answer.status == seep.FINDINGS and answer.err == "", answer


@case
def what_is_held_told_to_be_lost():
    """Each bit of a live block that is cleared is noticed."""
    with temporary_folder() as folder:
        data = snapshot_of(folder)

        def clear_all(payload):
            payload[:] = bytes(len(payload))

        def clear_one(payload):
            place = next(i for i, byte in enumerate(payload) if byte == 0xff)
            payload[place] = 0xfe

        for change in (clear_all, clear_one):
            for words in (["leaks", "FILE"], ["heap", "FILE", "roots"],
                          ["query", "FILE", "SELECT count(*) FROM blocks"]):
                assert_refused(ask(folder, forge(data, LIVE, change), *words), "is held by")


@case
def dominators_of_no_tree():
    """Cycles, parents that are no nodes, and children that retain more than their parents."""
    with temporary_folder() as folder:
        data = snapshot_of(folder)

        def themselves(payload):
            nr = len(payload) // 4
            payload[:] = struct.pack(f"<{nr}I", *range(nr))

        def far_away(payload):
            payload[:4] = struct.pack("<I", NONE - 1)

        def each_other(payload):
            payload[:8] = struct.pack("<2I", 1, 0)

        def all_the_same(payload):
            nr = len(payload) // 8
            payload[:] = struct.pack(f"<{nr}Q", *[64] * nr)

        for kind, change in ((PARENTS, themselves), (PARENTS, far_away), (PARENTS, each_other),
                             (RETAINED, all_the_same)):
            forged = forge(data, kind, change)
            for view in ("roots", "histogram", "dominators", "suspects"):
                assert_refused(ask(folder, forged, "heap", "FILE", view), "dominators of no tree")


@case
def edges_to_nowhere():
    """Ranks past the last block."""
    with temporary_folder() as folder:
        def far_away(payload):
            payload[:4] = struct.pack("<I", (NONE - 8) & ~3)
        assert_refused(ask(folder, forge(snapshot_of(folder), EDGES, far_away), "leaks", "FILE"),
                       "")


if __name__ == "__main__":
    sys.exit(cases.main())
