"""What a trace must tell, worked out the slow way: every block is a record, every moment is
counted anew. Shares nothing with seep but the meaning of the words."""

import random

import writer as traces

LIFETIMES = 32
KINDS = ("allocate", "free", "resize", "mark", "lost", "stray", "map", "unmap")


class Block:
    """From an allocation or resize up to its free or next resize."""

    def __init__(self, size, node, thread, time, mark):
        self.size, self.node, self.thread = size, node, thread
        self.born, self.mark = time, mark
        self.died = None
        self.temporary = False
        self.resized_from = None


class Happening:
    def __init__(self, time, thread, kind, block=None, old=None, words=None):
        self.time, self.thread, self.kind = time, thread, kind
        self.block, self.old, self.words = block, old, words


def random_run(rng, length, threads=(412, 413, 500), depth=4):
    """A random run, as (trace, happenings); every event belongs to one happening."""
    trace = traces.Trace()
    trace.load(0x1000, 0x1fff, "/nowhere/program")
    trace.load(0x5000, 0x5fff, "/nowhere/lib/libother.so")
    nodes = [trace.stack([rng.choice((0x1000, 0x5000)) + rng.randrange(1, 40)
                          for _ in range(rng.randrange(depth + 1))]) for _ in range(12)]
    sizes = [rng.choice((0, 1, 8, 24, 24, 100, 5000, 1 << 20)) for _ in range(6)]
    happenings, live, time, marks = [], [], 0, 0
    for tid in threads:
        trace.thread_number(tid)
    flushes = rng.choice((0.001, 0.02, 0.2))
    for _ in range(length):
        if rng.random() < 0.3:
            time += rng.choice((1, 2, 1000, 70_000, rng.randrange(1, 10_000_000)))
        tid = rng.choice(threads) if rng.random() < 0.2 else threads[trace.thread]
        if rng.random() < flushes:
            trace.flush()
        draw = rng.random()
        size, node = rng.choice(sizes), rng.choice(nodes)
        request_is_new = (size, node) not in trace.requests
        if request_is_new:
            trace.flush()
        trace.at(time, tid)
        if draw < 0.47 or not live and draw < 0.93:
            block = Block(size, node, tid, time, marks)
            block.slot = trace.allocate(trace.request(size, node))
            live.append(block)
            happenings.append(Happening(time, tid, "allocate", block))
        elif draw < 0.87:
            block = live.pop(rng.choice((-1, rng.randrange(len(live)))))
            trace.free(block.slot)
            happenings.append(Happening(time, tid, "free", old=block))
        elif draw < 0.93:
            at = rng.choice((len(live) - 1, rng.randrange(len(live))))
            old = live[at]
            block = live[at] = Block(size, node, tid, time, marks)
            block.slot, block.resized_from = old.slot, old
            trace.resize(old.slot, trace.request(size, node))
            happenings.append(Happening(time, tid, "resize", block, old))
        elif draw < 0.94:
            marks += 1
            trace.other(traces.MARK, traces.text(f"mark {marks}"))
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


def counted(blocks):
    return {"blocks": len(blocks), "bytes": sum(block.size for block in blocks)}


class Truth:
    """What is true of a run, or of a window of it, or of a thread."""

    def __init__(self, happenings, start=None, end=None, thread=None):
        self.all, self.live = [], []
        self.at_peak, self.peak, self.peak_time = [], 0, 0
        self.frees = self.resizes = self.strays = self.lost = self.maps = 0
        self.mapped = self.unmapped = 0
        self.marks = []
        last = {}
        for happening, inside in window(happenings, start, end):
            counts = inside and thread in (None, happening.thread)
            self.see(happening, counts, last)
        self.ids = {id(block) for block in self.live}

    def see(self, happening, counts, last):
        kind, old = happening.kind, happening.old
        before = last.get(happening.thread)
        if kind != "mark":  # which is of no thread
            last[happening.thread] = happening.block
        if old in self.live:
            self.live.remove(old)
            old.died = happening.time
            if kind == "free":
                self.frees += 1
                old.temporary = before is old
        if kind in ("allocate", "resize") and counts:
            self.resizes += kind == "resize"
            happening.block.died, happening.block.temporary = None, False
            self.all.append(happening.block)
            self.live.append(happening.block)
            now = sum(block.size for block in self.live)
            if now > self.peak:
                self.peak, self.peak_time = now, happening.time
                self.at_peak = list(self.live)
        elif kind == "mark":
            self.marks.append((happening.words, happening.time,
                               sum(block.size for block in self.live)))
        elif kind == "lost":
            self.lost += happening.words
        elif counts:
            self.strays += kind == "stray"
            self.maps += kind == "map"
            self.mapped += happening.words if kind == "map" else 0
            self.unmapped += happening.words if kind == "unmap" else 0

    def summary(self):
        return {
            "allocations": len(self.all), "resizes": self.resizes, "frees": self.frees,
            "total_bytes": counted(self.all)["bytes"],
            "peak_bytes": self.peak, "peak_blocks": len(self.at_peak),
            "peak_s": self.peak_time / 1e6,
            "live_bytes": counted(self.live)["bytes"], "live_blocks": len(self.live),
            "temporary": sum(block.temporary for block in self.all),
            "lost_events": self.lost, "stray_frees": self.strays, "mappings": self.maps,
            "mapped_bytes": self.mapped, "unmapped_bytes": self.unmapped,
        }

    def counts(self, blocks):
        """As a row has them, of some of the blocks."""
        chosen = {id(block) for block in blocks}
        live = counted([block for block in blocks if id(block) in self.ids])
        peak = counted([block for block in self.at_peak if id(block) in chosen])
        total = counted(blocks)
        grown = [block for block in blocks if block.resized_from]
        return {
            "allocations": total["blocks"], "total_bytes": total["bytes"],
            "persistent_blocks": live["blocks"], "persistent_bytes": live["bytes"],
            "transient_blocks": total["blocks"] - live["blocks"],
            "transient_bytes": total["bytes"] - live["bytes"],
            "peak_blocks": peak["blocks"], "peak_bytes": peak["bytes"],
            "temporary": sum(block.temporary for block in blocks),
            "resizes": len(grown),
            "grown_bytes": sum(max(0, block.size - block.resized_from.size)
                               for block in grown),
            "largest_bytes": max(block.size for block in blocks),
        }

    def lifetimes(self, blocks):
        classes = [0] * LIFETIMES
        for block in blocks:
            if id(block) not in self.ids:
                classes[min((block.died - block.born).bit_length(), LIFETIMES - 1)] += 1
        while classes and not classes[-1]:
            classes.pop()
        return classes

    def groups(self, key):
        """Sorted [(counts, lifetimes)] of the groups that a key makes."""
        found = {}
        for block in self.all:
            found.setdefault(key(block), []).append(block)
        return sorted((sorted(self.counts(blocks).items()), self.lifetimes(blocks))
                      for blocks in found.values())


def rng_of(seed):
    return random.Random(seed)
