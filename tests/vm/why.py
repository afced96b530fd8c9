#!/usr/bin/python3
"""What seep why explains of a process's resident memory adds up, and is what malloc says."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from harness import cases, seep
from harness.cases import Skip, case, program
from harness.ledger import RESIDUAL_MOST, assert_explained, kind, validate, why
from harness.target import Target, temporary_folder

MB = 1 << 20


def rollup_rss(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no Rss")


def assert_arenas_are_mallocs(report, path):
    """Of each arena what it has, what is free of it and hence what is not, by malloc_info()."""
    heaps = xml.etree.ElementTree.parse(path).getroot().findall("heap")
    assert len(heaps) == len(report["arenas"]), report["arenas"]
    # malloc_info goes round the ring of arenas as seep does, from the main one on.
    for arena, heap in zip(report["arenas"], heaps):
        system = int(heap.find("system[@type='current']").get("size"))
        fast, rest = ({key: int(value) for key, value in total.attrib.items() if key != "type"}
                      for total in heap.findall("total"))
        assert arena["system_bytes"] == system, (arena, system)
        assert arena["fastbin_bytes"] == fast["size"], (arena, fast)
        # "rest" is bins and the end. Of chunks in bins it adds the flags in their sizes, too: 1,
        # or 5 in an arena that is not the main one.
        flags = rest["size"] - arena["bin_bytes"] - arena["top_bytes"]
        chunks = rest["count"] - 1
        if arena["is_main"]:
            assert flags == chunks, (arena, rest, flags)
        else:
            assert chunks <= flags <= 5 * chunks and (flags - chunks) % 4 == 0, (arena, rest)
        # To it what a thread caches is live; an arena's own state is in no chunk.
        live = system - fast["size"] - rest["size"] + flags
        seen = arena["live_bytes"] + arena["tcache_bytes"]
        assert 0 <= live - seen <= 4096, (arena, live - seen)


def trim(target):
    """Bytes that malloc_trim(0) gave back."""
    target.output = b""
    target.process.stdin.write(b"\n")
    target.process.stdin.flush()
    target.await_output(b"TRIMMED")
    while not target.output.endswith(b"\n"):
        target.await_output(b"\n")
    _, before, after = target.output.split()
    return (int(before) - int(after)) * 1024


@contextlib.contextmanager
def fragmented(threads, most_kb):
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "info")
        with Target([program("fragmented"), threads, most_kb, path],
                    stdin=subprocess.PIPE) as target:
            yield target, path


def check_fragmented(threads, most_kb, least_trim):
    with fragmented(threads, most_kb) as (target, info):
        report = why(target.pid)
        assert report["rss_bytes"] == rollup_rss(target.pid), "looking made pages resident"
        assert_explained(report)
        assert_arenas_are_mallocs(report, info)
        foretold, got = report["trim_bytes"], trim(target)
        print(f"  malloc_trim: foretold {foretold}, given back {got}")
        assert got >= least_trim, got
        assert abs(foretold - got) <= 0.05 * got, (foretold, got)
        assert sum(arena["trim_bytes"] for arena in report["arenas"]) == foretold
        again = why(target.pid)
        assert again["rss_bytes"] == report["rss_bytes"] - got
        assert again["trim_bytes"] <= 0.05 * got, again["trim_bytes"]
        target.assert_unharmed()
        return report


@case
def a_fragmented_heap():
    """Large blocks: pages between those that are left would go."""
    report = check_fragmented(0, 16, 10 * MB)
    pinned = report["pinned"]
    assert pinned["pages"] > 100 and pinned["types"], pinned
    assert kind(report, "free chunks") > kind(report, "live blocks") > 2 * MB
    whole = sum(row["free_bytes"] for row in pinned["types"])
    assert abs(whole - pinned["free_bytes"]) <= len(pinned["types"]), (whole, pinned)
    for row in pinned["types"]:
        assert row["pages_alone"] <= row["pages"] <= pinned["pages"], row
        assert row["blocks"] >= 1 and row["bytes"] >= 1, row


@case
def small_blocks():
    """Blocks smaller than a page pin nearly all, and fastbins and thread caches are full."""
    report = check_fragmented(0, 1, 0)
    arena = report["arenas"][0]
    assert arena["fastbin_bytes"] > 0 and arena["tcache_bytes"] > 0, arena


@case
def arenas_of_threads():
    """Each thread has an arena; what trimming gives back is told of each."""
    report = check_fragmented(3, 8, 10 * MB)
    assert len(report["arenas"]) == 4, report["arenas"]
    assert [arena["is_main"] for arena in report["arenas"]].count(True) == 1
    assert sum(arena["threads"] for arena in report["arenas"]) == 4, report["arenas"]
    assert report["threads"] == 4
    assert report["arena_limit"] == 8 * len(os.sched_getaffinity(0)), report["arena_limit"]
    assert not report["is_arena_limit_set"]
    for arena in report["arenas"]:
        assert arena["trim_bytes"] > MB, arena
    # Each has 32 kB of thread-local variables on its stack, whose guard is no part of it.
    threads = sum(part["bytes"] for part in report["parts"]
                  if part["kind"] == "stacks" and part["name"] == "threads")
    assert threads >= 3 * 32000 and kind(report, "unused stacks") > 0, report["parts"]
    assert report["opaque_bytes"] <= 16384, report["parts"]


@case
def a_limit_of_arenas():
    """MALLOC_ARENA_MAX is told as the reason."""
    with temporary_folder() as folder:
        with Target([program("fragmented"), 3, 1, pathlib.Path(folder, "info")],
                    env={"MALLOC_ARENA_MAX": "2"}, stdin=subprocess.PIPE) as target:
            report = why(target.pid)
            assert len(report["arenas"]) == 2 and report["arena_limit"] == 2, report["arenas"]
            assert report["is_arena_limit_set"]
            text = seep.run("why", target.pid).out
            assert "2 arenas" in text and "MALLOC_ARENA_MAX" in text, text


@case
def types_are_the_programs():
    """Live objects and those that pin are told by their class, each as often as there are."""
    with Target([program("objects")]) as target:
        report = why(target.pid)
        assert_explained(report)
        parts = {part["name"]: part for part in report["parts"] if part["kind"] == "live blocks"}
        order = parts["class shop::Order"]
        # 128 bytes and 192 make chunks of 144 and 208, less 8.
        assert order["count"] == 6000 and order["bytes"] == 3000 * (136 + 200), order
        assert "class shop::Line" not in parts, parts
        pin, = (row for row in report["pinned"]["types"] if row["type"] == "class shop::Order")
        # Orders stand 3.3 kB apart: each has a page or two nearly for itself.
        assert pin["blocks"] >= 5900 and pin["pages_alone"] >= 4600, pin
        assert pin["free_bytes"] >= 0.9 * 4600 * 3800, pin
        text = seep.run("why", target.pid).out
        assert "class shop::Order, 6,000 of them" in text, text


@case
def pins_are_where_they_were_put():
    """One small block on each page, and nothing else, pins what is free there."""
    code = """
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
gaps, kept = [], []
for i in range(5000):
    kept.append(libc.malloc(200))
    ctypes.memset(kept[-1], 1, 200)
    gaps.append(libc.malloc(3800))
    ctypes.memset(gaps[-1], 1, 3800)
for gap in gaps:
    libc.free(gap)
print("READY", flush=True)
input()
"""
    # Python's own objects stand elsewhere: its allocator maps memory itself, which is opaque.
    with Target(["/usr/bin/python3", "-c", code], stdin=subprocess.PIPE) as target:
        report = why(target.pid)
        assert report["residual_bytes"] == 0, report["residual_bytes"]
        row = next(row for row in report["pinned"]["types"]
                   if row["type"] == "200-byte block of data")
        # Of 5,000 blocks and nearly as many pages; some fit into holes that python had.
        assert 4600 <= row["blocks"] <= 5200, row
        assert 4600 * 3600 <= row["free_bytes"] <= 5200 * 3900, row


@case
def long_blocks_pin_once():
    """A block over several pages, of which the first and the last are pinned, is one."""
    code = """
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
gaps, kept = [], []
for i in range(500):
    for size, where in ((16900, kept), (16000, gaps)):
        where.append(libc.malloc(size))
        ctypes.memset(where[-1], 1, size)
for gap in gaps:
    libc.free(gap)
print("READY", flush=True)
input()
"""
    with Target(["/usr/bin/python3", "-c", code], stdin=subprocess.PIPE) as target:
        row, = (row for row in why(target.pid)["pinned"]["types"]
                if row["type"] == "up to 32 KiB block of data")
        # Some have both of their ends on pages that count.
        assert 300 <= row["blocks"] <= row["pages"] - 30 <= 970, row


# Python has rows, lets go of most of them, and trims when it is told to.
PYTHON = """
import ctypes, json, re, threading
def resident():
    with open("/proc/self/smaps_rollup") as file:
        return re.search(r"Rss: +([0-9]+)", file.read()).group(1)
def work():
    rows = [{'id': i, 'tags': [str(i)] * 3} for i in range(20000)]
    text = json.dumps(rows)
    kept.append([row['tags'] for row in rows[::7]])
    del rows
    done.release()
    threading.Event().wait()
kept, done = [], threading.Semaphore(0)
threads = [threading.Thread(target=work, daemon=True) for _ in range(THREADS)]
for thread in threads:
    thread.start()
rows = [{'id': i, 'tags': [str(i)] * 3} for i in range(20000)]
rows = rows[:3000] + rows[15000:]
for _ in threads:
    done.acquire()
resident()
print('READY', flush=True)
while input() == "":
    before = resident()
    ctypes.CDLL(None).malloc_trim(0)
    print("TRIMMED", before, resident(), flush=True)
"""


def check_python(nr_threads):
    with Target(["/usr/bin/python3", "-c", PYTHON.replace("THREADS", str(nr_threads))],
                env={"PYTHONMALLOC": "malloc"}, stdin=subprocess.PIPE) as target:
        report = why(target.pid)
        assert_explained(report)
        assert kind(report, "live blocks") > 2 * MB
        foretold, got = report["trim_bytes"], trim(target)
        print(f"  malloc_trim: foretold {foretold}, given back {got}")
        # To look how much is resident python allocates itself.
        assert abs(foretold - got) <= max(0.05 * got, 65536), (foretold, got)
        target.assert_unharmed()
        return report


@case
def python():
    """python3 with PYTHONMALLOC=malloc."""
    report = check_python(0)
    assert report["trim_bytes"] > MB, report["trim_bytes"]


@case
def python_with_threads():
    """The same with six threads, which have arenas."""
    report = check_python(6)
    assert report["threads"] == 7 and len(report["arenas"]) >= 2, report["arenas"]
    assert report["trim_bytes"] > MB, report["trim_bytes"]


@case
def sqlite():
    """sqlite3 with a table in memory."""
    cases.needs("sqlite3")
    script = (b"create table t(a integer primary key, b text);\n"
              b"with recursive n(i) as (select 1 union all select i + 1 from n where i < 30000)\n"
              b"insert into t select i, 'name ' || i || hex(randomblob(40)) from n;\n"
              b"select 'READY';\n")
    with Target(["/usr/bin/sqlite3", ":memory:"], ready=None, stdin=subprocess.PIPE) as target:
        target.process.stdin.write(script)
        target.process.stdin.flush()
        target.await_output(b"READY\n")
        assert_explained(why(target.pid))


@case
def a_heap_that_does_not_parse():
    """What stands behind a damaged header is opaque; nothing counts twice, or is foretold."""
    code = """
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
blocks = [libc.malloc(5000) for _ in range(2000)]
for block in blocks:
    ctypes.memset(block, 1, 5000)
ctypes.c_uint64.from_address(blocks[1000] - 8).value = SIZE
print("READY", flush=True)
input()
"""
    for size in (0x11, 0x7777, 0):
        with Target(["/usr/bin/python3", "-c", code.replace("SIZE", str(size))],
                    env={"PYTHONMALLOC": "malloc"}, stdin=subprocess.PIPE) as target:
            report = why(target.pid)
            assert report["residual_bytes"] == 0, (size, report["residual_bytes"])
            assert 4.9e6 <= report["opaque_bytes"] <= 5.3e6, (size, report["opaque_bytes"])
            assert report["warnings"] and report["trim_bytes"] is None, report["warnings"]
            assert "malloc_trim" not in seep.run("why", target.pid).out


@case
def memory_that_nobody_manages():
    """Anonymous memory is opaque, also where the kernel joins it to a block's or a library's."""
    code = """
import ctypes, mmap
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
kept = []
for _ in range(4):
    kept.append(libc.malloc(1 << 20))
    ctypes.memset(kept[-1], 1, 1 << 20)
    kept.append(mmap.mmap(-1, 600 << 10, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
    kept[-1].write(b"x" * (600 << 10))
print("READY", flush=True)
input()
"""
    with Target(["/usr/bin/python3", "-c", code], env={"PYTHONMALLOC": "malloc"},
                stdin=subprocess.PIPE) as target:
        report = why(target.pid)
        expected = 4 * (600 << 10)
        assert report["residual_bytes"] == 0, report["residual_bytes"]
        assert expected <= report["opaque_bytes"] <= expected + 40960, report["opaque_bytes"]
        assert kind(report, "slack") <= 8192, report["parts"]


@case
def an_allocator_that_is_not_known():
    """What jemalloc has is opaque, and the report says why."""
    redis = pathlib.Path("/usr/bin/redis-server")
    if not redis.exists():
        raise Skip("no redis-server, which uses jemalloc")
    with temporary_folder() as folder:
        with Target([redis, "--port", "0", "--unixsocket", pathlib.Path(folder, "socket"),
                     "--save", "", "--dir", folder],
                    ready=b"eady to accept connections") as target:
            report = why(target.pid)
            assert report["target"]["allocator"] is None and report["trim_bytes"] is None
            assert "jemalloc" in report["unknown_allocator"], report["unknown_allocator"]
            assert report["opaque_bytes"] > MB and not report["arenas"]
            assert abs(report["residual_bytes"]) <= RESIDUAL_MOST * report["rss_bytes"]
            text = seep.run("why", target.pid).out
            assert "jemalloc" in text and "opaque" in text, text


@case
def a_static_program():
    """Its thread-local variables stand in the break, and are told apart from malloc's memory."""
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "a file")
        path.write_bytes(b"x" * 4096)
        with Target([program("kinds-static"), path]) as target:
            report = why(target.pid)
            assert report["residual_bytes"] == 0, report["residual_bytes"]
            # 10 pages that were given back and not yet taken, 5 named ones, 4 locked ones, 6 lazy.
            assert report["opaque_bytes"] <= 26 * 4096, report["parts"]
            assert kind(report, "TLS") > 0 and kind(report, "slack") <= 4096, report["parts"]


@case
def one_that_is_stopped():
    """A program that was stopped before is explained, and stays stopped."""
    with fragmented(1, 2) as (target, _):
        target.signal(signal.SIGSTOP)
        target.await_state("T")
        assert_explained(why(target.pid))
        assert target.state() == "T"


@case
def a_large_one_through_a_copy():
    """From 64 MB on a frozen copy is read, and what is told is what a stop tells."""
    with fragmented(1, 60) as (target, info):
        first, copied = why(target.pid), why(target.pid)
        assert copied["freeze"] == "copy" and copied["why_stopped"] is None, copied["why_stopped"]
        # To make one the program runs a few instructions: a page of the vdso becomes resident.
        assert 0 <= copied["rss_bytes"] - first["rss_bytes"] <= 2 * 4096, (first, copied)
        assert_explained(copied)
        assert_arenas_are_mallocs(copied, info)
        answer = seep.run("why", "--json", "--freeze", "stop", "--max-pause", "20s", target.pid)
        stopped = json.loads(answer.out)
        validate(stopped)
        assert stopped["freeze"] == "stop" and stopped["copy_bytes"] is None
        assert copied["rss_bytes"] == rollup_rss(target.pid), "looking made pages resident"
        for key in copied:
            if key not in ("pause_ms", "freeze", "copy_bytes"):
                assert copied[key] == stopped[key], (key, copied[key], stopped[key])
        print(f"  {copied['rss_bytes']} resident: stopped for {copied['pause_ms']} ms to be "
              f"copied, {stopped['pause_ms']} ms to be read")
        target.assert_unharmed()


@case
def a_busy_large_one():
    """A program that allocates all the time runs on while its copy is read, and adds up."""
    code = ("rows = [str(i) * 9 for i in range(900000)]\nprint('READY', flush=True)\n"
            "while True:\n    rows[hash(rows[7]) % 1000] = 'x' * (len(rows[7]) + 99)\n")
    with Target(["/usr/bin/python3", "-c", code], env={"PYTHONMALLOC": "malloc"}) as target:
        for _ in range(3):
            report = why(target.pid)
            assert report["freeze"] == "copy", report["why_stopped"]
            assert_explained(report)
            assert not report["warnings"], report["warnings"]
        target.assert_unharmed()


@case
def remedies_name_the_command():
    """What has to be typed instead is the command that was."""
    with fragmented(1, 1) as (target, _):
        tids = [int(path.name) for path in pathlib.Path(f"/proc/{target.pid}/task").iterdir()]
        thread = next(tid for tid in tids if tid != target.pid)
        answer = seep.run("why", thread)
        assert answer.status == seep.COULD_NOT, answer
        assert f"seep why {target.pid}" in answer.err and "leaks" not in answer.err, answer


@case
def too_short_a_pause():
    """Rather than stop it for longer than allowed seep gives up, and says what would do."""
    with fragmented(0, 64) as (target, _):
        answer = seep.run("why", "--max-pause", "1ms", target.pid)
        assert answer.status == seep.COULD_NOT and "--max-pause" in answer.err, answer
        target.assert_unharmed()
    answer = seep.run("why")
    assert answer.status == seep.USAGE, answer


if __name__ == "__main__":
    sys.exit(cases.main())
