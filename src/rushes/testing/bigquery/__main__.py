"""The server as a process of its own: `python -m rushes.testing.bigquery --port 9050`. It runs until it is stopped."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from datetime import timedelta

from rushes.testing.bigquery.server import BigQueryServer


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m rushes.testing.bigquery", description=__doc__)
    parser.add_argument("--port", type=int, default=9050, help="to listen at, on loopback; 0: any that is free")
    parser.add_argument(
        "--latency", type=float, default=0.0, metavar="SECONDS", help="how long each job takes at least"
    )
    arguments = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        server = BigQueryServer(port=arguments.port, latency=timedelta(seconds=arguments.latency))
    except OSError as error:
        print(f"port {arguments.port}: {error}", file=sys.stderr)  # noqa: T201  (a program of its own)
        return 1
    with server:
        print(f"BIGQUERY_EMULATOR_HOST={server.url}", flush=True)  # noqa: T201  (the same)
        stopped.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
