#!/usr/bin/python3
"""Real programs: seep reports no definite leak that Memcheck does not also report.

Each program is brought to a point where it waits for what never comes, or to its end; first
as it is, then under Memcheck. Both tools look at that point. A block is known by its usable size, which
follows from the size asked for; so for every leak of seep's, Memcheck must have one that
glibc would round to that size.
"""

import collections
import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness import cases, seep
from harness.cases import case, needs, program
from harness.memcheck import Memcheck
from harness.target import Target, temporary_folder

SLOW_S = 300

# Else every run would build other tables.
SAME_HASHES = {"PYTHONHASHSEED": "0", "PERL_HASH_SEED": "0"}

# Memcheck's blocks lie at low addresses, where numbers lie too: a flag and a count side by side
# may look like a pointer into a block. With other redzones such a number looks like one into
# another block, and a pointer is a pointer still: a leak of seep's must be lost in some layout.
REDZONES = range(16, 16 + 8 * 32, 32)

MMAP_THRESHOLD = 128 << 10
PAGE = 4096


def usable_sizes(asked):
    """What can be used of a block: a chunk that would leave less than 32 bytes over is not
    split, and a large one may have a mapping of its own."""
    chunk = max(32, (asked + 8 + 15) & ~15)
    sizes = {chunk - 8, chunk + 8}
    if asked >= MMAP_THRESHOLD:
        sizes.add(((chunk + 8 + PAGE - 1) & ~(PAGE - 1)) - 16)
    return sizes


def not_in_memcheck(ours, theirs):
    """The sizes in `ours` that no size in `theirs`, each used once, accounts for."""
    left = collections.Counter(ours)
    for asked in sorted(theirs):
        for size in sorted(usable_sizes(asked)):
            if left[size] > 0:
                left[size] -= 1
                break
    return sorted(left.elements())


def sizes_of(blocks, kind):
    return [size for size, block_kind in blocks.values() if block_kind == kind]


def bring_to_rest(target, feed):
    """Feeds it what it is to work on, and waits until it waits."""
    feed(target)
    target.await_state("S", patience_s=SLOW_S)
    time.sleep(0.1)


def lost_in_some(runs):
    """The sizes of the blocks that Memcheck calls lost, by the run that loses most of a size."""
    lost = collections.Counter()
    for blocks in runs:
        lost |= collections.Counter(sizes_of(blocks, "definite") + sizes_of(blocks, "indirect"))
    return list(lost.elements())


def invented(blocks, runs):
    """The sizes of seep's definite leaks that Memcheck, in all of its `runs`, does not have.
    Which block of a lost clique stands for it, and is definite, depends on addresses, which
    differ from run to run: what we call definite must be lost for Memcheck."""
    return not_in_memcheck(sizes_of(blocks, "definite"), lost_in_some(runs))


def compare_blocks(looks, ask_memcheck, layouts, least):
    """`looks`: (who, report, blocks) of each look; `ask_memcheck` runs the program under
    Memcheck with a redzone of `layouts`, the next only if seep's leaks are not in those
    before. Each tool must have seen `least` blocks: the program, not a trifle."""
    for who, report, blocks in looks:
        coverage = report["summary"]["coverage_percent"]
        kinds = collections.Counter(kind for _, kind in blocks.values())
        print(f"  {who}: {dict(kinds)}, coverage {coverage:.2f} %")
        assert coverage >= 99 and len(blocks) >= least
    runs = []
    for redzone in layouts:
        theirs = ask_memcheck(redzone)
        print(f"  Memcheck: {dict(collections.Counter(kind for _, kind in theirs.values()))}")
        assert len(theirs) >= least, "hardly any blocks"
        runs.append(theirs)
        if not any(invented(blocks, runs) for _, _, blocks in looks):
            return
    for who, _, blocks in looks:
        sizes = invented(blocks, runs)
        assert not sizes, f"{who} invents {len(sizes)} definite leaks, of sizes {sizes[:20]}"


def compare(command, feed, **options):
    """At the point where the program waits after feed()."""
    options.setdefault("ready", None)
    with temporary_folder() as folder:
        with Target(command, cwd=folder, **options) as target:
            bring_to_rest(target, feed)
            looks = [("seep", *seep.all_blocks(target.pid)),
                     ("seep --strict", *seep.all_blocks(target.pid, "--strict"))]
            target.assert_unharmed()

        def ask_memcheck(redzone):
            with Memcheck(command, folder, redzone=redzone, cwd=folder, **options) as target:
                bring_to_rest(target, feed)
                return target.blocks()

        compare_blocks(looks, ask_memcheck, REDZONES[:1], 50)


def all_blocks_at_exit(command, folder, *options):
    """(report, blocks)"""
    output = pathlib.Path(folder, "report.json")
    answer = seep.run("leaks", "--at-exit", "--json", "-o", output, "--kinds", "all",
                      "--examples", seep.ALL_EXAMPLES, "--max-pause", "5s", *options, "--",
                      *command, cwd=folder, env={**os.environ, **SAME_HASHES})
    assert answer.status in (seep.NONE, seep.FINDINGS) and output.exists(), answer
    report = json.loads(output.read_text())
    return report, seep.blocks(report)


def compare_at_exit(*command, least=5):
    needs(command[0])
    with temporary_folder() as folder:
        looks = [("seep", *all_blocks_at_exit(command, folder)),
                 ("seep --strict", *all_blocks_at_exit(command, folder, "--strict"))]

    def ask_memcheck(redzone):
        with temporary_folder() as folder, \
             Memcheck(command, folder, at_exit=True, redzone=redzone, cwd=folder, ready=None,
                      stdout=subprocess.DEVNULL, env=SAME_HASHES) as target:
            return target.blocks_at_exit()

    compare_blocks(looks, ask_memcheck, REDZONES, least)


def wait_for_ready(target):
    target.await_output(b"READY\n", SLOW_S)


def python(script, **env):
    compare(["/usr/bin/python3", "-S", "-c", script], wait_for_ready,
            env={**SAME_HASHES, **env})


PYTHON_WORK = """
import collections, decimal, json, re, signal, sys
text = json.dumps([{"number": n, "name": "n" * (n % 50)} for n in range(2000)])
data = json.loads(text)
words = collections.Counter(re.findall(r"[a-z]+", text))
class Node:
    def __init__(self, name):
        self.name, self.peers = name, []
nodes = [Node(str(n)) for n in range(500)]
for one, other in zip(nodes, nodes[1:]):
    one.peers.append(other)
    other.peers.append(one)
total = sum(decimal.Decimal(n) / 7 for n in range(200))
del nodes[::2]
print("READY", flush=True)
while True:
    signal.pause()
"""


@case
def python_with_malloc():
    """python3 with every object in a block of its own (PYTHONMALLOC=malloc)"""
    python(PYTHON_WORK, PYTHONMALLOC="malloc")


@case
def python_with_arenas():
    """python3 with its own arenas"""
    python(PYTHON_WORK)


@case
def python_with_threads():
    """python3 with threads that wait"""
    python("import threading, queue\n"
           "for _ in range(8): threading.Thread(target=queue.Queue().get, "
           "daemon=True).start()\n" + PYTHON_WORK, PYTHONMALLOC="malloc")


@case
def sqlite():
    """sqlite3 at its prompt, with tables in memory"""
    needs("sqlite3")
    statements = """
        CREATE TABLE letters (id INTEGER PRIMARY KEY, name TEXT, body BLOB);
        CREATE INDEX by_name ON letters (name);
        WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number
                                      WHERE n < 5000)
        INSERT INTO letters SELECT n, 'name ' || n, zeroblob(n % 300) FROM number;
        CREATE VIEW longest AS SELECT name FROM letters ORDER BY length(body) DESC LIMIT 5;
        SELECT * FROM longest;
        UPDATE letters SET name = upper(name) WHERE id % 3 = 0;
        DELETE FROM letters WHERE id % 7 = 0;
        SELECT count(*), max(name) FROM letters;
        .shell echo READY
    """
    text = "\n".join(line.strip() for line in statements.splitlines()) + "\n"

    def feed(target):
        target.process.stdin.write(text.encode())
        target.process.stdin.flush()
        wait_for_ready(target)

    compare(["sqlite3", "-batch", ":memory:"], feed, stdin=subprocess.PIPE)


@case
def perl():
    """perl, with hashes, closures and a cycle of its own"""
    needs("perl")
    script = """
        use strict; use warnings; use List::Util; use Data::Dumper; use POSIX;
        my %by_name = map { ("name $_" => { number => $_, list => [1 .. $_ % 20] }) } 1 .. 2000;
        my @subs = map { my $n = $_; sub { $n + shift } } 1 .. 200;
        my $sum = 0; $sum += $_->(1) for @subs;
        my $text = Dumper([@by_name{grep { /7$/ } sort keys %by_name}]);
        my @words = $text =~ /(\\w+)/g;
        delete @by_name{grep { /3/ } keys %by_name};
        $| = 1; print "READY\\n";
        POSIX::pause() while 1;
    """
    compare(["perl", "-e", script], wait_for_ready, env=SAME_HASHES)


def find_compiler(name):
    needs("gcc")
    found = subprocess.run(["gcc", f"-print-prog-name={name}"], stdout=subprocess.PIPE,
                           text=True, check=True).stdout.strip()
    assert os.path.isabs(found), f"{name} is missing; tools/packages.txt names its package"
    return found


def rest_in_compiler(name, language, source):
    """Compiles a source whose last line includes a pipe that nobody writes to: so the
    compiler has done most of its work, and rests in the middle of it."""
    with temporary_folder() as folder:
        pipe = pathlib.Path(folder, "pipe")
        input_file = pathlib.Path(folder, f"input.{language}")
        input_file.write_text(f'{source}\n#include "{pipe}"\n')
        os.mkfifo(pipe)
        writers = []

        def feed(_):
            # Opening it for writing waits until the compiler has opened it for reading.
            writers.append(os.open(pipe, os.O_WRONLY))

        try:
            compare([find_compiler(name), "-quiet", "-O2", "-imultiarch", "x86_64-linux-gnu", input_file,
                     "-o", os.devnull], feed)
        finally:
            for writer in writers:
                os.close(writer)


C_SOURCE = ("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
            "struct node { struct node *next; int value; };\n" + "\n".join(
                f"int work{n}(struct node *node, int x)\n"
                "{ for (int i = 0; i < x; i++) { node->value += i * x; "
                "if (node->next) node = node->next; } "
                "return printf(\"%d\\n\", node->value); }" for n in range(100)) + "\n")
CPLUSPLUS_SOURCE = ("#include <vector>\n#include <string>\n#include <map>\n"
                    "std::map<std::string, std::vector<int>> all;\n"
                    "int count() { int n = 0; for (auto &one : all) n += one.second.size(); "
                    "return n; }\n")


@case
def cc1():
    """gcc's C compiler in the middle of a translation"""
    rest_in_compiler("cc1", "c", C_SOURCE)


@case
def cc1plus():
    """gcc's C++ compiler, itself a C++ program, in the middle of a translation"""
    rest_in_compiler("cc1plus", "cc", CPLUSPLUS_SOURCE)


@case
def cplusplus_program():
    """a C++ program with the containers of the standard library"""
    compare([program("bookshop")], wait_for_ready)


def end_of_compiler(name, language, source):
    with temporary_folder() as folder:
        input_file = pathlib.Path(folder, f"input.{language}")
        input_file.write_text(source)
        compare_at_exit(find_compiler(name), "-quiet", "-O2", "-imultiarch",
                        "x86_64-linux-gnu", input_file, "-o", os.devnull, least=1000)


@case
def cc1_at_exit():
    """gcc's C compiler at its end"""
    end_of_compiler("cc1", "c", C_SOURCE)


@case
def cc1plus_at_exit():
    """gcc's C++ compiler at its end"""
    end_of_compiler("cc1plus", "cc", CPLUSPLUS_SOURCE)


@case
def python_at_exit():
    """python3 at its end"""
    compare_at_exit("/usr/bin/python3", "-c", "import json, re, decimal")


@case
def perl_at_exit():
    """perl at its end: its interpreter is freed, so all that only it held is lost"""
    compare_at_exit("/usr/bin/perl", "-MPOSIX", "-e",
                    "my %h = map { $_ => [$_] } 1 .. 200; $h{1} = \\%h;", least=500)


@case
def sqlite_at_exit():
    """sqlite3 at its end"""
    compare_at_exit("/usr/bin/sqlite3", "-batch", ":memory:",
                    "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2); SELECT * FROM t;",
                    least=1)


@case
def bash_at_exit():
    """bash at its end"""
    compare_at_exit("/bin/bash", "-c",
                    "declare -A a; for i in {1..200}; do a[$i]=$((i * i)); done; "
                    "f() { local b=${a[$1]}; echo $b; }; f 7 > /dev/null", least=500)


@case
def ls_at_exit():
    """ls at its end"""
    compare_at_exit("/bin/ls", "-la", "/usr/share")


@case
def find_at_exit():
    """find at its end"""
    compare_at_exit("/usr/bin/find", "/usr/share/doc", "-maxdepth", "1", "-name", "*lib*",
                    "-newer", "/bin/sh", "-print")


@case
def sort_at_exit():
    """sort, with its threads, at its end"""
    compare_at_exit("/usr/bin/sort", "--parallel=2", "-u", "/etc/services", "/etc/passwd")


@case
def tar_at_exit():
    """tar at its end"""
    compare_at_exit("/bin/tar", "-cf", "/dev/null", "/usr/share/perl5")


if __name__ == "__main__":
    sys.exit(cases.main())
