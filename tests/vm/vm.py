#!/usr/bin/python3
"""What seep vm tells is what the kernel counts, and what the program knows of itself."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "tests/harm"))

from cgroup import Cgroup, Cgroup2
from harness import cases, seep
from harness.cases import Skip, case, program
from harness.target import Target, temporary_folder

MB = 1 << 20
KB = 1024

# What of smaps_rollup each column is.
COLUMNS = {
    "resident_bytes": ("Rss",),
    "dirty_bytes": ("Private_Dirty", "Shared_Dirty"),
    "clean_bytes": ("Private_Clean", "Shared_Clean"),
    "swapped_bytes": ("Swap",),
    "reclaimable_bytes": ("LazyFree",),
    "locked_bytes": ("Locked",),
    "private_bytes": ("Private_Clean", "Private_Dirty"),
    "shared_bytes": ("Shared_Clean", "Shared_Dirty"),
    "share_bytes": ("Pss",),
    "huge_bytes": ("AnonHugePages", "ShmemPmdMapped", "FilePmdMapped", "Private_Hugetlb",
                   "Shared_Hugetlb"),
    "footprint_bytes": ("Pss_Dirty", "SwapPss", "Private_Hugetlb"),
}
# The kernel rounds these down to kB for each mapping.
SHARES = ("share_bytes", "footprint_bytes", "locked_bytes")


def validate(report):
    """Every key of the schema, and no other."""
    schema = json.loads((ROOT / "doc/vm.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(report)
    assert set(report) == set(schema["properties"])
    for process in report["processes"]:
        assert set(process) == set(schema["$defs"]["process"]["properties"])
        assert set(process["total"]) == set(schema["$defs"]["total"]["properties"])
        for region in process["regions"][:1]:
            assert set(region) == set(schema["$defs"]["region"]["properties"])
        for row in process["types"][:1]:
            assert set(row) == set(schema["$defs"]["type"]["properties"])


def look(*words):
    answer = seep.run("vm", "--json", "--max-pause", "20s", *words)
    assert answer.status == seep.NONE, answer
    report = json.loads(answer.out)
    validate(report)
    return report


def look_at(pid, *words):
    report = look(*words, pid)
    assert len(report["processes"]) == 1 and report["together"] is None
    return report["processes"][0]


def fields(path):
    """{name: bytes} of lines "Name: 12 kB"."""
    found = {}
    for line in pathlib.Path(path).read_text().splitlines():
        words = line.split()
        if len(words) == 3 and words[2] == "kB":
            found[words[0].rstrip(":")] = int(words[1]) * KB
    return found


def region_at(process, address):
    return next(region for region in process["regions"]
                if int(region["start"], 16) <= address < int(region["end"], 16))


def kinds_target(folder, name="kinds", **options):
    path = pathlib.Path(folder, "a file")
    path.write_bytes(b"x" * 4096)
    return Target([program(name), path], **options)


def told_places(target):
    for line in target.output.decode().splitlines():
        kind, *numbers = line.split("\t")
        if len(numbers) == 2:
            yield kind, *(int(number, 16) for number in numbers)


@case
def totals_are_the_kernels():
    """Of a stopped program every total is smaps_rollup's, and the regions add up to it."""
    # A static one: with others it would share libraries, with seep among them.
    with temporary_folder() as folder, kinds_target(folder, name="kinds-static") as target:
        target.signal(signal.SIGSTOP)
        target.await_state("T")
        process = look_at(target.pid)
        rollup = fields(f"/proc/{target.pid}/smaps_rollup")
        status = fields(f"/proc/{target.pid}/status")
        assert process["stood_still"] and process["threads"] == 2
        for column, names in COLUMNS.items():
            expected = sum(rollup[name] for name in names)
            assert process["total"][column] == expected, (column, expected, process["total"])
            for rows in (process["regions"], process["types"]):
                total = sum(row[column] for row in rows)
                slack = KB * len(process["regions"]) if column in SHARES else 0
                assert expected - slack <= total <= expected, (column, expected, total)
        assert process["page_table_bytes"] == status["VmPTE"]
        assert process["footprint_bytes"] == (process["total"]["footprint_bytes"] +
                                              status["VmPTE"] + 2 * 16 * KB)
        assert process["charge"] == {"anonymous_bytes": rollup["Pss_Anon"],
                                     "shared_memory_bytes": rollup["Pss_Shmem"],
                                     "file_bytes": rollup["Pss_File"]}
        sizes = sum(row["virtual_bytes"] for row in process["regions"])
        assert process["total"]["virtual_bytes"] == sizes
        assert target.state() == "T", "it was stopped before"
        target.signal(signal.SIGCONT)
        target.await_state("RS")
        target.assert_unharmed()


@case
def types_are_the_programs():
    """Each mapping is what the program says that it is."""
    with temporary_folder() as folder, kinds_target(folder) as target:
        process = look_at(target.pid)
        seen = set()
        for kind, start, _ in told_places(target):
            region = region_at(process, start)
            seen.add(kind)
            if kind == "locked":
                assert region["locked_bytes"] >= 4 * 4096, region
                continue
            assert region["type"] == kind, (kind, region)
        assert {"heap", "mapped block", "thread arena", "thread stack", "TLS"} <= seen, seen
        stack = region_at(process, next(start for kind, start, _ in told_places(target)
                                        if kind == "thread stack"))
        guard = region_at(process, int(stack["start"], 16) - 1)
        assert guard["type"] == "guard", guard
        lazy = region_at(process, next(start for kind, start, _ in told_places(target)
                                       if kind == "anonymous"))
        assert lazy["reclaimable_bytes"] == 6 * 4096, lazy
        assert lazy["resident_bytes"] == 16 * 4096 and lazy["dirty_bytes"] == 10 * 4096, lazy
        types = {row["type"] for row in process["types"]}
        assert {"relro", "kernel"} <= types, types
        target.assert_unharmed()


@case
def files_know_mappings():
    """Cores and snapshots tell the same mappings and types, and nothing that they do not know."""
    with temporary_folder() as folder, kinds_target(folder) as target:
        target.signal(signal.SIGSTOP)
        target.await_state("T")
        live = look_at(target.pid)
        core, graph, whole = (pathlib.Path(folder, name) for name in ("core", "graph", "whole"))
        for words in (("core", "-o", core), ("snapshot", "-o", graph),
                      ("snapshot", "--contents", "-o", whole)):
            answer = seep.run(*words, "--max-pause", "20s", target.pid)
            assert answer.status == seep.NONE, answer
        for path in (core, graph, whole):
            process = look_at(path)
            assert process["total"]["resident_bytes"] is None, process["total"]
            assert process["footprint_bytes"] is None and process["charge"] is None
            assert process["pid"] == target.pid and process["name"] == "kinds"
            # Names of mappings are the kernel's, arenas and stacks are read from memory.
            unknown = {core: {"kernel", "named anonymous"}, whole: {"kernel", "named anonymous"},
                       graph: {"thread arena", "mapped block"}}[path]
            compared = 0
            for region in live["regions"]:
                if region["type"] in unknown or region["access"] == "---p":
                    continue
                compared += 1
                found = region_at(process, int(region["start"], 16))
                assert found["type"] == region["type"], (path, region, found)
            assert compared > 20, compared
            answer = seep.run("vm", path)
            row = next(line for line in answer.out.splitlines() if line.startswith("  all "))
            assert row.split()[-4:] == ["?"] * 4, answer.out
            assert f"{path} tells which mappings there were" in " ".join(answer.out.split())
            answer = seep.run("why", path)
            assert answer.status == seep.COULD_NOT and f"seep vm {path}" in answer.err, answer


@case
def what_is_shared_counts_once():
    """A family's 8 MB that its members have in common are 8 MB, and 1 MB each is not."""
    with Target([program("family")]) as target:
        report = look("--children", target.pid)
        assert len(report["processes"]) == 3, [row["pid"] for row in report["processes"]]
        assert report["processes"][0]["pid"] == target.pid
        together = report["together"]
        assert together["sum_bytes"] == sum(process["total"]["resident_bytes"]
                                            for process in report["processes"])
        if together["is_exact"]:
            # 8 MB, and two copies of a MB; a few pages of each are its own.
            assert 10 * MB <= together["resident_bytes"] <= 14 * MB, together
            assert together["shared_bytes"] >= 7 * MB, together
        else:
            assert os.geteuid() != 0, "root may see page frames"
        assert together["sum_bytes"] >= 24 * MB, together
        assert 10 * MB <= together["footprint_bytes"] <= 12 * MB, together
        alone = look(target.pid, report["processes"][1]["pid"])
        assert len(alone["processes"]) == 2
        answer = seep.run("vm", "--children", target.pid)
        assert answer.out.startswith("3 processes have "), answer
        twice = look(target.pid, target.pid)
        assert len(twice["processes"]) == 1 and twice["together"] is None, twice["together"]
        target.assert_unharmed()


@case
def children_that_end_are_no_error():
    """Of a family whose members are killed while they are counted those are told that live."""
    for words in ((30, "killed"), (12, "left")):
        with Target([program("brood"), *words]) as target:
            told = 0
            for _ in range(5):
                report = look("--children", target.pid)
                assert report["processes"][0]["pid"] == target.pid
                for process in report["processes"]:
                    assert process["total"]["resident_bytes"] > 0, process
                    assert process["stood_still"], report["warnings"]
                assert not report["warnings"], report["warnings"]
                told += sum("ended before" in note for note in report["notes"])
            print(f"  {words}: {len(report['processes'])} at last, {told} looks met an end")
            assert len(report["processes"]) > words[0] // 3, report["processes"]
    with Target([program("brood"), 30, "killed"]) as target:
        # One that was asked for is, whatever it died of.
        for _ in range(4):
            children = pathlib.Path(f"/proc/{target.pid}/task/{target.pid}/children").read_text()
            answer = seep.run("vm", "--max-pause", "20s", *children.split()[:20])
            assert answer.status in (seep.NONE, seep.COULD_NOT), answer
            assert answer.status == seep.NONE or answer.err.startswith("seep: "), answer


@case
def refusals_say_what_to_do():
    """Who cannot be looked at is told why, and what would do, in the words of the command."""
    with Target([program("fragmented"), 1, 1, "/dev/null"], stdin=subprocess.PIPE) as target:
        tids = [int(path.name) for path in pathlib.Path(f"/proc/{target.pid}/task").iterdir()]
        thread = next(tid for tid in tids if tid != target.pid)
        zombie = subprocess.Popen(["/bin/true"])
        while "Z" not in pathlib.Path(f"/proc/{zombie.pid}/stat").read_text():
            time.sleep(0.01)
        for command, words in (("vm", ()), ("why", ()), ("query", ("SELECT 1",)),
                               ("heap", ("histogram",))):
            for pid, sentence, remedy in (
                    (999999999, "no process", "ps -e"),
                    (2, "is a kernel thread", "that runs a program"),
                    (zombie.pid, "has ended: a zombie", "look earlier"),
                    (thread, f"is a thread of process {target.pid}",
                     f"seep {command} {target.pid}")):
                if pid == 2 and "kthreadd" not in pathlib.Path("/proc/2/comm").read_text():
                    continue
                answer = seep.run(command, pid, *words)
                assert answer.status == seep.COULD_NOT and not answer.out, answer
                told = " ".join(answer.err.split())
                assert sentence in told and remedy in told, (command, told)
        zombie.wait()


def as_nobody(*words):
    """What a user without rights is told. The build's folder may be closed to them."""
    with temporary_folder() as folder:
        copy = pathlib.Path(folder, "seep")
        copy.write_bytes(pathlib.Path(seep.program()).read_bytes())
        copy.chmod(0o755)
        pathlib.Path(folder).chmod(0o755)
        done = subprocess.run([copy, *map(str, words)], user=65534, group=65534, extra_groups=[],
                              capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == seep.COULD_NOT and not done.stdout, done
    return " ".join(done.stderr.split())


@case
def who_has_no_right_is_told():
    """Whom the kernel does not let look is told why, and what sudo, or leaving, would do."""
    if os.geteuid() != 0:
        raise Skip("only root can look with less rights than it has")
    with Target(["/usr/bin/sleep", "60"], ready=None) as target:
        for words in (("vm",), ("why",), ("query", "SELECT 1"), ("heap", "histogram")):
            told = as_nobody(words[0], target.pid, *words[1:])
            assert "it belongs to uid 0, and seep runs as uid 65534" in told, told
            assert f"sudo seep {words[0]} {target.pid}" in told, told
        for how, sentence, remedy in (
                (("unshare", "-Ur"), "runs in a user namespace", "outside of the container"),
                (("capsh", "--drop=cap_sys_ptrace", "--shell=/usr/bin/env", "--"),
                 "without CAP_SYS_PTRACE", "--cap-add SYS_PTRACE")):
            if not shutil.which(how[0]):
                continue
            with Target(["/usr/bin/setpriv", "--reuid", "65534", "--clear-groups", "sleep", "60"],
                        ready=None) as other:
                while "Uid:\t65534" not in pathlib.Path(
                        f"/proc/{other.pid}/status").read_text():
                    time.sleep(0.01)
                done = subprocess.run([*how, seep.program(), "why", str(other.pid)],
                                      capture_output=True, text=True, check=False)
                told = " ".join(done.stderr.split())
                if "unshare failed" in told:
                    continue
                assert done.returncode == seep.COULD_NOT, (how, done)
                assert sentence in told and remedy in told, (how, told)


@case
def what_changes_is_told():
    """--sample tells the growth of each type, as often as --count says."""
    code = ("import mmap, sys\nprint('READY', flush=True)\nkept = []\n"
            "for line in sys.stdin:\n"
            "    kept.append(mmap.mmap(-1, 5 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))\n"
            "    kept[-1].write(b'x' * (3 << 20))\n    print('GREW', flush=True)\n")
    with Target(["/usr/bin/python3", "-c", code], stdin=subprocess.PIPE) as target:
        with subprocess.Popen([seep.program(), "vm", "--sample", "1", "--count", "2",
                               str(target.pid)], stdout=subprocess.PIPE, text=True) as sampler:
            first = sampler.stdout.readline()
            target.process.stdin.write(b"\n")
            target.process.stdin.flush()
            target.await_output(b"GREW")
            out = first + sampler.stdout.read()
        assert sampler.returncode == 0, out
        assert first.startswith(f"python3 ({target.pid}) has a footprint of"), out
        assert "+3.1 MB resident" in out and "+5.2 MB virtual" in out, out
        lines = seep.run("vm", "--sample", "0.01s", "--count", "3", "--json", target.pid)
        if lines.status == seep.USAGE:
            lines = seep.run("vm", "--sample", "1", "--count", "2", "--json", target.pid)
        reports = [json.loads(line) for line in lines.out.splitlines()]
        assert len(reports) >= 2, lines
        validate(reports[-1])


@case
def who_may_not_be_stopped_is_counted_as_it_runs():
    """A program that another traces is told, with a warning."""
    with Target(["/usr/bin/sleep", "60"], ready=None) as target:
        gdb = subprocess.Popen(["strace", "-p", str(target.pid), "-o", "/dev/null"],
                               stderr=subprocess.PIPE) if pathlib.Path(
                                   "/usr/bin/strace").exists() else None
        if gdb is None:
            raise Skip("no strace that could trace it meanwhile")
        with gdb:
            while not target.tracer():
                time.sleep(0.01)
            report = look(target.pid)
            gdb.terminate()
        process = report["processes"][0]
        assert not process["stood_still"] and len(report["warnings"]) == 1, report["warnings"]
        assert "it ran on while its mappings were counted" in report["warnings"][0]
        assert process["total"]["resident_bytes"] > 0
        types = {row["type"] for row in process["types"]}
        assert {"text", "data", "heap", "main stack"} <= types, types


@case
def names_do_not_steer_terminals():
    """A file's name is shown, not obeyed."""
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "\x1b[2J\nname \u202e")
        path.write_bytes(b"x" * 4096)
        with Target([program("kinds"), path]) as target:
            text = seep.run("vm", "--interleaved", target.pid).out
            assert "\x1b" not in text and "\\x1b[2J" in text, text
            assert any(region["type"] == "mapped file" and "[2J" in region["name"]
                       for region in look_at(target.pid)["regions"])


@case
def wrong_command_lines_are_told():
    """Each with a sentence and the status for it."""
    for words, sentence in (
            (("vm",), "needs a process"),
            (("vm", "--summary", "--interleaved", "1"), "exclude each other"),
            (("vm", "--count", "2", "1"), "--count goes with --sample"),
            (("vm", "--sample", "1", "-o", "x", "1"), "and to no --output")):
        answer = seep.run(*words)
        assert answer.status == seep.USAGE and sentence in answer.err, answer
    answer = seep.run("vm", "2")
    assert answer.status == seep.COULD_NOT, answer
    with temporary_folder() as folder:
        path = pathlib.Path(folder, "x")
        path.write_text("no core\n")
        answer = seep.run("vm", path)
        assert answer.status == seep.COULD_NOT and str(path) in answer.err, answer
        answer = seep.run("vm", "--children", path)
        assert answer.status == seep.USAGE, answer


def assert_charged(process, stat):
    """`stat` is what a cgroup of one process is charged for, by the names of seep's report."""
    charge = process["charge"]
    known = process["page_table_bytes"] + process["kernel_stack_bytes"]
    print(f"  anonymous {charge['anonymous_bytes']} of {stat['anonymous']}, shared memory "
          f"{charge['shared_memory_bytes']} of {stat['shared_memory']}, file "
          f"{charge['file_bytes']} of {stat['file']}, kernel {known} of {stat['kernel']}, "
          f"in all {process['footprint_bytes']} of {stat['all']}")
    # Charges are counted in batches for each processor: 64 pages are not yet there.
    batch = 64 * 4096 * os.cpu_count()
    assert abs(charge["anonymous_bytes"] - stat["anonymous"]) <= batch, (charge, stat)
    assert abs(charge["shared_memory_bytes"] - stat["shared_memory"]) <= batch, (charge, stat)
    assert stat["swap"] == process["total"]["swapped_bytes"]
    # Files are charged to whoever read them first, which most often was not this one.
    assert stat["file"] <= charge["file_bytes"] + MB + batch
    # Of the kernel's memory seep knows page tables and stacks; the rest is small.
    assert known <= stat["kernel"] + batch, (known, stat)
    assert stat["kernel"] <= known + 2 * MB, (known, stat)
    assert stat["all"] <= process["footprint_bytes"] + charge["file_bytes"] + 3 * MB + batch
    assert stat["all"] + batch >= process["footprint_bytes"], (stat, process)


def numbers_of(text):
    return {name: int(value) for name, value in (line.split() for line in text.splitlines())}


def charged(group):
    """What seep says of a stopped program in a cgroup."""
    with temporary_folder() as folder, kinds_target(folder, preexec_fn=group.enter) as target:
        target.signal(signal.SIGSTOP)
        target.await_state("T")
        yield look_at(target.pid)


@case
def the_charge_is_the_cgroups():
    """What a memory cgroup is charged for one process is what seep says, item by item."""
    with Cgroup("memory") as group:
        for process in charged(group):
            stat = numbers_of(group.read("memory.stat"))
            assert_charged(process, {
                "anonymous": stat["rss"],
                "shared_memory": stat["shmem"],
                "file": stat["cache"] - stat["shmem"],
                "swap": stat["swap"],
                "kernel": int(group.read("memory.kmem.usage_in_bytes")),
                "all": int(group.read("memory.usage_in_bytes")),
            })


@case
def the_charge_is_the_second_cgroups():
    """The same of cgroup v2."""
    with Cgroup2("memory") as group:
        for process in charged(group):
            stat = numbers_of(group.read("memory.stat"))
            assert_charged(process, {
                "anonymous": stat["anon"],
                "shared_memory": stat["shmem"],
                "file": stat["file"] - stat["shmem"],
                "swap": int(group.read("memory.swap.current")),
                "kernel": stat.get("kernel", stat["kernel_stack"] + stat["pagetables"] +
                                   stat["slab"]),
                "all": int(group.read("memory.current")),
            })


@case
def processes_may_end_meanwhile():
    """At whatever moment of the look: it is told, or refused in one sentence."""
    for number in range(40):
        with subprocess.Popen(["/usr/bin/sleep", "60"]) as process:
            look_at_it = subprocess.Popen([os.environ["SEEP"], "vm", str(process.pid)],
                                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            time.sleep(number * 0.0005)
            process.kill()
            _, said = look_at_it.communicate(timeout=60)
            sentences = said.decode().splitlines()
        assert look_at_it.returncode in (seep.NONE, seep.COULD_NOT), (number, said)
        if look_at_it.returncode == seep.COULD_NOT:
            assert len(sentences) <= 2 and sentences[0].startswith("seep: "), said


if __name__ == "__main__":
    sys.exit(cases.main())
