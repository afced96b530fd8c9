"""A python3 with about MEGABYTES of data on the C heap (run with PYTHONMALLOC=malloc).

usage: python_heap.py MEGABYTES [--exit]

Prints READY and waits; with --exit it ends instead, at the C library's exit and with all data
still in place, so that leak checkers which run at exit see the same heap.
"""
import ctypes
import random
import signal
import sys

BYTES_PER_RECORD = 1450


class Record:
    def __init__(self, number, source):
        self.number = number
        self.name = f"record {number} {'x' * source.randrange(60)}"
        self.tags = [f"tag{source.randrange(1000)}" for _ in range(source.randrange(6))]
        self.position = (source.random(), source.random())
        self.attributes = {f"key{i}": source.randrange(1 << 40) for i in range(source.randrange(5))}
        self.payload = bytes(source.randrange(300))
        self.neighbours = []


def build(megabytes):
    source = random.Random(1)
    records = [Record(i, source) for i in range(megabytes * (1 << 20) // BYTES_PER_RECORD)]
    for record in records:
        record.neighbours.extend(source.choices(records, k=3))
    return {record.name: record for record in records}


if __name__ == "__main__":
    data = build(int(sys.argv[1]))
    print("READY", flush=True)
    if "--exit" in sys.argv:
        ctypes.CDLL(None).exit(0)
    signal.pause()
