"""What the proxy for strangers' items costs: one large download and many small ones, beside the same without it."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bench._programs import markdown
from rushes.egress.proxy import Egress
from rushes.settings import Settings

WAYS = {"direct": "directly", "plain": "by the proxy, http", "tunnel": "by the proxy, as https"}
LARGE, SMALL, MANY, TIMES = 500_000_000, 10_000, 300, 5
ORIGIN = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        size = int(self.path[1:])
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        block = bytes(262144)
        while size:
            size -= self.wfile.write(block[:size])
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""
"""The host: a process of its own, like the client, so that the proxy has this one to itself."""


@contextlib.asynccontextmanager
async def origin() -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", ORIGIN, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


async def fetch(way: str, proxy: str, port: str, size: int, times: int) -> tuple[float, float]:
    """Seconds that a client took, and processor seconds of the proxy's meanwhile."""
    before = time.process_time()
    command = [sys.executable, "-m", "bench._fetching", way, proxy, "127.0.0.1", port, str(size), str(times)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    return float(out), time.process_time() - before


async def main() -> None:
    found: dict[str, list[tuple[float, float, float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        egress = Egress(Settings(home=Path(home), allowed_hosts="127.0.0.1"))
        async with origin() as port, egress.admitted() as proxy:
            for _ in range(TIMES):
                for way in WAYS:
                    large, processor = await fetch(way, proxy, port, LARGE, 1)
                    small, _ = await fetch(way, proxy, port, SMALL, MANY)
                    found[way].append((LARGE / large / 1e6, processor / LARGE * 1e9, small / MANY * 1e3))
        await egress.close()
    rows = []
    for way, label in WAYS.items():
        speed, processor, each = (statistics.median(column) for column in zip(*found[way], strict=True))
        rows.append([label, f"{speed:,.0f} MB/s", f"{processor:.2f} s" if way != "direct" else "", f"{each:.2f} ms"])
    print(markdown(["", "one of 500 MB", "processor time for 1 GB", "each of 300 of 10 kB"], rows))


if __name__ == "__main__":
    asyncio.run(main())
