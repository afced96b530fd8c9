#!/usr/bin/python3
"""Other programs read what seep writes of a heap: memlab, and GraphViz."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

# pylint: disable=wrong-import-position
from harness import cases, seep
from harness.cases import Skip, case
from harness.target import Target, temporary_folder

HERE = pathlib.Path(__file__).resolve().parent
MEMLAB = ["@memlab/heap-analysis@2.0.5", "@memlab/core@2.0.5"]


def memlab():
    """The folder of modules that has memlab, fetched once; without the browser that it can drive."""
    folder = pathlib.Path(os.environ["FETCHED"]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "node_modules/@memlab/heap-analysis").exists():
        if not shutil.which("npm"):
            raise Skip("no npm, which fetches memlab")
        done = subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund",
                               "--prefix", folder, *MEMLAB], check=False, capture_output=True,
                              env={**os.environ, "PUPPETEER_SKIP_DOWNLOAD": "1"})
        if done.returncode:
            raise Skip(f"memlab cannot be fetched: {done.stderr.decode()[-300:]}")
    return folder / "node_modules"


PYTHON = """
import collections
kept = [{'id': i, 'tags': [str(i)] * 3} for i in range(3000)]
ring = [collections.OrderedDict(a=i) for i in range(500)]
for one, other in zip(ring, ring[1:] + ring[:1]):
    one['next'] = other
print('READY', flush=True)
input()
"""


def same_as_memlab(modules, folder, pid):
    heapsnapshot, told = pathlib.Path(folder, "x.heapsnapshot"), pathlib.Path(folder, "told.json")
    stored = pathlib.Path(folder, "x.seep")
    for words in (("snapshot", "--max-pause", "20s", "-o", stored, pid),
                  ("heap", "--to", "heapsnapshot", "-o", heapsnapshot, stored),
                  ("query", "--json", "-o", told, stored, "SELECT rowid, retained FROM blocks")):
        answer = seep.run(*words)
        assert answer.status == seep.NONE, answer
    done = subprocess.run(["node", HERE / "retained.js", heapsnapshot, told], check=True,
                          capture_output=True, env={**os.environ, "NODE_PATH": str(modules)})
    answer = json.loads(done.stdout.splitlines()[-1])
    print(f"  {answer}")
    assert answer["blocks"] == answer["told"] and answer["different"] == 0, answer
    return answer["blocks"]


@case
def memlab_retains_the_same():
    """What memlab says that each block retains is what seep says."""
    modules = memlab()
    with temporary_folder() as folder:
        with Target([cases.program("holding")], stdin=subprocess.PIPE) as target:
            target.await_state("S")
            assert same_as_memlab(modules, folder, target.pid) > 400
        with Target(["/usr/bin/python3", "-c", PYTHON], env={"PYTHONMALLOC": "malloc"},
                    stdin=subprocess.PIPE) as target:
            assert same_as_memlab(modules, folder, target.pid) > 20000


@case
def graphviz_draws_it():
    """What is around a block becomes a picture."""
    cases.needs("dot")
    with Target([cases.program("holding")], stdin=subprocess.PIPE) as target:
        target.await_state("S")
        block, = re.findall(r"^second (0x[0-9a-f]+)$", target.output.decode(), re.M)
        for options in ((), ("--types", "--depth", "3")):
            drawing = seep.run("heap", "--max-pause", "20s", "--to", "dot", *options, target.pid,
                               block)
            assert drawing.status == seep.NONE, drawing
            done = subprocess.run(["dot", "-Tsvg"], input=drawing.out.encode(), check=False,
                                  capture_output=True)
            assert done.returncode == 0 and not done.stderr, done
            assert done.stdout.count(b'class="node"') == len(
                re.findall(r"^\t[rb]\d+ \[", drawing.out, re.M)), drawing.out


sys.exit(cases.main())
