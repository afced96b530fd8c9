#!/usr/bin/python3
"""Programs with debug information, built from Debian's sources: how much of them seep can tell.

`build`, beside this script, makes them in the folder that SOURCES names.
"""

import json
import os
import pathlib
import random
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness import cases, seep
from harness.cases import Skip, case
from harness.ledger import assert_explained, why
from harness.recorded import Recorded
from harness.target import Target, temporary_folder

HERE = pathlib.Path(__file__).resolve().parent
TYPED_LEAST = 70  # percent of bytes
NR_COMMANDS = 70000


def sources():
    """The folder with what was built."""
    folder = pathlib.Path(os.environ["SOURCES"]).resolve()
    done = subprocess.run([HERE / "build", folder], check=False)
    if done.returncode == cases.SKIPPED_STATUS:
        raise Skip("Debian's sources cannot be fetched")
    assert done.returncode == 0
    return folder


def typed(pid, *options):
    """Percent of the bytes whose type is known."""
    answer = seep.run("heap", "--json", "--types", "--top", "8", "--max-pause", "20s", *options,
                      pid, "histogram")
    assert answer.status == seep.NONE, answer
    report = json.loads(answer.out)
    summary = report["summary"]
    share = 100 * summary["typed"]["bytes"] / summary["all"]["bytes"]
    print(f"  types{' with a recording' if options else ''}: {share:.1f} % of "
          f"{summary['all']['bytes']} bytes; " + ", ".join(
              f"{row['type']}" for row in report["rows"]))
    return share


def redis_command(folder, at):
    return [sources() / "redis/src/redis-server", "--port", "0", "--unixsocket", at, "--save", "",
            "--dir", folder]


REDIS_READY = b"eady to accept connections"


def commands(chance):
    """Strings, hashes, lists, sets and sorted sets."""
    for i in range(NR_COMMANDS):
        yield [[b"set", b"key:%d" % i, bytes(chance.choices(b"abcdefghij",
                                                            k=chance.randint(10, 200)))],
               [b"hset", b"hash:%d" % (i % 2000), b"f%d" % i, b"h" * 90],
               [b"rpush", b"list:%d" % (i % 500), b"l" * 30],
               [b"sadd", b"set:%d" % (i % 300), b"m%d" % i],
               [b"zadd", b"z:%d" % (i % 300), b"%d" % i, b"m%d" % i]][i % 5]


def load_redis(at):
    """Has a redis hold some 20 MB."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(at))
        answers = connection.makefile("rb")
        waiting = 0
        for command in commands(random.Random(1)):
            connection.sendall(b"*%d\r\n" % len(command) + b"".join(
                b"$%d\r\n%s\r\n" % (len(word), word) for word in command))
            waiting += 1
            if waiting == 500:
                for _ in range(waiting):
                    assert answers.readline()[:1] in b"+:", command
                waiting = 0


@case
def redis_types():
    """Of a redis that is recorded the types of 70 % of the bytes are known."""
    with temporary_folder() as folder:
        at = pathlib.Path(folder, "socket")
        with Recorded(f"{folder}/trace", redis_command(folder, at), "--addresses",
                      ready=REDIS_READY) as recorded:
            load_redis(at)
            typed(recorded.program)
            assert typed(recorded.program, "--recording", recorded.trace) >= TYPED_LEAST


@case
def redis_memory():
    """Of a redis the resident memory is explained."""
    with temporary_folder() as folder:
        at = pathlib.Path(folder, "socket")
        with Target(redis_command(folder, at), ready=REDIS_READY) as target:
            load_redis(at)
            assert_explained(why(target.pid))
            target.assert_unharmed()


def shelf(folder):
    """The program of shelf.c, linked with the sqlite that was built."""
    program = pathlib.Path(folder, "shelf")
    sqlite = sources() / "sqlite"
    subprocess.run(["gcc", "-g", "-O1", "-I", sqlite, HERE / "shelf.c", sqlite / "sqlite3.o", "-o",
                    program, "-lm", "-lpthread", "-ldl"], check=True)
    return program


@case
def sqlite_types():
    """Of an sqlite that is recorded the types of 70 % of the bytes are known."""
    with temporary_folder() as folder:
        with Recorded(f"{folder}/trace", [shelf(folder)], "--addresses") as recorded:
            typed(recorded.program)
            assert typed(recorded.program, "--recording", recorded.trace) >= TYPED_LEAST


@case
def sqlite_memory():
    """Of an sqlite the resident memory is explained."""
    with temporary_folder() as folder:
        with Target([shelf(folder)]) as target:
            assert_explained(why(target.pid))
            target.assert_unharmed()


PYTHON = """
import json, collections, threading
kept = [json.loads(json.dumps({'id': i, 'tags': [str(i)] * 3})) for i in range(20000)]
names = collections.OrderedDict((str(i), i) for i in range(20000))
print('READY', flush=True)
threading.Event().wait()
"""


@case
def python_types():
    """Of a python with debug information the types of 70 % of the bytes are known."""
    cases.needs("python3-dbg")
    with Target(["python3-dbg", "-c", PYTHON], env={"PYTHONMALLOC": "malloc"}) as target:
        assert typed(target.pid) >= TYPED_LEAST
        target.assert_unharmed()


@case
def python_memory():
    """Of that python the resident memory is explained."""
    cases.needs("python3-dbg")
    with Target(["python3-dbg", "-c", PYTHON], env={"PYTHONMALLOC": "malloc"}) as target:
        assert_explained(why(target.pid))
        target.assert_unharmed()


sys.exit(cases.main())
