#!/usr/bin/python3
"""Debug information that is made to keep a reader busy, or to lead it astray: the answer comes soon,
in little memory, and says what is wrong with which file and where.

Usage: hostile.py TYPES_IN
"""

import pathlib
import resource
import struct
import subprocess
import sys
import tempfile
import time

SECONDS = 40  # the machine may be busy
MEMORY = 2 << 30

# DWARF 5, 7.5.
UNIT, STRUCT, MEMBER, TYPEDEF, POINTER = 0x11, 0x13, 0x0d, 0x16, 0x0f
VARIABLE, BASE, ARRAY, RANGE, NAMESPACE = 0x34, 0x24, 0x01, 0x21, 0x39
NAME, TYPE, SIZE, PLACE, OFFSET, SIBLING, ORIGIN, COUNT, ENCODING, DECLARED, EXTERNAL = (
    0x03, 0x49, 0x0b, 0x02, 0x38, 0x01, 0x31, 0x37, 0x3e, 0x3c, 0x3f)
STRING, STRP, REF, DATA8, EXPRESSION, PRESENT = 0x08, 0x0e, 0x13, 0x07, 0x18, 0x19


def uleb(number):
    out = b""
    while True:
        out += bytes([number & 127 | (128 if number > 127 else 0)])
        number >>= 7
        if not number:
            return out


def abbreviations(*rows):
    """Each a tag, whether there are entries in it, and (attribute, form)s; numbered from 1 on."""
    out = bytearray()
    for number, (tag, has_children, *attributes) in enumerate(rows, 1):
        out += uleb(number) + uleb(tag) + bytes([has_children])
        out += b"".join(uleb(name) + uleb(form) for name, form in attributes) + b"\0\0"
    return bytes(out) + b"\0"


def unit(entries, length=None, table=0):
    """A unit of DWARF 4, whose header has 11 bytes."""
    rest = struct.pack("<HIB", 4, table, 8) + entries
    return struct.pack("<I", len(rest) if length is None else length) + rest


def elf(**sections):
    """A file of nothing but sections."""
    names, body, headers = b"\0", b"", [bytes(64)]
    for name, content in [*sections.items(), ("shstrtab", None)]:
        at, name = len(names), f".{name}".encode()
        names += name + b"\0"
        content = names if content is None else content
        headers.append(struct.pack("<IIQQQQIIQQ", at, 3 if name == b".shstrtab" else 1, 0, 0,
                                   64 + len(body), len(content), 0, 0, 1, 0))
        body += content + bytes(-len(content) % 8)
    head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 3, 62, 1, 0, 0, 64 + len(body), 0, 64,
                       0, 0, 64, len(headers), len(headers) - 1)
    return head + body + b"".join(headers)


def quad(number):
    return struct.pack("<Q", number & (1 << 64) - 1)


def word(number):
    return struct.pack("<I", number)


def at(address):
    return bytes([9, 3]) + quad(address)


HEADER = 11  # of a unit; entries count from its beginning

# 1: the unit, 2: a variable, 3: a typedef, 4: a pointer, 5: a struct, 6: a member, 7: a base type,
# 8: an array, 9: its range, 10: a namespace
USUAL = abbreviations(
    (UNIT, 1),
    (VARIABLE, 0, (TYPE, REF), (PLACE, EXPRESSION)),
    (TYPEDEF, 0, (NAME, STRING), (TYPE, REF)),
    (POINTER, 0, (TYPE, REF)),
    (STRUCT, 1, (NAME, STRING), (SIZE, DATA8)),
    (MEMBER, 0, (NAME, STRING), (TYPE, REF), (OFFSET, DATA8)),
    (BASE, 0, (NAME, STRING), (SIZE, DATA8), (ENCODING, DATA8)),
    (ARRAY, 1, (TYPE, REF)),
    (RANGE, 0, (COUNT, DATA8)),
    (NAMESPACE, 1),
)


def usual(*entries, **options):
    """Entries in a unit; those that are asked where they begin are functions of that."""
    out = b"\1"
    for entry in entries:
        out += entry(HEADER + len(out)) if callable(entry) else entry
    return elf(debug_abbrev=USUAL, debug_info=unit(out + b"\0", **options))


def variable(of):
    return b"\2" + word(of) + at(0x1000)


# Where what comes behind the unit's entry and one variable begins.
SECOND = HEADER + 1 + len(variable(0))


def typedef_of_itself():
    return usual(variable(SECOND), lambda here: b"\3loop\0" + word(here))


def pointer_to_itself():
    return usual(variable(SECOND), lambda here: b"\4" + word(here))


def struct_in_itself():
    return usual(variable(SECOND), lambda here: b"\5ring\0" + quad(8) + b"\6it\0" + word(here) +
                 quad(0) + b"\6too\0" + word(here) + quad(0) + b"\0")


def array_of_itself():
    return usual(variable(SECOND), lambda here: b"\x08" + word(here) + b"\x09" + quad(2) + b"\0")


def absurd_array():
    return usual(variable(SECOND), lambda here: b"\x08" + word(here + 15) + b"\x09" + quad(-5) + b"\0" +
                 b"\7int\0" + quad(4) + quad(5))


def negative_size():
    return usual(variable(SECOND), b"\5less\0" + quad(-8) + b"\0")


def member_far_away():
    return usual(variable(SECOND), lambda here: b"\5far\0" + quad(16) + b"\6it\0" + word(here) +
                 quad(1 << 50) + b"\0")


def reference_to_nowhere():
    return usual(variable(0x7fffffff))


def longer_than_the_section():
    return usual(variable(SECOND), lambda here: b"\4" + word(here), length=0x7ffffff0)


def nested_deeply():
    return usual(b"\x0a" * 100000 + b"\0" * 100000)


def names_without_end():
    """Half a million entries of one name of 8 MiB."""
    table = abbreviations((UNIT, 1), (TYPEDEF, 0, (NAME, STRP)), (STRUCT, 0, (NAME, STRP)))
    return elf(debug_abbrev=table, debug_str=b"x" * (8 << 20) + b"\0",
               debug_info=unit(b"\1" + (b"\3" + word(0)) * 500000 + b"\0"))


def attributes_without_end():
    """A million entries of one byte, each with half a million attributes that take none."""
    table = abbreviations((UNIT, 1), (STRUCT, 0, *[(EXTERNAL, PRESENT)] * 500000))
    return elf(debug_abbrev=table, debug_info=unit(b"\1" + b"\2" * 1000000 + b"\0"))


def units_without_end():
    """Each reads a table of half a million abbreviations anew, for the last of them."""
    rows = [(UNIT, 1)] * 500000 + [(STRUCT, 0)]
    return elf(debug_abbrev=abbreviations(*rows),
               debug_info=unit(b"\1" + uleb(len(rows)) + b"\0") * 20000)


def origins_in_a_ring():
    table = abbreviations((UNIT, 1), (VARIABLE, 0, (ORIGIN, REF), (PLACE, EXPRESSION)))
    return elf(debug_abbrev=table, debug_info=unit(
        b"\1" + b"\2" + word(HEADER + 1) + at(0x1000) + b"\0"))


def siblings_in_a_ring():
    table = abbreviations((UNIT, 1), (STRUCT, 1, (SIBLING, REF)))
    return elf(debug_abbrev=table, debug_info=unit(b"\1" + (b"\2" + word(HEADER + 1)) * 50 + b"\0" * 51))


def subtrees_passed_over():
    """Arrays whose elements are a long way off, each asked for by many members."""
    array = b"\x08" + word(HEADER) + b"\x0a" * 1 + b"\x09" + quad(1)
    body = array + (b"\x0a\0") * 200000 + b"\0" + b"\x09" + quad(1) + b"\0"
    return usual(lambda here: body, *[b"\5s%d\0" % i + quad(8) + b"\6a\0" + word(HEADER + 1) + quad(0) +
                                      b"\0" for i in range(3000)])


def declared_and_defined():
    """One name, which is declared and defined fifty thousand times each."""
    table = abbreviations((UNIT, 1), (STRUCT, 0, (NAME, STRING), (DECLARED, PRESENT)),
                          (STRUCT, 0, (NAME, STRING), (SIZE, DATA8)), (POINTER, 0, (TYPE, REF)),
                          (VARIABLE, 0, (TYPE, REF), (PLACE, EXPRESSION)))
    body, start = b"\1", HEADER + 1
    for _ in range(50000):
        here = HEADER + len(body)
        body += b"\2s\0" + b"\3s\0" + quad(8) + b"\4" + word(here)
    body += b"\5" + word(start + 3 + 11) + at(0x1000)
    return elf(debug_abbrev=table, debug_info=unit(body + b"\0"))


def no_abbreviations():
    return elf(debug_abbrev=b"", debug_info=unit(b"\1\2\3"))


RING = "lead round in a ring"
DAMAGED = "install or build the file again"

# And what must be said of it; "" where it is only strange.
CASES = [
    (typedef_of_itself, RING), (pointer_to_itself, ""), (struct_in_itself, ""), (array_of_itself, ""),
    (absurd_array, ""), (negative_size, "whose size"), (member_far_away, "whose place"),
    (reference_to_nowhere, ""), (longer_than_the_section, "unit that makes no sense"),
    (nested_deeply, ""), (names_without_end, "name of more than 64 KiB"),
    (attributes_without_end, "far more time or memory"), (units_without_end, "far more time or memory"),
    (origins_in_a_ring, RING), (siblings_in_a_ring, DAMAGED), (subtrees_passed_over, ""),
    (declared_and_defined, ""), (no_abbreviations, DAMAGED),
]


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def main(types_in):
    failed = False
    for case, words in CASES:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / case.__name__
            path.write_bytes(case())
            start = time.monotonic()
            try:
                result = subprocess.run([types_in, path], capture_output=True, text=True,
                                        timeout=SECONDS, preexec_fn=limit)
                status, output = result.returncode, result.stdout
            except subprocess.TimeoutExpired:
                status, output = "timeout", ""
        is_good = status == 0 and words in output and (not words or str(path) in output)
        failed |= not is_good
        print(f"{'good' if is_good else 'BAD'} {case.__name__}: {status}, "
              f"{time.monotonic() - start:.1f} s\n  " + output.strip().replace("\n", "\n  "))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
