#!/usr/bin/python3
"""Cores as files: cut, damaged, foreign, compressed, without the programs that they are of;
and what others make of the cores that seep writes."""

import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import json

import jsonschema

from harness import cases, seep
from harness.cases import Skip, case, needs, program
from harness.target import Target, temporary_folder

DOC = pathlib.Path(__file__).resolve().parent.parent.parent / "doc"

PT_LOAD, PT_NOTE = 1, 4
EHDR, PHDR = "<16sHHIQQQIHHHHHH", "<IIQQQQQQ"


def write_core(target, path, *options):
    answer = seep.run("core", "-o", path, "--max-pause", "20s", *options, target.pid)
    assert answer.status == seep.NONE, answer
    return answer


class Core:
    """A core of a program that has lost blocks, in a folder of its own."""

    def __init__(self, name="lost-O2"):
        self.name = name

    def __enter__(self):
        self.temporary = temporary_folder()
        self.folder = pathlib.Path(self.temporary.name)
        self.path = self.folder / "core"
        with Target([program(self.name)]) as target:
            self.report, self.blocks = seep.all_blocks(target.pid)
            write_core(target, self.path)
        self.bytes = self.path.read_bytes()
        return self

    def __exit__(self, *_):
        self.temporary.cleanup()

    def variant(self, content):
        path = self.folder / "variant"
        path.write_bytes(content)
        return path

    def loads(self):
        """[(index, header)] of the segments of memory."""
        ehdr = struct.unpack_from(EHDR, self.bytes)
        headers = [struct.unpack_from(PHDR, self.bytes, ehdr[5] + i * ehdr[9])
                   for i in range(ehdr[10])]
        return [(i, header) for i, header in enumerate(headers) if header[0] == PT_LOAD]

    def patched(self, index, field, value):
        """The core with one field of one program header replaced."""
        content = bytearray(self.bytes)
        at = 64 + index * 56
        header = list(struct.unpack_from(PHDR, content, at))
        header[field] = value
        struct.pack_into(PHDR, content, at, *header)
        return bytes(content)


def assert_refused(path, *words, status=seep.COULD_NOT):
    """One sentence that names the file, and a remedy; within seconds."""
    answer = seep.leaks(path)
    assert answer.status == status, answer
    assert answer.out == "" and answer.seconds < 20, answer
    lines = answer.err.splitlines()
    assert lines[0].startswith("seep: ") and len(lines) <= 2, answer
    assert str(path) in lines[0], answer
    for word in words:
        assert word in answer.err, f"no {word!r}: {answer}"
    return answer


def assert_told_or_refused(path):
    """An answer or one sentence, never a crash; what is lost for sure must be so."""
    answer = seep.leaks(path, "--json", "--kinds", "all", "--examples", seep.ALL_EXAMPLES)
    assert answer.status in (seep.NONE, seep.FINDINGS, seep.COULD_NOT), answer
    if not answer.out:
        assert answer.err.startswith("seep: ") and len(answer.err.splitlines()) <= 2, answer
        return None
    return answer.report()


@case
def cut_off_anywhere():
    """A core that is cut off is read up to its cut, and no block becomes lost by that."""
    with Core() as core:
        answered = 0
        step = max(len(core.bytes) // 40, 1)
        for size in [*range(0, 9000, 700), *range(9000, len(core.bytes), step)]:
            report = assert_told_or_refused(core.variant(core.bytes[:size]))
            if not report:
                continue
            answered += 1
            assert any("is cut off at" in warning for warning in report["warnings"]), size
            for address, (_, kind) in seep.blocks(report).items():
                if kind in ("definite", "indirect"):
                    assert core.blocks[address][1] in ("definite", "indirect"), hex(address)
        print(f"  {answered} of the cut cores were answered")
        assert answered, "none could be read"


@case
def cut_off_headers():
    """What is cut off in its headers or notes says so."""
    with Core() as core:
        assert_refused(core.variant(core.bytes[:100]), "cut off", "ulimit -c")
        assert_refused(core.variant(core.bytes[:64]), "cut off", "ulimit -c")
        assert_refused(core.variant(core.bytes[:64 + 56 * 10]), "cut off")
        ehdr = struct.unpack_from(EHDR, core.bytes)
        assert_refused(core.variant(core.bytes[:64 + 56 * ehdr[10] + 500]), "the notes")


@case
def damaged_headers():
    """Segments and counts that make no sense are refused with their place."""
    with Core() as core:
        (first, header), (_, other) = core.loads()[:2]
        for content, word in (
                (core.patched(first, 3, other[3]), "overlaps"),
                (core.patched(first, 3, header[3] + 8), "in the middle of a page"),
                (core.patched(first, 6, 2**64 - 4096), "ends beyond all addresses"),
                (core.patched(first, 5, 2**40), "more bytes in the file than in memory"),
                (core.patched(first, 2, 2**63), "beyond what a file can hold"),
        ):
            assert_refused(core.variant(content), "is damaged", word, "seep core PID")


@case
def huge_counts():
    """Counts far beyond the file are refused, without memory being taken for them."""
    with Core() as core:
        content = bytearray(core.bytes)
        struct.pack_into("<H", content, 56, 0xffff)
        assert_refused(core.variant(content), "no section header")
        struct.pack_into("<Q", content, 40, len(content) - 64)
        struct.pack_into("<I", content, len(content) - 64 + 44, 0xffffffff)
        assert_refused(core.variant(content), "more entries than a process has mappings")
        struct.pack_into("<I", content, len(content) - 64 + 44, 1000000)
        assert_refused(core.variant(content), "cut off")


@case
def more_segments_than_16_bits():
    """With 70,000 more segments, counted in a section header, the answer is the same."""
    with Core() as core:
        ehdr = list(struct.unpack_from(EHDR, core.bytes))
        table = core.bytes[64:64 + 56 * ehdr[10]]
        more = b"".join(struct.pack(PHDR, PT_LOAD, 4, 0, 0x10000 + 0x2000 * i, 0, 0, 4096, 1)
                        for i in range(70000))
        nr, place = ehdr[10] + 70000, len(core.bytes)
        ehdr[5], ehdr[6], ehdr[10] = place, place + len(table + more), 0xffff
        section = struct.pack("<IIQQQQIIQQ", 0, 0, 0, 0, 0, 1, 0, nr, 0, 0)
        content = struct.pack(EHDR, *ehdr) + core.bytes[64:] + table + more + section
        assert seep.all_blocks(core.variant(content))[1] == core.blocks


@case
def memory_that_was_left_out():
    """Memory that a core does not have may hold pointers: nothing is lost for sure then."""
    with Core() as core:
        index = [i for i, header in core.loads() if header[1] == 6 and header[5]][-1]
        # Not our own core any more, which tells what it left out.
        unsure = core.patched(index, 5, 0).replace(b"SEEP\0", b"OTHER", 1)
        report, blocks = seep.all_blocks(core.variant(unsure))
        assert not any(kind in ("definite", "indirect") for _, kind in blocks.values())
        lost = {a for a, (_, kind) in core.blocks.items() if kind in ("definite", "indirect")}
        assert lost <= {a for a, (_, kind) in blocks.items() if kind == "possible"}
        assert any("bytes are not in the core" in w for w in report["warnings"])


@case
def no_memory_or_threads():
    """A core without segments or without threads."""
    with Core() as core:
        content = bytearray(core.bytes)
        struct.pack_into("<H", content, 56, 1)
        assert_refused(core.variant(content), "holds no memory")
        content = bytearray(core.bytes)
        struct.pack_into("<I", content, 64, 0)
        assert_refused(core.variant(content), "holds no threads")


@case
def random_damage():
    """Whatever bytes of the headers and notes are changed: an answer or one sentence."""
    state = 12345
    with Core() as core:
        for _ in range(60):
            content = bytearray(core.bytes)
            for _ in range(8):
                state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
                content[(state >> 33) % 9000] = (state >> 20) & 255
            assert_told_or_refused(core.variant(content))


@case
def foreign_and_other_files():
    """Cores of other machines, programs, text and nothing are refused by what they are."""
    with Core() as core:
        for at, value, word in ((4, 1, "32-bit"), (5, 2, "byte order")):
            content = bytearray(core.bytes)
            content[at] = value
            if at == 5:
                content[16:18] = content[17:15:-1]
            assert_refused(core.variant(content), word)
        content = bytearray(core.bytes)
        struct.pack_into("<H", content, 18, 183)
        assert_refused(core.variant(content), "another kind of processor")
        assert_refused(core.variant(b""), "is empty")
        assert_refused(core.variant(b"some words"), "a file of another kind")
        assert_refused(core.variant(b"\x04\x22\x4d\x18 lz4"), "unlz4 --keep")
        assert_refused(core.variant(b"\xfd7zXZ\0 xz"), "unxz --keep")


@case
def compressed():
    """A core compressed with zstd gives the same answer, and leaves nothing in TMPDIR."""
    needs("zstd")
    with Core() as core:
        packed = core.folder / "core.zst"
        subprocess.run(["zstd", "-q", core.path, "-o", packed], check=True)
        with temporary_folder() as folder:
            report, blocks = seep.all_blocks(packed)
            assert blocks == core.blocks
            assert len(report["notes"]) == 1 and "was unpacked" in report["notes"][0]
            answer = seep.leaks(packed, "-v", env={**os.environ, "TMPDIR": folder})
            assert f"bytes in {folder}" in " ".join(answer.out.split()), answer
            assert os.listdir(folder) == []
        cut = core.variant(packed.read_bytes()[:-3000])
        report = assert_told_or_refused(cut)
        assert not report or any("middle of its compressed" in w for w in report["warnings"])
        content = bytearray(packed.read_bytes())
        content[100:200] = bytes(100)
        assert_refused(core.variant(content), "is damaged")
        text = core.folder / "text.zst"
        subprocess.run(["zstd", "-q", "-o", text], input=b"some words", check=True)
        assert_refused(text, "is no core")
        answer = seep.leaks(packed, env={**os.environ, "TMPDIR": "/none"})
        assert answer.status == seep.COULD_NOT and "TMPDIR" in answer.err, answer


class Elsewhere:
    """A core of a program whose files, libc and loader included, are gone since."""

    def __enter__(self):
        self.temporary = temporary_folder()
        self.folder = pathlib.Path(self.temporary.name)
        self.home = self.folder / "home"
        self.home.mkdir()
        libraries = subprocess.run(["ldd", program("containers-O2")], check=True,
                                   stdout=subprocess.PIPE, text=True).stdout
        for path in re.findall(r"(/\S+) \(0x", libraries):
            shutil.copy(path, self.home)
        shutil.copy(program("containers-O2"), self.home / "containers")
        loader = next(self.home.glob("ld-linux*"))
        with Target([loader, "--library-path", self.home, self.home / "containers"]) as target:
            self.report, self.blocks = seep.all_blocks(target.pid)
            self.core = self.folder / "core"
            write_core(target, self.core)
        self.away = self.folder / "root"
        place = self.away / str(self.home).lstrip("/")
        place.parent.mkdir(parents=True)
        shutil.move(self.home, place)
        self.place = place
        return self

    def __exit__(self, *_):
        self.temporary.cleanup()


def types(report):
    return sorted((finding["kind"], finding["type"], finding["blocks"])
                  for finding in report["findings"])


@case
def without_its_files():
    """No file of the process is here: glibc is known by its memory, and no name is made up."""
    with Elsewhere() as it:
        report, blocks = seep.all_blocks(it.core)
        assert report["target"]["allocator"] == it.report["target"]["allocator"]
        lost = {address for address, (_, kind) in it.blocks.items() if kind == "definite"}
        for address, (_, kind) in blocks.items():
            assert kind != "definite" or address in lost, hex(address)
        assert not any("class " in finding["type"] for finding in report["findings"])
        missing = [w for w in report["warnings"] if "is not here" in w]
        assert any("/containers: " in w for w in missing), report["warnings"]
        assert any("/libc.so.6: " in w for w in missing), report["warnings"]


@case
def below_a_sysroot():
    """With --sysroot the same core has all names, and so it has beside the core."""
    with Elsewhere() as it:
        report, blocks = seep.all_blocks(it.core, "--sysroot", it.away)
        assert blocks == it.blocks and types(report) == types(it.report)
        assert any("class " in finding["type"] for finding in report["findings"])
        for path in it.place.iterdir():
            shutil.copy(path, it.folder)
        report, blocks = seep.all_blocks(it.core)
        assert blocks == it.blocks and types(report) == types(it.report)


@case
def by_build_id():
    """A file is found in a .build-id folder by the id that the warning tells."""
    with Elsewhere() as it:
        report, _ = seep.all_blocks(it.core)
        for warning in report["warnings"]:
            match = re.match(r"(\S+): the file that was mapped is not here; its build-id is "
                             r"(\w\w)(\w+)", warning)
            if not match:
                continue
            folder = it.folder / "ids" / ".build-id" / match[2]
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(it.place / pathlib.Path(match[1]).name, folder / match[3])
        report, blocks = seep.all_blocks(it.core, "--sysroot", it.folder / "ids")
        assert blocks == it.blocks and types(report) == types(it.report)


@case
def another_build():
    """A file of another build-id is refused with both, and the answer goes without it."""
    with Elsewhere() as it:
        shutil.copy("/bin/true", it.place / "containers")
        report, _ = seep.all_blocks(it.core, "--sysroot", it.away)
        warning = [w for w in report["warnings"] if "is another file" in w]
        assert len(warning) == 1, report["warnings"]
        assert len(re.findall(r"\b[0-9a-f]{40}\b", warning[0])) == 2, warning
        assert str(it.place / "containers") in warning[0], warning


@case
def wrong_sysroots():
    """--sysroot must be a folder, and is for cores alone."""
    with Core() as core:
        answer = seep.leaks(core.path, "--sysroot", core.path)
        assert answer.status == seep.USAGE and "is no folder" in answer.err, answer
    answer = seep.leaks(os.getpid(), "--sysroot", "/")
    assert answer.status == seep.USAGE and "--sysroot is for core files" in answer.err, answer


def gdb(executable, core, *commands):
    words = [word for command in commands for word in ("-ex", command)]
    done = subprocess.run(["gdb", "-nx", "-batch", *words, executable, core], check=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    return done.stdout


def frames(text):
    return [re.sub(r"warning: Section .*", "", line) for line in text.splitlines()
            if re.match(r"#\d+ ", line)]


@case
def gdb_reads_our_core():
    """gdb shows the threads, and of each the same frames and registers as of gcore's core."""
    needs("gdb", "gcore")
    with temporary_folder() as name, Target([program("stacks-O0")]) as target:
        folder = pathlib.Path(name)
        subprocess.run(["gcore", "-o", folder / "gcore", str(target.pid)], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        write_core(target, folder / "own")
        asked = ("info threads", "thread apply all bt", "thread apply all info registers")
        ours = gdb(program("stacks-O0"), folder / "own", *asked)
        theirs = gdb(program("stacks-O0"), folder / f"gcore.{target.pid}", *asked)
        lwps = {int(lwp) for lwp in re.findall(r"LWP (\d+)\)", ours)}
        assert lwps == set(target.threads()), ours
        assert "plant_pause" in ours, ours
        assert frames(ours) == frames(theirs), (ours, theirs)
        registers = re.compile(r"^r\w\w? +0x.*$", re.MULTILINE)
        assert sorted(registers.findall(ours)) == sorted(registers.findall(theirs))


@case
def gdb_unwinds_through_libraries():
    """A backtrace through libc, whose code is not in the core, ends in main's caller."""
    needs("gdb")
    with temporary_folder() as name:
        with Target(["/bin/sleep", "600"], ready=None) as target:
            target.await_state("S")
            write_core(target, pathlib.Path(name, "core"))
        text = gdb("/bin/sleep", pathlib.Path(name, "core"), "bt")
        assert "__libc_start" in text and "nanosleep" in text, text


@case
def nothing_is_left_when_it_fails():
    """A limit on the size of files, and a process that may not be stopped so long."""
    with temporary_folder() as name, Target([program("mmapped-O2")]) as target:
        path = pathlib.Path(name, "core")
        answer = seep.run("core", "-o", path, target.pid, prefix=("prlimit", "--fsize=65536"))
        assert answer.status == seep.COULD_NOT, answer
        assert f"cannot write {path}: File too large" in answer.err, answer
        assert "try: write to a place with room" in answer.err, answer
        answer = seep.run("core", "-o", "/dev/null", target.pid)
        assert answer.status == seep.USAGE and "no regular file" in answer.err, answer
        answer = seep.run("core", "-o", path, 4194304)
        assert answer.status == seep.COULD_NOT, answer
        assert os.listdir(name) == []
        target.assert_unharmed()


@case
def no_room():
    """A file system that is too small is refused with what is needed."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        raise Skip("only root can make a small file system")
    with temporary_folder() as name, Target([program("mmapped-O2")]) as target:
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", f"mount -t tmpfs -o size=1m none {name} || exit 77; "
             f"{seep.program()} core --max-pause 20s -o {name}/core {target.pid}; "
             f"echo status $?; ls -A {name}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False)
        if done.returncode == 77:
            raise Skip(f"no file system can be mounted here: {done.stdout}")
        assert "MB are free there" in done.stdout, done.stdout
        assert done.stdout.endswith("status 3\n"), done.stdout
        target.assert_unharmed()


@case
def through_a_frozen_copy():
    """Written from a copy, while the process goes on, the core has the same blocks and threads."""
    with temporary_folder() as name, Target([program("arenas-O2")]) as target:
        _, blocks = seep.all_blocks(target.pid)
        path = pathlib.Path(name, "core")
        written = json.loads(write_core(target, path, "--freeze", "copy", "--json").out)
        assert written["freeze"] == "copy", written
        report, found = seep.all_blocks(path)
        assert found == blocks
        assert report["summary"]["threads"] == len(target.threads())
        target.assert_unharmed()


@case
def the_process_is_not_changed():
    """Writing a core makes no memory of the process's own appear. (The kernel's vdso and
    first pages of files are read, and so mapped if they were not.)"""
    with temporary_folder() as name, Target([program("mmapped-O2")]) as target:
        before = [target.status(field) for field in ("RssAnon", "RssShmem", "VmSize", "VmSwap")]
        write_core(target, pathlib.Path(name, "core"))
        after = [target.status(field) for field in ("RssAnon", "RssShmem", "VmSize", "VmSwap")]
        assert before == after, (before, after)
        target.assert_unharmed()


@case
def json_of_a_core():
    """What --json prints fits the schemas."""
    with temporary_folder() as name, Target([program("lost-O2")]) as target:
        path = pathlib.Path(name, "core")
        written = json.loads(write_core(target, path, "--json").out)
        schema = json.loads((DOC / "core.schema.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(written)
        assert written["target"] == {"pid": target.pid, "name": "lost-O2"}, written
        assert written["file_bytes"] == path.stat().st_size
        assert set(written) == set(schema["properties"])
    with Core() as core:
        schema = json.loads((DOC / "leaks.schema.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(seep.leaks(core.path,
                                                                    "--json").report())


@case
def stored_by_systemd():
    """When no process has a name, the newest core that systemd-coredump has is named."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        raise Skip("only root can put another folder in the place of systemd's")
    with tempfile.TemporaryDirectory(prefix="seep-test-") as name:
        stored = pathlib.Path(name, "systemd", "coredump")
        stored.mkdir(parents=True)
        for age, pid in ((20, 8), (10, 9), (30, 7)):
            path = stored / f"core.no\\x2eserver.0.abc.{pid}.1700000000.zst"
            path.touch()
            os.utime(path, (1700000000 - age, 1700000000 - age))
        (stored / "core.no.0.abc.1.1.zst").touch()
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", f"mount --bind {name} /var/lib || exit 77; "
             f"exec {seep.program()} leaks no.server"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode == 77:
            raise Skip(f"no folder can be mounted here: {done.stdout}")
        assert done.returncode == seep.COULD_NOT, done.stdout
        assert "/coredump/core.no\\x2eserver.0.abc.9." in done.stdout, done.stdout


if __name__ == "__main__":
    sys.exit(cases.main())
