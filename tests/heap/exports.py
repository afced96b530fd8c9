#!/usr/bin/python3
"""What other programs are given of a heap: they come to what seep says each block retains."""

import json
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

# pylint: disable=wrong-import-position
from harness import cases, seep
from harness.cases import case
from harness.target import Target, temporary_folder

NODE_FIELDS = ["type", "name", "id", "self_size", "edge_count", "trace_node_id", "detachedness"]
EDGE_FIELDS = ["type", "name_or_index", "to_node"]


def holding():
    target = Target([cases.program("holding")], stdin=subprocess.PIPE)
    target.await_state("S")
    return target


def seep_heap(*words, status=seep.NONE):
    answer = seep.run("heap", "--max-pause", "20s", *words)
    assert answer.status == status, answer
    return answer


class Snapshot:
    """A .heapsnapshot, as one reads it who knows V8's format and nothing of seep."""

    def __init__(self, text):
        whole = json.loads(text)
        meta = whole["snapshot"]["meta"]
        assert meta["node_fields"] == NODE_FIELDS and meta["edge_fields"] == EDGE_FIELDS
        rows = list(zip(*[iter(whole["nodes"])] * len(NODE_FIELDS)))
        edges = iter(zip(*[iter(whole["edges"])] * len(EDGE_FIELDS)))
        self.strings = whole["strings"]
        self.kinds = [meta["node_types"][0][row[0]] for row in rows]
        self.names = [self.strings[row[1]] for row in rows]
        self.ids = [row[2] for row in rows]
        self.sizes = [row[3] for row in rows]
        self.edges = []
        for row in rows:
            self.edges.append([next(edges) for _ in range(row[4])])
        assert next(edges, None) is None
        assert whole["snapshot"]["node_count"] == len(rows) == len(set(self.ids))
        assert whole["snapshot"]["edge_count"] == sum(map(len, self.edges))
        self.weak = meta["edge_types"][0].index("weak")
        self.property = meta["edge_types"][0].index("property")

    def reached_bytes(self, without=None):
        """What is reached from the first node if one is taken away."""
        seen, stack, size = {0, without}, [0], 0
        while stack:
            node = stack.pop()
            size += self.sizes[node]
            for kind, _, to in self.edges[node]:
                to //= len(NODE_FIELDS)
                if kind != self.weak and to not in seen:
                    seen.add(to)
                    stack.append(to)
        return size

    def retained(self):
        """{number: bytes} of all blocks: by taking each away."""
        everything = self.reached_bytes()
        return {self.ids[node] // 2 - 1: everything - self.reached_bytes(node)
                for node, kind in enumerate(self.kinds) if kind == "object"}


def retained_by_seep(target):
    answer = seep.run("query", "--json", "--max-pause", "20s", target,
                      "SELECT rowid, retained FROM blocks")
    assert answer.status == seep.NONE, answer
    return dict(json.loads(answer.out)["rows"])


@case
def retained_is_the_same():
    """Whoever reads the file and takes blocks away one by one comes to seep's numbers: of a process and of a
    snapshot, with names of fields and without."""
    with temporary_folder() as folder, holding() as target:
        stored, path = pathlib.Path(folder, "stored.seep"), pathlib.Path(folder, "x.heapsnapshot")
        answer = seep.run("snapshot", "--types", "--max-pause", "20s", "-o", stored, target.pid)
        assert answer.status == seep.NONE, answer
        for of in (target.pid, stored):
            seep_heap("--to", "heapsnapshot", "-o", path, of)
            assert path.stat().st_mode & 0o777 == 0o600
            snapshot = Snapshot(path.read_text())
            found, told = snapshot.retained(), retained_by_seep(of)
            assert len(found) > 400 and found == told, {
                number: (found.get(number), told.get(number))
                for number in found.keys() | told.keys()
                if found.get(number) != told.get(number)}
            assert "holding:chain" in snapshot.names and "(lost)" in snapshot.names
        named = {snapshot.strings[name] for edges in snapshot.edges for kind, name, _ in edges
                 if kind == snapshot.property}
        assert {"next", "text", "other"} <= named, named


@case
def neighbourhoods():
    """A drawing has the block, its holders and what it holds; of many, a bounded part."""
    with holding() as target:
        blocks = dict(re.findall(r"^(\w+) (0x[0-9a-f]+)$", target.output.decode(), re.M))
        drawing = seep_heap("--types", "--to", "dot", "--depth", "1", target.pid,
                            blocks["second"]).out
        nodes = re.findall(r"^\t(\w+) \[.*label=\"(.*)\"", drawing, re.M)
        edges = re.findall(r"^\t(\w+) -> (\w+)(?: \[label=\"(.*)\"\])?;", drawing, re.M)
        assert drawing.startswith("digraph heap {") and drawing.rstrip().endswith("}")
        by_label = {label.split("\\n")[1]: name for name, label in nodes if "\\n" in label}
        here, before = by_label[blocks["second"]], by_label[blocks["first"]]
        assert (before, here, "next") in edges, drawing
        assert sorted(label for one, _, label in edges if one == here) == ["next", "text"], drawing
        assert any(label == "holding:chain" for _, label in nodes), drawing
        for words in (("--to", "dot", target.pid), ("--to", "heapsnapshot", target.pid, "roots"),
                      ("--to", "dot", target.pid, "Node"), ("--to", "png", target.pid),
                      ("--where", "live", "--to", "heapsnapshot", target.pid),
                      ("--by", "size", "--to", "heapsnapshot", target.pid),
                      ("--exclude", "Node", "--to", "dot", target.pid, blocks["second"])):
            answer = seep_heap(*words, status=seep.USAGE)
            assert answer.err.startswith("seep: ") and not answer.out, answer
    with Target([cases.program("growth"), "8", "leak"], stdin=subprocess.PIPE) as target:
        target.await_state("S")
        answer = seep.run("query", "--json", "--max-pause", "20s", target.pid,
                          "SELECT address(addr) FROM blocks WHERE type = 'class Item' LIMIT 1")
        (address,), = json.loads(answer.out)["rows"]
        wide = seep_heap("--to", "dot", "--depth", "1000", target.pid, address).out
        assert wide.count("retains") == 200 and "there is more" in wide


if __name__ == "__main__":
    sys.exit(cases.main())
