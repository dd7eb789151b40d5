"""Command line of `./dev bench queue`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench._programs import markdown, table
from bench.queue.alone import SMALL, AloneFigures, AloneSizes, measure_alone
from bench.queue.contestants import Contestant, UnavailableError, chosen
from bench.queue.environments import Environments
from bench.queue.measuring import LATENCIES, DriverFailedError, Drivers, Figures, Sizes, measure, medians
from bench.queue.postgres import Server, running_server
from bench.queue.report import Report, describe

QUICK = Sizes(jobs=1000, singles=50, latencies=10)


def main() -> None:
    arguments = argparse.ArgumentParser(prog="./dev bench queue", description="Rushes' queue beside its peers.")
    arguments.add_argument("--peers", default="", metavar="A,B", help="only these, such as rushes,limit,pgqueuer")
    arguments.add_argument("--runs", type=int, default=5, help="medians of so many; the peers take turns")
    arguments.add_argument("--jobs", type=int, help="for every peer, instead of each one's own number")
    arguments.add_argument(
        "--alone",
        action="store_true",
        help="also with --peers: what only Rushes is asked (long queues, history, memory)",
    )
    arguments.add_argument("--quick", action="store_true", help="one small run, to see that it works")
    arguments.add_argument(
        "--redis-fsync",
        choices=("always", "everysec"),
        default="always",
        help="Redis's appendfsync; always is a commit's",
    )
    arguments.add_argument("--markdown", action="store_true", help="tables for the documents")
    arguments.add_argument("--json", type=Path, metavar="FILE", help="all runs, not only the medians")
    given = arguments.parse_args()
    contestants = chosen(given.peers)
    runs = 1 if given.quick else given.runs
    alone_sizes = SMALL if given.quick else AloneSizes()
    with running_server() as server, tempfile.TemporaryDirectory(prefix="bench-") as home:
        sizes = {one.name: QUICK if given.quick else _sizes(one, given.jobs) for one in contestants}
        found, failed = asyncio.run(_run(contestants, sizes, runs, server, Path(home), given.redis_fsync))
        alone = asyncio.run(_alone(server, Path(home), alone_sizes)) if given.alone or not given.peers else None
    if given.json:
        all_runs = {name: [asdict(run) for run in those] for name, those in found.items()}
        given.json.write_text(json.dumps({"runs": all_runs, "alone": alone and asdict(alone), "failed": failed}))
    report = Report({name: medians(those) for name, those in found.items()}, failed, alone, alone_sizes, runs)
    print(describe(report, markdown if given.markdown else table))
    sys.exit(any(reason.startswith("failed") for reason in failed.values()))


def _sizes(one: Contestant, jobs: int | None) -> Sizes:
    return Sizes(jobs=jobs or one.jobs, singles=one.singles, latencies=LATENCIES)


async def _run(
    contestants: Sequence[Contestant], sizes: dict[str, Sizes], runs: int, server: Server, home: Path, redis_fsync: str
) -> tuple[dict[str, list[Figures]], dict[str, str]]:
    """Run the contestants in turn. Returns the figures of each, and of those that failed, why."""
    environments = Environments()
    found: dict[str, list[Figures]] = {}
    failed: dict[str, str] = {}
    for number in range(runs):
        for one in contestants:
            if one.name in failed:
                continue
            print(f"run {number + 1} of {runs}: {one.name}", file=sys.stderr, flush=True)
            try:
                drivers = Drivers(one, environments.interpreter(one), _environment(home))
                found.setdefault(one.name, []).append(
                    await measure(drivers, server, sizes[one.name], redis_fsync=redis_fsync)
                )
            except UnavailableError as error:
                failed[one.name] = f"left out, {error}"
            except DriverFailedError as error:
                failed[one.name] = f"failed in {error}"
    return {name: those for name, those in found.items() if name not in failed}, failed


async def _alone(server: Server, home: Path, sizes: AloneSizes) -> AloneFigures:
    print("Rushes alone", file=sys.stderr, flush=True)
    return await measure_alone(server, _environment(home), sizes)


def _environment(home: Path) -> dict[str, str]:
    """What the drivers get: nothing of the developer's own settings of Rushes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUSHES_", "PYTHON"))}
    return {**kept, "RUSHES_HOME": str(home), "RUSHES_CONFIG": os.devnull}


if __name__ == "__main__":
    main()
