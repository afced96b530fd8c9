"""Writes traces as doc/FORMAT.md has them, for tests that know what is in them."""

import struct

import xxhash

FILE_HEADER = struct.Struct("<8sHHIQ")
CHUNK_HEADER = struct.Struct("<IHHQQQQ")
MAGIC = b"\x89SEEP\r\n\x1a"
KIND_TRACE = 2

TYPES = {"run": 32, "code": 33, "nodes": 34, "requests": 35, "recorded threads": 36,
         "events": 37, "addresses": 38, "names": 39, "summary": 40, "deaths": 41, "end": 15}

ALLOCATE, FREE, RESIZE, OTHER = range(4)
TIME, THREAD, MARK, GAP, STRAY, MAP, UNMAP, PAUSE, RESUME, EXECUTE = range(10)
EXACT = 1 << 63


def number(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def difference(to, before):
    """Of two numbers modulo 2^64, folded."""
    delta = (to - before) & (1 << 64) - 1
    sign = delta >> 63
    return number((delta << 1 & (1 << 64) - 1) ^ (sign and (1 << 64) - 1))


def text(words):
    if words is None:
        return number(0)
    data = words.encode() if isinstance(words, str) else words
    return number(len(data) + 1) + data


def counted(pack, items):
    return number(len(items)) + b"".join(pack(item) for item in items)


def checksum(data):
    return xxhash.xxh3_64_intdigest(data)


def chunk(name, payload, version=1):
    kind = TYPES.get(name, name)
    head = struct.pack("<IHHQQQ", kind, version, 0, len(payload), len(payload),
                       checksum(payload))
    return head + struct.pack("<Q", checksum(head)) + payload


def file_header(kind=KIND_TRACE):
    head = struct.pack("<8sHHI", MAGIC, 1, 0, kind)
    return head + struct.pack("<Q", checksum(head))


def life_class(microseconds):
    """How many of 1 ms, 10 ms, …, 1000 s a life is not below."""
    return sum(microseconds >= 1000 * 10 ** power for power in range(7))


class Block:
    """What a death tells of, and which one of its request it is, which no trace tells."""

    def __init__(self, request, thread, time, marks, address):
        self.request, self.thread, self.time, self.marks = request, thread, time, marks
        self.address = address


class Trace:
    """A trace as it grows; tables and events stand in chunks as they come."""

    def __init__(self, name="program", path="/nowhere/program", pid=412, arguments=(),
                 addresses=False):
        self.chunks = []
        self.nodes = 1
        self.node_of = {}
        self.requests = {}
        self.threads = {}
        self.deaths = {}
        self.new_nodes, self.new_requests, self.new_threads = [], [], []
        self.new_deaths = []
        self.events = bytearray()
        self.nr_events = self.events_before = 0
        self.time = self.chunk_time = 0
        self.thread = self.chunk_thread = 0
        self.marks = 0
        self.keeps_addresses = addresses
        self.addresses, self.last_address = bytearray(), 0
        self.last_block = {}  # by thread: what its last event allocated
        self.add("run", counted(number, [1_700_000_000_000_000_000, pid, 0, int(addresses), 256]) +
                 counted(text, [name, path, "host", "boot", "0.1.0"]) +
                 counted(text, list(arguments)))

    def add(self, name, payload, version=1):
        self.chunks.append((name, chunk(name, payload, version)))

    def load(self, start, end, path, build_id=None, bias=0):
        self.flush()
        self.add("code", number(1) + number(self.nodes) + number(start) + number(end) +
                 number(bias) + text(path) + text(build_id))

    def unload(self, start):
        self.flush()
        self.node_of = {}
        self.requests = dict.fromkeys(self.requests)  # numbers stay taken
        self.add("code", number(2) + number(self.nodes) + number(start))

    def node(self, parent, address):
        key = (parent, address)
        if key not in self.node_of:
            self.node_of[key] = self.nodes
            self.new_nodes.append((self.nodes, parent, address))
            self.nodes += 1
        return self.node_of[key]

    def stack(self, addresses):
        """The node of a stack, given from the outermost call in."""
        node = 0
        for address in addresses:
            node = self.node(node, address)
        return node

    def request(self, size, node):
        key = (size, node)
        if key not in self.requests:
            self.requests[key] = len(self.requests)
            self.new_requests.append(key)
        return self.requests[key]

    def thread_number(self, tid):
        if tid not in self.threads:
            self.threads[tid] = len(self.threads)
            self.new_threads.append(tid)
        return self.threads[tid]

    # --- events

    def event(self, kind, rest, *more):
        if not self.events:
            self.begin_chunk()
        self.events += number(rest << 2 | kind) + b"".join(more)
        self.nr_events += 1

    def begin_chunk(self):
        self.events_before = self.nr_events
        self.chunk_time, self.chunk_thread = self.time, self.thread

    def at(self, time, tid):
        if tid not in self.threads:
            self.flush()
        thread = self.thread_number(tid)
        if time != self.time and self.events:
            self.event(OTHER, TIME, number(time - self.time))
        self.time = time
        if thread != self.thread and self.events:
            self.event(OTHER, THREAD, number(thread))
        self.thread = thread

    def death(self, block, temporary):
        """The number of how a block goes now, by this thread."""
        how = (temporary | life_class(self.time - block.time) << 1 |
               self.marks - block.marks << 4)
        key = (block.request, how, 0 if block.thread == self.thread else block.thread + 1)
        if key not in self.deaths:
            self.deaths[key] = len(self.deaths)
            self.new_deaths.append(key)
        return self.deaths[key]

    def address(self, address):
        if not self.keeps_addresses:
            return
        step = address - self.last_address
        units, rest = step >> 4, step & 15
        folded = units << 1 if units >= 0 else -units * 2 - 1
        self.addresses += number(folded << 1 | bool(rest))
        if rest:
            self.addresses += number(rest)
        self.last_address = address

    def new_block(self, request, address):
        self.address(address)
        block = Block(request, self.thread, self.time, self.marks, address)
        self.last_block[self.thread] = block
        return block

    def allocate(self, request, address=0):
        """Returns the block."""
        self.event(ALLOCATE, request)
        return self.new_block(request, address)

    def free(self, block):
        temporary = self.last_block.pop(self.thread, None) is block
        self.event(FREE, self.death(block, temporary))
        self.address(block.address)

    def resize(self, block, request, address=0):
        """Returns the block that it is now."""
        self.event(RESIZE, self.death(block, False), number(request))
        self.address(block.address)
        return self.new_block(request, address)

    def mark(self, name):
        self.event(OTHER, MARK, text(name))
        self.marks += 1

    def other(self, what, *more):
        self.event(OTHER, what, *more)
        self.last_block.pop(self.thread, None)

    def execute(self, program):
        """Another program: no request, node or thread is met again."""
        self.event(OTHER, EXECUTE, text(program))
        self.flush(version=2)
        self.node_of, self.last_block = {}, {}
        for table in self.requests, self.threads, self.deaths:
            nr = len(table)  # numbers stay taken
            table.clear()
            table.update({("gone", number): number for number in range(nr)})

    # --- chunks

    def flush(self, version=1):
        """Writes what there is: tables, then the events, which may use them."""
        if self.new_threads:
            first = len(self.threads) - len(self.new_threads)
            self.add("recorded threads", b"".join(
                number(first + i) + number(tid) for i, tid in enumerate(self.new_threads)))
            self.new_threads = []
        if self.new_nodes:
            payload, address = number(self.new_nodes[0][0]) + number(len(self.new_nodes)), 0
            for own, parent, new_address in self.new_nodes:
                payload += difference(parent, own - 1) + difference(new_address, address)
                address = new_address
            self.add("nodes", payload)
            self.new_nodes = []
        if self.new_requests:
            first = len(self.requests) - len(self.new_requests)
            payload, node = number(first) + number(len(self.new_requests)), 0
            for size, new_node in self.new_requests:
                payload += number(size) + difference(new_node, node)
                node = new_node
            self.add("requests", payload)
            self.new_requests = []
        if self.new_deaths:
            first = len(self.deaths) - len(self.new_deaths)
            payload, before = number(first) + number(len(self.new_deaths)), 0
            for request, how, owner in self.new_deaths:
                payload += difference(request, before) + number(how) + number(owner)
                before = request
            self.add("deaths", payload)
            self.new_deaths = []
        if self.events:
            self.add("events", number(self.chunk_time) + number(self.events_before) +
                     number(self.chunk_thread) + bytes(self.events), version)
            self.events = bytearray()
        if self.addresses:
            self.add("addresses", bytes(self.addresses), version=2)
            self.addresses, self.last_address = bytearray(), 0

    def names(self, frames_of):
        """{node: [(function, file, line), …]}, innermost inlined first."""
        self.flush()
        known, payload, before = [], b"", 0

        def named(words):
            if words is None:
                return number(0)
            if words in known:
                return number(known.index(words) + 1)
            known.append(words)
            return number(len(known)) + text(words)

        for node in sorted(frames_of):
            payload += difference(node, before) + number(len(frames_of[node]))
            for function, file, line in frames_of[node]:
                payload += named(function) + named(file) + number(line)
            before = node
        self.add("names", payload)

    def summary(self, numbers):
        self.flush()
        self.add("summary", counted(number, numbers))

    def data(self):
        self.flush()
        return file_header() + b"".join(data for _, data in self.chunks) + chunk("end", b"")

    def borders(self):
        """Where each chunk begins, and the end."""
        self.flush()
        at, places = FILE_HEADER.size, []
        for name, data in self.chunks:
            places.append((at, name))
            at += len(data)
        return [*places, (at, "end")]
