"""Reads trace files as doc/FORMAT.md says, apart from seep's own reader.

Checksums are not looked at, and every number is taken for right: what makes no sense fails.
"""

import struct
import subprocess

RUN, CODE, NODES, REQUESTS, THREADS, EVENTS, ADDRESSES, NAMES, SUMMARY, END = (
    32, 33, 34, 35, 36, 37, 38, 39, 40, 15)
SUMMARY_FIELDS = ("flags", "code", "duration_us", "allocations", "frees", "lost", "bytes",
                  "peak_bytes", "peak_us", "live_bytes", "live_blocks", "temporary")
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


class Trace:
    """What a trace tells, added up."""

    def __init__(self, path):
        self.requests, self.nodes, self.threads = [], [(0, 0)], []
        self.live, self.free_slots, self.nr_slots, self.last_slot = {}, [], 0, 0
        self.allocations = self.frees = self.strays = self.lost = self.bytes = 0
        self.live_bytes = self.peak_bytes = self.temporary = self.time_us = 0
        self.sizes = {}  # how often blocks of each size were allocated
        self.marks, self.pauses, self.paths = [], 0, []
        self.summary, self.is_whole, self.nr_events, self.last_of = None, False, 0, {}
        readers = {CODE: self.read_code, NODES: self.read_nodes, REQUESTS: self.read_requests,
                   THREADS: self.read_threads, EVENTS: self.read_events,
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
                assert payload.number() <= payload.number()
                payload.number()
                self.paths.append(payload.text())
                payload.text()
            else:
                assert what == 2
                payload.number()

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

    def begin(self, slot, request, thread):
        size = self.requests[request][0]
        assert slot not in self.live
        self.live[slot] = size
        self.last_slot = self.last_of[thread] = slot
        self.allocations += 1
        self.bytes += size
        self.live_bytes += size
        self.peak_bytes = max(self.peak_bytes, self.live_bytes)
        self.sizes[size] = self.sizes.get(size, 0) + 1

    def read_events(self, payload):
        time_us, events, slot, thread = (payload.number() for _ in range(4))
        assert time_us >= self.time_us and events == self.nr_events and slot == self.last_slot
        self.time_us = time_us
        while payload.more():
            number = payload.number()
            self.nr_events += 1
            kind, rest = number & 3, number >> 2
            if kind == 0:
                slot = self.free_slots.pop() if self.free_slots else self.nr_slots
                self.nr_slots = max(self.nr_slots, slot + 1)
                self.begin(slot, rest, thread)
            elif kind == 1:
                self.last_slot += unfold(rest)
                self.live_bytes -= self.live.pop(self.last_slot)
                self.free_slots.append(self.last_slot)
                self.frees += 1
                self.temporary += self.last_of.get(thread) == self.last_slot
                self.last_of[thread] = None
            elif kind == 2:
                slot = self.last_slot + unfold(rest)
                self.live_bytes -= self.live.pop(slot)
                self.begin(slot, payload.number(), thread)
            else:
                thread = self.read_other(payload, rest, thread)

    def read_other(self, payload, what, thread):
        if what == 0:
            self.time_us += payload.number()
        elif what == 1:
            thread = payload.number()
            assert thread < len(self.threads)
        elif what == 2:
            self.marks.append(payload.text())
        elif what == 3:
            self.lost += payload.number()
        elif what == 4:
            self.strays += 1
        elif what in (5, 6):
            payload.number()
        else:
            assert what in (7, 8)
            self.pauses += what == 7
        if what >= 3:
            self.last_of[thread] = None
        return thread

    def read_summary(self, payload):
        numbers = [payload.number() for _ in range(payload.number())]
        self.summary = dict(zip(SUMMARY_FIELDS, numbers))

    def check(self):
        """The summary says what the events say."""
        assert self.is_whole and self.summary
        for name in ("allocations", "frees", "lost", "bytes", "peak_bytes", "live_bytes",
                     "temporary"):
            assert getattr(self, name) == self.summary[name], (name, self.summary, vars(self))
        assert len(self.live) == self.summary["live_blocks"]
        return self
