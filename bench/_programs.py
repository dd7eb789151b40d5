"""Running whole programs: their time, their memory, and medians of several runs."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

RUSHES = (sys.executable, "-m", "rushes")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program."""

    seconds: float
    peak_megabytes: float
    """The largest single process."""
    code: int


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Run:
    """Run a program to its end; what it prints is thrown away."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Run(time.perf_counter() - began, usage.ru_maxrss / 1024, process.returncode)


def medians(runs: Sequence[Run]) -> Run:
    """The median of each figure."""
    return Run(
        statistics.median(one.seconds for one in runs),
        statistics.median(one.peak_megabytes for one in runs),
        max(one.code for one in runs),
    )


def interleaved(programs: Mapping[str, Callable[[], Run]], times: int) -> dict[str, Run]:
    """Run programs in turn, so that a slow minute of the machine hits all of them; medians of `times` runs each."""
    runs: dict[str, list[Run]] = {name: [] for name in programs}
    for _ in range(times):
        for name, program in programs.items():
            runs[name].append(program())
    return {name: medians(found) for name, found in runs.items()}


def family(root: int) -> Iterator[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    waiting = [root]
    while waiting:
        process = waiting.pop()
        yield process
        waiting.extend(children.get(process, ()))


def processor_seconds(processes: Iterable[int]) -> float:
    """What processes and their ended children have used so far, by the system's count in hundredths."""
    ticks = 0
    for process in processes:
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def proportional_megabytes(processes: Sequence[int]) -> float:
    """The summed proportional set size: what is shared is counted once."""
    total = 0
    for process in processes:
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns padded to their widest cell, all but the first to the right."""
    widths = [max(len(row[n]) for row in [header, *rows]) for n in range(len(header))]
    lines = []
    for row in [header, *rows]:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The same as a table of a document."""
    ruler = ["---", *("--:" for _ in header[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, ruler, *rows])
