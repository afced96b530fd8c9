#!/usr/bin/python3
"""`seep leaks --suppressions` on the program `known`: what rules take out of a report, what
becomes of them, and what is refused."""

import json
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness import cases, seep
from harness.cases import case, program
from harness.target import Target, temporary_folder

VALGRIND_RULES = """{
   one
   Memcheck:Leak
   match-leak-kinds: definite
   ...
   fun:*
}
{
   other
   Memcheck:Cond
   fun:*
}
"""
EVERYTHING = "[all]\ntype = *\n"


def report_with(text, *options, status=seep.FINDINGS, command=("known",)):
    """Looks at the program with a file of rules; the JSON report."""
    with temporary_folder() as folder, Target([program(command[0])]) as target:
        path = pathlib.Path(folder, "known.supp")
        path.write_text(text)
        answer = seep.leaks(target.pid, "--json", "--suppressions", path, *options)
        assert answer.status == status, answer
        return answer.report()


def counts(report):
    return {kind: (count["blocks"], count["bytes"])
            for kind, count in report["summary"]["kinds"].items() if kind != "reachable"}


def states(report):
    return [(rule["name"], rule["state"], rule["blocks"], rule["bytes"])
            for rule in report["suppressions"]]


WHOLE = {"definite": (4, 512), "indirect": (3, 456), "possible": (0, 0), "suppressed": (0, 0)}


@case
def without_rules():
    """what there is to suppress"""
    report = report_with("# nothing\n")
    assert counts(report) == WHOLE, counts(report)
    assert report["suppressions"] == [] and report["generated_suppressions"] is None


@case
def by_class():
    """a root leak takes what hangs on it, but not what another leak leads to as well"""
    report = report_with("[sessions]\ntype = class *session\n")
    assert counts(report) == {**WHOLE, "definite": (3, 472), "indirect": (2, 400),
                              "suppressed": (2, 96)}, counts(report)
    assert states(report) == [("sessions", "used", 2, 96)], states(report)
    assert all("session" not in finding["type"] for finding in report["findings"])


@case
def shared_trees():
    """what hangs on two suppressed leaks goes with them, and is told of neither"""
    report = report_with("[a]\ntype = class *session\n[b]\ntype = class *upload\n")
    assert counts(report) == {**WHOLE, "definite": (2, 288), "indirect": (0, 0),
                              "suppressed": (5, 680)}, counts(report)
    assert states(report) == [("a", "used", 2, 96), ("b", "used", 1, 184)], states(report)


@case
def by_module():
    """the module that a class is from"""
    report = report_with("[x]\nmodule = kno*\n")
    assert counts(report)["definite"] == (2, 288), counts(report)


@case
def by_module_of_a_snapshot():
    """the module is known where the program is not"""
    with temporary_folder() as folder:
        rules = pathlib.Path(folder, "known.supp")
        rules.write_text("[x]\nmodule = kno*\n")
        snapshot = pathlib.Path(folder, "known.seep")
        with Target([program("known")]) as target:
            taken = seep.run("snapshot", target.pid, "-o", snapshot)
            assert taken.status == seep.NONE, taken
        report = seep.leaks(snapshot, "--json", "--suppressions", rules).report()
    assert counts(report)["definite"] == (2, 288), counts(report)
    assert states(report) == [("x", "used", 3, 280)], states(report)


@case
def by_size():
    """the first rule that matches is used, the others are not"""
    report = report_with("[big]\nsize = 200..\n[all]\nsize = 1..\n[none]\nsize = ..10\n",
                         status=seep.NONE)
    assert states(report) == [("big", "used", 1, 200), ("all", "used", 4, 368),
                              ("none", "unused", 0, 0)], states(report)
    assert counts(report)["suppressed"] == (7, 968) and not report["findings"]


@case
def by_root():
    """possible and reachable blocks by the variable that holds them"""
    for root in ("known_middle", "global known:known_mid*"):
        report = report_with(f"[x]\nroot = {root}\n", "--strict")
        assert counts(report)["possible"] == (0, 0), counts(report)
        assert states(report) == [("x", "used", 1, 248)], states(report)
    report = report_with("[x]\nroot = known_start\n", "--strict")
    assert states(report) == [("x", "unused", 0, 0)], "no leak, so the rule is not asked"
    report = report_with("[x]\nroot = known_start\nkind = reachable\n")
    assert states(report) == [("x", "used", 1, 280)], states(report)


@case
def indirect_alone():
    """a rule for indirect blocks takes those alone"""
    report = report_with("[x]\nsize = 56\nkind = indirect\n[y]\nsize = 56\n")
    assert counts(report) == {**WHOLE, "indirect": (2, 400), "suppressed": (1, 56)}, \
        counts(report)
    assert states(report) == [("x", "used", 1, 56), ("y", "unused", 0, 0)], states(report)


@case
def by_exclude():
    """--exclude is a rule without a file, for possible blocks too"""
    report = report_with("", "--exclude", "88-byte *", "--exclude", "none[x]*")
    assert states(report) == [("88-byte *", "used", 1, 88), ("none[x]*", "unused", 0, 0)]
    assert report["suppressions"][0]["file"] is None
    report = report_with("", "--strict", "--exclude", "248-byte *")
    assert counts(report)["possible"] == (0, 0), counts(report)


@case
def expired():
    """a rule that has expired matches nothing, and is told with its date"""
    text = "[old]\ntype = *\nexpires = 2020-02-29\n"
    report = report_with(text)
    assert counts(report) == WHOLE, counts(report)
    assert states(report) == [("old", "expired", 0, 0)] and \
        report["suppressions"][0]["expires"] == "2020-02-29"
    report = report_with(EVERYTHING + "expires = 9999-12-31\nreason = why not\n",
                         status=seep.NONE)
    assert report["suppressions"][0]["reason"] == "why not"


@case
def about_call_stacks():
    """rules of Valgrind and LeakSanitizer match nothing, and are not called unused"""
    report = report_with(VALGRIND_RULES + "leak:*\nrace:foo\n[own]\ntype = *\nframe = fun:*\n")
    assert counts(report) == WHOLE, counts(report)
    assert [rule["state"] for rule in report["suppressions"]] == [
        "needs_stacks", "not_about_leaks", "needs_stacks", "not_about_leaks",
        "needs_stacks"], states(report)
    assert [rule["line"] for rule in report["suppressions"]] == [1, 8, 13, 14, 15]


@case
def several_files():
    """files are taken in the order in which they are named"""
    with temporary_folder() as name, Target([program("known")]) as target:
        folder = pathlib.Path(name)
        (folder / "one").write_text("[a]\nsize = 88\n")
        (folder / "two").write_text("[b]\nsize = 88\n[c]\nsize = 200\n")
        answer = seep.leaks(target.pid, "--suppressions", folder / "one",
                            f"--suppressions={folder / 'two'}", "-v")
        assert answer.status == seep.FINDINGS, answer
        assert "3 suppressions: 2 used, 1 unused\n" in answer.out, answer
        assert f"unused: b ({folder / 'two'}:1)" in " ".join(answer.out.split()), answer
        again = next(line for line in answer.out.splitlines() if line.startswith("next:"))
        assert f"--suppressions {folder / 'one'} --suppressions {folder / 'two'}" in again


@case
def at_exit():
    """a command that leaks only what is known: exit 0, and the report says so"""
    with temporary_folder() as name:
        path = pathlib.Path(name, "known.supp")
        path.write_text(EVERYTHING)
        answer = seep.run("leaks", "--at-exit", "--suppressions", path, "--max-pause", "20s",
                          "--", program("known"), "--exit")
        assert answer.status == seep.NONE, answer
        assert answer.err.startswith("no leaks but suppressed ones in known ("), answer
        assert "1 suppression: 1 used\n" in answer.err, answer


@case
def generated_in_json():
    """--json has the generated file as a string"""
    with temporary_folder() as name, Target([program("known")]) as target:
        path = pathlib.Path(name, "known.supp")
        path.write_text(seep.leaks(target.pid, "--json", "--gen-suppressions")
                        .report()["generated_suppressions"])
        answer = seep.leaks(target.pid, "--suppressions", path)
        assert answer.status == seep.NONE, answer


@case
def generated_on_stdout():
    """all that --gen-suppressions prints is a file of rules, with the report as a comment"""
    with temporary_folder() as name, Target([program("known")]) as target:
        path = pathlib.Path(name, "known.supp")
        answer = seep.leaks(target.pid, "--gen-suppressions", "--examples", "1")
        assert answer.status == seep.FINDINGS, answer
        assert answer.out.startswith("# 4 leaks: 968 B lost in 7 blocks of known ("), answer
        path.write_text(answer.out)
        assert seep.leaks(target.pid, "--suppressions", path).status == seep.NONE
        answer = seep.leaks(target.pid, "--gen-suppressions", "--suppressions", path)
        assert answer.status == seep.NONE and "\n[" not in answer.out, answer
        assert len(re.findall(r"^\[", seep.leaks(target.pid, "--gen-suppressions",
                                                 "--max-findings", "2").out, re.M)) == 2


@case
def bad_files():
    """a file that makes no sense: exit 2 with its place, before anything is looked at"""
    with temporary_folder() as name:
        folder = pathlib.Path(name)
        witness = folder / "ran"
        for text, sentence in (
                (b"[a]\ntyp = b\n", "{}:2: a suppression has no key \"typ\""),
                (b"{\n", "{}:1: the block that begins here is not closed"),
                (b"\x1b[2J\xff\n", "{}:1: no suppression begins with \"\\x1b[2J\\xff\""),
                (b"\x7fELF\x02\x01\x01\0\0", "{} is no text: its byte 7 is a NUL"),
        ):
            path = folder / "bad.supp"
            path.write_bytes(text)
            done = subprocess.run([seep.program(), "leaks", "--suppressions", path, "--at-exit",
                                   "--", "touch", witness], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == seep.USAGE and done.stdout == "", done
            assert done.stderr.startswith(f"seep: {sentence.format(path)}."), done.stderr
            assert "\n      try: " in done.stderr, done.stderr
        done = seep.run("leaks", "--suppressions", folder / "none", 1)
        assert done.status == seep.USAGE, done
        assert done.err.startswith(f"seep: cannot read the suppressions in {folder / 'none'}: "
                                   "No such file or directory."), done.err
        assert not witness.exists()


@case
def rules_for_roots_are_refused():
    """--gen-suppressions with --group-by root: exit 2"""
    done = seep.run("leaks", "--gen-suppressions", "--group-by", "root", 1)
    assert done.status == seep.USAGE and "leave out --group-by root" in done.err, done


@case
def from_a_pipe():
    """rules may come from a pipe, as in --suppressions <(…)"""
    with Target([program("known")]) as target:
        command = ["bash", "-c", '"$0" leaks --json --max-pause 20s --suppressions '
                                 '<(printf "[a]\\nsize = 1..\\n") "$1"',
                   seep.program(), str(target.pid)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False)
        assert done.returncode == seep.NONE, done
        assert states(json.loads(done.stdout)) == [("a", "used", 5, 568)], done.stdout


if __name__ == "__main__":
    sys.exit(cases.main())
