"""The worker with the stage `process` beside a bare loop and five threads of `requests`: all at one processor, in turns."""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench._programs import table
from bench.process import from_a_table
from bench.process.contestants import BY_NAME, Figures

ROOT = Path(__file__).resolve().parents[2]
SHOWN = {
    "bare": "bare aiohttp loop",
    "worker": "the worker",
    "table": "rushes worker --source bigquery, all of it",
    "seed": "five threads of requests",
}
SEED_SHARE = 20
"""The seed gets this part of the addresses: its five threads take so much longer."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench process", description=__doc__)
    parser.add_argument("--addresses", type=int, default=20_000)
    parser.add_argument("--at-once", type=int, default=500)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds until the processor answers")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print the figures of all runs instead of a table")
    given = parser.parse_args()
    left_out = from_a_table.missing()
    names = [name for name in BY_NAME if name != "table" or not left_out]
    counts = {name: given.addresses // (SEED_SHARE if name == "seed" else 1) for name in names}
    runs: dict[str, list[Figures]] = {name: [] for name in names}
    with _server(given.latency) as url:
        for _ in range(given.runs):
            for name, count in counts.items():
                runs[name].append(_run(name, url, count, given.at_once))
    if given.json:
        print(json.dumps({name: [dict(_told(one, counts[name])) for one in found] for name, found in runs.items()}))
        return
    print(
        f"{given.addresses:,} addresses, {given.at_once} at once, {given.latency * 1000:g} ms each, {given.runs} runs\n"
    )
    print(_table(runs, counts))
    print(f"\nof the bare loop:   {_ratio(runs, counts, 'bare')}   (promised: at least 0.85)")
    print(f"of five threads:    {_ratio(runs, counts, 'seed')}   (promised: at least 10)")
    growth = max(one.end / one.quarter for one in runs["worker"])
    print(f"memory, end to quarter: at most {growth:.2f}")
    if left_out:
        print(f"Not measured: {SHOWN['table']}: there is no {left_out} here")


@contextlib.contextmanager
def _server(latency: float) -> Iterator[str]:
    command = [sys.executable, "-m", "bench.process.server", str(latency)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
        finally:
            process.terminate()


def _run(name: str, url: str, count: int, at_once: int) -> Figures:
    """One run, which the server has to confirm: every address was posted, and once."""
    command = [sys.executable, "-m", "bench.process.contestants", name, url, str(count), str(at_once)]
    figures = Figures(**json.loads(subprocess.check_output(command, cwd=ROOT, text=True)))
    with urllib.request.urlopen(url) as answer:  # noqa: S310  (our own server)
        posted = int(answer.read())
    if posted != count:
        raise SystemExit(f"{SHOWN[name]} posted {posted} of {count} addresses")
    return figures


def _told(one: Figures, count: int) -> Iterator[tuple[str, float]]:
    yield "addresses_a_second", round(count / one.seconds, 1)
    yield "processor_microseconds", round(one.processor / count * 1e6, 1)
    yield "megabytes_at_a_quarter", round(one.quarter, 1)
    yield "megabytes_at_the_end", round(one.end, 1)


def _table(runs: dict[str, list[Figures]], counts: dict[str, int]) -> str:
    header = ["", "addresses/s", "range", "CPU each", "memory at a quarter", "at the end"]
    return table(header, [[SHOWN[name], *_row(found, counts[name])] for name, found in runs.items()])


def _row(found: Sequence[Figures], count: int) -> list[str]:
    rates = [count / one.seconds for one in found]
    cpu, quarter, end = (
        statistics.median(values)
        for values in (
            [one.processor / count * 1e6 for one in found], [one.quarter for one in found], [one.end for one in found],
        )
    )  # fmt: skip
    return [
        f"{statistics.median(rates):,.0f}", f"{min(rates):,.0f} to {max(rates):,.0f}", f"{cpu:.0f} µs",
        f"{quarter:.0f} MB", f"{end:.0f} MB",
    ]  # fmt: skip


def _ratio(runs: dict[str, list[Figures]], counts: dict[str, int], other: str) -> str:
    """The worker's rate over another's, pair by pair: the two of a pair had the same minute of the machine."""
    ratios = [
        (counts["worker"] / ours.seconds) / (counts[other] / theirs.seconds)
        for ours, theirs in zip(runs["worker"], runs[other], strict=True)
    ]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


if __name__ == "__main__":
    main()
