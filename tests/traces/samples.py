"""Traces made by hand, for outputs that are compared with what they should be."""

import pathlib

import writer

MAIN, PARSE, NEW, LIB = 0x1100, 0x1200, 0x1300, 0x5100


def begin(**options):
    trace = writer.Trace(name="shop", path="/opt/shop/bin/shop", **options)
    trace.load(0x1000, 0x1fff, "/opt/shop/bin/shop", "ab" * 20)
    trace.load(0x5000, 0x5fff, "/opt/shop/lib/libcart.so", "cd" * 20, bias=0x5000)
    trace.thread_number(412)
    trace.thread_number(415)
    return trace


def name_all(trace):
    """Names for the calls of main, parse and operator new; libcart.so has none."""
    frames = {
        MAIN: [("main", "/src/shop/main.c", 12)],
        PARSE: [("shop::trim(char const*)", "/src/shop/text.h", 3),
                ("shop::parse(char const*)", "/src/shop/parse.cc", 44)],
        NEW: [("operator new(unsigned long)", None, 0)],
    }
    trace.names({node: frames[address] for (_, address), node in trace.node_of.items()
                 if address in frames})


def some(growth=1):
    """Growth, a peak, temporary blocks, resizes, two threads and a mark."""
    trace = begin()
    parse = trace.request(100, trace.stack([MAIN, PARSE, NEW]))
    cart = trace.request(5000, trace.stack([MAIN, LIB, LIB]))
    grown = trace.request(9000, trace.stack([MAIN, LIB, LIB]))
    big = trace.request(60_000_000, trace.stack([MAIN, PARSE]))
    kept = []
    for step in range(200 * growth):
        trace.at(step * 10_000, 412)
        if step == 120:
            trace.mark("warm")
        if step == 150:
            huge = trace.allocate(big)
        if step == 160:
            trace.free(huge)
        trace.free(trace.allocate(parse))
        trace.at(step * 10_000 + 5, 415)
        kept.append(trace.allocate(cart))
        if step % 4 == 0:
            kept[-1] = trace.resize(kept[-1], grown)
        if step % 3 == 0:
            trace.free(kept.pop(0))
        if step % 50 == 49:
            trace.flush()
    trace.other(writer.STRAY)
    trace.other(writer.MAP, writer.number(big))
    name_all(trace)
    trace.summary([1 | 4, 3, 2_500_000, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    return trace.data()


def bare():
    """A run in which nothing happened."""
    trace = begin(pid=7)
    trace.at(0, 412)
    return trace.data()


def hostile():
    """Names that would steer a terminal or end a script, losses, a pause, a signal."""
    trace = writer.Trace(name="a\x1b[31m\nb</script>", path="/x", pid=9)
    trace.load(0x1000, 0x1fff, "/tmp/\u202egnp;<b>.so")
    trace.thread_number(1)
    node = trace.stack([MAIN])
    request = trace.request(24, node)
    trace.at(0, 1)
    trace.allocate(request)
    trace.at(10, 1)
    trace.other(writer.GAP, writer.number(5))
    trace.mark("</script>\"\\\x07")
    trace.other(writer.PAUSE)
    trace.at(20, 1)
    trace.other(writer.RESUME)
    trace.names({node: [("f<&\"';\x1b]0;x\x07(\u202e)", "/a/\xe9\x07.c", 1)]})
    trace.summary([2, 9])
    return trace.data()


def executed():
    """A script's interpreter, which becomes the shop, which becomes another."""
    trace = writer.Trace(name="start.sh", path="/opt/shop/bin/sh", arguments=["start.sh"])
    trace.load(0x1000, 0x1fff, "/opt/shop/bin/sh", "ef" * 20)
    trace.thread_number(412)
    shell = trace.request(700, trace.stack([MAIN, PARSE]))
    trace.at(0, 412)
    for _ in range(30):
        trace.allocate(shell)
    trace.unload(0x1000)
    trace.at(40_000, 412)
    trace.execute("/opt/shop/bin/shop")
    trace.load(0x1000, 0x1fff, "/opt/shop/bin/shop", "ab" * 20)
    trace.load(0x5000, 0x5fff, "/opt/shop/lib/libcart.so", "cd" * 20, bias=0x5000)
    trace.thread_number(412)
    cart = trace.request(5000, trace.stack([MAIN, LIB, PARSE]))
    trace.at(50_000, 412)
    blocks = [trace.allocate(cart) for _ in range(20)]
    for block in blocks[::2]:
        trace.at(trace.time + 10_000, 412)
        trace.free(block)
    trace.at(trace.time, 412)
    trace.unload(0x1000)
    trace.unload(0x5000)
    trace.execute("\x1b[31m./re start")
    trace.load(0x1000, 0x1fff, "/opt/shop/bin/shop", "ab" * 20)
    trace.thread_number(412)
    trace.at(300_000, 412)
    trace.allocate(trace.request(100, trace.stack([MAIN])))
    trace.summary([1 | 4, 0, 300_000, 51, 10, 0, 0, 0, 0, 0, 0, 0])
    return trace.data()


def kept():
    """Blocks at the same addresses again and again, by two threads."""
    trace = begin(addresses=True)
    parse = trace.request(100, trace.stack([MAIN, PARSE, NEW]))
    grown = trace.request(4000, trace.stack([MAIN, PARSE]))
    cart = trace.request(24, trace.stack([MAIN, LIB, LIB]))
    for step in range(6):
        trace.at(step * 250_000, 412)
        if step == 3:
            trace.mark("warm")
        block = trace.allocate(parse, 0x7f3000)
        trace.at(step * 250_000 + 20_000, 412)
        if step % 3 == 2:
            block = trace.resize(block, grown, 0x7f3000 if step == 2 else 0x800000)
        trace.at(step * 250_000 + 90_000, 415)
        trace.free(block)
    trace.allocate(cart, 0x7f3008)
    name_all(trace)
    trace.summary([1 | 4, 0, 2_000_000, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    return trace.data()


def replaced():
    """An address that a block of the first program has when it executes another, which has one there
    too, and executes a third one."""
    trace = begin(addresses=True)
    programs = ("./second", "\x1b[31m./third one")
    for step in range(3):
        block = trace.request(100, trace.stack([MAIN, PARSE]))
        trace.at(100_000 * step + 20_000, 412)
        if step < 2:
            kept = trace.allocate(block, 0x7f3000)
        trace.at(100_000 * step + 60_000, 412)
        if step == 1:
            trace.free(kept)
        if step == 2:
            break
        trace.unload(0x1000)
        trace.unload(0x5000)
        trace.execute(programs[step])
        trace.load(0x1000, 0x1fff, "/opt/shop/bin/shop", "ab" * 20)
        trace.load(0x5000, 0x5fff, "/opt/shop/lib/libcart.so", "cd" * 20, bias=0x5000)
        for thread in (412, 415):
            trace.thread_number(thread)
    name_all(trace)
    trace.summary([1 | 4, 0, 300_000, 0, 0, 0, 0, 0, 0, 2, 1, 100])
    return trace.data()


SAMPLES = {
    "some": some(),
    "more": some(2),
    "bare": bare(),
    "hostile": hostile(),
    "cut": some()[:-600],
    "executed": executed(),
    "kept": kept(),
    "replaced": replaced(),
}


def write_all(folder):
    for name, data in SAMPLES.items():
        pathlib.Path(folder, f"{name}.seep").write_bytes(data)
