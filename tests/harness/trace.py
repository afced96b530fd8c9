"""Reads trace files as doc/FORMAT.md says, apart from seep's own reader.

Checksums are not looked at, and every number is taken for right: what makes no sense fails.
"""

import struct
import subprocess

RUN, CODE, NODES, REQUESTS, THREADS, EVENTS, ADDRESSES, NAMES, SUMMARY, DEATHS, END = (
    32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 15)
SUMMARY_FIELDS = ("flags", "code", "duration_us", "allocations", "frees", "lost", "bytes",
                  "peak_bytes", "peak_us", "live_bytes", "live_blocks", "temporary",
                  "executions", "replaced_blocks", "replaced_bytes")
EXITED, KILLED, TO_THE_END = 1, 2, 4


class Payload:
    def __init__(self, data):
        self.data, self.at = data, 0

    def more(self):
        return self.at < len(self.data)

    def number(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def difference(self):
        return unfold(self.number())

    def text(self):
        length = self.number()
        if not length:
            return None
        self.at += length - 1
        return self.data[self.at - length + 1:self.at].decode(errors="replace")


def unfold(folded):
    return -(folded + 1 >> 1) if folded & 1 else folded >> 1


def chunks(path):
    """(type, payload) of each whole chunk."""
    data = path.read_bytes()
    assert data[:8] == b"\x89SEEP\r\n\x1a", path
    at = 24
    while at + 40 <= len(data):
        kind, _, flags, stored, plain = struct.unpack_from("<IHHQQ", data, at)
        payload = data[at + 40:at + 40 + stored]
        if len(payload) < stored:
            return
        if flags & 1:
            payload = subprocess.run(("zstd", "-dcq"), input=payload, check=True,
                                     stdout=subprocess.PIPE).stdout
        assert len(payload) == plain
        yield kind, Payload(payload)
        at += 40 + stored


class Program:
    """What one of the programs did that a process executed one after the other."""

    def __init__(self, path=None):
        self.path = path  # None: the first one
        self.allocations = self.resizes = self.frees = self.bytes = 0
        self.sizes = {}


class Trace:
    """What a trace tells, added up."""

    def __init__(self, path):
        self.requests, self.nodes, self.threads, self.deaths = [], [(0, 0)], [], []
        self.live = {}  # how many blocks, by request
        self.allocations = self.frees = self.strays = self.lost = self.bytes = 0
        self.live_bytes = self.peak_bytes = self.temporary = self.time_us = 0
        self.sizes = {}  # how often blocks of each size were allocated
        self.marks, self.pauses, self.paths = [], 0, []
        self.executions = []  # (program, the live blocks that it ended, their bytes)
        self.programs = [Program()]
        self.first_request = self.first_thread = 0  # of the program that runs
        self.code = []  # start, the first node that it is of, and the first that it is not
        self.summary, self.is_whole, self.nr_events = None, False, 0
        readers = {CODE: self.read_code, NODES: self.read_nodes, REQUESTS: self.read_requests,
                   THREADS: self.read_threads, DEATHS: self.read_deaths, EVENTS: self.read_events,
                   SUMMARY: self.read_summary}
        for kind, payload in chunks(path):
            if kind in readers:
                readers[kind](payload)
            self.is_whole |= kind == END

    def read_code(self, payload):
        while payload.more():
            what, node = payload.number(), payload.number()
            assert node <= len(self.nodes) + 100000
            if what == 1:
                start = payload.number()
                assert start <= payload.number()
                payload.number()
                self.paths.append(payload.text())
                payload.text()
                self.code.append([start, node, None])
            else:
                assert what == 2
                start = payload.number()
                loaded = [code for code in self.code if code[0] == start and code[2] is None]
                loaded[-1][2] = node

    def read_nodes(self, payload):
        assert payload.number() == len(self.nodes)
        address = 0
        for _ in range(payload.number()):
            parent = len(self.nodes) - 1 + payload.difference()
            address += payload.difference()
            assert 0 <= parent < len(self.nodes)
            self.nodes.append((parent, address % 2 ** 64))

    def read_requests(self, payload):
        assert payload.number() == len(self.requests)
        node = 0
        for _ in range(payload.number()):
            size = payload.number()
            node += payload.difference()
            assert node < len(self.nodes)
            self.requests.append((size, node))

    def read_threads(self, payload):
        while payload.more():
            assert payload.number() == len(self.threads)
            self.threads.append(payload.number())

    def read_deaths(self, payload):
        assert payload.number() == len(self.deaths)
        request = 0
        for _ in range(payload.number()):
            request += payload.difference()
            what, who = payload.number(), payload.number()
            assert request < len(self.requests) and who <= len(self.threads)
            self.deaths.append((request, what & 1))

    def begin(self, request):
        assert request >= self.first_request and self.thread >= self.first_thread
        size = self.requests[request][0]
        self.live[request] = self.live.get(request, 0) + 1
        self.allocations += 1
        self.bytes += size
        self.live_bytes += size
        self.peak_bytes = max(self.peak_bytes, self.live_bytes)
        for those in self, self.programs[-1]:
            those.sizes[size] = those.sizes.get(size, 0) + 1
        self.programs[-1].allocations += 1
        self.programs[-1].bytes += size

    def end(self, death):
        request, is_temporary = self.deaths[death]
        assert request >= self.first_request
        assert self.live[request] > 0
        self.live[request] -= 1
        self.live_bytes -= self.requests[request][0]
        self.temporary += is_temporary

    def read_events(self, payload):
        time_us, events, self.thread = (payload.number() for _ in range(3))
        assert time_us >= self.time_us and events == self.nr_events
        assert self.thread < len(self.threads)
        self.time_us = time_us
        while payload.more():
            number = payload.number()
            self.nr_events += 1
            kind, rest = number & 3, number >> 2
            if kind == 0:
                self.begin(rest)
            elif kind == 1:
                self.end(rest)
                self.frees += 1
                self.programs[-1].frees += 1
            elif kind == 2:
                self.end(rest)
                self.begin(payload.number())
                self.programs[-1].resizes += 1
            else:
                self.read_other(payload, rest)

    def read_other(self, payload, what):
        if what == 0:
            self.time_us += payload.number()
        elif what == 1:
            self.thread = payload.number()
            assert self.thread < len(self.threads)
        elif what == 2:
            self.marks.append(payload.text())
        elif what == 3:
            self.lost += payload.number()
        elif what == 4:
            self.strays += 1
        elif what in (5, 6):
            payload.number()
        elif what in (7, 8):
            self.pauses += what == 7
        else:
            assert what == 9
            self.programs.append(Program(payload.text()))
            self.executions.append((self.programs[-1].path, sum(self.live.values()),
                                    self.live_bytes))
            assert not payload.more()
            self.live, self.live_bytes = {}, 0
            self.first_request, self.first_thread = len(self.requests), len(self.threads)

    def read_summary(self, payload):
        numbers = [payload.number() for _ in range(payload.number())]
        self.summary = dict(zip(SUMMARY_FIELDS, numbers))

    def check(self):
        """The summary says what the events say."""
        assert self.is_whole and self.summary
        for name in ("allocations", "frees", "lost", "bytes", "peak_bytes", "live_bytes",
                     "temporary"):
            assert getattr(self, name) == self.summary[name], (name, self.summary, vars(self))
        assert sum(self.live.values()) == self.summary["live_blocks"]
        ended = [sum(numbers) for numbers in zip(*(end[1:] for end in self.executions))]
        assert [self.summary["executions"], self.summary["replaced_blocks"],
                self.summary["replaced_bytes"]] == [len(self.executions), *(ended or [0, 0])]
        return self
