#!/usr/bin/python3
"""Every allocation is recorded: counts and bytes equal those of an independent count."""

import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import cases
from harness.cases import case, program
from harness.target import temporary_folder
from recording import JOINED, is_musl, record


def tool(name):
    if not shutil.which(name):
        raise cases.Skip(f"{name} is not installed")
    return name


def allocator(name):
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64"):
        if os.path.exists(f"{folder}/{name}"):
            return f"{folder}/{name}"
    raise cases.Skip(f"{name} is not installed")


@case
def every_way_to_a_block():
    """malloc() and its like, in four threads"""
    recording = record([program("blocks")]).check_complete()
    assert recording.status == 0 and recording["state"] == JOINED, recording.numbers
    assert recording["threads"] == 5 and recording["thread_ends"] == 4, recording.numbers


@case
def possible_history():
    """ordered by time, blocks that threads hand to each other are never there twice"""
    for name in ("handoff", "blocks"):
        recording = record([program(name)], "--pairs").check_complete()
        assert recording["allocations"] > 50000, recording.numbers
        assert recording["strays"] == recording["overlaps"] == 0, recording.numbers
        live = recording["allocations"] - recording["frees"]
        assert recording["live"] == live, recording.numbers


@case
def stacks_of_the_program():
    """every event has a stack, and the runtime is on none"""
    for name in ("blocks",) if is_musl() else ("blocks", "operators"):
        recording = record([program(name)]).check_complete()
        assert recording["without_stack"] == recording["own_nodes"] == 0, recording.numbers
        # On musl stacks end in libc, just outside the program's own.
        assert recording["nodes"] > (9 if is_musl() else 15), recording.numbers


@case
def every_operator():
    """C++'s operators and containers"""
    recording = record([program("operators")]).check_complete()
    assert recording.out == b"300 2 7\n", recording.out
    assert recording["allocations"] > 9000, recording.numbers


@case
def small_blocks_left_out():
    """--min-size: blocks from it on are recorded, and no others"""
    everything = record([program("blocks")]).check_complete()
    large = record([program("blocks")], "--min-size", "512").check_form()
    assert 0 < large["allocations"] < everything["allocations"], large.numbers
    assert 0 < large["frees"] < everything["frees"], large.numbers


@case
def paused():
    """nothing is recorded while recording is off"""
    recording = record([program("blocks")], "--off").check_form()
    assert recording["allocations"] == recording["frees"] == 0, recording.numbers


def follow(library):
    """An allocator's own operators are recorded once each."""
    recording = record([program("operators")], counted=False,
                       libraries=[allocator(library)]).check_form()
    assert recording.out == b"300 2 7\n", recording.out
    own = record([program("operators")]).check_complete()
    for name in ("allocations", "frees"):
        assert abs(recording[name] - own[name]) < 20, (recording.numbers, own.numbers)


@case
def jemalloc():
    """a program under jemalloc, whose operators do not call malloc()"""
    follow("libjemalloc.so.2")


@case
def tcmalloc():
    """a program under tcmalloc, whose operators do not call malloc()"""
    follow("libtcmalloc_minimal.so.4")


@case
def python():
    """python3 with each object a block"""
    script = "import json; print(len(json.dumps({str(i): [i] * 9 for i in range(5000)})))"
    recording = record([sys.executable, "-c", script],
                       env={"PYTHONMALLOC": "malloc"}).check_complete()
    assert recording["allocations"] > 50000, recording.numbers


@case
def sqlite():
    """sqlite3 with a table in memory"""
    script = """create table t(a, b);
        with recursive c(x) as (select 1 union all select x + 1 from c where x < 5000)
        insert into t select x, hex(x) from c; select count(*) from t order by b;"""
    recording = record([tool("sqlite3"), ":memory:", script]).check_complete()
    assert recording.out == b"5000\n" and recording["allocations"] > 5000, recording.numbers


@case
def xmllint():
    """xmllint with a file of 20,000 elements"""
    with temporary_folder() as folder:
        file = pathlib.Path(folder, "large.xml")
        file.write_text("<all>" + "".join(f"<one number='{i}'>text {i}</one>"
                                          for i in range(20000)) + "</all>")
        recording = record([tool("xmllint"), "--noout", file]).check_complete()
        assert recording["allocations"] > 40000, recording.numbers


@case
def libraries_that_go():
    """a library that is loaded and unloaded over and over, found by the program's runpath"""
    os.environ.pop("LD_LIBRARY_PATH", None)
    recording = record([program("lives"), "libraries"]).check_complete()
    assert recording.out == b"greeted by a plugin\n", recording.out
    if is_musl():  # dlclose() does nothing there
        assert recording["loads"] >= 4 and recording["unloads"] == 0, recording.numbers
    else:
        assert recording["loads"] >= 20 + 3 and recording["unloads"] == 20, recording.numbers


@case
def mapping_that_stays():
    """mremap() that leaves the old mapping there unmaps nothing; munmap() unmaps whole pages"""
    # What counts independently maps its counts.
    recording = record([program("lives"), "remaps"], counted=False).check_form()
    if recording.status == 77:
        raise cases.Skip("this kernel cannot do that")
    assert recording.status == 27 and recording["maps"] == recording["unmaps"] == 2, \
        recording.numbers
    assert recording["mapped_bytes"] == recording["unmapped_bytes"], recording.numbers


@case
def libraries_replaced():
    """a library that is unloaded without a call of dlclose(), and another that comes in its place"""
    os.environ.pop("LD_LIBRARY_PATH", None)
    recording = record([program("lives"), "replaces"]).check_complete()
    assert recording.out == b"greeted by a plugin\n", recording.out
    assert recording["loads"] >= 40 + 3 and recording["unloads"] == 39, recording.numbers


sys.exit(cases.main())
