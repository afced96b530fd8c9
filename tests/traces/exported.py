#!/usr/bin/python3
"""What is written for other tools is well-formed and adds up."""

import gzip
import itertools
import json
import pathlib
import re
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/traces")]

import samples
from harness import cases, seep
from harness.cases import case
from harness.target import temporary_folder


def exports(form, *options):
    """Yields (bytes of the export, JSON report) of every sample."""
    with temporary_folder() as folder:
        samples.write_all(folder)
        for name in samples.SAMPLES:
            path, out = (pathlib.Path(folder, f"{name}{end}") for end in (".seep", ".out"))
            answer = seep.run("report", "--to", form, "-o", out, *options, path)
            assert answer.status == seep.NONE and not answer.out, answer
            yield out.read_bytes(), json.loads(seep.run("report", "--json", path).out)


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value, at


def fields(data):
    """Yields (number, value) of a protocol buffer's message."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        value, at = varint(data, at)
        if tag & 7 == 2:
            value, at = data[at:at + value], at + value
        yield tag >> 3, value


def packed(data):
    at, values = 0, []
    while at < len(data):
        value, at = varint(data, at)
        values.append(value)
    return values


@case
def pprof():
    """Samples add up to the totals, and refer to locations and functions that are there."""
    for data, report in exports("pprof"):
        profile = {}
        for number, value in fields(gzip.decompress(data)):
            profile.setdefault(number, []).append(value)
        strings = [text.decode("utf-8", "replace") for text in profile[6]]
        names = [strings[dict(fields(kind))[1]] for kind in profile[1]]
        locations = {dict(fields(place))[1] for place in profile.get(4, [])}
        sums = [0] * len(names)
        for sample in profile.get(2, []):
            parts = dict(fields(sample))
            assert set(packed(parts.get(1, b""))) <= locations
            sums = [sum(pair) for pair in zip(sums, packed(parts[2]), strict=True)]
        summary, totals = report["summary"], dict(zip(names, sums, strict=True))
        assert totals["peak_space"] == summary["peak_bytes"], totals
        assert totals["inuse_space"] == summary["live_bytes"], totals
        assert totals["alloc_objects"] == summary["allocations"], totals
        assert totals["temporary_objects"] == summary["temporary"], totals


@case
def folded():
    """Every line is a stack and a number; the numbers add up to what was asked for."""
    for data, report in exports("folded", "--sort", "allocations"):
        lines = data.decode("utf-8", "replace").splitlines()
        assert all(re.fullmatch(r".+ \d+", line) for line in lines), lines
        assert (sum(int(line.rsplit(" ", 1)[1]) for line in lines) ==
                report["summary"]["allocations"])


@case
def flamegraph():
    """The picture is XML, and no frame leaves it."""
    growth = exports("flamegraph.svg", "--sort", "persistent", "--from", "1.5s")
    for data, _ in itertools.chain(exports("flamegraph.svg"), growth):
        picture = xml.etree.ElementTree.fromstring(data)
        width = float(picture.get("width"))
        for frame in picture.iter("{http://www.w3.org/2000/svg}rect"):
            if frame.get("x"):
                assert float(frame.get("x")) + float(frame.get("width")) <= width + 0.1


@case
def html():
    """The page needs nothing else, and no name breaks out of its data."""
    for data, report in exports("html"):
        text = data.decode()
        assert text.count("</script>") == 2 and "http" not in text and " src=" not in text
        embedded = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S).group(1))
        nodes = len(embedded["parents"])
        assert all(len(values) == nodes for values in embedded["values"].values())
        assert embedded["values"]["total"][0] == report["summary"]["total_bytes"]
        assert all(parent < at for at, parent in enumerate(embedded["parents"]) if at)


if __name__ == "__main__":
    sys.exit(cases.main())
