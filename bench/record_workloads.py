"""The programs that bench/record records: each makes its input, and gives the command to run."""
import dataclasses
import os
import random
import subprocess
import time


@dataclasses.dataclass
class Workload:
    name: str
    command: list
    stdin: str = os.devnull
    environment: dict = dataclasses.field(default_factory=dict)
    driver: list = None  # what drives it until it ends by itself; a server has one
    stop: list = None


def write(folder, name, lines):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="ascii") as file:
        file.writelines(lines)
    return path


def sql_lines():
    yield "create table t(a integer primary key, b text, c text);\n"
    rng = random.Random(1)
    yield "begin;\n"
    for number in range(60000):
        yield f"insert into t values({number}, 'name {rng.random()}', '{'x' * rng.randrange(80)}');\n"
    yield "commit;\ncreate index i on t(b);\n"
    for number in range(20000):
        yield f"select count(*), max(c) from t where b >= 'name 0.{number}' and a < {number};\n" \
            if number % 50 == 0 else f"select b from t where a = {rng.randrange(60000)};\n"


def xml_lines():
    yield "<?xml version='1.0'?>\n<library>\n"
    for number in range(150000):
        yield (f"<book id='b{number}' year='{1900 + number % 120}'><title>Title {number}</title>"
               f"<author>Author {number % 977}</author><p>text &amp; more</p></book>\n")
    yield "</library>\n"


PYTHON = """
import json
rows = [{"id": i, "name": "name %d" % i, "tags": ["t%d" % (i % n) for n in (2, 3, 5)]}
        for i in range(40000)]
text = json.dumps(rows)
again = json.loads(text)
index = {}
for row in again:
    for tag in row["tags"]:
        index.setdefault(tag, []).append(row["id"])
print(sum(len(found) for found in index.values()))
"""


def preprocess(folder, source):
    """Returns the C++ program as one file, and the compiler proper."""
    path = os.path.join(folder, "words.ii")
    subprocess.run(["g++", "-std=c++17", "-E", "-P", source, "-o", path], check=True)
    compiler = subprocess.run(["g++", "-print-prog-name=cc1plus"], check=True, text=True,
                              stdout=subprocess.PIPE).stdout.strip()
    return path, compiler


def make(folder, programs):
    """All workloads; `programs` is the folder of our own ones."""
    storm, words = (os.path.join(programs, name) for name in ("storm", "words"))
    here = os.path.dirname(os.path.abspath(__file__))
    unit, compiler = preprocess(folder, os.path.join(here, "words.cpp"))
    socket = os.path.join(folder, "redis.socket")
    return [
        Workload("storm, 1 thread", [storm, "1", "30", "4000000"]),
        Workload("storm, random calls", [storm, "1", "30", "1000000", "random"]),
        Workload("storm, 4 threads", [storm, "4", "30", "1000000"]),
        Workload("C++ maps", [words, "150000"]),
        Workload("sqlite3", ["sqlite3", ":memory:"], write(folder, "script.sql", sql_lines())),
        Workload("python3", ["python3", write(folder, "rows.py", [PYTHON])],
                 environment={"PYTHONMALLOC": "malloc"}),
        Workload("cc1plus -O2", [compiler, "-quiet", "-O2", "-std=c++17", unit, "-o",
                                 os.devnull]),
        Workload("xmllint", ["xmllint", "--noout", write(folder, "books.xml", xml_lines())]),
        Workload("redis", ["redis-server", "--port", "0", "--unixsocket", socket, "--save", ""],
                 driver=["redis-benchmark", "-s", socket, "-q", "-n", "100000", "-r", "100000",
                         "-P", "16", "-t", "set,lpush,hset,get"],
                 stop=["redis-cli", "-s", socket, "shutdown", "nosave"]),
    ]


def drive(workload):
    """Waits until the server is there, has it driven, and ends it; False if it does not answer."""
    give_up = time.monotonic() + 30
    ping = [*workload.stop[:-2], "ping"]
    while subprocess.run(ping, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         check=False).stdout != b"PONG\n":
        if time.monotonic() > give_up:
            return False
        time.sleep(0.02)
    subprocess.run(workload.driver, stdout=subprocess.DEVNULL, check=True)
    subprocess.run(workload.stop, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   check=False)
    return True
