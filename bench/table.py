"""From samples to medians, ratios and the table of doc/BENCHMARKS.md."""
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
GIB = 1 << 30


@dataclass(frozen=True)
class Limit:
    """What a figure must reach, in words, on which workloads."""
    figure: str
    at_most: float
    words: str
    workloads: tuple = ("generated, 1 GB",)
    form: str = "{:.1f}"


LIMITS = [
    Limit("seep_total/memcpy", 10, "total ≤ 10 × memcpy"),
    Limit("seep_memory_percent", 25, "memory ≤ 25 % of the heap"),
    Limit("seep_pause/gcore_total", 1 / 30, "pause ≤ 1/30 = 0.033 of gcore's time",
          ("generated, 1 GB", "generated, 4 GB"), "{:.3f}"),
    Limit("seep_total/stop_total", 1, "total through a copy ≤ total of stop-and-read",
          ("generated, 1 GB", "generated, 4 GB"), "{:.2f}"),
]

# Of a set's p99 while a copy lives to that while nobody looks.
LATENCY_LIMIT = 1.5

# One table of seep alone, one of the others beside it: (heading, figure, how it is written).
OWN_COLUMNS = [
    ("total ÷ memcpy", "seep_total/memcpy", "{:.1f}"),
    ("pause ÷ memcpy", "seep_pause/memcpy", "{:.2f}"),
    ("total copied ÷ stopped", "seep_total/stop_total", "{:.2f}"),
    ("pause copied ÷ stopped", "seep_pause/stop_pause", "{:.3f}"),
    ("memory, % of heap", "seep_memory_percent", "{:.1f}"),
    ("coverage, %", "seep_coverage", "{:.2f}"),
]
PEER_COLUMNS = [
    ("gcore ÷ seep total", "gcore_total/seep_total", "{:.1f}"),
    ("gcore ÷ seep pause", "gcore_total/seep_pause", "{:.1f}"),
    ("valgrind run ÷ seep total", "valgrind_total/seep_total", "{:.1f}"),
    ("LSan run ÷ seep total", "lsan_total/seep_total", "{:.1f}"),
    ("LSan check ÷ seep total", "lsan_check/seep_total", "{:.1f}"),
    ("valgrind ÷ native run", "valgrind_total/native", "{:.1f}"),
    ("LSan ÷ native run", "lsan_total/native", "{:.1f}"),
]


def figures(samples, heap_bytes):
    """Medians of all samples, and the ratios of medians that the table shows."""
    result = {name: statistics.median(values) for name, values in samples.items() if values}
    shown = [name for _, name, _ in OWN_COLUMNS + PEER_COLUMNS]
    for name in shown + [limit.figure for limit in LIMITS]:
        if "/" in name:
            above, below = name.split("/")
            if above in result and result.get(below):
                result[name] = result[above] / result[below]
    if "seep_peak_pss" in result:
        result["seep_memory_percent"] = 100 * result["seep_peak_pss"] / heap_bytes
    return result


def machine():
    """What the figures depend on. No host name."""
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
        model = next((line.split(":", 1)[1].strip() for line in lines
                      if line.startswith("model name")), platform.machine())
    with open("/proc/meminfo", encoding="ascii") as lines:
        memory = int(next(line for line in lines if line.startswith("MemTotal:")).split()[1]) << 10
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / GIB, 1),
        "kernel": platform.release(),
        "libc": " ".join(platform.libc_ver()),
        "gdb": first_line(["gdb", "--version"]),
        "valgrind": first_line(["valgrind", "--version"]),
        "compiler": first_line(["gcc", "--version"]),
    }


def first_line(command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              check=False)
    except OSError:
        return None
    return done.stdout.splitlines()[0] if done.stdout else None


def row(cells):
    return "| " + " | ".join(cells) + " |"


def cells(result, columns):
    for _, name, form in columns:
        value = result["figures"].get(name)
        yield "–" if value is None else form.format(value)


def planted_cell(result):
    check = result.get("planted")
    return "{planted} / {found} / {invented}".format(**check) if check else "–"


def table_lines(headings, rows):
    return [row(headings), row(["---"] + ["---:"] * (len(headings) - 1)), *map(row, rows)]


def own_table(results):
    headings = ["heap", "GB", *(heading for heading, _, _ in OWN_COLUMNS),
                "planted / found / invented"]
    return table_lines(headings, (
        [result["name"], f"{result['heap_bytes'] / GIB:.2f}", *cells(result, OWN_COLUMNS),
         planted_cell(result)] for result in results))


def peer_table(results):
    headings = ["heap", *(heading for heading, _, _ in PEER_COLUMNS)]
    return table_lines(headings, (
        [result["name"], *cells(result, PEER_COLUMNS)] for result in results))


def verdicts(results):
    """One line per limit and workload that the figures can be held against."""
    for result in results:
        for limit in LIMITS:
            if result["name"] not in limit.workloads or limit.figure not in result["figures"]:
                continue
            value = result["figures"][limit.figure]
            held = "reached" if value <= limit.at_most else "missed"
            yield f"- {result['name']}: {limit.words}: {held} ({limit.form.format(value)})"


def latency_lines(latency):
    """What a memcached's clients feel of looks through copies."""
    if latency is None:
        return []
    if "missing" in latency:
        return ["", f"Latency while a copy lives: not measured: {latency['missing']}"]
    of = latency["summary"]
    held = "reached" if of["ratio"] <= LATENCY_LIMIT else "missed"
    return ["", *table_lines(
        ["memcached, 1 GB, rewritten all the time", "p50 ÷ alone", "p99 ÷ alone",
         "p99.9 ÷ alone", "pause, ms", "copy, MiB", "looks"],
        [["looks through copies, back to back",
          *(f"{of['looked_at_' + name] / max(1, of['alone_' + name]):.2f}"
            for name in ("p50_us", "p99_us", "p999_us")),
          f"{of['pause_ms']:.1f}", f"{of['copy_mib']:.0f}", str(of["looks"])]]),
        "", f"- p99 ≤ {LATENCY_LIMIT} × p99 alone: {held} ({of['ratio']:.2f})"]


def markdown(results, latency, the_machine, command, took_s):
    lines = [
        f"Made by `{command}` on {time.strftime('%Y-%m-%d')} in {took_s / 60:.0f} minutes: "
        f"{the_machine['cpu']}, {the_machine['cores']} cores, {the_machine['memory_gib']} GB, "
        f"Linux {the_machine['kernel']}, {the_machine['libc']}; {the_machine['gdb']}, "
        f"{the_machine['valgrind']}, {the_machine['compiler']}.",
        "",
        *own_table(results),
        "",
        *peer_table(results),
    ]
    held = list(verdicts(results))
    if held:
        lines += ["", "Held against what is asked:", "", *held]
    complaints = [f"- {result['name']}: {result['complaint'].splitlines()[0]}"
                  for result in results if result.get("complaint")]
    if complaints:
        lines += ["", "Not as planted:", "", *complaints]
    missing = [f"- {result['name']}, {peer}: {reason}" for result in results
               for peer, reason in result["missing"].items()]
    if missing:
        lines += ["", "Not measured (–):", "", *missing]
    lines += latency_lines(latency)
    return "\n".join(lines) + "\n"


def write_between_markers(path, text):
    with open(path, encoding="utf-8") as page:
        old = page.read()
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    new, times = pattern.subn(lambda _: f"{BEGIN}\n{text}{END}", old)
    if times != 1:
        raise ValueError(f"{path} needs the markers {BEGIN} and {END} once each")
    with open(path + ".new", "w", encoding="utf-8") as page:
        page.write(new)
    os.replace(path + ".new", path)


if __name__ == "__main__":
    sys.exit("this is a part of bench/run")
