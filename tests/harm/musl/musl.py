#!/usr/bin/python3
"""Programs that run on musl: recorded with the stacks that they have, and their leaks found."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent))

from harness import cases, seep
from harness.cases import case, program
from harness.target import PATIENCE_S, temporary_folder
from harness.trace import Trace


def run(*words, status=0, **more):
    done = subprocess.run(list(map(str, words)), check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=PATIENCE_S, **more)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done


def recorded(name, folder):
    """(the trace, its path) of a program that does the same as without seep"""
    words = program(name), program(name).parent
    alone = run(*words, status=6)
    path = pathlib.Path(folder, "trace")
    done = run(seep.program(), "record", "-o", path, "--", *words, status=6)
    assert done.stdout == alone.stdout, (alone.stdout, done.stdout)
    return Trace(path).check(), path


def sites(path):
    """[(allocations, bytes, [frame, ...])] of a trace"""
    out = run(seep.program(), "report", "--json", "--top", 1000, path).stdout
    return [(row["counts"]["allocations"], row["counts"]["total_bytes"], row["stack"])
            for row in json.loads(out)["rows"]]


LIBC = "..."  # in a chain: one call of libc's or more


def shape_of(stack):
    """The functions of the program, and LIBC for what is libc's"""
    shape = []
    for frame in stack:
        if frame["module"].startswith("/lib/ld-musl-"):
            shape += [LIBC] if shape[-1:] != [LIBC] else []
        else:
            assert frame["file"].endswith(("calls.c", "called.c")) and frame["line"], frame
            shape.append(frame["function"])
    return shape


def check_chain(all_sites, allocations, bytes_, *chain):
    """The stack is that chain, each call of the program's with its line."""
    shapes = [shape_of(stack) for count, total, stack in all_sites
              if (count, total) == (allocations, bytes_)]
    assert shapes == [list(chain)], (bytes_, shapes, chain)


def check_calls(name):
    with temporary_folder() as folder:
        trace, path = recorded(name, folder)
        assert trace.lost == trace.strays == 0, vars(trace)
        assert trace.sizes[100] == 10 and 700 not in trace.sizes, trace.sizes
        all_sites = sites(path)
    outside = "main", LIBC
    check_chain(all_sites, 10, 1000, "one", "two", "three", *outside)
    check_chain(all_sites, 1, 200, "one", *["deep"] * 20, *outside)
    check_chain(all_sites, 1, 300, "one", "two", "three", "in_thread", LIBC)
    for size in 400, 401, 448, 403:
        check_chain(all_sites, 1, size, "by_every_function", *outside)
    check_chain(all_sites, 3, 1500, "one", "two", "called", "by_library", *outside)
    check_chain(all_sites, 1, 600, "one", "handle", LIBC, "spin", *outside)
    for size in 13, 802:
        check_chain(all_sites, 1, size, LIBC, "by_libc", *outside)
    check_chain(all_sites, 1, 900, "one", "compare", LIBC, "by_libc", *outside)


@case
def known_chains():
    """each stack is the chain of calls that it is known to be, through libc too"""
    check_calls("calls")


@case
def without_table():
    """the same of a program with .eh_frame and no table of it, as musl-gcc links it"""
    path = program("calls-without-table")
    headers = run("readelf", "-lW", path).stdout
    assert b"GNU_EH_FRAME" not in headers, headers
    check_calls("calls-without-table")


@case
def kinds():
    """what is held in every place of musl's is reachable, and what is lost is found"""
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "report")
        done = run(seep.program(), "run", "--kinds", "all", "--json", "-o", path, "--",
                   program("kinds"), 5, status=5)
        assert done.stdout == b"all is well\n", done.stdout
        report = json.loads(path.read_text())
    found = {}
    for finding in report["findings"]:
        for frame in finding["stack"]:
            kind, _, place = (frame["function"] or "").partition("_")
            if place and kind in ("definite", "indirect", "reachable"):
                found[frame["function"]] = finding["kind"]
                assert frame["file"].endswith("kinds.c") and frame["line"] > 0, frame
                break
    source = pathlib.Path(__file__).with_name("kinds.c").read_text()
    makers = {line.split("(")[0].split()[-1].lstrip("*")
              for line in source.splitlines() if line.startswith("MAKER")}
    assert len(makers) == 13 and set(found) == makers, (makers, found)
    wrong = {name: kind for name, kind in found.items() if not name.startswith(kind)}
    assert not wrong, wrong


@case
def many():
    """blocks of every size are looked at, wherever musl has put them"""
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "report")
        run(seep.program(), "run", "--json", "-o", path, "--", program("many"))
        kinds_found = json.loads(path.read_text())["summary"]["kinds"]
        assert kinds_found["definite"]["blocks"] == 60, kinds_found
        assert kinds_found["definite"]["bytes"] == 40 * 60 * 61 // 2, kinds_found


def without_runtime_for_musl(folder):
    """A seep that was built without it."""
    copy = pathlib.Path(folder, "seep")
    shutil.copy(seep.program(), copy)
    shutil.copy(os.environ["RUNTIME"], folder)
    return copy


@case
def no_runtime():
    """where seep was built without a runtime for musl it says so, and starts nothing"""
    with temporary_folder() as folder:
        copy = without_runtime_for_musl(folder)
        for command in "record", "run":
            done = run(copy, command, "--", program("lost"), status=seep.COULD_NOT,
                       cwd=folder)
            said = done.stderr.decode()
            assert done.stdout == b"" and "runs on musl" in said, said
            assert "musl-tools" in said, said
        assert run(copy, "record", "--", "/bin/true", cwd=folder)


@case
def scripts():
    """of a script its interpreter counts"""
    with temporary_folder() as folder:
        script = pathlib.Path(folder, "script")
        script.write_text(f"#!{program('lost')}\n")
        script.chmod(0o755)
        done = run(seep.program(), "run", "--", script)
        assert done.stdout == b"done\n", done
        copy = without_runtime_for_musl(folder)
        done = run(copy, "run", "--", script, status=seep.COULD_NOT)
        assert b"runs on musl" in done.stderr, done


@case
def own_allocators():
    """a program with a malloc() of its own gets from musl what it gets without seep"""
    for name in "own-malloc", "own-malloc-and-calloc":
        alone = run(program(name), status=2).stdout
        assert b"from the pool" in alone and b"no aligned block" in alone, alone
        with temporary_folder() as folder:
            for command in "run", "record":
                done = run(seep.program(), command, "--", program(name), status=2,
                           cwd=folder)
                assert done.stdout == alone, (alone, done.stdout)


@case
def of_both_kinds():
    """a recorded program of glibc's executes one of musl's, which notices nothing"""
    words = "/bin/sh", "-c", f"'{program('kinds')}' 5; echo $?; exit 4"
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "trace")
        done = run(seep.program(), "record", "-o", path, "--", *words, status=4)
        assert done.stdout == run(*words, status=4).stdout == b"all is well\n5\n", done
        assert Trace(path).check().allocations


sys.exit(cases.main())
