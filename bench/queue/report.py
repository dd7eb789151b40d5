"""The table, and below it the promised ratios with what they are in this run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench._programs import table
from bench.queue.alone import AloneFigures, AloneSizes
from bench.queue.contestants import BY_NAME
from bench.queue.measuring import Figures

HEADER = (
    "", "enqueued/s bulk", "single", "settled/s 1 worker", "2 workers", "latency p50", "p95", "CPU µs/job", "server's",
    "WAL B/job", "commits/job", "dead rows",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """What one call of the benchmark found."""

    medians: Mapping[str, Figures]
    failed: Mapping[str, str]
    """Who did not run, and why."""
    alone: AloneFigures | None
    sizes: AloneSizes
    runs: int


Bar = tuple[str, str, str, str]
LIMITS = ("limit, our table", "limit, narrow")
BARS = {
    "pgqueuer": 3.0, "pgqueuer, 1,000": 3.0, "procrastinate": 10.0, "saq": 10.0, "dbos": 10.0, "celery": 10.0, "rq": 10.0,
    "awa": 5.0,
}  # fmt: skip
"""How many times a peer's settled/s by one worker process Rushes is to reach."""


def describe(report: Report, draw: Callable[[Sequence[str], Sequence[Sequence[str]]], str] = table) -> str:
    parts = [
        f"medians of {report.runs} runs, taken in turn" if report.runs > 1 else "one run",
        draw(HEADER, [_row(name, figures) for name, figures in report.medians.items()]),
        "",
    ]
    parts += [f"{name}: {reason}" for name, reason in report.failed.items()]
    parts += [f"{name}: {BY_NAME[name].settings}" for name in report.medians]
    bars = [*_bars(report.medians), *(_bars_alone(report.alone, report.sizes) if report.alone else ())]
    if bars:
        parts += ["", draw(("bar", "wanted", "found", ""), bars)]
    return "\n".join(parts)


def _row(name: str, figures: Figures) -> list[str]:
    rates = (figures.bulk, figures.single, figures.settled_by_one, figures.settled_by_two)
    return [
        name,
        *(f"{rate:,.0f}" for rate in rates),
        *(_number(milliseconds, 1, " ms") for milliseconds in (figures.p50, figures.p95)),
        *(_number(value, 0) for value in (figures.worker_cpu, figures.server_cpu, figures.wal)),
        _number(figures.commits, 3),
        _number(figures.dead, 0),
    ]


def _number(value: float | None, digits: int, unit: str = "") -> str:
    return "–" if value is None else f"{value:,.{digits}f}{unit}"


def _bars(medians: Mapping[str, Figures]) -> Iterator[Bar]:
    ours = medians.get("rushes")
    if ours is None:
        return
    for name, wanted in BARS.items():
        if name in medians:
            yield at_least(f"settled/s over {name}", wanted, ours.settled_by_one / medians[name].settled_by_one)
    if limits := [medians[name].settled_by_one for name in LIMITS if name in medians]:
        yield at_least("share of the bare driver's limit", 0.6, ours.settled_by_one / max(limits))
    if "pgqueuer" in medians:
        yield at_least("bulk enqueue over pgqueuer", 2.0, ours.bulk / medians["pgqueuer"].bulk)
    if ours.p50 is not None:
        yield at_most("p50 latency, idle queue", 10.0, ours.p50, "ms")


def _bars_alone(alone: AloneFigures, sizes: AloneSizes) -> Iterator[Bar]:
    waiting = f"settled/s with {sizes.many_waiting:,} waiting over {sizes.few_waiting:,}"
    yield at_least(waiting, 0.9, alone.with_many_waiting / alone.with_few_waiting)
    yield at_least(f"settled/s with {sizes.kept:,} kept over none", 0.9, alone.with_many_kept / alone.with_none_kept)
    yield at_most("statements a second, idle worker", 2.0, alone.idle_statements, "/s")
    memory = f"memory's growth in {alone.jobs_lived_through:,} jobs (from {alone.memory_early:.0f} MB)"
    yield at_most(memory, 20.0, alone.memory_growth, "MB")


def at_least(name: str, wanted: float, found: float, unit: str = "×") -> Bar:
    return name, f"≥ {wanted:g} {unit}", f"{found:.2f} {unit}", "met" if found >= wanted else "not met"


def at_most(name: str, wanted: float, found: float, unit: str) -> Bar:
    return name, f"≤ {wanted:g} {unit}", f"{found:.1f} {unit}", "met" if found <= wanted else "not met"
