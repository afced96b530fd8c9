"""Named test cases in one script.

Each case is a function whose first docstring line says what it checks. `SCRIPT NAME...`
runs those, `SCRIPT` all, `SCRIPT --list` names them. A case fails by an assertion.
"""

import os
import pathlib
import shutil
import sys
import time
import traceback

SKIPPED_STATUS = 77

_cases = {}


class Skip(Exception):
    """Raised where this machine cannot show what the case is about; says why."""


def case(function):
    _cases[function.__name__.replace("_", "-")] = function
    return function


def needs(*tools):
    """Fails clearly where a program that the tests need is missing."""
    for tool in tools:
        if not shutil.which(tool):
            raise AssertionError(f"{tool} is missing; tools/packages.txt names its package, "
                                 "and `tools/setup build test` installs it")


def program(name):
    """A program that the build has made, from the folder that PROGRAMS names."""
    folder = os.environ.get("PROGRAMS")
    if not folder:
        raise SystemExit("PROGRAMS must name the folder of the built test programs, "
                         "as in PROGRAMS=build/tests/harm")
    path = pathlib.Path(folder).resolve() / name
    if not os.access(path, os.X_OK):
        raise AssertionError(f"{path} has not been built")
    return path


def run_one(name):
    """"passed", "skipped" or "failed"."""
    function = _cases[name]
    print(f"{name}: {function.__doc__.splitlines()[0]}", flush=True)
    begin = time.monotonic()
    try:
        function()
        result = "passed"
    except Skip as reason:
        print(f"  skipped: {reason}")
        result = "skipped"
    except Exception:  # any failure of any sort is this case's, and the next still runs
        traceback.print_exc(file=sys.stdout)
        result = "failed"
    print(f"  {result} in {time.monotonic() - begin:.1f} s", flush=True)
    return result


def main():
    names = sys.argv[1:] or list(_cases)
    if names == ["--list"]:
        print("\n".join(_cases))
        return 0
    unknown = [name for name in names if name not in _cases]
    if unknown:
        print(f"no case {', '.join(unknown)}; there are: {', '.join(_cases)}")
        return 2
    results = [run_one(name) for name in names]
    if "failed" in results:
        return 1
    return SKIPPED_STATUS if set(results) == {"skipped"} else 0
