"""What a pair of events costs a program, and how fast a recording is read, beside heaptrack's."""
import os
import re
import statistics
import subprocess
import time

import recorders

PAIRS = "5000000"  # ten million events
ASKED_NS, ASKED_FASTER = 100, 5


def ns_per_pair(options, recorder, storm, folder):
    """What the program says of itself: seep's own process is not in it."""
    command, environment = recorder.wrap(options, storm, os.path.join(folder, "out"))
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          env={**os.environ, **environment}, check=True)
    return float(re.search(r"([0-9.]+) ns of CPU per pair", done.stdout)[1])


def pairs(options, folder):
    """Lines on what the program pays for a pair, with stacks of 30 frames."""
    lines = ["### A pair of malloc() and free(), 30 frames deep", "",
             "The program's own processor time, as the storm measures it.", "",
             "| storm | plain, ns | with seep, ns | more, ns |", "|---|---:|---:|---:|"]
    chosen = {each.name: each for each in recorders.RECORDERS}
    for name, more in (("one way down", []), ("random calls", ["random"])):
        storm = [os.path.join(options.programs, "storm"), "1", "30", "2000000", *more]
        found = {"plain": [], "seep": []}
        for _ in range(options.rounds):
            for each, samples in found.items():
                samples.append(ns_per_pair(options, chosen[each], storm, folder))
        plain, seep = (statistics.median(found[each]) for each in ("plain", "seep"))
        lines.append(f"| {name} | {plain:.1f} | {seep:.1f} | {seep - plain:.1f} |")
    return lines + ["", f"Asked: at most {ASKED_NS} ns more.", ""]


def read(command):
    """(seconds, most bytes) of a command that reads."""
    began = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{command} ended with {child.returncode}")
    return time.monotonic() - began, usage.ru_maxrss * 1024


def reading(options, folder):
    """Lines on how fast ten million events are read."""
    chosen = {each.name: each for each in recorders.RECORDERS}
    if not recorders.is_there(chosen["heaptrack"]):
        return []
    storm = [os.path.join(options.programs, "storm"), "1", "30", PAIRS]
    files = {"seep": os.path.join(folder, "trace"), "heaptrack": os.path.join(folder, "theirs")}
    for name, file in files.items():
        command, _ = chosen[name].wrap(options, storm, file)
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    theirs = next(os.path.join(folder, name) for name in os.listdir(folder)
                  if name.startswith("theirs"))
    commands = {"seep report": [options.seep, "report", files["seep"]],
                "heaptrack_print": ["heaptrack_print", theirs]}
    samples = {name: [] for name in commands}
    for _ in range(options.rounds):
        for name, command in commands.items():
            samples[name].append(read(command))
    lines = ["### Reading ten million events", "", "| reader | time ÷ seep's | most memory, MB |",
             "|---|---:|---:|"]
    seconds = {name: statistics.median(each[0] for each in found)
               for name, found in samples.items()}
    for name, found in samples.items():
        memory = statistics.median(each[1] for each in found)
        lines.append(f"| {name} | {seconds[name] / seconds['seep report']:.1f} | "
                     f"{memory / 1e6:.0f} |")
    return lines + ["", f"Asked: at least {ASKED_FASTER} times as fast.", ""]
