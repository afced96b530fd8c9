"""What a trace must tell, worked out the slow way: every block is a record, of which the trace
tells less, and every moment is counted anew. Shares nothing with seep but the meaning of the
words."""

import random

import writer as traces

LIFE_LIMITS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000)
ROOM = 0x7f0000000003
KINDS = ("allocate", "free", "resize", "mark", "lost", "stray", "map", "unmap")


class Block:
    """From an allocation or resize up to its free or next resize."""

    def __init__(self, size, node, thread, time, mark, program):
        self.size, self.node, self.thread, self.program = size, node, thread, program
        self.born, self.mark = time, mark
        self.died = None
        self.temporary = False
        self.resized_from = None
        self.address, self.stack = 0, []

    def end(self):
        """One of no bytes stands somewhere, too."""
        return self.address + max(self.size, 1)

    def has(self, address):
        return self.address <= address < self.end()


class Happening:
    def __init__(self, time, thread, kind, block=None, old=None, words=None):
        self.time, self.thread, self.kind = time, thread, kind
        self.block, self.old, self.words = block, old, words


def execute(trace, time, tid, threads):
    """Another program, with the same code at the same addresses."""
    trace.unload(0x1000)
    trace.unload(0x5000)
    trace.at(time, tid)
    trace.execute("/bin/another")
    trace.load(0x1000, 0x1fff, "/nowhere/program")
    trace.load(0x5000, 0x5fff, "/nowhere/lib/libother.so")
    for each in threads:
        trace.thread_number(each)


def is_free(live, address, size):
    """Whether no live block stands in the way of one there."""
    end = address + max(size, 1)
    return all(end <= block.address or address >= block.end() for block in live)


def free_place(rng, live, size):
    """An address for a block, in a room that is so narrow that places are used again."""
    for step in (1, 16, 16):
        address = ROOM + step * rng.randrange(64)
        if is_free(live, address, size):
            return address
    return max(block.end() for block in live)


def random_run(rng, length, threads=(412, 413, 500), depth=4, addresses=False):
    """A random run, as (trace, happenings); every event belongs to one happening."""
    trace = traces.Trace(addresses=addresses)
    trace.load(0x1000, 0x1fff, "/nowhere/program")
    trace.load(0x5000, 0x5fff, "/nowhere/lib/libother.so")
    stacks = [[rng.choice((0x1000, 0x5000)) + rng.randrange(1, 40)
               for _ in range(rng.randrange(depth + 1))] for _ in range(12)]
    nodes = [trace.stack(stack) for stack in stacks]
    stack_of = dict(zip(nodes, stacks))
    sizes = [rng.choice((0, 1, 8, 24, 24, 100, 5000, 1 << 20)) for _ in range(6)]
    happenings, live, time, marks, programs = [], [], 0, 0, 0
    for tid in threads:
        trace.thread_number(tid)
    flushes = rng.choice((0.001, 0.02, 0.2))
    executions = rng.choice((0, 0, 0.005, 0.1))
    for _ in range(length):
        if rng.random() < 0.3:
            time += rng.choice((1, 2, 1000, 70_000, rng.randrange(1, 10_000_000)))
        tid = (rng.choice(threads) if rng.random() < 0.2
               else threads[trace.thread % len(threads)])
        if rng.random() < executions:
            execute(trace, time, tid, threads)
            happenings.append(Happening(time, tid, "execute", words="/bin/another"))
            nodes = [trace.stack(stack) for stack in stacks]
            stack_of.update(zip(nodes, stacks))
            live = []
            programs += 1
            continue
        if rng.random() < flushes:
            trace.flush()
        draw = rng.random()
        size, node = rng.choice(sizes), rng.choice(nodes)
        request_is_new = (size, node) not in trace.requests
        if request_is_new:
            trace.flush()
        trace.at(time, tid)
        if draw < 0.47 or not live and draw < 0.93:
            block = Block(size, node, tid, time, marks, programs)
            block.address = free_place(rng, live, size) if addresses else 0
            block.stack = stack_of[node]
            block.written = trace.allocate(trace.request(size, node), block.address)
            live.append(block)
            happenings.append(Happening(time, tid, "allocate", block))
        elif draw < 0.87:
            block = live.pop(rng.choice((-1, rng.randrange(len(live)))))
            trace.free(block.written)
            happenings.append(Happening(time, tid, "free", old=block))
        elif draw < 0.93:
            at = rng.choice((len(live) - 1, rng.randrange(len(live))))
            old = live[at]
            block = live[at] = Block(size, node, tid, time, marks, programs)
            block.resized_from = old
            others = live[:at] + live[at + 1:]
            if addresses:
                stays = rng.random() < 0.5 and is_free(others, old.address, size)
                block.address = (old.address if stays
                                 else free_place(rng, others, size))
            block.stack = stack_of[node]
            block.written = trace.resize(old.written, trace.request(size, node),
                                         block.address)
            happenings.append(Happening(time, tid, "resize", block, old))
        elif draw < 0.94:
            marks += 1
            trace.mark(f"mark {marks}")
            happenings.append(Happening(time, tid, "mark", words=f"mark {marks}"))
        elif draw < 0.96:
            trace.other(traces.STRAY)
            happenings.append(Happening(time, tid, "stray"))
        elif draw < 0.97:
            trace.other(traces.GAP, traces.number(7))
            happenings.append(Happening(time, tid, "lost", words=7))
        elif draw < 0.99:
            trace.other(traces.MAP, traces.number(trace.request(size, node)))
            happenings.append(Happening(time, tid, "map", words=size))
        else:
            trace.other(traces.UNMAP, traces.number(4096))
            happenings.append(Happening(time, tid, "unmap", words=4096))
    return trace, happenings


def window(happenings, start=None, end=None):
    """The happenings up to the end, and whether each is in the window. Moments are times or
    names of marks; what happens at the very time is in."""
    inside, kept = start is None or start == 0, []
    for happening in happenings:
        if isinstance(end, int) and happening.time > end:
            break
        if isinstance(start, int) and happening.time >= start:
            inside = True
        kept.append((happening, inside))
        if happening.kind != "mark":
            continue
        if inside and happening.words == end:
            break
        if happening.words == start:
            inside = True
    return kept


def history(happenings, address, start=None, end=None, thread=None):
    """What happened in the window to blocks that had an address, as [(time, thread, what,
    (block that ended, block that began))], the block that has it at the end, and those that went
    with a program. Of a thread, only blocks that it allocated; executions are told of an address that
    a block had."""
    events, live, gone = [], None, []
    for happening, inside in window(happenings, start, end):
        old, new = (block if block and block.has(address) and thread in (None, block.thread)
                    else None for block in (happening.old, happening.block))
        if happening.kind == "execute" and live:
            gone += [live] if inside else []
            old, live = live, None
        live = new or (None if old else live)
        if inside and (old or new or happening.kind == "execute"):
            events.append((happening.time, happening.thread, happening.kind, (old, new)))
    had_block = gone or live or any(block for *_, pair in events for block in pair)
    return events if had_block else [], live, gone


def total(born, ended=()):
    """{blocks, bytes} of those that were allocated less those that went."""
    return {"blocks": len(born) - len(ended),
            "bytes": sum(block.size for block in born) - sum(block.size for block in ended)}


class Truth:
    """What is true of a run, or of a window of it, or of a thread. In a window that begins at
    a time the ends of older blocks count too; in one that begins at a mark they do not."""

    def __init__(self, happenings, start=None, end=None, thread=None):
        self.born, self.ended = [], []
        self.at_peak, self.peak, self.peak_time = ([], []), 0, 0
        self.frees = self.resizes = self.strays = self.lost = self.maps = 0
        self.temporary = self.mapped = self.unmapped = 0
        self.marks = []
        self.executions = []
        self.gone = (0, 0)  # so many of those that were born and that ended went with a program
        self.older_count = isinstance(start, int)
        last = {}
        for happening, inside in window(happenings, start, end):
            self.see(happening, inside, thread, last)

    def now(self):
        """What was born and what ended of the program that runs."""
        return self.born[self.gone[0]:], self.ended[self.gone[1]:]

    def see(self, happening, inside, thread, last):
        kind, old = happening.kind, happening.old
        counts = inside and thread in (None, happening.thread)
        before = last.get(happening.thread)
        if kind == "execute" and inside:
            live = total(*self.now())
            self.executions.append((happening.words, happening.time, live["blocks"],
                                    live["bytes"]))
            self.gone = (len(self.born), len(self.ended))
        if kind not in ("mark", "execute"):  # which is of no thread
            last[happening.thread] = happening.block
        if old:
            old.died, old.temporary = happening.time, kind == "free" and before is old
            if inside and thread in (None, old.thread) and (self.older_count or
                                                            old in self.born):
                self.ended.append(old)
                self.frees += kind == "free"
                self.temporary += old.temporary
        if kind in ("allocate", "resize") and counts:
            self.resizes += kind == "resize"
            self.born.append(happening.block)
            now = total(*self.now())["bytes"]
            if now > self.peak:
                self.peak, self.peak_time = now, happening.time
                self.at_peak = self.now()
        elif kind == "mark":
            self.marks.append((happening.words, happening.time,
                               total(*self.now())["bytes"]))
        elif kind == "lost":
            self.lost += happening.words
        elif counts:
            self.strays += kind == "stray"
            self.maps += kind == "map"
            self.mapped += happening.words if kind == "map" else 0
            self.unmapped += happening.words if kind == "unmap" else 0

    def summary(self):
        live = total(*self.now())
        return {
            "allocations": len(self.born), "resizes": self.resizes, "frees": self.frees,
            "total_bytes": total(self.born)["bytes"],
            "peak_bytes": self.peak, "peak_blocks": total(*self.at_peak)["blocks"],
            "peak_s": self.peak_time / 1e6,
            "live_bytes": live["bytes"], "live_blocks": live["blocks"],
            "temporary": self.temporary, "lifetimes": self.lifetimes(lambda block: True),
            "lost_events": self.lost, "stray_frees": self.strays, "mappings": self.maps,
            "mapped_bytes": self.mapped, "unmapped_bytes": self.unmapped,
        }

    def counts(self, belongs=lambda block: True):
        """As a row has them, of the blocks that belong to it."""
        def chosen(blocks):
            return [block for block in blocks if belongs(block)]

        born, ended = chosen(self.born), chosen(self.ended)
        live, peak = (total(*map(chosen, those)) for those in (self.now(), self.at_peak))
        grown = [block for block in born if block.resized_from]
        return {
            "allocations": len(born), "total_bytes": total(born)["bytes"],
            "persistent_blocks": live["blocks"], "persistent_bytes": live["bytes"],
            "transient_blocks": len(born) - live["blocks"],
            "transient_bytes": total(born)["bytes"] - live["bytes"],
            "peak_blocks": peak["blocks"], "peak_bytes": peak["bytes"],
            "temporary": sum(block.temporary for block in ended),
            "resizes": len(grown),
            "grown_bytes": sum(max(0, block.size - block.resized_from.size)
                               for block in grown),
            "largest_bytes": max((block.size for block in born), default=0),
        }

    def lifetimes(self, belongs):
        classes = [0] * (len(LIFE_LIMITS) + 1)
        for block in filter(belongs, self.ended):
            lived = block.died - block.born
            classes[len([limit for limit in LIFE_LIMITS if lived >= limit])] += 1
        return classes

    def groups(self, key):
        """Sorted [(counts, lifetimes)] of the groups that a key makes."""
        found = []
        for wanted in {key(block) for block in self.born + self.ended}:
            def belongs(block, wanted=wanted):
                return key(block) == wanted
            found.append((sorted(self.counts(belongs).items()), self.lifetimes(belongs)))
        return sorted(found)


def rng_of(seed):
    return random.Random(seed)
