#!/usr/bin/python3
"""Types are told however debug information is stored; and where it cannot be used, that is said, and
nothing is told wrongly.

Usage: stored.py TYPES_OF COMPILER SOURCE...
"""

import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from told import compare

FLAGS = ["-O0", "-fno-builtin-malloc", "-Wno-unknown-warning-option", "-w"]


def run(*command):
    subprocess.run([str(word) for word in command], check=True, timeout=60)


class Build:
    """A folder in which a program is built."""

    def __init__(self, compiler, sources, folder):
        self.compiler, self.sources, self.folder = compiler, sources, folder
        self.program = folder / "program"

    def compile(self, *flags):
        objects = []
        for source in self.sources:
            objects.append(self.folder / (pathlib.Path(source).stem + ".o"))
            run(self.compiler, "-g", *FLAGS, *flags, "-c", "-o", objects[-1], source)
        run(self.compiler, "-g", *flags, "-o", self.program, *objects)
        return objects

    def objcopy(self, *arguments):
        run("objcopy", *arguments)

    def separate(self, debug):
        """Puts debug information into a file of its own."""
        self.objcopy("--only-keep-debug", self.program, debug)
        self.objcopy("--strip-debug", self.program)

    def section(self, name):
        """The header's place in the program, the offset and the size of a section."""
        bytes_ = self.program.read_bytes()
        table, = struct.unpack_from("<Q", bytes_, 0x28)
        size, nr, names = struct.unpack_from("<HHH", bytes_, 0x3a)
        strings, = struct.unpack_from("<Q", bytes_, table + names * size + 0x18)
        for i in range(nr):
            at = table + i * size
            word, = struct.unpack_from("<I", bytes_, at)
            end = bytes_.index(b"\0", strings + word)
            if bytes_[strings + word:end].decode() == name:
                return (at, *struct.unpack_from("<QQ", bytes_, at + 0x18))
        raise KeyError(name)

    def write(self, at, bytes_):
        with open(self.program, "r+b") as file:
            file.seek(at)
            file.write(bytes_)


# --- ways that are told ------------------------------------------------------------------


def dwarf_2(build):
    build.compile("-gdwarf-2", "-gstrict-dwarf")


def dwarf_3(build):
    build.compile("-gdwarf-3")


def dwarf_4(build):
    build.compile("-gdwarf-4")


def packed(build, how):
    build.compile()
    build.objcopy(f"--compress-debug-sections={how}", build.program)


def packed_by_zlib(build):
    packed(build, "zlib")


def packed_by_zstd(build):
    packed(build, "zstd")


def packed_as_of_old(build):
    packed(build, "zlib-gnu")


def split_4(build):
    build.compile("-gdwarf-4", "-gsplit-dwarf")


def split_5(build):
    build.compile("-gdwarf-5", "-gsplit-dwarf")


def linked_beside(build):
    build.compile("-Wl,--build-id=none")
    debug = build.folder / "program.debug"
    build.separate(debug)
    os.chdir(build.folder)
    build.objcopy("--add-gnu-debuglink=program.debug", build.program)


def linked_in_folder(build):
    linked_beside(build)
    (build.folder / ".debug").mkdir()
    os.rename(build.folder / "program.debug", build.folder / ".debug/program.debug")


def linked_with_build_id(build):
    build.compile("-Wl,--build-id=sha1")
    debug = build.folder / "program.debug"
    build.separate(debug)
    os.chdir(build.folder)
    build.objcopy("--add-gnu-debuglink=program.debug", build.program)


def shared_by_dwz(build):
    """What two programs have in common is in a third file."""
    build.compile("-Wl,--build-id=sha1", "-gdwarf-4")
    other = build.folder / "other"
    shutil.copy(build.program, other)
    run("dwz", "-m", build.folder / "common.debug", build.program, other)


# --- ways that cannot be used ------------------------------------------------------------


def linked_to_another(build):
    """Of the same name, and another build."""
    linked_beside(build)
    with open(build.folder / "program.debug", "ab") as file:
        file.write(b"\0")


def linked_to_another_id(build):
    linked_with_build_id(build)
    build.objcopy("--remove-section=.note.gnu.build-id", build.folder / "program.debug")
    with open(build.folder / "program.debug", "ab") as file:
        file.write(b"\0")


def split_and_lost(build):
    build.compile("-gsplit-dwarf")
    for part in build.folder.glob("*.dwo"):
        part.unlink()


def split_and_built_anew(build):
    """The parts are of another build."""
    build.compile("-gsplit-dwarf")
    program = build.folder / "kept"
    os.rename(build.program, program)
    build.compile("-gsplit-dwarf", "-DANOTHER_BUILD", "-fno-common", "-O1")
    os.rename(program, build.program)


def without_what_dwz_shared(build):
    shared_by_dwz(build)
    (build.folder / "common.debug").unlink()


def bomb(build):
    """Says that it unpacks to terabytes."""
    packed_by_zlib(build)
    _, offset, _ = build.section(".debug_info")
    build.write(offset + 8, struct.pack("<Q", 1 << 42))


def smaller_bomb(build):
    """Says that it unpacks to half a gigabyte."""
    packed_by_zlib(build)
    _, offset, _ = build.section(".debug_info")
    build.write(offset + 8, struct.pack("<Q", 1 << 29))


def packed_and_damaged(build):
    packed_by_zstd(build)
    _, offset, _ = build.section(".debug_info")
    build.write(offset + 24, b"\xff" * 16)


def packed_unknown(build):
    packed_by_zlib(build)
    _, offset, _ = build.section(".debug_info")
    build.write(offset, struct.pack("<I", 77))


def unit_without_end(build):
    build.compile()
    _, offset, _ = build.section(".debug_info")
    build.write(offset, struct.pack("<I", 0x7fffffff))


def cut_short(build):
    """Sections behind it are not to be found."""
    build.compile()
    at, _, _ = build.section(".debug_abbrev")
    build.write(at + 0x20, struct.pack("<Q", 3))


def not_there(build):
    build.compile("-g0")


TOLD = [dwarf_2, dwarf_3, dwarf_4, packed_by_zlib, packed_by_zstd, packed_as_of_old, split_4, split_5,
        linked_beside, linked_in_folder, linked_with_build_id, shared_by_dwz]

# And what must be said of it.
NOT_USED = [
    (linked_to_another, "of this very build"),
    (linked_to_another_id, "of this very build"),
    (split_and_lost, "put the .dwo files back"),
    (split_and_built_anew, "put the .dwo files back"),
    (without_what_dwz_shared, "install the rest of its debug package"),
    (bomb, "more than seep reads"),
    (smaller_bomb, "more than seep reads"),
    (packed_and_damaged, "install or build it again"),
    (packed_unknown, "objcopy --decompress-debug-sections"),
    (unit_without_end, "install or build the file again"),
    (cut_short, "install or build the file again"),
    (not_there, "build it with -g"),
]


# What a compiler does its own way; all else is the work of others.
OF_COMPILERS = {dwarf_2, dwarf_3, dwarf_4, split_4, split_5}


def is_possible(way):
    return "dwz" not in way.__name__ or shutil.which("dwz")


def main(types_of, compiler, *sources):
    sources = [os.path.abspath(source) for source in sources]
    types_of, failed = os.path.abspath(types_of), False
    for way, words in [(way, None) for way in TOLD] + NOT_USED:
        if "gcc" not in compiler and way not in OF_COMPILERS:
            continue
        if not is_possible(way):
            print(f"{way.__name__}: dwz is not installed")
            continue
        with tempfile.TemporaryDirectory() as folder:
            build = Build(compiler, sources, pathlib.Path(folder))
            way(build)
            facts, right, wrong, missing, said, _ = compare(types_of, build.program)
        print(f"{way.__name__}: of {len(facts)} blocks {right} told rightly, {len(wrong)} wrongly, "
              f"{len(missing)} not told that must be")
        warnings = [line for line in said if line.startswith("warning: ")]
        print("".join(f"  {line}\n" for line in warnings), end="")
        if words is None:
            failed |= bool(wrong or missing or warnings or not right)
        else:
            failed |= bool(wrong) or not any(words in line for line in warnings)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
