"""Those that ask the processor, each in a process of its own.

python -m bench.process.contestants NAME URL COUNT AT_ONCE    prints its figures as JSON
"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import json
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

PAGE = resource.getpagesize()


@dataclass(slots=True)
class Figures:
    """What one run took."""

    seconds: float
    processor: float
    """Seconds of this process's processor time."""
    quarter: float
    """Resident megabytes when a quarter was done."""
    end: float


class Meter:
    """Takes the figures, and counts."""

    def __init__(self, count: int) -> None:
        self._quarter = count // 4
        self._done = 0
        self._memory = 0.0
        self._began, self._processor = time.perf_counter(), time.process_time()

    def done(self, count: int = 1) -> None:
        before, self._done = self._done, self._done + count
        if before < self._quarter <= self._done:
            self._memory = resident()

    def figures(self) -> Figures:
        return Figures(
            time.perf_counter() - self._began, time.process_time() - self._processor, self._memory, resident()
        )


def resident(process: int | str = "self") -> float:
    """Megabytes in memory now."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE / 1e6


def addresses(count: int) -> Iterator[str]:
    return (f"https://example.org/videos/{number}" for number in range(count))


def bare(url: str, count: int, at_once: int) -> Figures:
    """So many tasks that post and read, and nothing else: what the library can do."""
    import aiohttp

    async def main() -> Figures:
        waiting = addresses(count)
        connector = aiohttp.TCPConnector(limit=at_once)
        async with aiohttp.ClientSession(connector=connector) as session:
            meter = Meter(count)

            async def loop() -> None:
                for address in waiting:
                    async with session.post(url, json={"name": address}) as answer:
                        answer.raise_for_status()
                        assert await answer.text()
                    meter.done()

            await asyncio.gather(*(loop() for _ in range(at_once)))
            return meter.figures()

    return asyncio.run(main())


def seed(url: str, count: int, _at_once: int) -> Figures:
    """As the original does it: five threads, a request a connection."""
    import requests

    def ask(address: str) -> None:
        answer = requests.post(url, json={"name": address}, timeout=600)
        answer.raise_for_status()
        assert answer.text
        with lock:
            meter.done()

    lock = threading.Lock()
    meter = Meter(count)
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(ask, addresses(count)))
    return meter.figures()


def worker(url: str, count: int, at_once: int) -> Figures:
    """The worker with the stage `process`, as `rushes worker` runs it: leases, heartbeat, retries, settlement."""
    from bench.process.rows import Rows
    from rushes.settings import Settings
    from rushes.sources.whole_items import SLOT
    from rushes.stages import registry
    from rushes.worker import Worker

    async def main() -> Figures:
        with tempfile.TemporaryDirectory(prefix="bench-") as home:
            settings = Settings.load(home=Path(home), processor_url=url)
            plan = registry.resolve("process", settings=settings)
            meter = Meter(count)  # what is imported is imported by now, here as there
            rows = Rows(addresses(count), plan, settings.artifacts, meter.done)
            await Worker(settings, rows, slots={SLOT: at_once}).run()
            assert rows.completed == count, f"{rows.completed} of {count} completed"
            return meter.figures()

    return asyncio.run(main())


def table(url: str, count: int, at_once: int) -> Figures:
    """The same from a table of BigQuery's, the whole command."""
    from bench.process.from_a_table import from_a_table

    return from_a_table(url, addresses(count), at_once)


BY_NAME: Mapping[str, Callable[[str, int, int], Figures]] = {
    "bare": bare, "worker": worker, "table": table, "seed": seed,
}  # fmt: skip


if __name__ == "__main__":
    name, url, count, at_once = sys.argv[1:]
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # as `rushes worker` does; for all, so that it helps nobody alone
    print(json.dumps(dataclasses.asdict(BY_NAME[name](url, int(count), int(at_once)))))
