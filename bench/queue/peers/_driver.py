"""What every peer's driver has in common: the phases of a run, each a process of its own that prints one line of JSON.

    setup            make tables
    bulk N           enqueue N jobs in the peer's fastest documented way   {"seconds": …}
    single N         enqueue N jobs one call at a time                     {"seconds": …}
    work             be one worker process, until killed
    watch N          wait until N jobs have started and are settled        {"seconds": from the first start to then}
    latency N        enqueue one job at a time on an idle queue            {"latencies": […]}

A driver is a class; its methods may be coroutines, which then all run on one loop.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import random
import sys
import time
from typing import Any

import _tally

DSN = os.environ.get("BENCH_DSN", "")
REDIS = os.environ.get("BENCH_REDIS", "")
FOLDER = _tally.FOLDER
LOOK_SECONDS = 0.01
"""Between two looks at the jobs' counts."""
LATENCY_WITHIN = 20.0
"""Seconds after which no more latencies are taken: a peer that polls once a second is known well enough by then."""


class Peer:
    """A peer's driver. `chunk` jobs go into one call of `add`."""

    chunk = 1000

    def open(self) -> Any:
        """Connect; called first in every phase."""

    def setup(self) -> Any:
        """Make tables."""

    def add(self, count: int) -> Any:
        """Enqueue so many in one call of the peer's own, each with the payload `{"sent": 0}`."""
        raise NotImplementedError

    def send(self, sent: float) -> Any:
        """Enqueue one with the payload `{"sent": sent}`."""
        raise NotImplementedError

    def settled(self) -> Any:
        """Whether every job's outcome is durable. Asked only when all have started."""
        raise NotImplementedError

    def work(self) -> Any:
        """Be a worker until killed. Each job calls `_tally.started(sent)` and does nothing else."""
        raise NotImplementedError


class Call:
    """Calls plain functions and coroutines alike, the latter on one loop that lives as long as this."""

    def __init__(self, *, fast: bool) -> None:
        self._runner = asyncio.Runner(loop_factory=_fast_loop() if fast else None)
        self._looping = False

    def __call__(self, function: Any, *arguments: Any) -> Any:
        result = function(*arguments)
        if not inspect.iscoroutine(result):
            return result
        self._looping = True
        return self._runner.run(result)

    def wait(self, seconds: float) -> None:
        """Let the peer's own background tasks go on meanwhile, if it has any."""
        self(asyncio.sleep if self._looping else time.sleep, seconds)


def _fast_loop() -> Any:
    """Of the peers' environment; ours has none."""
    return importlib.import_module("uvloop").new_event_loop


def bulk(call: Call, peer: Peer, count: int) -> dict[str, Any]:
    size = int(os.environ.get("BENCH_CHUNK", peer.chunk))
    chunks = [min(size, count - start) for start in range(0, count, size)]
    return {"seconds": _timed(call, peer.add, chunks)}


def single(call: Call, peer: Peer, count: int) -> dict[str, Any]:
    return {"seconds": _timed(call, peer.send, [0.0] * count)}


def _timed(call: Call, function: Any, arguments: list[Any]) -> float:
    began = time.perf_counter()
    if inspect.iscoroutinefunction(function):
        call(_one_after_the_other, function, arguments)
    else:
        for argument in arguments:
            function(argument)
    return time.perf_counter() - began


async def _one_after_the_other(function: Any, arguments: list[Any]) -> None:
    for argument in arguments:
        await function(argument)


def watch(call: Call, peer: Peer, count: int) -> dict[str, Any]:
    while _tally.all_started() < count:
        call.wait(LOOK_SECONDS)
    while not call(peer.settled):
        call.wait(LOOK_SECONDS)
    return {"seconds": time.monotonic() - _tally.first_start(), "started": _tally.all_started()}


def latency(call: Call, peer: Peer, count: int) -> dict[str, Any]:
    """Each job is sent when the one before has started and a random while has passed, so that no period is in step."""
    until = time.monotonic() + LATENCY_WITHIN
    for number in range(count):
        call(peer.send, time.monotonic())
        while len(_tally.latencies()) <= number:
            call.wait(0.001)
        if time.monotonic() > until:
            break
        call.wait(random.uniform(0.1, 0.25))
    # The first ones meet caches and connections that are still cold.
    return {"latencies": _tally.latencies()[3:]}


def main(peer: Peer, *, fast: bool = False) -> None:
    """Run one phase. `fast` takes uvloop, where that is the peer's advice."""
    phase, *numbers = sys.argv[1:]
    call = Call(fast=fast)
    call(peer.open)
    given = [int(number) for number in numbers]
    match phase:
        case "setup" | "work":
            answer = call(getattr(peer, phase))
        case "bulk" | "single" | "watch" | "latency":
            answer = globals()[phase](call, peer, *given)
        case _:
            raise SystemExit(f"no such phase: {phase}")
    print(json.dumps(answer or {}), flush=True)
    # Some peers' threads and pools would keep a finished process for seconds.
    os._exit(0)
