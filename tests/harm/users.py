"""Other users: their programs, and seep run by them."""

import os
import pathlib
import shutil
import subprocess
import time

from harness import seep
from harness.cases import Skip
from harness.target import temporary_folder

NOBODY, DAEMON = 65534, 1


def as_user(uid):
    """What to put before a command to run it without any rights as `uid`."""
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]


def must_be_root():
    if os.geteuid() != 0:
        raise Skip("only root can become another user")


class PublicFolder:
    """A folder that everybody may enter, with copies of programs that everybody may run."""

    def __enter__(self):
        self.temporary = temporary_folder()
        self.path = pathlib.Path(self.temporary.name)
        self.path.chmod(0o777)
        return self

    def __exit__(self, *_):
        self.temporary.cleanup()

    def copy(self, source, mode=0o755):
        copied = self.path / pathlib.Path(source).name
        shutil.copyfile(source, copied)
        copied.chmod(mode)
        return copied


def run_as(folder, uid, *arguments):
    """seep as another user, from a copy that this user can reach."""
    copied = folder.copy(seep.program())
    begin = time.monotonic()
    done = subprocess.run([*as_user(uid), copied, *map(str, arguments)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    return seep.Answer(["seep", *map(str, arguments)], done.returncode, done.stdout,
                       done.stderr, time.monotonic() - begin)
