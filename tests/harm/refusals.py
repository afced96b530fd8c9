#!/usr/bin/python3
"""What seep cannot or must not look into it refuses within a second, naming the cause and
the remedy, and leaves alone."""

import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness import cases, seep
from harness.cases import Skip, case, needs, program
from harness.target import Target, temporary_folder
from ticker import Ticker, assert_found
from users import DAEMON, NOBODY, PublicFolder, as_user, must_be_root, run_as

def assert_refused(answer, *words, status=seep.COULD_NOT, remedy="try:"):
    """Exit status, within a second, with a cause that has these words, and a remedy."""
    assert answer.status == status, answer
    assert answer.seconds < 1, f"took {answer.seconds:.2f} s: {answer}"
    assert not answer.out, answer
    for word in (*words, remedy):
        assert word.lower() in answer.err.lower(), f"no {word!r} in: {answer}"
    print("  " + answer.err.strip().replace("\n", "\n  "))


def compile_target(folder, compiler, *flags):
    """A small program of its own, made by this compiler; it says READY and waits."""
    needs(compiler)
    source, made = pathlib.Path(folder, "target.c"), pathlib.Path(folder, "target")
    source.write_text("""
        #include <stdlib.h>
        #include <unistd.h>
        void *volatile kept;
        int main(void)
        {
                for (int i = 0; i < 1000; i++)
                        kept = malloc(100);
                if (write(1, "READY\\n", 6) != 6)
                        return 1;
                for (;;)
                        pause();
        }
    """)
    subprocess.run([compiler, "-O1", *flags, "-o", made, source], check=True,
                   stdin=subprocess.DEVNULL)
    return made


def look_at_compiled(words, compiler, *flags, env=None):
    with temporary_folder() as folder:
        made = compile_target(folder, compiler, *flags)
        with Target([made], env=env) as target:
            assert_refused(seep.leaks(target.pid), *words)
            target.assert_unharmed()


# ---- permission

@case
def no_permission():
    """nobody looks at root's process"""
    must_be_root()
    with PublicFolder() as folder, Ticker(folder.path) as target:
        assert_refused(run_as(folder, NOBODY, "leaks", target.pid), "permission",
                       "uid 0", "sudo")
        target.assert_goes_on()


@case
def foreign_uid():
    """one user looks at another's process"""
    must_be_root()
    with PublicFolder() as folder:
        (folder.path / "counter").touch()
        (folder.path / "counter").chmod(0o666)
        ticker = folder.copy(program("ticker"))
        with Target([*as_user(DAEMON), ticker, folder.path / "counter"]) as target:
            assert_refused(run_as(folder, NOBODY, "leaks", target.pid), "permission",
                           f"uid {DAEMON}")
            target.assert_unharmed()
            assert_found(seep.leaks(target.pid, "--json"))


@case
def own_process():
    """a user without rights looks at a process of his own: answered, unless Yama forbids"""
    must_be_root()
    yama = pathlib.Path("/proc/sys/kernel/yama/ptrace_scope")
    with PublicFolder() as folder:
        ticker = folder.copy(program("ticker"))
        with Target([*as_user(NOBODY), ticker, folder.path / "counter"]) as target:
            answer = run_as(folder, NOBODY, "leaks", "--json", target.pid)
            if yama.exists() and yama.read_text().strip() != "0":
                assert_refused(answer, "Yama")
            else:
                assert_found(answer)
            target.assert_unharmed()


@case
def setuid_program():
    """a setuid program that a user has started, looked at by that user"""
    must_be_root()
    with PublicFolder() as folder:
        if os.statvfs(folder.path).f_flag & os.ST_NOSUID:
            raise Skip(f"{folder.path} is mounted nosuid")
        ticker = folder.copy(program("ticker"), 0o4755)
        with Target([*as_user(NOBODY), ticker, folder.path / "counter"]) as target:
            assert target.status("Uid").split()[:2] == [str(NOBODY), "0"]
            assert_refused(run_as(folder, NOBODY, "leaks", target.pid), "permission")
            target.assert_unharmed()
            assert_found(seep.leaks(target.pid, "--json"))


@case
def unreadable_program():
    """a program that its user may run but not read"""
    must_be_root()
    with PublicFolder() as folder:
        ticker = folder.copy(program("ticker"), 0o711)
        with Target([*as_user(NOBODY), ticker, folder.path / "counter"]) as target:
            assert_refused(run_as(folder, NOBODY, "leaks", target.pid), "read")
            target.assert_unharmed()


# ---- what is no process with a heap of glibc's

@case
def no_such_process():
    """a pid that is not in use"""
    with Target(["true"], ready=None) as target:
        target.wait()
        assert_refused(seep.leaks(target.pid), f"no process {target.pid}")


@case
def not_a_pid():
    """numbers that can be no pid, and no name at all"""
    assert_refused(seep.leaks("0"), "0")
    assert_refused(seep.leaks("99999999999999999999"), "99999999999999999999")
    for nonsense in ([""], ["--", "-1"], [], ["1", "1"]):
        answer = seep.run("leaks", *nonsense)
        assert answer.status == seep.USAGE and answer.err.strip(), answer


@case
def no_such_name():
    """a name that no process has"""
    assert_refused(seep.leaks("no-process-has-this-name"), "no-process-has-this-name")


@case
def several_of_the_name():
    """a name that two processes have: exit 2 and a list of both"""
    with temporary_folder() as folder:
        name = f"twin{os.getpid() % 100000}"
        copied = pathlib.Path(folder, name)
        shutil.copy(program("ticker"), copied)
        with Target([copied, f"{folder}/a"]) as one, Target([copied, f"{folder}/b"]) as two:
            assert_refused(seep.leaks(name), str(one.pid), str(two.pid), status=seep.USAGE,
                           remedy=name)
            two.kill()
            assert_found(seep.leaks(name, "--json"))


@case
def file_target():
    """a file that is neither a core nor a snapshot"""
    assert_refused(seep.leaks("/bin/true"), "/bin/true", "file")


@case
def kernel_thread():
    """a kernel thread"""
    for status in pathlib.Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if "\nKthread:\t1" in text or ("\nPPid:\t2\n" in text and "VmSize" not in text):
            assert_refused(seep.leaks(status.parent.name), "kernel thread")
            return
    raise Skip("no kernel thread can be seen here (a pid namespace)")


@case
def zombie():
    """a process that has ended and was not waited for"""
    with Target(["true"], ready=None) as target:
        give_up = time.monotonic() + 5
        while target.state() != "Z":
            assert time.monotonic() < give_up
            time.sleep(0.002)
        assert_refused(seep.leaks(target.pid), "zombie")


@case
def zombie_leader():
    """a process whose main thread has ended while others go on: looked at through these"""
    with Target([program("exits"), "last-thread-stays"]) as target:
        give_up = time.monotonic() + 5
        while target.status("State", target.pid)[0] != "Z":
            assert time.monotonic() < give_up
            time.sleep(0.002)
        answer = seep.leaks(target.pid, "--json")
        assert seep.definite(answer.report()) == (1, 8008), answer
        assert answer.report()["target"]["name"] == "exits", answer
        assert_refused(seep.leaks(target.pid, "--freeze", "copy"),
                       "its main thread, which would make the copy, has ended", remedy="")
        doctor = seep.run("doctor", target.pid)
        assert re.search(r"ok +allocator +glibc 2\.", doctor.out), doctor
        target.assert_unharmed()


@case
def itself():
    """seep's own pid"""
    command = f'exec "{seep.program()}" leaks $$'
    begin = time.monotonic()
    done = subprocess.run(["sh", "-c", command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=30, check=False)
    answer = seep.Answer([command], done.returncode, done.stdout, done.stderr,
                         time.monotonic() - begin)
    assert_refused(answer, "itself", remedy="")


@case
def thread_id():
    """the id of a thread that is not the main one"""
    with temporary_folder() as folder, Ticker(folder, 0, 1) as target:
        tid = max(target.threads())
        assert tid != target.pid
        assert_refused(seep.leaks(tid), "thread", str(target.pid))
        target.assert_goes_on()


# ---- other architectures and allocators

@case
def program_of_32_bits():
    """a 32-bit program"""
    look_at_compiled(["32-bit"], "gcc", "-m32", "-idirafter", "/usr/include/x86_64-linux-gnu")


@case
def musl_static():
    """a program linked with musl, statically"""
    look_at_compiled(["musl"], "musl-gcc", "-static")


@case
def musl_dynamic():
    """a program linked with musl, dynamically"""
    look_at_compiled(["musl"], "musl-gcc")


@case
def musl_static_stripped():
    """a static program with musl that has no symbols"""
    look_at_compiled(["static"], "musl-gcc", "-static", "-s")


@case
def jemalloc():
    """a program under LD_PRELOAD=libjemalloc.so.2"""
    library = next((path for path in (
        pathlib.Path("/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"),
        pathlib.Path("/usr/lib/libjemalloc.so.2")) if path.exists()), None)
    assert library, "libjemalloc.so.2 is missing; `tools/setup build test` installs it"
    look_at_compiled(["jemalloc"], "gcc", env={"LD_PRELOAD": str(library)})


@case
def own_malloc():
    """a program that brings a malloc of its own"""
    with temporary_folder() as folder:
        source, made = pathlib.Path(folder, "own.c"), pathlib.Path(folder, "own")
        source.write_text("""
            #include <stddef.h>
            #include <unistd.h>
            static char memory[1 << 20];
            static size_t used;
            void *malloc(size_t size)
            {
                    used += (size + 15) & ~(size_t)15;
                    return memory + used - ((size + 15) & ~(size_t)15);
            }
            void free(void *block)
            {
                    (void)block;
            }
            int main(void)
            {
                    void *volatile kept = malloc(100);
                    (void)kept;
                    if (write(1, "READY\\n", 6) != 6)
                            return 1;
                    for (;;)
                            pause();
            }
        """)
        subprocess.run(["gcc", "-fno-builtin", "-rdynamic", "-o", made, source], check=True,
                       stdin=subprocess.DEVNULL)
        with Target([made]) as target:
            assert_refused(seep.leaks(target.pid), "malloc of its own")
            target.assert_unharmed()


@case
def sanitized():
    """a program built with AddressSanitizer"""
    look_at_compiled(["AddressSanitizer"], "gcc", "-fsanitize=address")


@case
def without_libc():
    """a program without any C library"""
    with temporary_folder() as folder:
        source, made = pathlib.Path(folder, "bare.c"), pathlib.Path(folder, "bare")
        source.write_text("""
            static long call(long number, long one, const void *two, long three)
            {
                    long result;
                    __asm__ volatile("syscall" : "=a"(result)
                                     : "a"(number), "D"(one), "S"(two), "d"(three)
                                     : "rcx", "r11", "memory");
                    return result;
            }
            void _start(void)
            {
                    call(1, 1, "READY\\n", 6);
                    for (;;)
                            call(34, 0, 0, 0);
            }
        """)
        subprocess.run(["gcc", "-O1", "-nostdlib", "-static", "-o", made, source],
                       check=True, stdin=subprocess.DEVNULL)
        with Target([made]) as target:
            assert_refused(seep.leaks(target.pid), "static")
            target.assert_unharmed()


@case
def go():
    """a Go program"""
    needs("go")
    with temporary_folder() as folder:
        source, made = pathlib.Path(folder, "main.go"), pathlib.Path(folder, "target")
        source.write_text("""package main

import (
	"fmt"
	"time"
)

func main() {
	fmt.Println("READY")
	time.Sleep(time.Hour)
}
""")
        subprocess.run(["go", "build", "-o", made, source], check=True, cwd=folder,
                       stdin=subprocess.DEVNULL,
                       env={**os.environ, "GOCACHE": f"{folder}/cache", "GO111MODULE": "off",
                            "GOFLAGS": "", "GOPATH": f"{folder}/path", "CGO_ENABLED": "0"})
        with Target([made]) as target:
            assert_refused(seep.leaks(target.pid), "Go")
            target.assert_unharmed()


@case
def deleted_program():
    """a program whose file was deleted or replaced while it runs is answered as any other"""
    with temporary_folder() as folder:
        copied = pathlib.Path(folder, "gone")
        shutil.copy(program("ticker"), copied)
        with Target([copied, f"{folder}/counter"]) as target:
            copied.unlink()
            assert_found(seep.leaks(target.pid, "--json"))
            copied.write_text("something else")
            copied.chmod(copied.stat().st_mode | stat.S_IXUSR)
            assert_found(seep.leaks(target.pid, "--json"))
            target.signal(signal.SIGTERM)
            assert target.wait() == -signal.SIGTERM


if __name__ == "__main__":
    sys.exit(cases.main())
